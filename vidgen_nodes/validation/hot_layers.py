# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How hot the layer in a room gets, by the two-zone model: against two correlations, and against what was measured.

Guarantees one set of numbers for all rows: a methane burner that radiates a fifth, and the walls' own material. Leaves
out how the layer's temperature changes with height: measured are the thermocouples of the room's upper third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.zone import formulas as zone_formulas
from vidgen_nodes.generation.zone.model import ZoneModel
from vidgen_nodes.generation.zone.room import Airflow, Room
from vidgen_nodes.generation.zone.walls import Lining
from vidgen_nodes.validation import livermore
from vidgen_nodes.validation.check import Check, scored
from vidgen_nodes.validation.estimator import SIGMA_TEMPERATURE, score
from vidgen_nodes.validation.livermore import Measured

_AMBIENT_K = 293.15
_GYPSUM = Lining(0.00017, 960.0, 1.1, 0.016)  # board (from memory of SFPE's table)
_INLET_M2, _INLET_M = (
    0.12,
    0.2,
)  # of a room whose fan draws: what it is matters little, for the fan's flow is given
_HELD_S = 10.0  # for which a fan draws one volume of gas
_FDS = {"fan": "1.11/0.13", "door": "1.03/0.11", "shut": "1.05/0.08"}


def hot_layer_checks() -> list[Check]:
    """K7."""
    fan = [rise_k for test in livermore.WITH_FAN for rise_k in rises_k(test)]
    return [
        _against_mqh(),
        _row("a room with a fan against FPA", fan, _fpa_rises_k(), _FDS["fan"]),
        _against_tests("a room with a fan", livermore.WITH_FAN, fan, _FDS["fan"]),
        *(
            _against_tests(what, tests, [rise_k for test in tests for rise_k in rises_k(test)], fds)
            for what, tests, fds in (
                ("a room with a door", livermore.WITH_DOOR, _FDS["door"]),
                ("a shut room", livermore.SHUT, _FDS["shut"]),
            )
        ),
    ]


def rises_k(test: Measured) -> list[float]:
    """Of the upper layer, when it was measured; a fan draws as much mass as it did then."""
    opening = (0.0, 0.0)
    if test.air_kg_per_s:
        opening = (_INLET_M2, _INLET_M)
    elif test in livermore.WITH_DOOR:
        opening = (livermore.DOOR_M2, livermore.DOOR_M)
    linings = (livermore.CEILING, livermore.WALLS, livermore.CEILING)
    room = Room(
        livermore.FLOOR_M2, livermore.HEIGHT_M, *opening, ambient_k=test.ambient_k, linings=linings
    )  # fmt: skip
    model, found = ZoneModel(room, livermore.RADIATIVE_FRACTION), []
    for time_s in test.rises_k:
        while time_s - model.layers.time_s > 1e-6:
            if test.air_kg_per_s:
                density = float(fire.air_density_kg_per_m3(model.layers.upper_k))
                fan = Airflow(livermore.EXHAUST_M, -test.air_kg_per_s[time_s] / density)
                model.room = replace(room, airflows=(fan,))
            part_s = min(_HELD_S, time_s - model.layers.time_s)
            model.step(part_s, test.heat_kw, livermore.BURNER_M, base_m=livermore.BASE_M)
        found.append(model.layers.upper_k - test.ambient_k)
    return found


def _against_mqh() -> Check:
    """Rooms of gypsum board with a door, five and ten minutes after ignition.

    After ten minutes MQH's h_k is k / depth: all heat is through, and the air behind the board takes it at once.
    """
    found, expected = [], []
    for heat_kw in (100.0, 200.0, 400.0, 600.0):
        for door_m2, time_s in ((1.6, 300.0), (1.6, 600.0), (2.4, 600.0)):
            room = Room(12.96, 2.4, door_m2, 2.0, ambient_k=_AMBIENT_K, linings=(_GYPSUM,) * 3)
            layers = ZoneModel(room, livermore.RADIATIVE_FRACTION).step(time_s, heat_kw, 0.5)
            found.append(layers.upper_k - _AMBIENT_K)
            expected.append(zone_formulas.mqh_rise_k(heat_kw, room, _wall_kw_per_m2_k(_GYPSUM, time_s)))
    return _row("a room with a door against MQH", found, expected, _FDS["door"])


def _fpa_rises_k() -> list[float]:
    """As NIST's Correlation Guide asks for the tests with a fan: the air before the fire, all six surfaces."""
    return [
        zone_formulas.fpa_rise_k(
            test.heat_kw,
            test.air_kg_per_s[0.0],
            Room(livermore.FLOOR_M2, livermore.HEIGHT_M, ambient_k=test.ambient_k),
            _wall_kw_per_m2_k(livermore.MEAN, time_s),
        )
        for test in livermore.WITH_FAN
        for time_s in test.rises_k
    ]


def _wall_kw_per_m2_k(lining: Lining, time_s: float) -> float:
    return zone_formulas.wall_conductance_kw_per_m2_k(
        lining.conductivity_kw_per_m_k,
        lining.density_kg_per_m3,
        lining.heat_kj_per_kg_k,
        lining.depth_m,
        time_s,
    )


def _against_tests(what: str, tests: Sequence[Measured], found: Sequence[float], fds: str) -> Check:
    expected = [rise_k for test in tests for rise_k in test.rises_k.values()]
    return _row(f"{what} against {len(tests)} tests of Livermore, 1986", found, expected, fds)


def _row(what: str, found: Sequence[float], expected: Sequence[float], fds: str) -> Check:
    result = score(found, expected, SIGMA_TEMPERATURE)
    return scored("K7", f"hot layer of {what}, two-zone model", result, (0.90, 1.17), 0.15, fds)
