# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons of a clip become mosaics; a detector that is dead, late or broken costs the whole background."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.export.background import safe_background
from vidgen_nodes.export.person_mosaic import PersonMosaic
from vidgen_nodes.packets import ThermalFrame
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.privacy.persons import Found, PersonFinder

TORSO = np.s_[190:215, 302:310]


def frame(stamp_ns: int = 1) -> ThermalFrame:
    """A person of 24 px/m with a pattern on it, on even ground."""
    grey = np.full((256, 320), 60, np.uint8)
    cv2.ellipse(grey, (200, 120), (6, 20), 0, 0, 360, 200, -1)
    return ThermalFrame(stamp_ns, "t", "mono8", grey, 0, None, False, math.nan, math.nan, 0.0, False, ())


def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (256, 320, 3)).astype(np.uint8)


def warm_only() -> PersonMosaic:
    finder = PersonFinder(())
    return PersonMosaic(finder.find, finder.identity)


def test_a_person_has_at_most_64_colours_and_the_ground_stays() -> None:
    rgb = picture()
    made, record = safe_background(warm_only(), frame(), rgb)
    np.testing.assert_array_equal(rgb, picture())  # it is not written to
    assert record.fallback == ""
    assert any(a <= 200 < c and b <= 120 < d for a, b, c, d in record.regions_px)
    person = made[105:135, 196:204].reshape(-1, 3)
    assert len(np.unique(person, axis=0)) <= 64 < len(np.unique(rgb[105:135, 196:204].reshape(-1, 3), axis=0))
    np.testing.assert_array_equal(made[:, :80], rgb[:, :80])


def test_the_record_is_of_that_picture_and_of_no_other() -> None:
    made, record = safe_background(warm_only(), frame(stamp_ns=7), picture())
    said = record.as_json()
    assert said["background_sha256"] == hashlib.sha256(made.tobytes()).hexdigest()
    assert said["stamp_ns"] == 7
    assert said["detector"].startswith("warm_bodies")
    assert said["cells"] == 8


def test_as_the_policy_asks_everything_that_is_here_looks() -> None:
    made, record = safe_background(PersonMosaic.of(GeneratorParams()), frame(), picture())
    assert "hog_people:" in record.detector
    assert record.fallback == ""
    assert (made != picture()).any()


def whole(made: np.ndarray) -> bool:
    """Whether nothing of the background is left to be recognised."""
    return len(np.unique(made.reshape(-1, 3), axis=0)) <= 20 * 20


def test_a_detector_that_breaks_costs_the_whole_background() -> None:
    def broken(_: ThermalFrame, __: np.ndarray | None) -> Found:
        raise RuntimeError("killed")

    made, record = safe_background(PersonMosaic(broken, "x"), frame(), picture())
    assert whole(made)
    assert "killed" in record.fallback


@pytest.fixture
def stalled() -> Iterator[tuple[PersonMosaic, threading.Event]]:
    """A detector that does not come back until the event is set."""
    go = threading.Event()

    def stall(_: ThermalFrame, __: np.ndarray | None) -> Found:
        go.wait()
        return Found((), 0)

    yield PersonMosaic(stall, "stalled", in_time_s=0.05), go
    go.set()


def test_a_detector_that_hangs_costs_the_whole_background_and_hangs_nobody(
    stalled: tuple[PersonMosaic, threading.Event],
) -> None:
    anonymiser, go = stalled
    for stamp_ns in (1, 2, 3):
        made, record = safe_background(anonymiser, frame(stamp_ns), picture())
        assert whole(made)
        assert "detector" in record.fallback
    with pytest.raises(InputError) as caught:
        anonymiser.anonymise(frame(4), picture())
    assert caught.value.reason == "detector_late"
    go.set()


def test_a_detector_that_wakes_up_is_asked_again(stalled: tuple[PersonMosaic, threading.Event]) -> None:
    anonymiser, go = stalled
    with pytest.raises(InputError):
        anonymiser.anonymise(frame(1), picture())
    go.set()
    looking = anonymiser._looking
    assert looking is not None
    looking.join(5.0)
    assert anonymiser.anonymise(frame(2), picture())[1].method == "persons"
