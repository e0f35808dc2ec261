# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of ``vidgen doctor`` that need no running graph.

Everything that needs a package is imported where it is used: a doctor must start where packages are missing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import math
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen_nodes.errors import ConfigError

if TYPE_CHECKING:
    from vidgen_nodes.params import NodeParams

OK_LINE, WARN, FAIL = "ok", "warn", "FAIL"
_SETUP = "run `make setup`"
_PACKAGES = {
    "numpy": "numpy",
    "torch": "torch",
    "cv2": "opencv-python-headless",
    "pyproj": "pyproj",
    "scipy": "scipy",
    "cbor2": "cbor2",
    "rosbags": "rosbags",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how bad, what, and how to fix it."""

    level: str
    what: str
    fix: str = ""


def static_findings(args: argparse.Namespace) -> Iterator[Finding]:
    """Python, packages, ROS, transport, configuration; in this order."""
    yield from _python()
    yield from _packages()
    yield from _ros()
    yield from _transport(sweep=args.sweep)
    if all(importlib.util.find_spec(module) for module in _PACKAGES):
        yield from _configuration(args)


def _python() -> Iterator[Finding]:
    text = f"Python {platform.python_version()}, {platform.machine()} {platform.system()}"
    if platform.system() != "Linux":
        yield Finding(FAIL, text, "use Linux: Debian or Ubuntu")
    else:
        yield Finding(OK_LINE, text)


def _packages() -> Iterator[Finding]:
    for module, name in _PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(FAIL, f"{name} is not installed", _SETUP)
        else:
            yield Finding(OK_LINE, f"{name} {_version(name)}")
    major = _version("opencv-python-headless").split(".")[0]
    if major.isdigit() and int(major) >= 5:
        yield Finding(
            WARN, "OpenCV 5 moved constants and dropped classes", "install opencv-python-headless<5"
        )


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"


def _ros() -> Iterator[Finding]:
    from vidgen_nodes.ros.installation import inspect_installation

    for works, what, fix in inspect_installation():
        yield Finding(OK_LINE if works else FAIL, what, fix)


def _transport(*, sweep: bool) -> Iterator[Finding]:
    from vidgen_nodes.ros import transport

    user_set = [
        f"{name}={value}" for name, value in os.environ.items() if name.endswith("_DEFAULT_PROFILES_FILE")
    ]
    transport.prepare_process()
    faults = transport.transport_faults()
    for fault in faults:
        yield Finding(WARN, fault)
    if not faults:
        profile = user_set[0] if user_set else str(transport.PROFILE)
        yield Finding(
            OK_LINE, f"transport as our processes start: {profile}, pages kept, one thread a library"
        )
    if sweep:
        yield Finding(
            OK_LINE, f"removed {len(transport.sweep_stale_segments())} stale shared-memory segments"
        )


def _configuration(args: argparse.Namespace) -> Iterator[Finding]:
    from vidgen_nodes.cli.options import resolved
    from vidgen_nodes.graph import preset_names, preset_path
    from vidgen_nodes.params import load_node_params
    from vidgen_nodes.resources import config_dir
    from vidgen_nodes.scenario.timeline import load_scenario
    from vidgen_nodes.scene.building import load_building

    try:
        folder = config_dir()
    except ConfigError as err:
        yield Finding(FAIL, str(err), _SETUP)
        return
    for name in preset_names():
        yield _parses(f"preset {name}", partial(load_node_params, [preset_path(name)]))
    for path in sorted((folder / "buildings").glob("*.yaml")):
        yield _parses(f"building {path.name}", partial(load_building, path))
    for path in sorted((folder / "scenarios").glob("*.yaml")):
        yield _parses(f"scenario {path.name}", partial(load_scenario, path, 1))
    try:
        params = resolved(args, {})
    except ConfigError as err:
        yield Finding(FAIL, f"parameters: {err}", "correct the file or the --set option")
        return
    yield from _parameters(params)


def _parses(what: str, load: Callable[[], object]) -> Finding:
    try:
        load()
    except ConfigError as err:
        return Finding(FAIL, f"{what}: {err}", "correct the file")
    return Finding(OK_LINE, f"{what} parses")


def _site(params: NodeParams) -> Iterator[Finding]:
    """Datum and heights, which are wrong in silence when they are wrong."""
    from vidgen_nodes.sensing.site import SiteFrame

    try:
        SiteFrame(params.rtk)
    except ConfigError as err:
        yield Finding(FAIL, f"rtk: {err}", "correct the file or the --set option")
        return
    no_geoid = math.isnan(params.rtk.geoid_undulation_m) and not params.rtk.geoid_grid
    if params.rtk.stack == "psdk_ros2" and no_geoid:
        yield Finding(
            WARN,
            "psdk_ros2 gives RTK heights above the sea and GPS heights above the ellipsoid: without a geoid, "
            "positions without RTK are refused",
            "set rtk.geoid_undulation_m (vidgen doctor BAG tells it from a recording)",
        )


def _parameters(params: NodeParams) -> Iterator[Finding]:
    """What is allowed, but hardly meant."""
    from vidgen_nodes.scenario.timeline import load_scenario

    yield from _site(params)
    zero = (0.0, 0.0, 0.0)
    if params.sync.camera_translation_m == zero and params.sync.camera_rpy_deg == zero:
        fix = "measure them: sync.camera_translation_m, sync.camera_rpy_deg"
        yield Finding(WARN, "the camera extrinsics are all zero: drawings land in the wrong place", fix)
    if params.lidar.lidar_translation_m == zero and params.lidar.lidar_rpy_deg == zero:
        fix = "measure them: lidar.lidar_translation_m, lidar.lidar_rpy_deg"
        yield Finding(WARN, "the LiDAR extrinsics are all zero: the map is tilted and shifted", fix)
    for name, value in (
        ("scenario", params.generator.scenario_file),
        ("building", params.generator.building_file),
    ):
        if not value:
            yield Finding(WARN, f"no {name} is set: overlays stay transparent", f"set generator.{name}_file")
            continue
        if name == "scenario":
            yield _parses(f"{name} {value}", partial(load_scenario, Path(value), 1))
        else:
            yield from _building(Path(value))


def _building(path: Path) -> Iterator[Finding]:
    """What was understood of the building; a large model takes a while, so a bar shows how far it is."""
    from vidgen_nodes.cli.loading import loading_bar
    from vidgen_nodes.scene.building import load_building
    from vidgen_nodes.scene.building_summary import building_summary

    try:
        with loading_bar() as tell:
            building = load_building(path, progress=tell)
    except ConfigError as err:
        yield Finding(FAIL, f"building {path}: {err}", "correct the file")
        return
    yield Finding(OK_LINE, f"building {path} parses")
    yield from (Finding(OK_LINE, line) for line in building_summary(building))
    if not building.placed:
        yield Finding(
            WARN, "the building is not placed in map: no flame", "give map_T_ifc in a building YAML"
        )
