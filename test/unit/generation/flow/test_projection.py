# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""After projection no cell gains air, whatever stands in the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.domain import SIDES, Boundaries, Domain, FlowGrid, Vent, make_domain
from vidgen_nodes.generation.flow.projection import Projection

GRID = FlowGrid((0.0, 0.0, 0.0), 0.25, (10, 12, 14))
LIMIT = 1e-5


def random_velocity(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    nz, ny, nx = GRID.shape
    shapes = ((nz + 1, ny, nx), (nz, ny + 1, nx), (nz, ny, nx + 1))
    w, v, u = (random.standard_normal(shape).astype(np.float32) for shape in shapes)
    return w, v, u


def divergence(velocity: tuple[np.ndarray, ...]) -> np.ndarray:
    total = np.zeros(GRID.shape)
    for axis, own in enumerate(velocity):
        total += np.diff(own.astype(np.float64), axis=axis)
    return total


def scaled(velocity: tuple[np.ndarray, ...], domain: Domain) -> float:
    fastest = max(float(np.abs(own).max()) for own in velocity)
    return float(np.abs(divergence(velocity)[domain.air]).max()) / fastest


@pytest.mark.parametrize(
    "sides",
    [
        {},
        dict.fromkeys(SIDES, "open"),
        {"ceiling": "open", "west": "open"},
        {"south": "periodic", "north": "periodic", "east": "open"},
    ],
)
def test_plain_boxes(sides: dict[str, str]) -> None:
    domain = make_domain(GRID, Boundaries(sides))
    velocity, _, how = Projection(domain, LIMIT).apply(random_velocity(1))
    assert scaled(velocity, domain) <= LIMIT
    assert how.divergence == pytest.approx(scaled(velocity, domain), rel=0.5, abs=2e-7)
    for axis, own in enumerate(velocity):
        assert not own[domain.open_faces[axis] == 0.0].any()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.0, 0.5), opened=st.booleans())
def test_obstacles_of_any_shape(seed: int, share: float, opened: bool) -> None:
    solid = np.random.default_rng(seed).random(GRID.shape) < share
    solid[0, 0, 0] = False
    domain = make_domain(GRID, Boundaries({"ceiling": "open"} if opened else {}, solid))
    velocity, _, how = Projection(domain, LIMIT).apply(random_velocity(seed % 1000))
    assert how.divergence <= LIMIT
    fastest = max(float(np.abs(own).max()) for own in velocity)
    assert np.abs(divergence(velocity)[domain.air]).max() <= 1.1 * LIMIT * max(fastest, 1.0)
    for axis, own in enumerate(velocity):
        assert not own[domain.open_faces[axis] == 0.0].any()


def test_supply_flows_out_through_the_window() -> None:
    vents = (Vent("west", (0.5, 0.5), (1.5, 1.5), 0.4), Vent("east", (1.0, 0.5), (2.5, 2.0)))
    domain = make_domain(GRID, Boundaries({}, None, vents))
    still = tuple(np.zeros_like(own) for own in random_velocity(0))
    velocity, _, how = Projection(domain, LIMIT).apply(still)  # type: ignore[arg-type]
    assert how.divergence <= LIMIT
    assert float(velocity[2][:, :, -1].sum()) * GRID.cell_m**2 == pytest.approx(0.4, rel=1e-4)


def test_air_expands_by_what_is_asked() -> None:
    domain = make_domain(GRID, Boundaries({"ceiling": "open"}))
    grown = np.zeros(GRID.shape, dtype=np.float32)
    grown[2, 5, 6] = 0.5
    still = tuple(np.zeros_like(own) for own in random_velocity(0))
    velocity, _, _ = Projection(domain, LIMIT).apply(still, grown)  # type: ignore[arg-type]
    assert np.abs(divergence(velocity) - grown).max() <= 1e-5
    assert float(velocity[0][-1].sum()) == pytest.approx(0.5, rel=1e-4)


def test_still_air_beside_a_wall_expands_by_what_is_asked_in_a_few_rounds() -> None:
    domain = make_domain(GRID, AMONG_WALLS["outside"])
    grown = np.zeros(GRID.shape, dtype=np.float32)
    grown[2, 5, 6] = 0.5
    still = tuple(np.zeros_like(own) for own in random_velocity(0))
    velocity, _, how = Projection(domain, LIMIT).apply(still, grown)  # type: ignore[arg-type]
    assert how.divergence <= LIMIT
    assert how.rounds <= 10
    assert np.abs(divergence(velocity) - grown).max() <= LIMIT * 0.5


def test_projecting_twice_changes_nothing() -> None:
    domain = make_domain(GRID, Boundaries({"ceiling": "open"}))
    projection = Projection(domain, LIMIT)
    first, _, _ = projection.apply(random_velocity(3))
    kept = [own.copy() for own in first]
    second, _, _ = projection.apply(first)
    assert max(np.abs(a - b).max() for a, b in zip(kept, second, strict=True)) <= 1e-5


def walls() -> np.ndarray:
    """Two rooms, a door between them, a shelf in one."""
    solid = np.zeros(GRID.shape, dtype=bool)
    solid[:, :, 7] = True
    solid[:5, 4:7, 7] = False
    solid[6, 2:9, 9:12] = True
    return solid


GRILLES = (Vent("west", (0.5, 0.5), (1.5, 1.5), 0.4), Vent("ceiling", (2.2, 0.5), (3.2, 1.5), -0.4))
AMONG_WALLS = {
    "outside": Boundaries(dict.fromkeys(SIDES[1:], "open"), walls()),
    "wind": Boundaries(dict.fromkeys(SIDES[1:], "open"), walls(), (), (2.0, -1.0)),
    "one window": Boundaries({}, walls(), (Vent("east", (1.0, 0.5), (2.5, 2.0)),)),
    "supply and exhaust": Boundaries({}, walls(), GRILLES),
    "shut": Boundaries({}, walls()),
    "round": Boundaries({"south": "periodic", "north": "periodic", "ceiling": "open"}, walls()),
}


def given_mps(domain: Domain, seed: int) -> float:
    """Largest speed of ``random_velocity`` where the domain lets it be."""
    found = 0.0
    for own, rule, fixed in zip(random_velocity(seed), domain.open_faces, domain.fixed_mps, strict=True):
        found = max(found, float(np.abs(np.where(rule > 0.0, own, fixed)).max()))
    return found


@pytest.mark.parametrize("name", AMONG_WALLS)
def test_what_is_reported_among_walls_is_what_is_left(name: str) -> None:
    domain = make_domain(GRID, AMONG_WALLS[name])
    velocity, pressure, how = Projection(domain, LIMIT).apply(random_velocity(7))
    assert how.divergence <= LIMIT
    left = np.abs(divergence(velocity)[domain.air]).max() / given_mps(domain, 7)
    assert how.divergence == pytest.approx(left, abs=5e-7)
    assert not pressure[~domain.air].any()
    for own, rule, fixed in zip(velocity, domain.open_faces, domain.fixed_mps, strict=True):
        assert np.array_equal(own[rule == 0.0], fixed[rule == 0.0])


@pytest.mark.parametrize("name", AMONG_WALLS)
def test_the_same_bytes_again_and_after_other_work(name: str) -> None:
    domain = make_domain(GRID, AMONG_WALLS[name])
    fresh, used = Projection(domain, LIMIT), Projection(domain, LIMIT)
    used.apply(random_velocity(8))
    one, other = fresh.apply(random_velocity(7)), used.apply(random_velocity(7))
    assert one[1].tobytes() == other[1].tobytes()
    assert [own.tobytes() for own in one[0]] == [own.tobytes() for own in other[0]]


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_speed_that_is_no_number_is_not_searched_for(spoilt: float) -> None:
    domain = make_domain(GRID, AMONG_WALLS["outside"])
    velocity = random_velocity(7)
    velocity[2][3, 4, 5] = spoilt
    with np.errstate(all="ignore"):
        _, _, how = Projection(domain, LIMIT).apply(velocity)
    assert how.rounds == 0
    assert not how.divergence <= LIMIT


def test_a_search_that_may_not_go_on_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgen_nodes.generation.flow.projection.MOST_ITERATIONS", 2)
    domain = make_domain(GRID, AMONG_WALLS["outside"])
    velocity, _, how = Projection(domain, LIMIT).apply(random_velocity(7))
    assert how.rounds == 2
    assert how.divergence > LIMIT
    left = np.abs(divergence(velocity)[domain.air]).max() / given_mps(domain, 7)
    assert how.divergence == pytest.approx(left, rel=1e-3)
