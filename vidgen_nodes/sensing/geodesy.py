# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The local frame ``map``: east, north, up about a datum on the WGS 84 ellipsoid.

Guarantees a topocentric transformation (no flat-earth shortcut) that needs no network and no grid.
Leaves out heights above a geoid: the wheels of pyproj carry no geoid grids and would return such
heights unchanged. Altitudes and the datum's altitude are in *one* height system; their difference
is what counts, and a geoid that is level over the site cancels in it.
"""

from __future__ import annotations

import math

import numpy as np
from pyproj import Transformer

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray

_PIPELINE = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
    "+step +proj=topocentric +ellps=WGS84 +lat_0={lat!r} +lon_0={lon!r} +h_0={height!r}"
)


class LocalFrame:
    """Topocentric ENU about a datum (EPSG method 9837), by PROJ.

    1e-5 degrees at 47.37 N are 0.755 m east and 1.112 m north.
    """

    def __init__(self, latitude_deg: float, longitude_deg: float, altitude_m: float) -> None:
        _check_position(latitude_deg, longitude_deg, altitude_m)
        self.datum = (float(latitude_deg), float(longitude_deg), float(altitude_m))
        lat, lon, height = self.datum
        # Built once: making a transformer costs a thousand times more than using it.
        self._transformer = Transformer.from_pipeline(_PIPELINE.format(lat=lat, lon=lon, height=height))

    def to_enu(self, latitude_deg: float, longitude_deg: float, altitude_m: float) -> FloatArray:
        """Position in map, m, shape (3,): east, north, up.

        Raises:
            InputError: ``bad_position`` when a value is not finite or off the globe.
        """
        _check_position(latitude_deg, longitude_deg, altitude_m)
        return np.array(self._transformer.transform(longitude_deg, latitude_deg, altitude_m))

    def to_geodetic(self, enu_m: FloatArray) -> tuple[float, float, float]:
        """Latitude [deg], longitude [deg] and altitude [m] of a position (3,) in map."""
        east, north, up = (float(value) for value in enu_m)
        longitude, latitude, altitude = self._transformer.transform(east, north, up, direction="INVERSE")
        return float(latitude), float(longitude), float(altitude)


def _check_position(latitude_deg: float, longitude_deg: float, altitude_m: float) -> None:
    on_globe = abs(latitude_deg) <= 90.0 and abs(longitude_deg) <= 180.0  # False for NaN
    if not on_globe or not math.isfinite(altitude_m):
        raise InputError(
            "bad_position",
            f"got latitude {latitude_deg}, longitude {longitude_deg}, altitude {altitude_m}; expected degrees "
            "within 90 and 180 and a finite height in metres. Check the receiver and the datum parameters.",
        )
