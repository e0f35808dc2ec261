# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No part keeps more than 64 colours, and nothing else is touched."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.privacy.mosaic import MOST_CELLS, coarsen, enlarged, joined, mosaic

HEIGHT, WIDTH = 60, 80
SIDE = st.integers(-20, 100)
PARTS = st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), max_size=6)


def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


@given(PARTS)
def test_every_part_has_at_most_64_colours_and_the_rest_stays(parts: list[tuple[int, int, int, int]]) -> None:
    picture = noise()
    mosaic(picture, parts)
    touched = np.zeros((HEIGHT, WIDTH), bool)
    for left, top, right, bottom in parts:
        inside = np.s_[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        touched[inside] = True
        colours = picture[inside].reshape(-1, 3)
        assert len(np.unique(colours, axis=0)) <= MOST_CELLS**2
    for left, top, right, bottom in joined(p for p in parts if p[0] < p[2] and p[1] < p[3]):
        touched[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    np.testing.assert_array_equal(picture[~touched], noise()[~touched])


@given(PARTS)
def test_joined_parts_are_apart_and_hold_all_that_was_given(parts: list[tuple[int, int, int, int]]) -> None:
    real = [p for p in parts if p[0] < p[2] and p[1] < p[3]]
    made = joined(real)
    for part in real:
        assert any(m[0] <= part[0] and m[1] <= part[1] and m[2] >= part[2] and m[3] >= part[3] for m in made)
    for i, a in enumerate(made):
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in made[i + 1 :])


def test_a_warm_person_stays_warm() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    picture[20:40, 30:40] = 240
    mosaic(picture, [(25, 15, 45, 45)])
    assert picture[22:38, 33:37].mean() > 150
    assert picture[0, 0, 0] == 40


def test_a_grey_picture_works_too() -> None:
    picture = noise()[..., :1].copy()
    mosaic(picture, [(0, 0, WIDTH, HEIGHT)])
    assert len(np.unique(picture)) <= MOST_CELLS**2


def test_room_is_added_on_every_side() -> None:
    assert enlarged((10, 20, 30, 60), 1.5) == (5, 10, 35, 70)


@given(st.lists(st.tuples(st.tuples(SIDE, SIDE, SIDE, SIDE), st.integers(1, 30)), max_size=6))
def test_coarsened_parts_hold_only_squares_and_the_rest_stays(
    parts: list[tuple[tuple[int, int, int, int], int]],
) -> None:
    picture, touched = noise(), np.zeros((HEIGHT, WIDTH), bool)
    coarsen(picture, parts)
    for (left, top, right, bottom), side_px in parts:
        inside = np.s_[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        touched[inside] = True
        height, width = picture[inside].shape[:2]
        cells = (-(-height // side_px) + 1) * (-(-width // side_px) + 1)
        assert len(np.unique(picture[inside].reshape(-1, 3), axis=0)) <= cells
    np.testing.assert_array_equal(picture[~touched], noise()[~touched])


def test_parts_that_overlap_share_the_coarsest_grid() -> None:
    """Two grids over the same face would together tell more than either."""
    picture = noise()
    coarsen(picture, [((10, 10, 40, 40), 3), ((30, 30, 60, 50), 15)])
    assert len(np.unique(picture[10:40, 10:40].reshape(-1, 3), axis=0)) <= 9
