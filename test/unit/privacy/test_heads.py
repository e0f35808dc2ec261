# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heads become mosaics where they could be recognised, and only there."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen_nodes.packets import CameraCalibration
from vidgen_nodes.privacy.heads import HeadPolicy, find_heads, hide_heads

HEAD_M = 1.60


def feet(px_per_m: float) -> tuple[int, int]:
    return 320, round(60 + 1.75 * px_per_m)


def head_row(px_per_m: float) -> int:
    return round(feet(px_per_m)[1] - HEAD_M * px_per_m)


@pytest.mark.parametrize("px_per_m", [125, 150, 180, 220, 260, 320, 400, 500, 640, 800])
@pytest.mark.parametrize("encoding", ["mono16", "mono8", "32FC1"])
def test_a_head_from_125_px_per_m_on_is_found_whole(
    pictures: SimpleNamespace, px_per_m: int, encoding: str
) -> None:
    frame = pictures.as_frame(pictures.standing(px_per_m, feet(px_per_m)), encoding)
    row = head_row(px_per_m)
    assert any(a <= 320 < c and b <= row < d for a, b, c, d in find_heads(frame))


@pytest.mark.parametrize("px_per_m", [10, 20, 30, 40, 60, 80])
def test_the_head_of_somebody_far_away_is_left_alone(pictures: SimpleNamespace, px_per_m: int) -> None:
    frame = pictures.as_frame(pictures.standing(px_per_m, feet(px_per_m)))
    row = head_row(px_per_m)
    assert not any(a <= 320 < c and b <= row < d for a, b, c, d in find_heads(frame))


def test_the_face_is_gone_and_the_person_stays(pictures: SimpleNamespace) -> None:
    frame = pictures.as_frame(pictures.standing(200, feet(200)))
    rgb = np.random.default_rng(2).integers(100, 256, (512, 640, 3)).astype(np.uint8)
    before = rgb.copy()
    assert hide_heads(rgb, frame, HeadPolicy()) >= 1
    row = head_row(200)
    face = rgb[row - 28 : row + 28, 320 - 18 : 320 + 18].reshape(-1, 3)
    assert len(np.unique(face, axis=0)) <= 64
    assert face.mean() == pytest.approx(before[row - 28 : row + 28, 302:338].mean(), rel=0.1)
    ground = np.s_[:, :200]
    np.testing.assert_array_equal(rgb[ground], before[ground])


def test_where_nobody_comes_near_nothing_is_touched(pictures: SimpleNamespace) -> None:
    camera = CameraCalibration(0, "t", 640, 512, np.diag([650.0, 650.0, 1.0]), "plumb_bob", np.zeros(5))
    frame = replace(pictures.as_frame(pictures.standing(200, feet(200))), calibration=camera)
    assert HeadPolicy(nearest_m=10.0).asks(frame) is False
    assert HeadPolicy(nearest_m=5.0).asks(frame) is True
    assert HeadPolicy(nearest_m=0.0).asks(frame) is True
    assert HeadPolicy(nearest_m=10.0).asks(replace(frame, calibration=None)) is True
    rgb = np.zeros((512, 640, 3), np.uint8)
    assert hide_heads(rgb, frame, HeadPolicy(nearest_m=10.0)) == 0
    assert hide_heads(rgb, frame, HeadPolicy(nearest_m=5.0)) >= 1
