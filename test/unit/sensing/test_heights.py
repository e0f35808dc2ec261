# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.sensing.heights import GridGeoid, Heights, HeightSystem, LevelGeoid, ProjGeoid, load_geoid

ELLIPSOIDAL, ORTHOMETRIC = HeightSystem.ELLIPSOIDAL, HeightSystem.ORTHOMETRIC
ZURICH = (47.37, 8.54)
GRID = """# undulations about Zurich, made up: a plane
latitude_deg,longitude_deg,undulation_m
47.0,8.0,47.0
47.0,9.0,48.0
48.0,8.0,47.5
48.0,9.0,48.5
"""


def grid_file(folder: Path, text: str = GRID) -> str:
    path = folder / "geoid.csv"
    path.write_text(text)
    return str(path)


@given(st.floats(-106, 85), st.floats(-500, 9000))
def test_there_and_back(undulation: float, height: float) -> None:
    heights = Heights(LevelGeoid(undulation))
    up = heights.convert(height, ORTHOMETRIC, ELLIPSOIDAL, *ZURICH)
    assert up == height + undulation
    assert heights.convert(up, ELLIPSOIDAL, ORTHOMETRIC, *ZURICH) == pytest.approx(height, abs=1e-9)


def test_450_m_above_the_ellipsoid_at_zurich_are_402_above_the_sea() -> None:
    heights = Heights(load_geoid(48.0, ""))
    assert heights.convert(450.0, ELLIPSOIDAL, ORTHOMETRIC, *ZURICH) == 402.0


def test_mixing_without_a_geoid_is_refused_and_one_system_needs_none() -> None:
    heights = Heights(None)
    assert heights.convert(450.0, ORTHOMETRIC, ORTHOMETRIC, *ZURICH) == 450.0
    with pytest.raises(ConfigError, match="heights are mixed: got orthometric, expected ellipsoidal"):
        heights.convert(450.0, ORTHOMETRIC, ELLIPSOIDAL, *ZURICH)


def test_a_grid_is_bilinear_and_ends_at_its_edge(tmp_path: Path) -> None:
    geoid = load_geoid(math.nan, grid_file(tmp_path))
    assert isinstance(geoid, GridGeoid)
    assert geoid.undulation_m(47.0, 8.0) == 47.0
    assert geoid.undulation_m(48.0, 9.0) == 48.5
    assert geoid.undulation_m(47.4, 8.6) == pytest.approx(47.0 + 0.6 + 0.2)
    with pytest.raises(InputError) as refusal:
        geoid.undulation_m(48.01, 8.5)
    assert refusal.value.reason == "outside_geoid_grid"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latitude_deg,longitude_deg,undulation_m\n",
        "lat,lon,n\n47,8,47\n",
        GRID.replace("48.0,9.0,48.5\n", ""),  # not full
        GRID.replace("48.5", "nan"),
        GRID.replace("48.5", "4850"),
        GRID + "48.0,9.0,48.6\n",  # a point twice
        GRID.replace("48.5", "much"),
        "latitude_deg,longitude_deg,undulation_m\n47.0,8.0,47.0\n47.0,9.0,48.0\n",  # one latitude
    ],
)
def test_a_grid_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="geoid_grid"):
        load_geoid(math.nan, grid_file(tmp_path, text))


def test_a_grid_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("missing.csv", "missing.tif", "missing.gtx"):
        with pytest.raises(ConfigError, match="no file"):
            load_geoid(math.nan, str(tmp_path / name))


def test_a_file_that_proj_cannot_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "geoid.tif"
    path.write_bytes(b"no grid at all")
    with pytest.raises(ConfigError, match="PROJ cannot read it"):
        load_geoid(math.nan, str(path))


def test_proj_reads_a_grid_file_and_says_where_it_ends(tmp_path: Path) -> None:
    # The GTX format: big endian south, west, steps, rows, columns, then float32 by rows from the south.
    import struct

    path = tmp_path / "geoid.gtx"
    path.write_bytes(struct.pack(">4d2i9f", 47.0, 8.0, 0.5, 0.5, 3, 3, *([48.0] * 9)))
    geoid = load_geoid(math.nan, str(path))
    assert isinstance(geoid, ProjGeoid)
    assert geoid.undulation_m(*ZURICH) == pytest.approx(48.0, abs=1e-6)
    with pytest.raises(InputError) as refusal:
        geoid.undulation_m(20.0, 8.0)
    assert refusal.value.reason == "outside_geoid_grid"


@pytest.mark.parametrize("code", ["EPSG:3855", "EPSG:5773"])
def test_proj_without_its_grid_is_caught_before_it_returns_heights_unchanged(code: str) -> None:
    from pyproj.transformer import TransformerGroup

    with pytest.warns(UserWarning, match=r".*") if not _has_grid(code) else pytest.raises(AssertionError):
        group = TransformerGroup("EPSG:4979", f"EPSG:4326+{code[5:]}", always_xy=True)
        assert not group.best_available
        # The trap: asked without looking, PROJ answers 450 m for 450 m.
        assert group.transformers[0].transform(8.54, 47.37, 450.0)[2] == pytest.approx(450.0)
    if not _has_grid(code):
        with pytest.raises(ConfigError, match="PROJ lacks the grid"):
            load_geoid(math.nan, code)


def _has_grid(code: str) -> bool:
    try:
        load_geoid(math.nan, code)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:99999", "EPSG:x"])
def test_codes_of_no_height_system_are_refused(code: str) -> None:
    with pytest.raises(ConfigError, match="geoid_grid"):
        load_geoid(math.nan, code)


def test_number_and_grid_at_once_or_numbers_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one of them"):
        load_geoid(48.0, grid_file(tmp_path))
    for value in (-150.0, 480.0, math.inf):
        with pytest.raises(ConfigError, match="geoid_undulation_m"):
            load_geoid(value, "")
    assert load_geoid(math.nan, "") is None
