# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A box in which no flow exists is refused; every face has one rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, FlowGrid, Vent, make_domain

GRID = FlowGrid((0.0, 0.0, 0.0), 0.5, (4, 6, 8))
ALL_OPEN = dict.fromkeys(SIDES, "open")


@pytest.mark.parametrize(
    ("boundaries", "words"),
    [
        (Boundaries({"west": "periodic"}), "both ends"),
        (Boundaries({"roof": "open"}), "roof"),
        (Boundaries({"west": "ajar"}), "ajar"),
        (Boundaries({}, np.ones((4, 6, 8), dtype=bool)), "no air"),
        (Boundaries({}, np.zeros((4, 6, 9), dtype=bool)), "expected the grid"),
        (Boundaries({}, None, (Vent("west", (0.0, 0.0), (1.0, 1.0), 0.3),)), "closed pocket"),
        (Boundaries({}, None, (Vent("west", (9.0, 9.0), (9.5, 9.5)),)), "no face"),
        (Boundaries(ALL_OPEN, None, (Vent("west", (0.0, 0.0), (1.0, 1.0)),)), "not closed"),
        (Boundaries({}, None, (Vent("west", (0.0, 0.0), (1.0, float("nan"))),)), "finite"),
        (Boundaries(ALL_OPEN, None, (), (float("inf"), 0.0)), "wind"),
    ],
)
def test_a_box_that_cannot_be_is_refused(boundaries: Boundaries, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_domain(GRID, boundaries)


@pytest.mark.parametrize("bad", [{"cell_m": 0.0}, {"cell_m": float("nan")}, {"shape": (0, 4, 4)}])
def test_a_grid_that_is_none_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="flow grid"):
        FlowGrid(**{"origin_m": (0.0, 0.0, 0.0), "cell_m": 0.5, "shape": (4, 4, 4)} | bad)  # type: ignore[arg-type]


def test_supply_that_is_exhausted_is_accepted() -> None:
    both = (
        Vent("west", (0.0, 0.0), (1.0, 1.0), 0.3, rise_k=5.0),
        Vent("ceiling", (1.0, 1.0), (2.0, 2.0), -0.3),
    )
    domain = make_domain(GRID, Boundaries({}, None, both))
    net = sum(
        float(np.moveaxis(domain.fixed_mps[axis], axis, 0)[end].sum()) * (1 if end == 0 else -1)
        for axis in range(3)
        for end in (0, -1)
    )
    assert net * GRID.cell_m**2 == pytest.approx(0.0, abs=1e-6)
    assert domain.is_plain
    assert len(domain.pockets) == 1


def test_an_exhaust_behind_a_wall_is_not_an_opening_for_the_other_room() -> None:
    solid = np.zeros(GRID.shape, dtype=bool)
    solid[:, :, 4] = True
    both = (Vent("west", (0.0, 0.0), (1.0, 1.0), 0.3), Vent("east", (0.0, 0.0), (1.0, 1.0), -0.3))
    with pytest.raises(ConfigError, match="closed pocket"):
        make_domain(GRID, Boundaries({}, solid, both))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.0, 0.7))
def test_every_face_has_one_rule(seed: int, share: float) -> None:
    solid = np.random.default_rng(seed).random(GRID.shape) < share
    solid[0, 0, 0] = False
    domain = make_domain(GRID, Boundaries(ALL_OPEN, solid))
    for axis, rule in enumerate(domain.open_faces):
        assert set(np.unique(rule)) <= {0.0, 1.0, 2.0}
        inner, cells = np.moveaxis(rule, axis, 0)[1:-1], np.moveaxis(domain.air, axis, 0)
        assert np.array_equal(inner == 1.0, cells[1:] & cells[:-1])
        assert not domain.fixed_mps[axis].any()
