# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Several meshes on one lattice: a linear function stays itself wherever a mesh holds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields import meshes as field_meshes
from vidgen_nodes.generation.fields.meshes import Part, gathered, lattice

TIMES_S = np.array([0.0, 1.0, 2.0])


def linear(x, y, z, t):
    return 1.0 + 2.0 * x - 3.0 * y + 5.0 * z + 7.0 * t


def part(x, y, z, times_s=TIMES_S, offset=0.0):
    axes = tuple(np.asarray(axis, np.float64) for axis in (x, y, z))
    t, i, j, k = np.meshgrid(times_s, *axes, indexing="ij")
    values = (linear(i, j, k, t) + offset).astype(np.float32)
    return Part(np.asarray(times_s), axes, lambda: values)


def even(low, high, count):
    return np.linspace(low, high, count + 1)


SQUARE = even(0, 1, 4)


def on_lattice(parts):
    axes = lattice(parts)
    series, notes = gathered({"q": parts}, axes, "run")
    return axes, series["q"], notes


def expected(axes, times_s=TIMES_S):
    t, z, y, x = np.meshgrid(times_s, *axes[::-1], indexing="ij")
    return linear(x, y, z, t)


def test_one_stretched_mesh_is_its_own_lattice():
    x = np.array([0.0, 0.1, 0.3, 0.7, 1.5])
    axes, found, notes = on_lattice([part(x, SQUARE, SQUARE)])
    assert axes[0].tolist() == x.tolist()
    assert found.values == pytest.approx(expected(axes), abs=1e-4)
    assert notes == []


@pytest.mark.parametrize(
    "other", [even(1, 2, 4), even(1, 2, 2), even(1, 2, 7), np.array([1.0, 1.1, 1.4, 2.0])]
)
def test_meshes_side_by_side_become_one_whatever_their_cells(other):
    axes, found, _ = on_lattice([part(SQUARE, SQUARE, SQUARE), part(other, SQUARE, SQUARE)])
    assert (axes[0][0], axes[0][-1]) == (0.0, 2.0)
    assert found.values == pytest.approx(expected(axes), abs=1e-4)


def test_the_finer_mesh_wins_where_two_overlap():
    coarse, fine = part(even(0, 2, 2), SQUARE, SQUARE, offset=100.0), part(even(0, 1, 8), SQUARE, SQUARE)
    for parts in ([coarse, fine], [fine, coarse]):
        axes, found, _ = on_lattice(parts)
        inside = axes[0] <= 1.0
        assert found.values[..., inside] == pytest.approx(expected(axes)[..., inside], abs=1e-4)


def test_what_lies_in_no_mesh_is_not_a_number():
    axes, found, _ = on_lattice([part(even(0, 1, 4), SQUARE, SQUARE), part(even(3, 4, 4), SQUARE, SQUARE)])
    gap = (axes[0] > 1.01) & (axes[0] < 2.99)
    assert np.isnan(found.values[..., gap]).all()
    assert np.isfinite(found.values[..., ~gap]).all()


def test_a_mesh_that_wrote_one_time_more_does_not_shift_the_others():
    _, found, notes = on_lattice(
        [part(SQUARE, SQUARE, SQUARE), part(even(1, 2, 4), SQUARE, SQUARE, times_s=[0.0, 1.0, 2.0, 3.0])]
    )
    assert found.times_s.tolist() == TIMES_S.tolist()
    assert any("that all meshes have" in note for note in notes)


def test_a_long_run_is_thinned_and_a_far_too_long_one_refused(monkeypatch):
    times_s = np.arange(40.0)
    parts = [part(SQUARE, SQUARE, SQUARE, times_s=times_s)]
    monkeypatch.setattr(field_meshes, "MOST_VALUES", 40 * 125 // 3)
    monkeypatch.setattr(field_meshes, "MOST_READ", 40 * 125)
    axes, found, notes = on_lattice(parts)
    assert found.times_s.tolist() == times_s[::4].tolist()
    assert found.values == pytest.approx(expected(axes, times_s[::4]), abs=1e-3)
    assert notes == ["every 4th stored time was taken: all of them are 5000 values"]
    monkeypatch.undo()
    monkeypatch.setattr(field_meshes, "MOST_READ", 4000)
    monkeypatch.setattr(field_meshes, "MOST_VALUES", 2000)
    monkeypatch.setattr("vidgen_nodes.generation.fields.run.MOST_VALUES", 2000)
    with pytest.raises(InputError, match="fewer times"):
        gathered({"q": parts}, axes, "run")


@given(st.lists(st.tuples(st.integers(1, 6), st.floats(0.2, 3.0)), min_size=1, max_size=4))
def test_any_row_of_meshes_keeps_a_linear_function(row):
    parts, edge = [], 0.0
    for cells, width in row:
        parts.append(part(even(edge, edge + width, cells), even(0, 1, 2), even(0, 1, 2)))
        edge += width
    axes, found, _ = on_lattice(parts)
    assert np.diff(axes[0]).min() > 0.0
    assert found.values == pytest.approx(
        expected(axes), abs=0.12 * max(width / cells for cells, width in row)
    )
