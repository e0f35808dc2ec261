# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fires in a room that were measured: Lawrence Livermore's tests of 1986 (Foote, UCID-21236, as NIST publishes them).

A room of 6 m by 4 m by 4.5 m, lined with refractory of 0.1 m; a methane burner of 0.57 m, 0.23 m high, in the middle;
a door of 2.06 m by 0.76 m, shut in most tests, in which a fan draws air through the room or nothing does. What is here
are rises of the upper third's thermocouples over what they had before, at every instant that is published up to 2000 s
with fan or door and to the end without. Leaves out the tests with a plenum under the ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.generation.zone.walls import Lining

WALLS = Lining(0.00039, 1440.0, 1.0, 0.1)
CEILING = Lining(0.00063, 1920.0, 1.0, 0.1)  # and floor
MEAN = Lining(0.000463, 1607.0, 1.0, 0.1)  # over their areas, as NIST's Correlation Guide has it
FLOOR_M2, HEIGHT_M = 24.0, 4.5
BURNER_M, BASE_M = 0.57, 0.23
RADIATIVE_FRACTION = 0.2  # of methane, as NIST models these tests
DOOR_M2, DOOR_M = 2.06 * 0.76, 2.06
EXHAUST_M = 3.6


@dataclass(frozen=True, slots=True)
class Measured:
    """One test.

    Args:
        number: its.
        heat_kw: of the burner.
        outside_degc: temperature of the air outside.
        rises_k: by time in s, of the upper thermocouples.
        air_kg_per_s: that the fan drew then, and at 0 before the fire; none: there was no fan.
    """

    number: int
    heat_kw: float
    outside_degc: float
    rises_k: dict[float, float]
    air_kg_per_s: dict[float, float]

    @property
    def ambient_k(self) -> float:
        """Of the air outside."""
        return self.outside_degc + 273.15


def _measured(
    number: int,
    heat_kw: float,
    outside_degc: float,
    times_s: tuple[float, ...],
    rises_k: tuple[float, ...],
    air_kg_per_s: tuple[float, ...] = (),
) -> Measured:
    air = dict(zip((0.0, *times_s), air_kg_per_s, strict=True)) if air_kg_per_s else {}
    return Measured(number, heat_kw, outside_degc, dict(zip(times_s, rises_k, strict=True)), air)


_LONG_S = (500.0, 1000.0, 2000.0)
_SHORT_S = (100.0, 200.0, 300.0, 400.0, 500.0)

WITH_FAN = (
    _measured(9, 200.0, 33.0, _LONG_S, (97.0, 111.0, 123.0), (0.565, 0.491, 0.474, 0.463)),
    _measured(10, 200.0, 28.0, _LONG_S, (118.0, 134.0, 149.0), (0.118, 0.122, 0.118, 0.112)),
    _measured(11, 200.0, 18.0, _LONG_S, (116.0, 130.0, 145.0), (0.240, 0.222, 0.221, 0.210)),
    _measured(12, 200.0, 21.0, _LONG_S, (110.0, 125.0, 138.0), (0.366, 0.320, 0.318, 0.317)),
    _measured(13, 200.0, 28.0, _LONG_S, (101.0, 113.0, 125.0), (0.474, 0.426, 0.410, 0.400)),
    _measured(14, 200.0, 28.0, _LONG_S, (101.0, 114.0, 125.0), (0.472, 0.417, 0.403, 0.397)),
    _measured(15, 100.0, 24.0, _LONG_S, (60.0, 70.0, 78.0), (0.352, 0.333, 0.323, 0.318)),
    _measured(16, 200.0, 21.0, _LONG_S, (107.0, 122.0, 134.0), (0.356, 0.322, 0.312, 0.307)),
)
WITH_DOOR = (
    _measured(61, 200.0, 31.0, _LONG_S, (104.0, 113.0, 121.0)),
    _measured(62, 400.0, 22.0, _LONG_S, (173.0, 192.0, 201.0)),
    _measured(63, 50.0, 28.0, _LONG_S, (26.0, 31.0, 33.0)),
    _measured(64, 100.0, 17.0, _LONG_S, (57.0, 62.0, 70.0)),
)
SHUT = (
    _measured(1, 200.0, 23.0, _SHORT_S, (77.0, 100.0, 115.0, 124.0, 132.0)),
    _measured(2, 200.0, 27.0, _SHORT_S, (78.0, 101.0, 114.0, 121.0, 127.0)),
    _measured(3, 400.0, 27.0, _SHORT_S[:2], (148.0, 182.0)),
    _measured(4, 300.0, 24.0, _SHORT_S[:3], (116.0, 146.0, 164.0)),
    _measured(
        5, 50.0, 28.0, (*_SHORT_S, 1000.0, 1500.0, 2000.0, 2500.0),
        (15.0, 27.0, 33.0, 36.0, 39.0, 45.0, 51.0, 53.0, 57.0),
    ),
    _measured(6, 100.0, 29.0, (*_SHORT_S, 1000.0), (39.0, 55.0, 63.0, 69.0, 73.0, 87.0)),
    _measured(7, 100.0, 35.0, (*_SHORT_S, 1000.0), (37.0, 55.0, 62.0, 68.0, 72.0, 84.0)),
    _measured(8, 200.0, 35.0, _SHORT_S, (79.0, 102.0, 113.0, 121.0, 126.0)),
)  # fmt: skip
