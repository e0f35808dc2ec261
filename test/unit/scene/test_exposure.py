# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.scene import exposure
from vidgen_nodes.scene.exposure import Solids, exposed_fuel


def areas(surfaces):
    return {item.name: item.area_m2 for item in surfaces}


def test_points_in_a_body_are_held_and_others_not(make):
    solids = Solids(make.box("b", (0, 0, 0), (2, 1, 1)).triangles_m)
    rng = np.random.default_rng(2)
    points = rng.uniform((-1, -1, -1), (3, 2, 2), (500, 3))
    directions = rng.normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    inside = ((points > 0) & (points < (2, 1, 1))).all(axis=1)
    assert np.array_equal(solids.hold(points, directions), inside)


@pytest.mark.parametrize(("gap_m", "covered"), [(0.0, True), (0.015, True), (0.05, False)])
def test_a_board_covers_what_it_touches(make, gap_m, covered):
    wall = make.box("wall", (0, 0, 0), (4, 0.2, 3))
    board = make.box("board", (0, -gap_m - 0.0125, 0), (4, -gap_m, 3), combustible=False)
    kept, notes = exposed_fuel((wall, board))
    assert areas(kept)["wall"] == pytest.approx(wall.area_m2 - (12.0 if covered else 0.0))
    assert bool(notes) is covered
    assert areas(kept)["board"] == board.area_m2


def test_a_post_inside_a_wall_is_gone(make):
    post = make.box("post", (1, 0.05, 0.1), (1.1, 0.15, 2.9))
    kept, notes = exposed_fuel((post, make.box("wall", (0, 0, 0), (4, 0.2, 3), combustible=False)))
    assert [item.name for item in kept] == ["wall"]
    assert f"{post.area_m2:.2f} m2" in notes[0]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**9))
def test_no_more_burns_than_before_and_how_many_at_once_does_not_matter(make, seed):
    rng = np.random.default_rng(seed)
    boxes = []
    for index in range(5):
        low = rng.uniform(0, 3, 3)
        boxes.append(make.box(f"b{index}", low, low + rng.uniform(0.2, 2, 3), [True, None, False][index % 3]))
    kept, _ = exposed_fuel(tuple(boxes))
    before = areas(boxes)
    assert all(area <= before[name] * (1 + 1e-9) for name, area in areas(kept).items())
    assert {item.name for item in boxes if not item.combustible} <= set(areas(kept))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exposure, "_AT_ONCE", 1)
        again, _ = exposed_fuel(tuple(boxes))
    assert areas(again) == areas(kept)
