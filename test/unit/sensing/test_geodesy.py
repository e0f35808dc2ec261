# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.sensing.geodesy import LocalFrame


def test_a_hundred_thousandth_of_a_degree_at_zurich() -> None:
    frame = LocalFrame(47.37, 8.54, 450.0)
    east, _, _ = frame.to_enu(47.37, 8.54 + 1e-5, 450.0)
    _, north, _ = frame.to_enu(47.37 + 1e-5, 8.54, 450.0)
    assert east == pytest.approx(0.755, abs=5e-4)
    assert north == pytest.approx(1.112, abs=5e-4)


def test_up_is_the_height_above_the_datum() -> None:
    np.testing.assert_allclose(
        LocalFrame(47.37, 8.54, 450.0).to_enu(47.37, 8.54, 480.0), (0, 0, 30), atol=1e-6
    )


def test_the_earth_is_round() -> None:
    # At 1 km the tangent plane has left the ellipsoid by d^2 / 2R = 7.8 cm.
    frame = LocalFrame(47.37, 8.54, 450.0)
    up = frame.to_enu(47.37 + 1000.0 / 111_185.0, 8.54, 450.0)[2]
    assert up == pytest.approx(-0.0785, abs=2e-3)


@given(
    st.floats(-85, 85), st.floats(-179, 179), st.floats(-5e3, 5e3), st.floats(-5e3, 5e3), st.floats(-500, 500)
)
def test_there_and_back(lat: float, lon: float, east: float, north: float, up: float) -> None:
    frame = LocalFrame(lat, lon, 100.0)
    back = frame.to_enu(*frame.to_geodetic(np.array((east, north, up))))
    np.testing.assert_allclose(back, (east, north, up), atol=1e-3)


@pytest.mark.parametrize(
    "bad", [(math.nan, 8.0, 1.0), (91.0, 8.0, 1.0), (47.0, 181.0, 1.0), (47.0, 8.0, math.inf)]
)
def test_a_position_off_the_globe_is_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(InputError) as refusal:
        LocalFrame(47.0, 8.0, 0.0).to_enu(*bad)
    assert refusal.value.reason == "bad_position"
    with pytest.raises(InputError):
        LocalFrame(*bad)
