#!/usr/bin/env python3
# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Draws ``docs/images/yawing.png``: one frame while the nose swings past the house at 60 degrees a second.

    python tools/draw_yawing.py [FILE]

Left, the overlay where the graph puts it: pose at the frame's stamp. Right, the same world by the nearest pose of a
10 Hz stream, 25 ms away, which is the mean case of that pairing. The outlines are those of the building model, drawn
by the same pose as the overlay. Sensors, filter, synchroniser and generator are those of the graph; the same command
gives the same picture but for the record that its mark names.
"""

from __future__ import annotations

import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vidgen_nodes.delivery.ar import blend, visible_rgb
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.graph import resolve_params
from vidgen_nodes.packets import Bundle, ByteArray, Frame, Pose
from vidgen_nodes.params import NodeParams, SimParams
from vidgen_nodes.ros.offline import Surroundings, load_surroundings, run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.compose import Scene, compose_scene, seen_from
from vidgen_nodes.scene.gate import open_gate
from vidgen_nodes.scene.surface import polygon_area_vector_m2
from vidgen_nodes.sim.recording import write_recording
from vidgen_nodes.sim.yawing import swinging

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "yawing.png"
AT_S = 9.425  # the nose points at the house, at full rate; 25 ms from the poses at 9.4 and 9.45
NEAREST_S = 9.4
RATE_HZ = 40.0
_OUTLINE, _INK = (60, 220, 255), (255, 255, 255)
_GAP_PX = 8


@dataclass
class Panel:
    """One picture."""

    words: str
    pose: Pose


class Picture:
    """Takes the frame at ``AT_S`` and draws it twice."""

    def __init__(self, params: NodeParams, around: Surroundings, at_ns: int) -> None:
        assert around.building is not None
        self._params, self._around, self._building = params, around, around.building
        self._world = World(params.generator, around.scenario, around.building)
        self._renderer = Renderer(params.generator)
        self._at_ns = at_ns
        self.data = b""
        self.off_px = math.nan

    def is_wanted(self, stamp_ns: int) -> bool:
        """Only one frame is drawn."""
        return stamp_ns == self._at_ns

    def take(self, bundle: Bundle, frame: Frame) -> None:
        """The frame."""
        assert bundle.map_T_camera is not None, bundle.causes
        scene = compose_scene(bundle, self._building, self._around.scenario)
        nearest = swinging(NEAREST_S).map_T_camera
        panels = (
            Panel("vidgen: pose at the stamp", bundle.map_T_camera),
            Panel("nearest pose of 10 Hz, 25 ms away", nearest),
        )
        truth = swinging(AT_S).map_T_camera
        self.off_px = float(np.median(self._apart_px(scene, truth, bundle.map_T_camera)))
        drawn = [self._draw(panel, bundle, scene) for panel in panels]
        between = np.full((drawn[0].shape[0], _GAP_PX, 3), 255, np.uint8)
        row = np.ascontiguousarray(np.hstack((drawn[0], between, drawn[1])))
        pointer, code = FramePointer.of(frame.record), frame.record.label_code
        self.data = png(label_below(row, pointer, code), Origin(camera=False))

    def _draw(self, panel: Panel, bundle: Bundle, scene: Scene) -> ByteArray:
        assert scene.calibration is not None
        gate = open_gate(scene, self._params.generator)
        looked = seen_from(scene, scene.calibration, panel.pose, scene.sigma_px)
        overlay = self._renderer.draw(self._world.at(scene.stamp_ns, scene, gate), gate, looked)
        rgb = np.ascontiguousarray(visible_rgb(bundle.thermal))
        blend(rgb, overlay.rgba)
        draw_outlines(rgb, self._building, Camera(scene.calibration, panel.pose))
        cv2.putText(rgb, panel.words, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(rgb, panel.words, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, _INK, 2, cv2.LINE_AA)
        return rgb

    def _apart_px(self, scene: Scene, truth: Pose, found: Pose) -> Any:
        """How far the corners of the house are drawn from where they are."""
        assert scene.calibration is not None
        corners = np.concatenate([surface.corners_m for surface in self._building.surfaces])
        at, drawn = (Camera(scene.calibration, pose).project(corners)[0] for pose in (truth, found))
        return np.hypot(*(at - drawn).T)


def draw_outlines(rgb: ByteArray, building: Building, camera: Camera) -> None:
    """The edges of the surfaces that face the camera, in place."""
    eye = camera.map_T_camera.translation_m
    for surface in building.surfaces:
        for polygon in surface.polygons_m():
            if float(polygon_area_vector_m2(polygon) @ (eye - polygon[0])) <= 0.0:
                continue
            pixels, depth_m = camera.project(polygon)
            if (depth_m > 0.5).all():
                points = np.round(pixels * 16.0).astype(np.int32).reshape(-1, 1, 2)
                cv2.polylines(
                    rgb, [points], isClosed=True, color=_OUTLINE, thickness=1, lineType=cv2.LINE_AA, shift=4
                )


def main(target: Path) -> int:
    """Fly, record, render, draw."""
    with tempfile.TemporaryDirectory(prefix="vidgen-yawing-") as folder:
        bag = Path(folder) / "flight"
        write_recording(bag, SimParams(thermal_rate_hz=RATE_HZ), AT_S + 0.2, motion=swinging)
        recording = read_recording(bag)
        params = resolve_params("sim", overrides=replay_overrides(recording))
        first_ns = recording.first_frame_ns()
        around = load_surroundings(params, first_ns)
        picture = Picture(params, around, first_ns + round(AT_S * 1e9))
        counts = run_offline(
            recording, params, Path(folder) / "ledger.db", picture.take,
            surroundings=around, wanted=picture.is_wanted,
        )  # fmt: skip
    if not picture.data:
        sys.stderr.write(f"no frame at {AT_S} s: {dict(counts.causes)}, {dict(counts.dropped)}\n")
        return 1
    target.write_bytes(picture.data)
    rate_dps = math.degrees(float(swinging(AT_S).angular_velocity_radps[2]))
    print(
        f"{target}: yaw {rate_dps:.0f} deg/s, corners of the house {picture.off_px:.2f} px off the truth (median)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET))
