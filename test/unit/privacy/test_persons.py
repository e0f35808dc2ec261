# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons of exports: found by whatever looks, kept for the hold time, never lost to an error."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen_nodes.packets import ByteArray
from vidgen_nodes.privacy.detector import Detector, load_detectors
from vidgen_nodes.privacy.persons import HOLD_NS, PersonFinder, every_scale, stretched

FEET = (300, 300)
START_NS = 1_000_000_000_000


def covers(parts: tuple[tuple[int, int, int, int], ...], col: int, row: int) -> bool:
    return any(a <= col < c and b <= row < d for a, b, c, d in parts)


@pytest.mark.parametrize("px_per_m", [6, 9, 14, 20, 33, 50, 75, 110, 160])
def test_somebody_is_found_where_nobody_knows_the_range(pictures: SimpleNamespace, px_per_m: int) -> None:
    frame = pictures.as_frame(pictures.standing(px_per_m, (320, 330)))
    found = PersonFinder(()).find(frame)
    assert covers(found.parts, 320, round(330 - 1.12 * px_per_m))


def test_somebody_who_is_lost_stays_for_the_hold_time(pictures: SimpleNamespace) -> None:
    finder = PersonFinder((), scales_px_per_m=(20.0,))
    there, gone = pictures.standing(20, FEET), pictures.standing(20, (-900, -900))
    finder.find(pictures.as_frame(there, stamp_ns=START_NS))
    for after_ns, held in ((1, True), (HOLD_NS, True), (HOLD_NS + 1, False)):
        found = finder.find(pictures.as_frame(gone, stamp_ns=START_NS + after_ns))
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
    finder = PersonFinder((), scales_px_per_m=(20.0,))
    finder.find(pictures.as_frame(pictures.standing(20, FEET), stamp_ns=START_NS))
    later = finder.find(pictures.as_frame(pictures.standing(20, (-900, -900)), stamp_ns=START_NS - HOLD_NS))
    assert later.held == 0


def test_detectors_add_to_warm_bodies_with_room(pictures: SimpleNamespace) -> None:
    finder = PersonFinder((Detector("test", "0" * 64, lambda grey: ((10, 20, 30, 60),)),))
    found = finder.find(pictures.as_frame(np.full((512, 640), 285.0)))
    assert found.parts == ((5, 10, 35, 70),)
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
