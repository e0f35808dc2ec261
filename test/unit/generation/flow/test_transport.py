# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the air carries is neither made nor lost, and stays within its range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, make_domain
from vidgen_nodes.generation.flow.projection import Projection
from vidgen_nodes.generation.flow.transport import carry

SHAPE = (9, 10, 11)


def swirl(seed: int, sides: dict[str, str] | None = None) -> tuple[np.ndarray, ...]:
    """A velocity without divergence of at most 0.45 a cell."""
    random = np.random.default_rng(seed)
    nz, ny, nx = SHAPE
    shapes = ((nz + 1, ny, nx), (nz, ny + 1, nx), (nz, ny, nx + 1))
    velocity = tuple(random.standard_normal(shape).astype(np.float32) for shape in shapes)
    domain = make_domain(FlowGrid((0.0, 0.0, 0.0), 1.0, SHAPE), Boundaries(sides or {}))
    velocity, _, _ = Projection(domain, 1e-6).apply(velocity)  # type: ignore[arg-type]
    most = max(float(np.abs(own).max()) for own in velocity)
    return tuple(own * np.float32(0.45 / most) for own in velocity)


def ends(value: float) -> tuple[np.ndarray, ...]:
    nz, ny, nx = SHAPE
    shapes = ((ny, nx), (ny, nx), (nz, nx), (nz, nx), (nz, ny), (nz, ny))
    return tuple(np.full(shape, value, dtype=np.float32) for shape in shapes)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), upward=st.booleans())
def test_a_closed_box_keeps_its_sum_and_range(seed: int, upward: bool) -> None:
    content = np.random.default_rng(seed + 1).random(SHAPE).astype(np.float32)
    velocity, total = swirl(seed), content.sum(dtype=np.float64)
    low, high = float(content.min()), float(content.max())
    for step in range(5):
        content, entered = carry(
            content, velocity, 1.0, ends(0.0), (False,) * 3, upward=upward == (step % 2 == 0)
        )
        assert entered == 0.0
    assert content.sum(dtype=np.float64) == pytest.approx(total, rel=1e-6)
    assert content.min() >= low - 1e-4
    assert content.max() <= high + 1e-4


@pytest.mark.parametrize("limited", [True, False])
def test_what_is_uniform_stays_uniform(limited: bool) -> None:
    velocity = swirl(5, {"ceiling": "open", "west": "open"})
    content = np.full(SHAPE, 3.0, dtype=np.float32)
    for step in range(4):
        content, _ = carry(
            content, velocity, 1.0, ends(3.0), (False,) * 3, upward=step % 2 == 0, limited=limited
        )
    assert np.abs(content - 3.0).max() <= 1e-4


def test_the_sum_changes_by_what_crosses_the_border() -> None:
    velocity = swirl(7, {"ceiling": "open", "west": "open", "south": "open"})
    content = np.random.default_rng(2).random(SHAPE).astype(np.float32)
    total, came = content.sum(dtype=np.float64), 0.0
    for step in range(6):
        content, entered = carry(content, velocity, 1.0, ends(0.4), (False,) * 3, upward=step % 2 == 0)
        came += entered
    assert abs(came) > 0.1
    assert content.sum(dtype=np.float64) == pytest.approx(total + came, rel=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_wave_comes_round_a_periodic_axis_at_second_order(axis: int, sign: float) -> None:
    errors = []
    for count in (32, 64):
        shape = [1, 1, 1]
        shape[axis] = count
        phase = 2.0 * np.pi * (np.arange(count) + 0.5) / count
        content = np.sin(phase).astype(np.float32).reshape(shape)
        start = content.copy()
        speeds = []
        for other in range(3):
            faces = list(shape)
            faces[other] += 1
            speeds.append(np.full(faces, sign if other == axis else 0.0, dtype=np.float32))
        planes = tuple(
            np.zeros([n for i, n in enumerate(shape) if i != side // 2], np.float32) for side in range(6)
        )
        for step in range(2 * count):
            content, _ = carry(
                content, tuple(speeds), 0.5, planes, (True,) * 3, upward=step % 2 == 0, limited=False
            )
        errors.append(float(np.sqrt(((content - start) ** 2).mean())))
    assert np.log2(errors[0] / errors[1]) >= 1.8
