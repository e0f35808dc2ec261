# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Builds the parameters of the graph from ROS parameter YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params.actuation import ActuationParams
from vidgen_nodes.params.ar import ArParams
from vidgen_nodes.params.custody import CustodyParams
from vidgen_nodes.params.generator import GeneratorParams
from vidgen_nodes.params.lidar import LidarParams
from vidgen_nodes.params.robot import RobotParams
from vidgen_nodes.params.rtk import RtkParams
from vidgen_nodes.params.sim import SimParams
from vidgen_nodes.params.sync import SyncParams
from vidgen_nodes.params.thermal import ThermalParams

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class NodeParams:
    """The parameters of the whole graph; field names are node names less ``_node``."""

    thermal: ThermalParams = field(default_factory=ThermalParams)
    rtk: RtkParams = field(default_factory=RtkParams)
    lidar: LidarParams = field(default_factory=LidarParams)
    sync: SyncParams = field(default_factory=SyncParams)
    generator: GeneratorParams = field(default_factory=GeneratorParams)
    ar: ArParams = field(default_factory=ArParams)
    robot: RobotParams = field(default_factory=RobotParams)
    custody: CustodyParams = field(default_factory=CustodyParams)
    actuation: ActuationParams = field(default_factory=ActuationParams)
    sim: SimParams = field(default_factory=SimParams)


def make_params(cls: type[P], values: Mapping[str, Any]) -> P:
    """Build one parameter object.

    Raises:
        ConfigError: unknown name (the nearest known ones are listed), wrong type or range.
    """
    known = {item.name for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"{cls.__name__}: unknown parameter {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    return cls(**values)


def load_node_params(
    files: Sequence[Path], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> NodeParams:
    """Defaults, then each file in turn (ROS parameter YAML), then ``{node: {name: value}}``.

    Args:
        files: YAML in the form ``/**/thermal_node: {ros__parameters: {...}}``.
        overrides: by node name without ``_node``.

    Raises:
        ConfigError: a file that cannot be read, an unknown node or parameter, a bad value.
    """
    merged: dict[str, dict[str, Any]] = {item.name: {} for item in dataclasses.fields(NodeParams)}
    for path in files:
        for node, values in _read_ros_yaml(path).items():
            if node not in merged:
                raise ConfigError(f"{path}: unknown node {node}_node; known: {', '.join(merged)}")
            merged[node].update(values)
    for node, settings in (overrides or {}).items():
        if node not in merged:
            raise ConfigError(f"override for unknown node {node!r}; known: {', '.join(merged)}")
        merged[node].update(settings)
    built = {
        item.name: make_params(type(getattr(NodeParams(), item.name)), merged[item.name])
        for item in dataclasses.fields(NodeParams)
    }
    return NodeParams(**built)


def _read_ros_yaml(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: got {type(content).__name__}, expected a mapping of node names")
    result: dict[str, dict[str, Any]] = {}
    for key, body in content.items():
        if key in (
            "remaps",
            "cameras",
        ):  # a preset's topics and more cameras: read by graph.py and cameras.py
            continue
        node = str(key).rsplit("/", 1)[-1].removesuffix("_node")
        if not isinstance(body, dict) or not isinstance(body.get("ros__parameters"), dict):
            raise ConfigError(f"{path}: {key}: expected a mapping with ros__parameters")
        result.setdefault(node, {}).update(body["ros__parameters"])
    return result
