# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Debris stays in its cell, on the measured surface, and does not move when other cells change."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.debris import FACES, debris_boxes
from vidgen_nodes.packets import Grid

GRID = Grid(-3.0, 5.0, 0.5, 12, 14)


def layers(elevation: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    full = np.full(GRID.shape, elevation, np.float32)
    return full, full.copy(), full + np.float32(0.6)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 2**63 - 1), st.floats(0.1, 2.0), st.floats(-50.0, 4000.0))
def test_boxes_lie_strictly_inside_their_column(seed: int, edge_m: float, elevation: float) -> None:
    grid = Grid(-3.0, 5.0, edge_m, 6, 7)
    ground = np.full(grid.shape, elevation, np.float32)
    boxes = debris_boxes(np.ones(grid.shape, bool), grid, ground, ground, ground + np.float32(0.6), seed)
    assert boxes
    for box in boxes:
        row, col = box.cell
        low = np.array(
            [grid.origin_east_m + col * edge_m, grid.origin_north_m + row * edge_m, ground[row, col]]
        )
        assert np.all(box.corners_m.min(axis=0) > low)
        assert np.all(box.corners_m.max(axis=0)[:2] < low[:2] + edge_m)
        assert box.corners_m[:, 2].max() < float(ground[row, col] + np.float32(0.6))


def test_other_cells_do_not_move_a_cells_boxes() -> None:
    elevation, floor, ceiling = layers()
    everything = debris_boxes(np.ones(GRID.shape, bool), GRID, elevation, floor, ceiling, 5)
    for cell in {box.cell for box in everything}:
        alone = np.zeros(GRID.shape, bool)
        alone[cell] = True
        kept = debris_boxes(alone, GRID, elevation, floor, ceiling, 5)
        expected = [box for box in everything if box.cell == cell]
        assert [box.corners_m.tobytes() for box in kept] == [box.corners_m.tobytes() for box in expected]


def test_nothing_lies_where_nothing_was_measured_or_the_gate_is_shut() -> None:
    elevation, floor, ceiling = layers()
    assert debris_boxes(np.zeros(GRID.shape, bool), GRID, elevation, floor, ceiling, 5) == ()
    unknown = np.full(GRID.shape, np.nan, np.float32)
    assert debris_boxes(np.ones(GRID.shape, bool), GRID, unknown, floor, ceiling, 5) == ()
    assert debris_boxes(np.ones(GRID.shape, bool), GRID, elevation, floor, elevation, 5) == ()


def test_seed_decides() -> None:
    elevation, floor, ceiling = layers()
    cells = np.ones(GRID.shape, bool)
    first = debris_boxes(cells, GRID, elevation, floor, ceiling, 1)
    second = debris_boxes(cells, GRID, elevation, floor, ceiling, 2)
    assert [box.corners_m.tobytes() for box in first] != [box.corners_m.tobytes() for box in second]


def test_face_corners_run_counter_clockwise_seen_from_outside() -> None:
    elevation, floor, ceiling = layers()
    box = debris_boxes(np.ones(GRID.shape, bool), GRID, elevation, floor, ceiling, 5)[0]
    centre = box.corners_m.mean(axis=0)
    for face in FACES:
        a, b, _, d = box.corners_m[list(face)]
        assert np.cross(b - a, d - a) @ (a - centre) > 0.0
