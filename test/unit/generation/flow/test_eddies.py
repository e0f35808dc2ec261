# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small eddies move heat and soot between neighbours, never beyond them, however long the step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.arena import Arena
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.eddies import MOST_EXCHANGED, MOST_PARTS, exchange, mixed, parts_for

GRID = FlowGrid((0.0, 0.0, 0.0), 0.2, (6, 7, 8))


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 20.0))
def test_no_exchange_overshoots_or_loses_anything(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    solid = random.random(GRID.shape) < 0.1
    domain = make_domain(GRID, Boundaries({"ceiling": "open"}, solid))
    velocity = tuple(random.standard_normal(item.shape).astype(np.float32) for item in domain.open_faces)
    light = random.uniform(0.0, 0.8, GRID.shape).astype(np.float32)
    share, parts = exchange(velocity, light, domain, 0.4, scale, Arena())  # type: ignore[arg-type]
    assert 1 <= parts <= MOST_PARTS
    assert float(share.max()) <= MOST_EXCHANGED * (1.0 + 1e-6)
    assert not share[solid].any()
    heat = random.random(GRID.shape).astype(np.float32)
    after = heat
    for _ in range(parts):
        after = mixed(after, share)
    assert float(after.sum(dtype=np.float64)) == pytest.approx(float(heat.sum(dtype=np.float64)), rel=1e-6)
    assert float(after.min()) >= float(heat.min()) - 1e-6
    assert float(after.max()) <= float(heat.max()) + 1e-6


@pytest.mark.parametrize(("share", "parts"), [(0.0, 1), (1.0, 1), (1.01, 2), (2.0, 2), (3.5, 4), (99.0, 4)])
def test_an_exchange_is_cut_into_as_many_as_keep_it_stable(share: float, parts: int) -> None:
    assert parts_for(share * MOST_EXCHANGED) == parts


def test_air_too_thin_for_a_strain_exchanges_nothing() -> None:
    domain = make_domain(FlowGrid((0.0, 0.0, 0.0), 0.2, (2, 7, 8)), Boundaries({}))
    velocity = tuple(np.ones(item.shape, np.float32) for item in domain.open_faces)
    light = np.zeros((2, 7, 8), np.float32)
    share, parts = exchange(velocity, light, domain, 0.4, 0.1, Arena())  # type: ignore[arg-type]
    assert parts == 1
    assert not share.any()


def test_light_air_above_heavy_air_stills_eddies_and_the_other_way_round_feeds_them() -> None:
    domain = make_domain(GRID, Boundaries({}))
    random = np.random.default_rng(2)
    velocity = tuple(
        0.03 * random.standard_normal(item.shape).astype(np.float32) for item in domain.open_faces
    )
    found = []
    for step in (0.05, 0.0, -0.05):
        light = (
            np.full(GRID.shape, 0.4, np.float32)
            + step * np.arange(GRID.shape[0], dtype=np.float32)[:, None, None]
        )
        share, _ = exchange(velocity, light, domain, 0.4, 0.1, Arena())  # type: ignore[arg-type]
        found.append(share)
    assert not found[0].any()  # no eddy of 3 cm/s stands such a layer
    assert (found[1] < found[2]).all()
