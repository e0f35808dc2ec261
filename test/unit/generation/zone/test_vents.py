# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""An opening lets in and out what buoyancy and fans ask of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.zone.room import Airflow, Room
from vidgen_nodes.generation.zone.vents import fans, outflow_kg_per_s, plane_with_fans_m


@settings(max_examples=60)
@given(
    face_m=st.floats(0.1, 2.8),
    upper_k=st.floats(300.0, 900.0),
    net=st.floats(-3.0, 3.0),
)
def test_the_opening_balances_what_fans_leave_over(face_m: float, upper_k: float, net: float) -> None:
    """Integrated over the height of the opening: out less in is what the fans bring in, where the layer can give it."""
    room = Room(30.0, 3.0, 1.8, 2.0, airflows=(Airflow(2.9, -1.0),))
    plane_m = plane_with_fans_m(room, face_m, upper_k, net)
    outside, inside = 353.0 / 293.15, 353.0 / upper_k
    height = (np.arange(20000) + 0.5) * 2.0 / 20000
    pressure = (outside - inside) * 9.81 * (np.maximum(height, min(face_m, 2.0)) - plane_m)
    speed = np.where(
        pressure > 0.0, np.sqrt(2.0 * np.abs(pressure) / inside), -np.sqrt(2.0 * np.abs(pressure) / outside)
    )
    moved = 0.68 * 0.9 * np.where(speed > 0.0, inside, outside) * speed
    through = float(moved.sum()) * 2.0 / 20000
    if plane_m > min(face_m, 2.0) + 1e-6:
        assert through == pytest.approx(net, abs=0.01)
    else:
        assert net >= through - 0.01  # more is blown in than buoyancy drives out: cold air leaves as well


def test_a_grille_moves_the_layer_that_it_lies_in() -> None:
    room = Room(30.0, 3.0, airflows=(Airflow(2.5, -1.0), Airflow(0.3, -1.0), Airflow(0.5, 2.0, 303.15)))
    moved = fans(room, 1.5, 586.3, 313.15)
    assert moved.drawn_upper == pytest.approx(353.0 / 586.3)
    assert moved.drawn_lower == pytest.approx(353.0 / 313.15)
    assert (moved.blown_upper, moved.blown_upper_kw) == (0.0, 0.0)
    assert moved.blown_lower == pytest.approx(2.0 * 353.0 / 303.15)
    assert moved.blown_lower_kw == pytest.approx(10.0 * moved.blown_lower)
    assert moved.net == pytest.approx(moved.blown_lower - moved.drawn_upper - moved.drawn_lower)


def test_nothing_leaves_a_layer_that_is_as_cold_as_outside() -> None:
    assert outflow_kg_per_s(Room(30.0, 3.0, 1.8, 2.0, 1.0), 1.0, 293.15, 0.0) == 0.0
