# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which software and which parameters made the pictures.

Guarantees: never fails and imports nothing heavy; what cannot be found out is None. Leaves out
proof: a program can say anything of itself. The source hash covers this package, not its dependencies.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import math
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import vidgen_nodes
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params import ArParams, LidarParams, NodeParams, ThermalParams, make_params
from vidgen_nodes.resources import embedded_file

_PACKAGES = {
    "numpy": ("numpy",),
    "torch": ("torch",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    "pyproj": ("pyproj",),
    "rclpy": ("ros-rclpy", "rclpy"),
}
_LIVE = ("head_mosaic_px_per_m", "nearest_person_m")  # of ar_node; as in privacy/policy.py
_FLAGS = ("avx2", "avx512f", "fma")  # choose between kernels that round differently
_DECIDING_NODES = ("thermal", "rtk", "lidar", "sync", "generator")
# Names, places and pacing: the same picture comes out whatever these are. Files are recorded by content.
_NOT_DECIDING = {
    "ledger",
    "mission",
    "origin",
    "replay_wait_ms",
    "replay_inputs",
    "segment_file",
    "scenario_file",
    "building_file",
    "review_file",  # the review itself is a record of each frame that was drawn under it
    "reviewers_file",
    "require_signed_reviews",
    "temperature_rate_hz",
}
# Recorded instead of the path: the map's baseline was the roofs of the building in the record.
BASELINE = "building"
PRIVACY = "privacy"  # beside the nodes: every number by which persons are treated (``privacy/policy.py``)


@functools.cache
def _software() -> tuple[tuple[str, object], ...]:
    package = Path(vidgen_nodes.__file__).parent
    found: dict[str, object] = {"vidgen": vidgen_nodes.__version__, "python": platform.python_version()}
    found.update({name: _version(names) for name, names in _PACKAGES.items()})
    found["source_sha256"] = _source_hash(package)
    found["assets_sha256"] = _source_hash(package, code=False)
    found["commit"] = _commit(package.parent)
    found["machine"] = platform.machine() or None
    found["cpu_flags"] = _cpu_flags(Path("/proc/cpuinfo"))
    found["ros_distro"] = os.environ.get("ROS_DISTRO")
    return tuple(found.items())


def software_identity() -> dict[str, object]:
    """Versions, source hash, commit (if this is a checkout) and CPU flags. Found out once a process."""
    return dict(_software())


def _version(names: tuple[str, ...]) -> str | None:
    found = (item for name in names for item in importlib.metadata.distributions(name=name))
    return next((item.metadata["Version"] for item in found if "Version" in item.metadata), None)


def _source_hash(package: Path, *, code: bool = True) -> str | None:
    """Of the code, or of everything else in the package: whatever could be drawn that is not computed."""
    digest = hashlib.sha256()
    try:
        for path in sorted(package.rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts or (path.suffix == ".py") != code:
                continue
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return None
    return digest.hexdigest()


def _commit(checkout: Path) -> str | None:
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5.0, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _cpu_flags(cpuinfo: Path) -> list[str] | None:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    present = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), None)
    return None if present is None else [flag for flag in _FLAGS if flag in present]


def config_identity(params: NodeParams) -> dict[str, object]:
    """Parameters of the nodes that decide the picture, by node and name; NaN as None. And how persons are treated."""
    from vidgen_nodes.privacy.policy import person_policy  # numba

    recorded: dict[str, object] = {node: _deciding(getattr(params, node)) for node in _DECIDING_NODES}
    return {**recorded, PRIVACY: person_policy(params.ar)}


def _deciding(part: object) -> dict[str, object]:
    values = {item.name: getattr(part, item.name) for item in dataclasses.fields(part)}  # type: ignore[arg-type]
    if isinstance(
        part, LidarParams
    ):  # whether there is a baseline does decide; which, the building record says
        return {**_without_places(values), "building_file": BASELINE if part.building_file else ""}
    if isinstance(part, ThermalParams):
        # The contents themselves, so that frames can be derived again where those files are not. The correction
        # decides too: where persons are seen in the corrected picture, the overlay is thin.
        if part.calibration_file:
            values["calibration_file"] = _text(part.calibration_file)
        if part.correction_file:
            values["correction_file"] = embedded_file(part.correction_file)
    return _without_places(values)


def _text(file: str) -> str:
    """What a text file holds; the name again if it is text already, or cannot be read."""
    try:
        return file if "\n" in file else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return file


def _without_places(values: dict[str, object]) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
        if name not in _NOT_DECIDING
    }


def params_from_config(config: object) -> NodeParams:
    """The reverse of ``config_identity``: parameters with which recorded frames can be derived again.

    Raises:
        ConfigError: not a configuration record, or one of another version with other parameters.
    """
    if not isinstance(config, dict) or set(config) != {*_DECIDING_NODES, PRIVACY}:
        raise ConfigError(f"configuration record: expected a map of {', '.join(_DECIDING_NODES)}")
    defaults = NodeParams()
    live = config[PRIVACY]
    if not isinstance(live, dict) or not set(_LIVE) <= set(live):
        raise ConfigError(f"configuration record: {PRIVACY}: expected a map with {', '.join(_LIVE)}")
    parts: dict[str, Any] = {"ar": make_params(ArParams, {name: live[name] for name in _LIVE})}
    for node in _DECIDING_NODES:
        values = config[node]
        if not isinstance(values, dict):
            raise ConfigError(f"configuration record: {node}: got {type(values).__name__}, expected a map")
        known = {name: math.nan if value is None else value for name, value in values.items()}
        parts[node] = make_params(type(getattr(defaults, node)), known)
    return dataclasses.replace(defaults, **parts)
