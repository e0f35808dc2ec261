# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen scene NAME --out DIR``: pictures of what the generator does, thermal and visible, each with its record.

``wall``: fire climbs the timber cladding of the simulated house and stops at the bare concrete beside it. ``roof``:
debris lies only where the LiDAR found the roof damaged. ``leak``: a steam pipe leaks before the wall and nothing burns;
another one, inside the house, is not drawn. ``wind``: a fire at the wall leans in it. ``room``: smoke fills a room
under its ceiling, with the roof vent open and closed. Same command, same bytes. Every picture carries mark and tag of
a frame that a ledger below the same directory holds, drawn from the picture's own eye, so ``vidgen explain`` speaks of
the pixels that one sees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidgen_nodes.cli.options import make_empty
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.delivery.ar import blend, visible_rgb
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.appearance import Band
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.graph import merge_overrides, resolve_params
from vidgen_nodes.packets import Bundle, ByteArray, Frame, Pose
from vidgen_nodes.params import SimParams
from vidgen_nodes.pipeline import Pipeline
from vidgen_nodes.resources import config_dir
from vidgen_nodes.ros.offline import load_surroundings, run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.daylight import daylight
from vidgen_nodes.sim.recording import write_recording
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.viewpoint import looking_at
from vidgen_nodes.summary import json_line

_RATE_HZ = 5.0
VIEWER = "viewer"  # folder with the ledger of what others than the drone see


@dataclass(frozen=True)
class View:
    """One picture of a scene."""

    name: str
    at_s: float  # of the flight
    eye: Pose | None  # None: the drone's camera


_WALL_EYE = looking_at((17.0, -7.5, 12.0), (6.2, -0.6, 3.6))  # high enough to have no sky in the picture
_LEAK_EYE = looking_at((15.0, -9.0, 8.0), (6.4, -2.0, 3.9))
_WIND_EYE = looking_at((16.5, -3.4, 8.5), (6.2, -2.0, 1.9))
_ROOF_EYE = looking_at((-7.0, -8.5, 10.5), (-3.8, -2.4, 5.8))
FLIGHTS: dict[str, tuple[View, ...]] = {
    "wall": (
        View("drone", 9.0, None),
        *(View(f"wall_{seconds:02d}s", float(seconds), _WALL_EYE) for seconds in (4, 8, 13)),
    ),
    "roof": (View("drone", 3.0, None), View("roof", 3.0, _ROOF_EYE)),
    "leak": (View("drone", 5.0, None), View("leak", 5.0, _LEAK_EYE)),
    "wind": (View("drone", 9.0, None), View("wind", 9.0, _WIND_EYE)),
}
SCENARIOS = {"leak": "sim_leaks.yaml", "wind": "sim_wind.yaml"}  # in place of the preset's
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
    scenario = SCENARIOS.get(name)
    own = {"scenario_file": str(config_dir() / "scenarios" / scenario)} if scenario else {}
    params = resolve_params("sim", [], merge_overrides(replay_overrides(recording), {"generator": own}))
    around = load_surroundings(params, recording.first_frame_ns())
    if around.scenario is None or around.building is None:
        raise ConfigError("the preset sim names no scenario or no building")
    first_ns = recording.first_frame_ns()
    digests = run_digests(params, around.building)
    made: list[Path] = []
    (out / VIEWER).mkdir()
    with (
        Ledger.open(out / VIEWER / "ledger.db", segment=digests.segment("start")) as ledger,
        closing(Pipeline(params.generator, around.building, around.scenario, ledger, digests)) as looking,
    ):
        thermal, renderer = ThermalScene(SimParams().seed), Renderer(params.generator)

        def sink(bundle: Bundle, frame: Frame) -> None:
            for view in views:
                if abs((bundle.stamp_ns - first_ns) * 1e-9 - view.at_s) > 0.4 / _RATE_HZ:
                    continue
                seen, shown = bundle, frame
                if view.eye is not None:
                    seen = _seen_by(bundle, view, thermal, ledger.size)
                    shown = looking.process(seen)
                made.extend(_pictures(out / view.name, seen, shown, looking, renderer))

        run_offline(recording, params, out / "ledger.db", sink, surroundings=around)
    return sorted(made)


def _seen_by(bundle: Bundle, view: View, thermal: ThermalScene, sequence: int) -> Bundle:
    """The same moment before another thermal camera, which has no recorded messages."""
    assert view.eye is not None
    pixels = thermal.frame(view.eye, round(view.at_s * 50))
    calibration = replace(rig.calibration(), stamp_ns=bundle.stamp_ns)
    frame = replace(bundle.thermal, pixels=pixels, calibration=calibration, sequence=sequence, sources=())
    return replace(
        bundle,
        sequence=sequence,
        thermal=frame,
        map_T_camera=view.eye,
        pose_covariance=None,
        sigma_px=0.0,
        sources=(),
        late={},
    )


def _pictures(
    path: Path, bundle: Bundle, frame: Frame, pipeline: Pipeline, renderer: Renderer
) -> Iterator[Path]:
    """The recorded frame over what the thermal camera saw, and the same world to the eye."""
    scene, gate = pipeline.look(bundle)
    state = pipeline.world.at(scene.stamp_ns, scene, gate)
    pose = bundle.map_T_camera
    if pose is None:
        raise ConfigError(f"{path.name}: the flight has no pose at that moment")
    visible = renderer.draw(state, gate, scene, Band.VISIBLE)
    for kind, rgba, backdrop in (
        ("thermal", frame.overlay.rgba, lambda: visible_rgb(bundle.thermal)),
        ("visible", visible.rgba, lambda: daylight(rig.calibration(), pose)),
    ):
        file = path.with_name(f"{path.name}_{kind}.png")
        write_picture(file, backdrop, rgba, FramePointer.of(frame.record), frame.record.label_code)
        yield file


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
