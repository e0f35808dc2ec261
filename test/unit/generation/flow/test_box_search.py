# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Obstacles in a box with a periodic axis: the search still finds the pressure."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.generation.flow.box_search import BoxSearch, floor_of
from vidgen_nodes.generation.flow.domain import Boundaries, Domain, FlowGrid, make_domain

GRID = FlowGrid((0.0, 0.0, 0.0), 0.25, (7, 9, 12))
ROUND = {"south": "periodic", "north": "periodic"}


def domain_with_a_shelf(sides: dict[str, str]) -> Domain:
    solid = np.zeros(GRID.shape, bool)
    solid[4, :6, 3:9] = True  # it goes on round the periodic border
    return make_domain(GRID, Boundaries(sides, solid))


def push(domain: Domain, pressure: np.ndarray) -> np.ndarray:
    """Divergence of the push of a pressure where south and north are one."""
    total = np.zeros(pressure.shape)
    for axis, faces in enumerate(domain.open_faces):
        mode = "wrap" if axis == 1 else "constant"
        widths = [(1, 1) if own == axis else (0, 0) for own in range(3)]
        padded = np.pad(pressure.astype(np.float64), widths, mode=mode)  # type: ignore[call-overload]
        total -= np.diff(faces * np.diff(padded, axis=axis), axis=axis)
    return total * domain.air


@pytest.mark.parametrize("sides", [ROUND, {**ROUND, "east": "open"}])
def test_the_pressure_takes_the_divergence_away(sides: dict[str, str]) -> None:
    domain = domain_with_a_shelf(sides)
    right = (np.random.default_rng(2).standard_normal(GRID.shape) * domain.air).astype(np.float32)
    if domain.pockets:
        right[domain.air] -= right[domain.air].mean()
    before = right.copy()
    pressure, rounds = BoxSearch(domain).search(right, 1e-4, 200)
    assert np.abs(before - push(domain, pressure)).max() <= 2e-4
    assert rounds <= 40


def test_only_a_box_with_obstacles_needs_a_stand_in_for_the_constant() -> None:
    assert floor_of(make_domain(GRID, Boundaries({}))) is None
    floor = floor_of(domain_with_a_shelf({}))
    assert floor is not None
    assert 0.0 < floor < 0.1
