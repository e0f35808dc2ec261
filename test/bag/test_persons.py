# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The whole way of a recorded flight: the fire before the victim is thin in every recorded overlay."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.graph import resolve_params
from vidgen_nodes.packets import Bundle, Frame
from vidgen_nodes.params import SimParams
from vidgen_nodes.ros.offline import run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import person, rig
from vidgen_nodes.sim.recording import write_recording
from vidgen_nodes.sim.trajectory import fly

START_NS = 1_780_000_000_000_000_000
FRAMES = 12


@pytest.fixture(scope="module")
def burning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s, in which the fire grows as high as the victim."""
    path = tmp_path_factory.mktemp("persons") / "flight"
    write_recording(path, SimParams(thermal_rate_hz=2.0, lidar_points=12000), FRAMES / 2.0, START_NS)
    return path


def victim(stamp_ns: int) -> np.ndarray:
    """(512, 640) 1 where the mannequin is, by the truth of the flight."""
    pose = fly((stamp_ns - START_NS) / 1e9).map_T_camera
    outlines = person.outlines_px(rig.camera_matrix_px() @ rotation_matrix(pose).T, pose.translation_m)
    assert outlines is not None
    mask = np.zeros((rig.HEIGHT_PX, rig.WIDTH_PX), np.uint8)
    for outline in np.rint(outlines).astype(np.int32):
        cv2.fillConvexPoly(mask, outline, 1)
    return mask.astype(bool)


def test_the_fire_never_hides_the_victim(burning: Path, tmp_path: Path) -> None:
    recording = read_recording(burning)
    params = resolve_params("sim", overrides=replay_overrides(recording))
    covered, opaque = [], []

    def look(bundle: Bundle, frame: Frame) -> None:
        alpha = frame.overlay.rgba[..., 3]
        over = victim(bundle.stamp_ns)
        covered.append(int((alpha[over] > 0).sum()))
        opaque.append(int(alpha[over].max()))
        assert frame.record.gate.pixels_outside == 0

    run_offline(recording, params, tmp_path / "ledger.db", look)
    assert sum(covered) > 100  # the fire does stand before the victim
    assert max(opaque) <= round(255 * params.generator.person_alpha_cap)
    with LedgerReader(tmp_path / "ledger.db") as reader:
        _, leaf = next(iter(reader.frames()))
        config = reader.record(leaf["config"])  # type: ignore[arg-type]
    assert config["generator"]["person_alpha_cap"] == 0.35  # type: ignore[index]
