# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who is found, at which size, in which kind of picture; and what is not a person."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.packets import ThermalFrame
from vidgen_nodes.privacy.warm_bodies import warm_bodies, warm_boxes

ENCODINGS = ("mono8", "mono16", "16UC1", "32FC1", "rgb8", "bgr8")
PX_PER_M = 20.0
TORSO_M = 1.12


def torso(feet: tuple[int, int], scale: float = PX_PER_M) -> tuple[int, int]:
    return round(feet[1] - TORSO_M * scale), feet[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_somebody_is_found_in_every_kind_of_picture(pictures: SimpleNamespace, encoding: str) -> None:
    found = warm_bodies(pictures.as_frame(pictures.standing(PX_PER_M, (300, 300)), encoding), PX_PER_M)
    assert found[torso((300, 300))] == 1
    assert found.mean() < 0.06


@settings(max_examples=30)
@given(
    scale=st.floats(5.0, 120.0),
    off=st.floats(0.7, 1.4),
    across=st.floats(0.05, 0.95),
    down=st.floats(0.1, 0.9),
)
def test_somebody_is_found_anywhere_at_any_size_if_the_scale_is_about_right(
    pictures: SimpleNamespace, scale: float, off: float, across: float, down: float
) -> None:
    place = (round(640 * across), round(512 * down + TORSO_M * scale))
    frame = pictures.as_frame(pictures.standing(scale, place))
    assert warm_bodies(frame, scale * off)[torso(place, scale)] == 1


@pytest.mark.parametrize("feet", [(4, 60), (636, 300), (320, 30), (320, 525)])
def test_somebody_cut_by_the_edge_is_found(pictures: SimpleNamespace, feet: tuple[int, int]) -> None:
    row, col = torso(feet)
    assert (
        warm_bodies(pictures.as_frame(pictures.standing(PX_PER_M, feet)), PX_PER_M)[
            min(max(row, 0), 511), col
        ]
        == 1
    )


@pytest.mark.parametrize("turn_deg", [0, 30, 90, 135])
def test_somebody_who_lies_is_found_whichever_way(pictures: SimpleNamespace, turn_deg: int) -> None:
    kelvin = pictures.standing(PX_PER_M, (-500, -500))
    cv2.ellipse(
        kelvin, (320, 256), (round(0.87 * PX_PER_M), round(0.22 * PX_PER_M)), turn_deg, 0, 360, 296.0, -1
    )
    assert warm_bodies(pictures.as_frame(kelvin), PX_PER_M)[256, 320] == 1


def test_two_who_stand_side_by_side_are_both_found(pictures: SimpleNamespace) -> None:
    kelvin = pictures.add_person(pictures.standing(PX_PER_M, (300, 300)), PX_PER_M, (325, 300))
    found = warm_bodies(pictures.as_frame(kelvin), PX_PER_M)
    assert found[torso((300, 300))] == found[torso((325, 300))] == 1


def test_somebody_colder_than_hot_ground_is_found_when_asked_for(pictures: SimpleNamespace) -> None:
    frame = pictures.as_frame(pictures.standing(PX_PER_M, (300, 300), warmer=-1.0))
    assert warm_bodies(frame, PX_PER_M, "warm")[torso((300, 300))] == 0
    assert warm_bodies(frame, PX_PER_M, "cold")[torso((300, 300))] == 1
    both = warm_bodies(frame, PX_PER_M, "both")
    np.testing.assert_array_equal(
        both, warm_bodies(frame, PX_PER_M, "warm") | warm_bodies(frame, PX_PER_M, "cold")
    )


@pytest.mark.parametrize("angle_deg", range(0, 180, 15))
def test_a_kerb_is_no_person(pictures: SimpleNamespace, angle_deg: int) -> None:
    kelvin = np.full((512, 640), 285.0)
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    ends = [
        tuple(np.rint(np.array([320, 256]) + side * 700 * along).astype(int).tolist()) for side in (-1, 1)
    ]
    cv2.line(kelvin, *ends, 292.0, round(0.8 * PX_PER_M))
    inner = np.s_[60:-60, 60:-60]  # where it leaves the picture it ends
    found = warm_bodies(pictures.as_frame(kelvin), PX_PER_M)
    assert not found[inner].any()


def test_a_warm_half_of_the_picture_is_no_person(pictures: SimpleNamespace) -> None:
    kelvin = np.full((512, 640), 285.0)
    kelvin[:, 320:] = 300.0
    assert not warm_bodies(pictures.as_frame(kelvin), PX_PER_M)[60:-60, 60:-60].any()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_flat_picture_holds_nobody(pictures: SimpleNamespace, encoding: str) -> None:
    assert not warm_bodies(pictures.as_frame(np.full((64, 80), 285.0), encoding), PX_PER_M).any()


@settings(max_examples=40)
@given(
    st.integers(0, 560), st.integers(0, 440), st.integers(1, 300), st.integers(1, 200), st.floats(4.0, 60.0)
)
def test_a_part_of_the_picture_is_judged_as_in_the_whole(
    pictures: SimpleNamespace, left: int, top: int, width: int, height: int, scale: float
) -> None:
    window = (left, top, min(640, left + width), min(512, top + height))
    frame = pictures.as_frame(pictures.add_person(pictures.standing(20.0, (300, 300)), 30.0, (500, 200)))
    part = warm_bodies(frame, scale, window=window)
    whole = warm_bodies(frame, scale)
    np.testing.assert_array_equal(part, whole[window[1] : window[3], window[0] : window[2]])


def test_boxes_are_those_of_the_bodies(pictures: SimpleNamespace) -> None:
    frame = pictures.as_frame(
        pictures.add_person(pictures.standing(PX_PER_M, (150, 300)), PX_PER_M, (450, 200))
    )
    boxes = warm_boxes(frame, PX_PER_M)
    for row, col in (torso((150, 300)), torso((450, 200))):
        assert any(a <= col < c and b <= row < d for a, b, c, d in boxes)
    covered = np.zeros((512, 640), np.uint8)
    for a, b, c, d in boxes:
        covered[b:d, a:c] = 1
    assert not (warm_bodies(frame, PX_PER_M) & ~covered).any()


def test_pixels_that_were_not_measured_or_clipped_hide_nobody(pictures: SimpleNamespace) -> None:
    kelvin = pictures.standing(PX_PER_M, (300, 300)).astype(np.float32)
    kelvin[::37, ::41] = np.nan
    kelvin[40:60, 40:60] = np.inf
    frame = pictures.as_frame(kelvin, "32FC1")
    assert warm_bodies(frame, PX_PER_M)[torso((300, 300))] == 1
    assert not warm_bodies(pictures.as_frame(np.full((64, 80), np.nan), "32FC1"), PX_PER_M).any()


def test_labelled_persons_are_covered(labelled: list[tuple[ThermalFrame, np.ndarray]]) -> None:
    """The figures are bench/persons.py's; here only that they do not get worse unnoticed."""
    covered = [
        warm_bodies(frame, 22.0)[top:bottom, left:right].mean() >= 0.5
        for frame, boxes in labelled
        for left, top, right, bottom in boxes
    ]
    assert len(covered) == 181
    assert sum(covered) >= 178


def test_the_picture_is_not_written_to(pictures: SimpleNamespace) -> None:
    frame = pictures.as_frame(pictures.standing(PX_PER_M, (300, 300)))
    before = frame.pixels.copy()
    frame.pixels.setflags(write=False)
    warm_bodies(frame, PX_PER_M, "both")
    np.testing.assert_array_equal(frame.pixels, before)
    assert pictures.thermal(before, "mono16").pixels is before
