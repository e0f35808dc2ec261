# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A picture is copied where its quad is, and nowhere else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.sim.quad import paint_quad

HEIGHT, WIDTH = 24, 31


def inside(corners: np.ndarray) -> np.ndarray:
    """Pixels (HEIGHT, WIDTH) on the inner side of all four edges."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    ahead = np.roll(corners, -1, axis=0) - corners
    side = [dx * (y - cy) - dy * (x - cx) for (cx, cy), (dx, dy) in zip(corners, ahead, strict=True)]
    return np.all(np.array(side) >= 0.0, axis=0) | np.all(np.array(side) <= 0.0, axis=0)


@given(
    middle=st.tuples(st.floats(-5.0, 35.0), st.floats(-5.0, 30.0)),
    size=st.floats(0.7, 90.0),
    turn=st.floats(0.0, 6.3),
    squash=st.floats(0.2, 1.0),
    mirrored=st.booleans(),
)
def test_pixels_whose_centres_lie_in_the_quad_are_painted(
    middle: tuple[float, float], size: float, turn: float, squash: float, mirrored: bool
) -> None:
    angles = turn + np.array([0.1, 1.5, 3.3, 4.9])
    corners = size * np.stack([np.cos(angles), squash * np.sin(angles)], axis=1) + middle
    corners = corners[::-1].copy() if mirrored else corners
    drawn = np.arange(1, HEIGHT * WIDTH + 1, dtype=np.int16).reshape(HEIGHT, WIDTH)
    view = np.zeros((HEIGHT + 7, WIDTH + 9), np.int16)
    paint_quad(view, drawn, corners, 4, 3)
    painted = view[3 : 3 + HEIGHT, 4 : 4 + WIDTH]
    assert np.count_nonzero(view) == np.count_nonzero(painted)
    assert set(np.unique(painted)) <= {0, *drawn.ravel().tolist()}
    differs = (painted > 0) != inside(corners)
    # A centre on an edge to the last bit may fall on either side.
    assert np.count_nonzero(differs) <= 2
    assert (painted[painted > 0] == drawn[painted > 0]).all()


def test_far_corners_do_no_harm() -> None:
    view, drawn = np.zeros((8, 8), np.int16), np.ones((8, 8), np.int16)
    paint_quad(view, drawn, np.array([[-1e300, -1e9], [1e300, -1e9], [1e300, 1e9], [-1e300, 1e9]]), 0, 0)
    assert view.all()
