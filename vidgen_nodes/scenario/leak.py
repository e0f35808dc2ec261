# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which leaks of steam a scenario has, where they blow and from when.

Guarantees finite numbers in range, a direction of length 1 and steam that is dry: what is below its boiling point
at the pressure inside is refused. Leaves out whether a jet may be drawn at all: that is the gate's decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Leak
from vidgen_nodes.scenario.values import mapping, named_list, number, text, wrong

MOST_LEAKS = 8
_KELVIN_AT_0_DEGC = 273.15
# From and to, as the file has them. One atmosphere inside would blow nothing; more than 100 bar is no pipe of a house.
LIMITS = {
    "start_s": (0.0, 1e6),
    "pressure_kpa": (102.0, 10_000.0),
    "temperature_degc": (100.0, 600.0),
    "diameter_mm": (0.5, 200.0),
    "discharge": (0.3, 1.0),
}
# The same, as ``Leak`` has them.
RANGES = {
    "start_s": LIMITS["start_s"],
    "pressure_pa": tuple(1e3 * value for value in LIMITS["pressure_kpa"]),
    "temperature_k": tuple(value + _KELVIN_AT_0_DEGC for value in LIMITS["temperature_degc"]),
    "diameter_m": tuple(1e-3 * value for value in LIMITS["diameter_mm"]),
    "discharge": LIMITS["discharge"],
}
_REQUIRED = frozenset({"name", "position_m", "direction", "pressure_kpa", "diameter_mm"})
_KNOWN = _REQUIRED | {"start_s", "temperature_degc", "discharge"}


def parse_leaks(value: object) -> tuple[Leak, ...]:
    """The ``leaks`` of a scenario.

    Raises:
        ConfigError: not a list of leaks of dry steam with names of their own.
    """
    return named_list(value, "leaks", "leak", _leak, MOST_LEAKS)


def leaks_from_record(rows: Sequence[Mapping[str, Any]]) -> tuple[Leak, ...]:
    """The leaks that a ledger stores.

    Raises:
        KeyError, TypeError: the record is of another version.
    """
    return tuple(
        Leak(**{**row, "position_m": tuple(row["position_m"]), "direction": tuple(row["direction"])})
        for row in rows
    )


def boiling_degc(pressure_kpa: float) -> float:
    """Boiling point of water at a pressure: Clausius-Clapeyron from 100 degC with 2257 kJ/kg held constant.

    Within 5 K of the steam tables up to 20 bar; above it is too high, and so only refuses more (from memory).
    """
    vapour_kj_per_kg_k = 0.4615
    return (
        1.0 / (1.0 / 373.15 - vapour_kj_per_kg_k / 2257.0 * math.log(pressure_kpa / 101.325))
        - _KELVIN_AT_0_DEGC
    )


def _leak(item: object, key: str) -> Leak:
    body = mapping(item, key, _KNOWN, _REQUIRED)
    pressure_kpa = _limited(body, "pressure_kpa", key)
    boiling = boiling_degc(pressure_kpa)
    # What is not said is steam as it leaves a boiler: saturated.
    temperature_degc = _limited(body, "temperature_degc", key, max(boiling, 100.0))
    if temperature_degc < boiling - 5.0:
        raise ConfigError(
            f"{key}.temperature_degc: got {temperature_degc:g}, at {pressure_kpa:g} kPa water boils at {boiling:.0f}; "
            "expected dry steam; leave temperature_degc out for saturated steam"
        )
    return Leak(
        name=text(body["name"], f"{key}.name"),
        position_m=_vector(body, "position_m", key, 1e5, "[east, north, up] in metres"),
        direction=_unit(body, key),
        start_s=_limited(body, "start_s", key, 0.0),
        pressure_pa=1000.0 * pressure_kpa,
        temperature_k=temperature_degc + _KELVIN_AT_0_DEGC,
        diameter_m=0.001 * _limited(body, "diameter_mm", key),
        discharge=_limited(body, "discharge", key, 0.62),
    )


def _unit(body: Mapping[str, Any], key: str) -> tuple[float, float, float]:
    way = _vector(body, "direction", key, 1e3, "[east, north, up], any length")
    length = math.hypot(*way)
    if length < 1e-6:
        raise wrong(f"{key}.direction", body["direction"], "[east, north, up] that is not nothing")
    east, north, up = (value / length for value in way)
    return east, north, up


def _vector(
    body: Mapping[str, Any], name: str, key: str, most: float, expected: str
) -> tuple[float, float, float]:
    value = body[name]
    if not isinstance(value, list) or len(value) != 3:
        raise wrong(f"{key}.{name}", value, expected)
    east, north, up = (number(item, f"{key}.{name}[{axis}]", -most, most) for axis, item in enumerate(value))
    return east, north, up


def _limited(body: Mapping[str, Any], name: str, key: str, default: float = math.nan) -> float:
    return number(body.get(name, default), f"{key}.{name}", *LIMITS[name])
