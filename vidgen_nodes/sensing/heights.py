# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heights: above the WGS 84 ellipsoid (``ellipsoidal``) or above the geoid, mean sea level (``orthometric``).

The two differ by the geoid undulation N, -106 to +85 m over the earth: ``ellipsoidal = orthometric + N``.
Guarantees: every height says which it is, and two systems meet only through an undulation that was given as
a number or read from a grid seen to be there. PROJ without its grids returns such heights *unchanged* and
without a word, even when told to use only the best operation; here that is a ``ConfigError``.
"""

from __future__ import annotations

import csv
import math
import warnings
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import FloatArray

_LOWEST_M, _HIGHEST_M = -120.0, 100.0  # of any undulation on earth, with room
_PROJ_GRIDS: Final = (".tif", ".tiff", ".gtx")


class HeightSystem(str, Enum):
    """What a height is measured from."""

    ELLIPSOIDAL = "ellipsoidal"
    ORTHOMETRIC = "orthometric"


class Geoid(Protocol):
    """Knows the undulation of the geoid."""

    def undulation_m(self, latitude_deg: float, longitude_deg: float) -> float:
        """Height of the geoid above the WGS 84 ellipsoid, m."""


@dataclass(frozen=True)
class LevelGeoid:
    """One undulation for the whole site; over 1 km it changes by some centimetres."""

    value_m: float

    def undulation_m(self, latitude_deg: float, longitude_deg: float) -> float:  # noqa: ARG002 - see Geoid
        """The same everywhere."""
        return self.value_m


@dataclass(frozen=True)
class GridGeoid:
    """Undulations on a regular grid, bilinear in between."""

    name: str
    latitudes_deg: FloatArray  # (n,) rising
    longitudes_deg: FloatArray  # (m,) rising
    values_m: FloatArray  # (n, m)

    def undulation_m(self, latitude_deg: float, longitude_deg: float) -> float:
        """Interpolated.

        Raises:
            InputError: ``outside_geoid_grid``.
        """
        row, up = _cell(self.latitudes_deg, latitude_deg)
        col, right = _cell(self.longitudes_deg, longitude_deg)
        if row < 0 or col < 0:
            raise InputError(
                "outside_geoid_grid",
                f"geoid grid {self.name} spans latitude {self.latitudes_deg[0]:g} to {self.latitudes_deg[-1]:g}, "
                f"longitude {self.longitudes_deg[0]:g} to {self.longitudes_deg[-1]:g}; got {latitude_deg:.5f}, "
                f"{longitude_deg:.5f}. Use a grid of the site.",
            )
        low, high = self.values_m[row : row + 2, col : col + 2]
        south, north = low[0] + right * (low[1] - low[0]), high[0] + right * (high[1] - high[0])
        return float(south + up * (north - south))


@dataclass(frozen=True)
class ProjGeoid:
    """Undulations by a transformation of PROJ whose grid is there."""

    name: str
    to_orthometric: Transformer  # longitude, latitude [deg], ellipsoidal height -> ..., height

    def undulation_m(self, latitude_deg: float, longitude_deg: float) -> float:
        """By transforming height 0.

        Raises:
            InputError: ``outside_geoid_grid``.
        """
        height = float(self.to_orthometric.transform(longitude_deg, latitude_deg, 0.0)[2])
        if not _LOWEST_M <= -height <= _HIGHEST_M:
            raise InputError(
                "outside_geoid_grid",
                f"geoid {self.name} gives nothing at {latitude_deg:.5f}, {longitude_deg:.5f}; use a grid of the site.",
            )
        return -height


@dataclass(frozen=True)
class Heights:
    """Turns heights of one system into the other, or refuses to."""

    geoid: Geoid | None

    def convert(
        self,
        height_m: float,
        has: HeightSystem,
        wanted: HeightSystem,
        latitude_deg: float,
        longitude_deg: float,
    ) -> float:
        """The height in the system that is wanted, m.

        Raises:
            ConfigError: the systems differ and no undulation is known.
            InputError: ``outside_geoid_grid``.
        """
        if has == wanted:
            return height_m
        if self.geoid is None:
            raise ConfigError(
                f"heights are mixed: got {has.value}, expected {wanted.value}. They differ by the geoid undulation "
                "(-106 to 85 m); give geoid_undulation_m or geoid_grid, or state one system for all heights."
            )
        undulation_m = self.geoid.undulation_m(latitude_deg, longitude_deg)
        return height_m + (undulation_m if wanted == HeightSystem.ELLIPSOIDAL else -undulation_m)


def load_geoid(undulation_m: float, grid: str) -> Geoid | None:
    """The geoid that parameters name; None when they name none.

    Args:
        undulation_m: NaN when not known.
        grid: CSV file, ``.tif`` or ``.gtx`` file, EPSG code of a vertical system, or empty.

    Raises:
        ConfigError: both are given, the number cannot be, or the grid is not there.
    """
    known = not math.isnan(undulation_m)
    if known and grid:
        raise ConfigError("got geoid_undulation_m and geoid_grid; expected one of them")
    if known:
        if not _LOWEST_M <= undulation_m <= _HIGHEST_M:
            raise ConfigError(
                f"geoid_undulation_m: got {undulation_m:g}, expected -106 to 85 (height of the geoid)"
            )
        return LevelGeoid(undulation_m)
    if not grid:
        return None
    if grid.upper().startswith("EPSG:"):
        return _proj_system(grid.upper())
    path = Path(grid)
    if not path.is_file():
        raise ConfigError(f"geoid_grid: no file {grid}; give the full path of a grid, or geoid_undulation_m")
    return _proj_file(path) if path.suffix.lower() in _PROJ_GRIDS else read_geoid_grid(path)


def read_geoid_grid(path: Path) -> GridGeoid:
    """A small grid: lines of ``latitude_deg,longitude_deg,undulation_m`` under that heading, ``#`` comments.

    Raises:
        ConfigError: not such a file, not a full regular grid, or undulations that cannot be.
    """
    wrong = f"geoid_grid {path}: "
    try:
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        rows = list(csv.DictReader(lines))
        table = np.array(
            [[float(row[name]) for name in ("latitude_deg", "longitude_deg", "undulation_m")] for row in rows]
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, csv.Error) as err:
        raise ConfigError(
            f"{wrong}got {type(err).__name__}: {err}; expected the columns latitude_deg, longitude_deg, undulation_m"
        ) from err
    if not len(table) or not np.isfinite(table).all():
        raise ConfigError(f"{wrong}holds no numbers or some that are not finite; expected a full grid")
    latitudes, at_row = np.unique(table[:, 0], return_inverse=True)
    longitudes, at_col = np.unique(table[:, 1], return_inverse=True)
    values = np.full((len(latitudes), len(longitudes)), np.nan)
    values[at_row, at_col] = table[:, 2]
    if min(values.shape) < 2 or np.isnan(values).any() or len(table) != values.size:
        raise ConfigError(
            f"{wrong}{len(table)} points for {len(latitudes)} latitudes and {len(longitudes)} longitudes; expected "
            "each pair once, and at least two of each"
        )
    if values.min() < _LOWEST_M or values.max() > _HIGHEST_M:
        raise ConfigError(
            f"{wrong}undulations {values.min():g} to {values.max():g} m; expected within -106 to 85"
        )
    return GridGeoid(str(path), latitudes, longitudes, values)


def _cell(axis: FloatArray, value: float) -> tuple[int, float]:
    """Number of the cell and the share of the way through it; -1 outside."""
    if not axis[0] <= value <= axis[-1]:
        return -1, 0.0
    index = min(int(np.searchsorted(axis, value, side="right")) - 1, len(axis) - 2)
    return index, float((value - axis[index]) / (axis[index + 1] - axis[index]))


def _proj_file(path: Path) -> ProjGeoid:
    """A grid file that PROJ reads."""
    try:
        pipeline = (
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            f"+step +inv +proj=vgridshift +grids={path.resolve()} +multiplier=1 "
            "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
        )
        return ProjGeoid(str(path), Transformer.from_pipeline(pipeline))
    except ProjError as err:
        raise ConfigError(f"geoid_grid {path}: PROJ cannot read it ({err}); expected a geoid grid") from err


def _proj_system(code: str) -> ProjGeoid:
    """A vertical system whose best transformation PROJ can carry out here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what it warns of is refused below
            group = TransformerGroup("EPSG:4979", f"EPSG:4326+{code.removeprefix('EPSG:')}", always_xy=True)
    except (CRSError, ProjError) as err:
        raise ConfigError(
            f"geoid_grid: got {code}, expected the EPSG code of a height system ({err})"
        ) from err
    if not group.best_available or not group.transformers:
        missing = ", ".join(grid.short_name for op in group.unavailable_operations[:1] for grid in op.grids)
        raise ConfigError(
            f"geoid_grid: PROJ lacks the grid for {code} ({missing or 'none known'}) and would return heights "
            "unchanged. Install the grid (projsync), name its file, or give geoid_undulation_m from the site survey."
        )
    best = group.transformers[0]
    if not any(step in best.definition for step in ("vgridshift", "geogridshift", "xyzgridshift")):
        raise ConfigError(
            f"geoid_grid: PROJ would turn heights into {code} without a grid ({best.description}), that is unchanged"
        )
    return ProjGeoid(code, best)
