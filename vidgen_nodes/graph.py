# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The node graph as data: which nodes there are, with which parameters and remaps.

The ``vidgen`` command and ``launch/vidgen.launch.py`` start exactly this, and ``vidgen render`` reads
the same parameter file, so there is one place where a value comes from: the defaults of
``params/``, then ``config/vidgen.yaml``, a preset, the user's files, single settings, in this order.
Starts nothing and imports no ROS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params import NodeParams, load_node_params
from vidgen_nodes.resources import config_dir

NAMESPACE = "/vidgen"

# Parameters that name a file which comes with the package: looked for beside the defaults first.
_FILE_PARAMETERS = (
    ("thermal", "calibration_file"),
    ("thermal", "correction_file"),
    ("generator", "building_file"),
    ("generator", "scenario_file"),
    ("generator", "review_file"),
    ("generator", "reviewers_file"),
    ("lidar", "building_file"),
    ("actuation", "roster_file"),
    ("lidar", "baseline_file"),
)

Overrides = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One process of the graph.

    ``parameters`` are plain YAML values, complete. ``may_end``: a clean end is not a fault (the
    simulated flight has a duration); every other node is restarted however it ended.
    """

    name: str
    section: str
    parameters: Mapping[str, Any]
    remaps: tuple[tuple[str, str], ...] = ()
    lifecycle: bool = False
    may_end: bool = False
    namespace: str = NAMESPACE

    @property
    def module(self) -> str:
        """What ``python -m`` runs."""
        return f"vidgen_nodes.nodes.{self.name}"

    @property
    def process(self) -> str:
        """Name of the process: the node's, after the camera's where there are several."""
        return f"{self.namespace}/{self.name}".removeprefix(f"{NAMESPACE}/")


# In starting order: consumers before producers, so that little is published to nobody.
_ORDER = ("actuation", "custody", "robot", "ar", "generator", "sync", "lidar", "rtk", "thermal", "sim")
_LIFECYCLE = frozenset({"generator", "custody"})


def node_specs(
    preset: str = "",
    config: Sequence[Path] = (),
    overrides: Overrides | None = None,
    *,
    with_sim: bool = False,
    remaps: Iterable[tuple[str, str]] = (),
) -> tuple[NodeSpec, ...]:
    """The graph with its parameters resolved.

    Args:
        preset: name of ``config/presets/<preset>.yaml``; empty: none.
        config: the user's parameter files, later ones win.
        overrides: ``{node: {name: value}}``, node without ``_node``; they win over files.
        with_sim: also fly the simulated drone.
        remaps: ``(our relative topic, foreign topic)``, given to every node.

    Raises:
        ConfigError: unknown preset, node or parameter, a bad value, a missing file.
    """
    params = resolve_params(preset, config, overrides)
    return specs_for(params, with_sim=with_sim, remaps=(*preset_remaps(preset), *remaps))


def specs_for(
    params: NodeParams,
    *,
    with_sim: bool = False,
    remaps: Iterable[tuple[str, str]] = (),
    namespace: str = NAMESPACE,
) -> tuple[NodeSpec, ...]:
    """The graph for parameters that are resolved already."""
    sections = plain(params)
    fixed = tuple(remaps)
    return tuple(
        NodeSpec(
            name=f"{section}_node",
            section=section,
            parameters=sections[section],
            remaps=fixed,
            lifecycle=section in _LIFECYCLE,
            may_end=section == "sim",
            namespace=namespace,
        )
        for section in _ORDER
        if (with_sim or section != "sim") and (params.actuation.enabled or section != "actuation")
    )


def resolve_params(
    preset: str = "", config: Sequence[Path] = (), overrides: Overrides | None = None
) -> NodeParams:
    """Merge defaults, preset, files and overrides, and make the names of files absolute.

    Raises:
        ConfigError: see :func:`node_specs`.
    """
    files = [config_dir() / "vidgen.yaml"]
    if preset:
        files.append(preset_path(preset))
    params = _with_absolute_files(load_node_params([*files, *config], overrides), config)
    if params.lidar.building_file not in ("", params.generator.building_file):
        raise ConfigError(
            f"lidar.building_file is {params.lidar.building_file}, but generator.building_file is "
            f"{params.generator.building_file or 'empty'}; a frame has one building: give both the same, or lidar none"
        )
    return params


def preset_names() -> tuple[str, ...]:
    """Presets that come with the package."""
    return tuple(sorted(path.stem for path in (config_dir() / "presets").glob("*.yaml")))


def preset_path(preset: str) -> Path:
    """The file of a preset.

    Raises:
        ConfigError: there is none; the known ones are listed.
    """
    path = config_dir() / "presets" / f"{preset}.yaml"
    if preset not in preset_names():
        raise ConfigError(f"preset {preset!r} is not known; known: {', '.join(preset_names()) or 'none'}")
    return path


def preset_remaps(preset: str) -> tuple[tuple[str, str], ...]:
    """Remaps ``(our topic, foreign topic)`` that a preset names under its key ``remaps``.

    Raises:
        ConfigError: the key holds something else than ``our/topic: /foreign/topic``.
    """
    if not preset:
        return ()
    path = preset_path(preset)
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    remaps = content.get("remaps") or {}
    if not isinstance(remaps, dict) or not all(
        isinstance(name, str) for pair in remaps.items() for name in pair
    ):
        raise ConfigError(f"{path}: remaps: got {remaps!r}, expected our/topic: /foreign/topic")
    return tuple(remaps.items())


def parse_topic_remaps(arguments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``/foreign:=our/topic`` strings as ``(our topic, foreign topic)``.

    Raises:
        ConfigError: not of that form.
    """
    pairs = []
    for argument in arguments:
        foreign, sign, ours = argument.partition(":=")
        if not (foreign and sign and ours):
            raise ConfigError(f"--remap {argument!r}: expected /foreign/topic:=our/topic")
        pairs.append((ours.removeprefix(f"{NAMESPACE}/").lstrip("/"), foreign))
    return tuple(pairs)


def parse_settings(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``node.param=value`` strings as overrides. Values are YAML; text parameters take them as they are.

    Raises:
        ConfigError: not of that form, or no such node or parameter.
    """
    defaults = NodeParams()
    result: dict[str, dict[str, Any]] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        node, dot, name = key.partition(".")
        if not (equals and dot and name):
            raise ConfigError(f"--set {setting!r}: expected node.parameter=value, e.g. sync.nav_delay_ms=20")
        section = getattr(defaults, node.removesuffix("_node"), None)
        if section is None or not hasattr(section, name):
            raise ConfigError(f"--set {setting!r}: there is no parameter {name!r} of node {node!r}")
        value = text if isinstance(getattr(section, name), str) else _yaml_value(setting, text)
        result.setdefault(node.removesuffix("_node"), {})[name] = value
    return result


def merge_overrides(*layers: Overrides) -> dict[str, dict[str, Any]]:
    """Later layers win, parameter by parameter."""
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for node, values in layer.items():
            merged.setdefault(node, {}).update(values)
    return merged


def plain(params: NodeParams) -> dict[str, dict[str, Any]]:
    """Every parameter as a plain YAML value, by node without ``_node``."""
    return {
        node: {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        for node, values in dataclasses.asdict(params).items()
    }


def write_params(path: Path, params: NodeParams) -> None:
    """Write one ROS parameter file that holds every parameter of every node."""
    content = {f"/**/{node}_node": {"ros__parameters": values} for node, values in plain(params).items()}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def ros_arguments(spec: NodeSpec, params_file: Path, *, replaying: bool = False) -> list[str]:
    """What follows the executable of a node; ``replaying``: time from ``/clock``, and no input may be lost."""
    arguments = [
        "--ros-args",
        "-r",
        f"__ns:={spec.namespace}",
        "--params-file",
        str(params_file),
    ]
    for ours, foreign in spec.remaps:
        arguments += ["-r", f"{ours}:={foreign}"]
    if replaying:
        arguments += ["-p", "use_sim_time:=true", "-p", "input_reliability:=reliable"]
    return arguments


def _yaml_value(setting: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as err:
        raise ConfigError(f"--set {setting!r}: the value cannot be read: {err}") from err


def _with_absolute_files(params: NodeParams, config: Sequence[Path]) -> NodeParams:
    changed: dict[str, dict[str, Any]] = {}
    for node, name in _FILE_PARAMETERS:
        value = getattr(getattr(params, node), name)
        if value:
            bases = [*(path.parent for path in reversed(config)), config_dir(), Path.cwd()]
            changed.setdefault(node, {})[name] = str(_find(f"{node}.{name}", Path(value).expanduser(), bases))
    return dataclasses.replace(
        params,
        **{node: dataclasses.replace(getattr(params, node), **values) for node, values in changed.items()},
    )


def _find(parameter: str, path: Path, bases: Sequence[Path]) -> Path:
    candidates = [path] if path.is_absolute() else [base / path for base in bases]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise ConfigError(f"{parameter}: no such file: {path}; looked for {looked}")
