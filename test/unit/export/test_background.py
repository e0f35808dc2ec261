# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the anonymiser, no clear background leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vidgen_nodes.export.background import LATE_S, MOSAIC_CELLS, PrivacyRecord, mosaic, safe_background
from vidgen_nodes.packets import ThermalFrame

SHAPE = (64, 80, 3)


def frame() -> ThermalFrame:
    return ThermalFrame(
        7,
        "cam",
        "mono8",
        np.zeros(SHAPE[:2], np.uint8),
        0,
        None,
        False,
        float("nan"),
        float("nan"),
        0.0,
        False,
        (),
    )


def noise() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, SHAPE, dtype=np.uint8)


class Anonymiser:
    def __init__(self, act: Callable[[np.ndarray], np.ndarray]) -> None:
        self.act = act

    def anonymise(
        self, thermal: ThermalFrame, rgb: np.ndarray, local_px_per_m: np.ndarray | None = None
    ) -> tuple[np.ndarray, PrivacyRecord]:
        return self.act(rgb), PrivacyRecord("regions", "test 1", ((1, 2, 3, 4),))


def clock(*times_s: float) -> Callable[[], float]:
    left = list(times_s)
    return lambda: left.pop(0)


def raises(_: np.ndarray) -> np.ndarray:
    raise RuntimeError("dead")


@pytest.mark.parametrize(
    ("anonymiser", "took_s", "why"),
    [
        (None, 0.0, "no anonymiser is installed"),
        (Anonymiser(raises), 0.0, "RuntimeError: dead"),
        (Anonymiser(lambda rgb: rgb), LATE_S + 1, "late"),
        (Anonymiser(lambda rgb: rgb[1:]), 0.0, "no such picture"),
        (Anonymiser(lambda rgb: rgb.astype(np.float32)), 0.0, "no such picture"),
    ],
)
def test_it_fails_closed_and_says_why(anonymiser: Anonymiser | None, took_s: float, why: str) -> None:
    rgb = noise()
    made, record = safe_background(anonymiser, frame(), rgb, clock(0.0, took_s))
    np.testing.assert_array_equal(made, mosaic(rgb))
    assert record.method == "whole_mosaic"
    assert why in record.fallback


def test_what_the_anonymiser_did_is_kept_with_its_record() -> None:
    made, record = safe_background(Anonymiser(lambda rgb: rgb // 2), frame(), noise(), clock(0.0, 0.1))
    np.testing.assert_array_equal(made, noise() // 2)
    assert record.as_json()["regions_px"] == [[1, 2, 3, 4]]
    assert record.fallback == ""


def test_a_mosaic_keeps_nothing_finer_than_its_cells() -> None:
    made = mosaic(noise())
    assert made.shape == SHAPE
    assert len(np.unique(made.reshape(-1, 3), axis=0)) <= MOSAIC_CELLS * round(MOSAIC_CELLS * 64 / 80)
    assert mosaic(np.zeros((1, 3, 3), np.uint8)).shape == (1, 3, 3)
