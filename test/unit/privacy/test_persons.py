# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons of exports: found by whatever looks, kept for the hold time, never lost to an error."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidgen_nodes.packets import ByteArray, ThermalFrame
from vidgen_nodes.privacy.body_parts import Part
from vidgen_nodes.privacy.detector import Detector, load_detectors
from vidgen_nodes.privacy.local_scale import every_scale
from vidgen_nodes.privacy.persons import HOLD_NS, PersonFinder, stretched

FEET = (300, 300)
START_NS = 1_000_000_000_000


KNOWN = np.full((12, 16), 20.0)


def covers(parts: tuple[Part, ...], col: int, row: int) -> bool:
    return any(a <= col < c and b <= row < d for (a, b, c, d), _ in parts)


def area(parts: tuple[Part, ...]) -> float:
    mask = np.zeros((512, 640), bool)
    for (a, b, c, d), _ in parts:
        mask[max(0, b) : max(0, d), max(0, a) : max(0, c)] = True
    return float(mask.mean())


@pytest.mark.parametrize("px_per_m", [6, 9, 14, 20, 33, 50, 75, 110, 160])
def test_somebody_is_found_where_nobody_knows_the_range(pictures: SimpleNamespace, px_per_m: int) -> None:
    frame = pictures.as_frame(pictures.standing(px_per_m, (320, 330)))
    found = PersonFinder(()).find(frame)
    assert covers(found.parts, 320, round(330 - 1.12 * px_per_m))


def test_somebody_who_is_lost_stays_for_the_hold_time(pictures: SimpleNamespace) -> None:
    finder = PersonFinder(())
    there, gone = pictures.standing(20, FEET), pictures.standing(20, (-900, -900))
    finder.find(pictures.as_frame(there, stamp_ns=START_NS))
    for after_ns, held in ((1, True), (HOLD_NS, True), (HOLD_NS + 1, False)):
        found = finder.find(pictures.as_frame(gone, stamp_ns=START_NS + after_ns), KNOWN)
        assert covers(found.parts, 300, 278) is held
        assert (found.held > 0) is held


def test_what_is_found_is_a_function_of_the_frames_in_their_order(pictures: SimpleNamespace) -> None:
    frames = [
        pictures.as_frame(pictures.standing(20, (100 + 40 * i, 300)), stamp_ns=START_NS + i * 400_000_000)
        for i in range(6)
    ]
    first, second = PersonFinder(()), PersonFinder(())
    assert [first.find(f) for f in frames] == [second.find(f) for f in frames]


def test_a_clock_that_jumps_back_holds_nothing(pictures: SimpleNamespace) -> None:
    finder = PersonFinder(())
    finder.find(pictures.as_frame(pictures.standing(20, FEET), stamp_ns=START_NS))
    later = finder.find(pictures.as_frame(pictures.standing(20, (-900, -900)), stamp_ns=START_NS - HOLD_NS))
    assert later.held == 0


def test_detectors_add_to_warm_bodies_with_room(pictures: SimpleNamespace) -> None:
    finder = PersonFinder((Detector("test", "0" * 64, lambda grey: ((10, 20, 30, 60),)),))
    found = finder.find(pictures.as_frame(np.full((512, 640), 285.0)))
    assert found.parts == (Part((5, 10, 35, 70), 9),)
    assert "test:0000" in finder.identity


def test_a_detector_that_breaks_is_an_error_and_no_empty_picture(pictures: SimpleNamespace) -> None:
    def broken(grey: ByteArray) -> tuple[tuple[int, int, int, int], ...]:
        raise RuntimeError("no weights")

    finder = PersonFinder((Detector("broken", "0" * 64, broken),))
    with pytest.raises(RuntimeError, match="no weights"):
        finder.find(pictures.as_frame(pictures.standing(20, FEET)))


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "32FC1", "rgb8", "bgr8"])
def test_every_detector_takes_every_kind_of_picture(pictures: SimpleNamespace, encoding: str) -> None:
    frame = pictures.as_frame(pictures.standing(60, (120, 190), (224, 256)), encoding)
    grey = stretched(frame)
    assert grey.shape == (224, 256)
    for detector in load_detectors():
        for a, b, c, d in detector.find(grey):
            assert a < c
            assert b < d


def test_scales_reach_from_far_to_near_without_gaps() -> None:
    scales = every_scale()
    assert all(low < high <= 1.8 * low for low, high in itertools.pairwise(scales))
    assert scales[0] < 9.0
    assert scales[-1] > 110.0


@pytest.mark.parametrize("px_per_m", [6, 9, 14, 20, 33, 50, 75, 110])
@pytest.mark.parametrize("off", [0.77, 1.0, 1.3])
def test_somebody_is_found_where_the_range_is_known_to_a_third(
    pictures: SimpleNamespace, px_per_m: int, off: float
) -> None:
    frame = pictures.as_frame(pictures.standing(px_per_m, (320, 330)))
    found = PersonFinder(()).find(frame, np.full((12, 16), px_per_m * off))
    assert covers(found.parts, 320, round(330 - 1.12 * px_per_m))


def test_a_place_without_a_range_is_searched_for_every_size(pictures: SimpleNamespace) -> None:
    local = KNOWN.copy()
    local[4:9, 6:10] = np.nan
    frame = pictures.as_frame(pictures.standing(75, (320, 330)))
    assert not covers(PersonFinder(()).find(frame, KNOWN).parts, 320, 246)
    assert covers(PersonFinder(()).find(frame, local).parts, 320, 246)


def test_a_mosaic_is_as_large_as_the_range_says(pictures: SimpleNamespace) -> None:
    for px_per_m in (9.0, 20.0, 40.0):
        frame = pictures.as_frame(pictures.standing(px_per_m, (320, 330)))
        known = PersonFinder(()).find(frame, np.full((12, 16), px_per_m)).parts
        assert area(known) < area(PersonFinder(()).find(frame).parts)
        for (left, top, right, bottom), cell_px in known:
            assert max(right - left, bottom - top) <= 8 * cell_px
            assert cell_px >= 0.3 * px_per_m  # a head is narrower


def test_who_is_lost_stays_where_the_picture_shows_that_place_now(pictures: SimpleNamespace) -> None:
    """The drone flies on: the mosaic must not lag behind."""
    large = np.random.default_rng(5).standard_normal((700, 900))
    ground = 285.0 + 2.0 * cv2.GaussianBlur(large, (0, 0), 9.0) / 0.03
    ground = 285.0 + (ground - ground.mean()) / ground.std() * 0.6
    finder = PersonFinder(())
    person = pictures.add_person(ground.copy(), 20, (400, 400))
    finder.find(pictures.as_frame(person[100:612, 100:740], stamp_ns=START_NS), KNOWN)
    for step in range(1, 5):
        moved = ground[100 + 6 * step : 612 + 6 * step, 100 + 9 * step : 740 + 9 * step]
        found = finder.find(pictures.as_frame(moved, stamp_ns=START_NS + step * 100_000_000), KNOWN)
        at = (300 - 9 * step, 278 - 6 * step)
        assert covers(found.parts[len(found.parts) - found.held :], *at)
        assert covers(found.parts, at[0], at[1] - 12)
        assert covers(found.parts, at[0], at[1] + 12)


def test_what_is_found_again_is_not_held_as_well(pictures: SimpleNamespace) -> None:
    finder = PersonFinder(())
    there = pictures.standing(20, FEET)
    for number in range(5):
        found = finder.find(pictures.as_frame(there, stamp_ns=START_NS + number * 100_000_000), KNOWN)
        assert found.held == 0


def test_labelled_persons_are_covered_and_little_else(
    labelled: list[tuple[ThermalFrame, np.ndarray]],
) -> None:
    hits = count = 0
    shares = []
    for frame, boxes in labelled[::5]:
        parts = PersonFinder(()).find(frame, np.full((12, 16), 22.0)).parts
        mask = np.zeros((512, 640), bool)
        for (a, b, c, d), _ in parts:
            mask[max(0, b) : max(0, d), max(0, a) : max(0, c)] = True
        shares.append(float(mask.mean()))
        for left, top, right, bottom in boxes:
            count += 1
            hits += bool(mask[top:bottom, left:right].mean() >= 0.5)
    assert hits == count > 20
    assert np.mean(shares) < 0.15
