# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The search among obstacles finds the pressure in a few rounds, whatever stands in the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, Domain, FlowGrid, Vent, make_domain
from vidgen_nodes.generation.flow.multigrid import Multigrid

OPEN = dict.fromkeys(SIDES[1:], "open")
MOST_ROUNDS = 10  # on what stands below; an open box takes 6


def domain_of(solid: np.ndarray, sides: dict[str, str] | None = None, vents: tuple[Vent, ...] = ()) -> Domain:
    shape: tuple[int, int, int] = tuple(int(count) for count in solid.shape)  # type: ignore[assignment]
    return make_domain(FlowGrid((0.0, 0.0, 0.0), 0.25, shape), Boundaries(sides or {}, solid, vents))


def unbalance(domain: Domain, seed: int) -> np.ndarray:
    """A divergence that a pressure can take away."""
    right = (np.random.default_rng(seed).standard_normal(domain.grid.shape) * domain.air).astype(np.float32)
    for pocket in domain.pockets:
        right.reshape(-1)[pocket] -= right.reshape(-1)[pocket].mean()
    return right


def push(domain: Domain, pressure: np.ndarray) -> np.ndarray:
    """Divergence of the push of a pressure, in double precision."""
    total = np.zeros(pressure.shape)
    for axis, faces in enumerate(domain.open_faces):
        widths = [(1, 1) if own == axis else (0, 0) for own in range(3)]
        total -= np.diff(faces * np.diff(np.pad(pressure.astype(np.float64), widths), axis=axis), axis=axis)
    return total * domain.air


def rooms(shape: tuple[int, int, int] = (16, 24, 24)) -> np.ndarray:
    """Walls a cell thick, each with a door at the other end."""
    solid = np.zeros(shape, bool)
    for number, east in enumerate(range(3, shape[2] - 1, 4)):
        solid[:, :, east] = True
        solid[:4, (2 if number % 2 else -5) :, east][:, :3] = False
    return solid


def oblique(shape: tuple[int, int, int] = (16, 24, 24)) -> np.ndarray:
    solid = np.zeros(shape, bool)
    for row in range(shape[1]):
        solid[:12, row, row // 2 : row // 2 + 1] = row not in (10, 11)
        solid[:12, row, shape[2] - 1 - row] = row != 3
    return solid


def box_in_box() -> np.ndarray:
    solid = np.zeros((16, 24, 24), bool)
    solid[3:12, 6:18, 6:18] = True
    solid[4:11, 7:17, 7:17] = False
    return solid


GRILLES = (
    Vent("west", (1.0, 0.5), (2.0, 1.5)),
    Vent("ceiling", (1.0, 1.0), (2.0, 2.0), 0.4),
    Vent("east", (2.0, 0.0), (3.0, 1.0), -0.3),
)
BOXES = {
    "rooms in the open": domain_of(rooms(), OPEN),
    "rooms with one window": domain_of(rooms(), {}, GRILLES[:1]),
    "rooms without any": domain_of(rooms()),
    "grilles alone": domain_of(np.zeros((16, 24, 24), bool), {}, GRILLES),
    "oblique walls": domain_of(oblique(), OPEN),
    "a closed box in a box": domain_of(box_in_box(), {"ceiling": "open"}),
    "cells at random": domain_of(np.random.default_rng(1).random((16, 24, 24)) < 0.4, OPEN),
    "odd counts": domain_of(rooms((15, 23, 25)), {"north": "open"}),
    "flat": domain_of(rooms((1, 24, 24)), {"north": "open"}),
    "one cell wide": domain_of(np.zeros((24, 1, 24), bool), {}, (Vent("ceiling", (0.0, 0.0), (1.0, 0.25)),)),
}


@pytest.mark.parametrize("name", BOXES)
def test_a_few_rounds_take_the_divergence_away(name: str) -> None:
    domain = BOXES[name]
    right = unbalance(domain, 5)
    least = 1e-4 * float(np.abs(right).max())
    pressure, rounds = Multigrid(domain).search(right.copy(), least, 200)
    assert np.abs(right - push(domain, pressure)).max() <= 2.0 * least
    assert rounds <= MOST_ROUNDS
    assert not pressure[~domain.air].any()


def test_rounds_do_not_grow_with_the_box() -> None:
    found = []
    for factor in (1, 2, 3):
        domain = domain_of(rooms((8 * factor, 16 * factor, 16 * factor)), OPEN)
        right = unbalance(domain, 2)
        found.append(Multigrid(domain).search(right, 1e-4 * float(np.abs(right).max()), 200)[1])
    assert max(found) <= MOST_ROUNDS


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 13)),
    share=st.floats(0.0, 0.8),
    sides=st.sets(st.sampled_from(SIDES)),
    seed=st.integers(0, 2**32 - 1),
)
def test_cells_at_random(shape: tuple[int, int, int], share: float, sides: set[str], seed: int) -> None:
    solid = np.random.default_rng(seed).random(shape) < share
    solid[0, 0, 0] = False
    domain = domain_of(solid, dict.fromkeys(sides, "open"))
    right = unbalance(domain, seed)
    least = 1e-4 * max(float(np.abs(right).max()), 1e-3)
    pressure, rounds = Multigrid(domain).search(right.copy(), least, 200)
    assert np.abs(right - push(domain, pressure)).max() <= 2.0 * least
    assert rounds <= 40  # labyrinths; where walls are walls ten are enough


def test_it_agrees_with_the_exact_solution() -> None:
    domain = domain_of(rooms((6, 8, 12)), {"ceiling": "open"})
    cells = np.flatnonzero(domain.air.ravel())
    matrix = np.zeros((len(cells), len(cells)))
    for column, cell in enumerate(cells):
        unit = np.zeros(domain.air.size)
        unit[cell] = 1.0
        matrix[:, column] = push(domain, unit.reshape(domain.grid.shape)).ravel()[cells]
    right = unbalance(domain, 3)
    exact = np.linalg.solve(matrix, right.ravel()[cells].astype(np.float64))
    pressure, _ = Multigrid(domain).search(right.copy(), 1e-6 * float(np.abs(right).max()), 200)
    assert np.abs(pressure.ravel()[cells] - exact).max() <= 1e-4 * np.abs(exact).max()


def test_nothing_to_take_away_takes_no_search() -> None:
    domain = BOXES["rooms in the open"]
    pressure, rounds = Multigrid(domain).search(np.zeros(domain.grid.shape, np.float32), 1e-6, 200)
    assert not pressure.any()
    assert rounds == 1


def test_rounds_are_bounded() -> None:
    domain = BOXES["rooms in the open"]
    assert Multigrid(domain).search(unbalance(domain, 1), 0.0, 3)[1] == 3


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 1e38])
def test_what_it_was_given_before_leaves_nothing_behind(spoilt: float) -> None:
    domain = BOXES["cells at random"]
    right = unbalance(domain, 4)
    least = 1e-4 * float(np.abs(right).max())
    fresh, _ = Multigrid(domain).search(right.copy(), least, 200)
    used = Multigrid(domain)
    bad = np.where(domain.air, np.float32(spoilt), np.float32(0.0))
    bad[:, ::2] *= np.float32(-1.0)
    with np.errstate(all="ignore"):
        used.search(bad, 1.0, 5)
    used.search(unbalance(domain, 9), least, 200)
    again, _ = used.search(right.copy(), least, 200)
    assert again.tobytes() == fresh.tobytes()
