# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""More thermal cameras in one graph: each an anchor of its own, on shared navigation and one shared map.

A camera beside the first is named under ``cameras`` in a parameter file:

    cameras:
      left:
        remaps: {thermal/image_raw: /left/image, thermal/camera_info: /left/camera_info}
        sync: {camera_rpy_deg: [0.0, 30.0, 90.0]}
        thermal: {scale_k_per_count: 0.04}

It gets ``thermal_node``, ``sync_node``, ``generator_node``, ``ar_node`` and ``custody_node`` under
``/vidgen/left``, a ledger of its own, and everything else from the first camera's parameters. Leaves out what is
one for all: navigation, map, robot outputs (those of the first camera) and the gate for commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.graph import NAMESPACE, NodeSpec, Overrides, merge_overrides, specs_for
from vidgen_nodes.params import NodeParams

SECTIONS = ("custody", "ar", "generator", "sync", "thermal")  # what a camera has of its own, consumers first
_SHARED = ("drone/nav_state", "drone/gimbal", "drone/gimbal_state", "uncertainty/map")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class ExtraCamera:
    """What a parameter file says of one more camera."""

    name: str
    remaps: tuple[tuple[str, str], ...]
    overrides: Mapping[str, Mapping[str, Any]]

    @property
    def namespace(self) -> str:
        """Of its nodes and topics."""
        return f"{NAMESPACE}/{self.name}"

    def overrides_in(self, folder: Path, base: Overrides) -> dict[str, dict[str, Any]]:
        """Its parameters over those of the first camera, with a ledger in ``folder``."""
        ledger = {"ledger": str(folder / "ledger.db")}
        return merge_overrides(base, self.overrides, {"generator": ledger, "custody": ledger})

    def specs(self, params: NodeParams, remaps: Iterable[tuple[str, str]]) -> tuple[NodeSpec, ...]:
        """Its processes.

        Args:
            params: resolved for this camera.
            remaps: those of the first camera; a camera's own win.
        """
        shared = {topic: f"{NAMESPACE}/{topic}" for topic in _SHARED}
        given = {ours: foreign for ours, foreign in remaps if not ours.startswith("thermal/")}
        topics = {**given, **shared, **dict(self.remaps)}
        specs = specs_for(params, remaps=topics.items(), namespace=self.namespace)
        return tuple(spec for section in SECTIONS for spec in specs if spec.section == section)


def extra_cameras(config: Sequence[Path]) -> tuple[ExtraCamera, ...]:
    """The cameras that the user's parameter files name.

    Raises:
        ConfigError: a name, section or remap that cannot be.
    """
    found: dict[str, ExtraCamera] = {}
    for path in config:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
            raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
        cameras = content.get("cameras", {}) if isinstance(content, dict) else {}
        if not isinstance(cameras, dict):
            raise ConfigError(f"{path}: cameras: got {cameras!r:.60}, expected a mapping of names")
        for name, body in cameras.items():
            found[str(name)] = _camera(path, str(name), body)
    return tuple(found.values())


def _camera(path: Path, name: str, body: object) -> ExtraCamera:
    where = f"{path}: cameras: {name}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name is a lower-case letter, then letters, digits and underscores")
    if not isinstance(body, dict):
        raise ConfigError(f"{where}: got {body!r:.60}, expected remaps and parameters by node")
    remaps = body.get("remaps") or {}
    if not isinstance(remaps, dict) or "thermal/image_raw" not in remaps:
        raise ConfigError(f"{where}: expected remaps with at least thermal/image_raw: /its/topic")
    for section, values in body.items():
        if section != "remaps" and (section not in SECTIONS or not isinstance(values, dict)):
            raise ConfigError(
                f"{where}: {section}: a camera has only {', '.join(SECTIONS)} of its own, each a mapping"
            )
    overrides = {section: dict(values) for section, values in body.items() if section != "remaps"}
    return ExtraCamera(name, tuple((str(a), str(b)) for a, b in remaps.items()), overrides)
