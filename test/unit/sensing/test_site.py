# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, RtkStatus, SourceRef
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.site import SiteFrame

DATUM = {"datum_latitude_deg": 47.37, "datum_longitude_deg": 8.54, "datum_altitude_m": 450.0}


def fix(altitude_m: float = 480.0, height_datum: str = "", latitude_deg: float = 47.37) -> Fix:
    source = SourceRef("fix", "", 1, b"")
    return Fix(1, latitude_deg, 8.54, altitude_m, np.eye(3), RtkStatus.FIXED, source, height_datum)


def site(**changes: object) -> SiteFrame:
    return SiteFrame(RtkParams(**{**DATUM, **changes}))  # type: ignore[arg-type]


@pytest.mark.parametrize("system", ["ellipsoidal", "orthometric"])
def test_one_system_needs_no_geoid(system: str) -> None:
    np.testing.assert_allclose(site(height_datum=system).position_m(fix()), (0, 0, 30), atol=1e-6)


@pytest.mark.parametrize(
    ("of_fixes", "of_datum", "up_m"),
    [
        ("orthometric", "ellipsoidal", 30 + 48),
        ("ellipsoidal", "orthometric", 30 - 48),
        ("orthometric", "orthometric", 30),
    ],
)
def test_two_systems_meet_through_the_geoid(of_fixes: str, of_datum: str, up_m: float) -> None:
    made = site(height_datum=of_fixes, datum_height=of_datum, geoid_undulation_m=48.0)
    np.testing.assert_allclose(made.position_m(fix()), (0, 0, up_m), atol=1e-6)


def test_two_systems_without_a_geoid_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="heights are mixed"):
        site(height_datum="orthometric", datum_height="ellipsoidal")


def test_a_fix_that_says_another_system_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        site().position_m(fix(height_datum="orthometric"))
    assert refusal.value.reason == "mixed_heights"
    assert "geoid_undulation_m" in str(refusal.value)


def test_a_geoid_grid_is_asked_at_datum_and_fix(tmp_path: Path) -> None:
    grid = tmp_path / "n.csv"
    grid.write_text("latitude_deg,longitude_deg,undulation_m\n47,8,47\n47,9,47\n48,8,48\n48,9,48\n")
    made = site(datum_height="ellipsoidal", height_datum="orthometric", geoid_grid=str(grid))
    assert made.position_m(fix())[2] == pytest.approx(30 + 47.37)
    with pytest.raises(InputError) as refusal:
        made.position_m(fix(latitude_deg=46.5))
    assert refusal.value.reason == "outside_geoid_grid"


def test_the_first_fix_completes_the_datum_and_then_it_stays() -> None:
    made = SiteFrame(RtkParams())
    np.testing.assert_allclose(made.position_m(fix()), 0, atol=1e-9)
    np.testing.assert_allclose(made.position_m(fix(490.0)), (0, 0, 10), atol=1e-6)
    half = SiteFrame(RtkParams(datum_altitude_m=450.0))
    np.testing.assert_allclose(half.position_m(fix()), (0, 0, 30), atol=1e-6)


def test_a_datum_that_cannot_be_is_refused() -> None:
    for wrong in (
        {"datum_latitude_deg": 99.0},
        {"datum_longitude_deg": math.nan},
        {"datum_altitude_m": math.inf},
    ):
        with pytest.raises(ConfigError):
            site(**wrong)
