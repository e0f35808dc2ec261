# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one ``map`` of a site: its datum, its height system, and where a fix lies in it.

Guarantees: the datum stays for good once it is known, be it by parameter or from the first fix; heights of two
systems meet through a known geoid or not at all. Orthometric heights about an orthometric datum need none:
only their difference counts, and over a site the geoid is level to a few centimetres.
"""

from __future__ import annotations

import math

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, FloatArray
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing.geodesy import LocalFrame
from vidgen_nodes.sensing.heights import Heights, HeightSystem, load_geoid


class SiteFrame:
    """Fixes to ``map``.

    Raises:
        ConfigError: half a datum, a datum off the globe, heights that cannot meet, a geoid that is not there.
    """

    def __init__(self, params: RtkParams) -> None:
        self._latitude_deg, self._longitude_deg = params.datum_latitude_deg, params.datum_longitude_deg
        self._altitude_m = params.datum_altitude_m
        if math.isnan(self._latitude_deg) != math.isnan(self._longitude_deg):
            raise ConfigError(
                "datum_latitude_deg and datum_longitude_deg: got one of them, expected both or none"
            )
        self._of_fixes = HeightSystem(params.height_datum)
        self._of_datum = HeightSystem(params.datum_height) if params.datum_height else self._of_fixes
        self._heights = Heights(load_geoid(params.geoid_undulation_m, params.geoid_grid))
        given = not math.isnan(self._altitude_m)
        self.system = self._of_datum if given else self._of_fixes
        if self._heights.geoid is not None:
            self.system = HeightSystem.ELLIPSOIDAL
        elif given and self._of_datum != self._of_fixes:
            raise ConfigError(
                f"heights are mixed: datum_altitude_m is {self._of_datum.value}, NavSatFix.altitude is "
                f"{self._of_fixes.value}. They differ by the geoid undulation (-106 to 85 m): give "
                "geoid_undulation_m or geoid_grid, or state the datum in the system of the fixes."
            )
        self.frame: LocalFrame | None = None
        if given and not math.isnan(self._latitude_deg):
            try:
                self.frame = self._frame(self._latitude_deg, self._longitude_deg)
            except InputError as err:
                raise ConfigError(
                    f"datum_latitude_deg, datum_longitude_deg, datum_altitude_m: {err}"
                ) from err

    def position_m(self, fix: Fix) -> FloatArray:
        """Antenna (3,) in map; the first fix completes a datum that is not all given.

        Raises:
            InputError: ``bad_position``, ``mixed_heights`` or ``outside_geoid_grid``.
        """
        has = HeightSystem(fix.height_datum) if fix.height_datum else self._of_fixes
        height = self._to_system(fix.altitude_m, has, fix.latitude_deg, fix.longitude_deg)
        if self.frame is None:
            given = not math.isnan(self._latitude_deg)
            lat = self._latitude_deg if given else fix.latitude_deg
            lon = self._longitude_deg if given else fix.longitude_deg
            self.frame = (
                LocalFrame(lat, lon, height) if math.isnan(self._altitude_m) else self._frame(lat, lon)
            )
        return self.frame.to_enu(fix.latitude_deg, fix.longitude_deg, height)

    def _frame(self, latitude_deg: float, longitude_deg: float) -> LocalFrame:
        height = self._to_system(self._altitude_m, self._of_datum, latitude_deg, longitude_deg)
        return LocalFrame(latitude_deg, longitude_deg, height)

    def _to_system(
        self, height_m: float, has: HeightSystem, latitude_deg: float, longitude_deg: float
    ) -> float:
        try:
            return self._heights.convert(height_m, has, self.system, latitude_deg, longitude_deg)
        except ConfigError as err:
            raise InputError("mixed_heights", str(err)) from err
