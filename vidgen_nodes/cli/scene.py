# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen scene NAME --out DIR``: pictures of what the generator does, thermal and visible, each with its record.

``wall``: fire climbs the timber cladding of the simulated house and stops at the bare concrete beside it. ``roof``:
debris lies only where the LiDAR found the roof damaged. ``room``: smoke fills a room under its ceiling, with the roof
vent open and closed. Same command, same bytes. Every picture carries mark and tag of a frame of the ``ledger.db``
beside it, so ``vidgen explain`` and ``vidgen verify`` work on them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidgen_nodes.cli.options import make_empty
from vidgen_nodes.delivery.ar import blend, visible_rgb
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.graph import merge_overrides, resolve_params
from vidgen_nodes.packets import Bundle, ByteArray, Frame, Pose
from vidgen_nodes.params import SimParams
from vidgen_nodes.ros.offline import load_surroundings, run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.scene.compose import compose_scene, seen_from
from vidgen_nodes.scene.gate import open_gate
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.daylight import daylight
from vidgen_nodes.sim.recording import write_recording
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.trajectory import fly
from vidgen_nodes.sim.viewpoint import looking_at
from vidgen_nodes.summary import json_line

_RATE_HZ = 5.0


@dataclass(frozen=True)
class View:
    """One picture of a scene."""

    name: str
    at_s: float  # of the flight
    eye: Pose | None  # None: the drone's camera


_WALL_EYE = looking_at((17.0, -7.5, 12.0), (6.2, -0.6, 3.6))  # high enough to have no sky in the picture
_ROOF_EYE = looking_at((-7.0, -8.5, 10.5), (-3.8, -2.4, 5.8))
FLIGHTS: dict[str, tuple[View, ...]] = {
    "wall": (
        View("drone", 9.0, None),
        *(View(f"wall_{seconds:02d}s", float(seconds), _WALL_EYE) for seconds in (4, 8, 13)),
    ),
    "roof": (View("drone", 3.0, None), View("roof", 3.0, _ROOF_EYE)),
}
NAMES = (*FLIGHTS, "room")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("name", choices=NAMES, help="which scene")
    parser.add_argument("--out", type=Path, required=True, help="directory to write into; new or empty")


def run(args: argparse.Namespace) -> int:
    """Make the pictures of one scene."""
    make_empty(args.out)
    if args.name == "room":
        from vidgen_nodes.cli.scene_room import room_pictures

        made = room_pictures(args.out)
    else:
        made = _fly(args.name, args.out)
    for path in made:
        print(path, file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json_line({"scene": args.name, "pictures": [str(path) for path in made], "out": str(args.out)}))
    return 0


def _fly(name: str, out: Path) -> list[Path]:
    """Record the simulated flight, render it, and look at its world from every eye."""
    views = FLIGHTS[name]
    bag = out / "flight"
    write_recording(bag, SimParams(thermal_rate_hz=_RATE_HZ), max(view.at_s for view in views) + 0.5)
    recording = read_recording(bag, {})
    params = resolve_params("sim", [], merge_overrides(replay_overrides(recording), {}))
    around = load_surroundings(params, recording.first_frame_ns())
    if around.scenario is None or around.building is None:
        raise ConfigError("the preset sim names no scenario or no building")
    world = World(params.generator, around.scenario, around.building)
    renderer, thermal = Renderer(params.generator), ThermalScene(SimParams().seed)
    first_ns = recording.first_frame_ns()
    made: list[Path] = []

    def sink(bundle: Bundle, frame: Frame) -> None:
        for view in views:
            if abs((bundle.stamp_ns - first_ns) * 1e-9 - view.at_s) > 0.4 / _RATE_HZ:
                continue
            scene = compose_scene(bundle, around.building, around.scenario)
            gate = open_gate(scene, params.generator)
            state = world.at(scene.stamp_ns, scene, gate)
            pose = view.eye or bundle.map_T_camera or fly(view.at_s).map_T_camera
            looked = seen_from(scene, replace(rig.calibration(), stamp_ns=scene.stamp_ns), pose, 0.0)
            counts = bundle.thermal.pixels if view.eye is None else thermal.frame(pose, round(view.at_s * 50))
            behind = {
                Band.LWIR: lambda counts=counts: visible_rgb(replace(bundle.thermal, pixels=counts)),
                Band.VISIBLE: lambda pose=pose: daylight(rig.calibration(), pose),
            }
            for band, backdrop in behind.items():
                overlay = renderer.draw(state, gate, looked, band)
                path = out / f"{view.name}_{'thermal' if band is Band.LWIR else 'visible'}.png"
                write_picture(
                    path, backdrop, overlay.rgba, FramePointer.of(frame.record), frame.record.label_code
                )
                made.append(path)

    run_offline(recording, params, out / "ledger.db", sink, surroundings=around)
    return sorted(made)


def write_picture(
    path: Path, backdrop: Callable[[], ByteArray], rgba: ByteArray, pointer: FramePointer, code: str
) -> None:
    """Lay an overlay over a backdrop and save it with its label.

    Raises:
        ConfigError: it cannot be written.
    """
    rgb = np.ascontiguousarray(backdrop())
    blend(rgb, rgba)
    try:
        path.write_bytes(png(label_below(rgb, pointer, code), Origin(camera=False)))
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err


def pictures_of(name: str) -> Iterator[str]:
    """File names that a flight scene makes."""
    for view in FLIGHTS[name]:
        yield from (f"{view.name}_thermal.png", f"{view.name}_visible.png")
