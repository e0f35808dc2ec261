# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.sensing.atmosphere import Path, transmission


@pytest.mark.parametrize(
    ("air_degc", "humidity", "expected"),
    [(20.0, 0.5, (0.981, 0.966, 0.956, 0.938, 0.910)), (35.0, 0.8, (0.964, 0.935, 0.912, 0.868, 0.796))],
)
def test_published_transmissions(air_degc: float, humidity: float, expected: tuple[float, ...]) -> None:
    found = [transmission(d, air_degc, humidity) for d in (10.0, 30.0, 50.0, 100.0, 200.0)]
    assert found == pytest.approx(list(expected), abs=1e-3)


def test_no_path_takes_nothing() -> None:
    assert transmission(0.0, 20.0, 0.5) == 1.0


@given(st.floats(0.0, 300.0), st.floats(0.0, 300.0), st.floats(-20.0, 40.0), st.floats(0.0, 1.0))
def test_more_air_lets_less_through(a_m: float, b_m: float, air_degc: float, humidity: float) -> None:
    near, far = sorted((a_m, b_m))
    assert transmission(far, air_degc, humidity) <= transmission(near, air_degc, humidity) + 1e-12


def test_more_air_than_the_formula_holds_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="object_distance_m 1500"):
        transmission(1500.0, 40.0, 1.0)


@given(
    st.floats(0.05, 1.0),
    st.floats(0.2, 1.0),
    st.floats(0.0, 200.0),
    st.floats(0.0, 200.0),
    st.floats(1e-3, 3000.0),
)
def test_there_and_back(emissivity: float, tau: float, reflected: float, air: float, sent: float) -> None:
    path = Path(emissivity, tau, reflected, air)
    assert float(path.emitted(path.received(sent))) == pytest.approx(sent, rel=1e-9, abs=1e-9)


def test_what_air_and_reflections_explain_alone_has_no_temperature() -> None:
    path = Path(0.3, 0.9, 50.0, 50.0)
    assert np.isnan(path.emitted([0.0, 30.0])).all()
