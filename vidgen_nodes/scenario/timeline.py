# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scenarios from YAML: which fires and leaks start where and when.

Guarantees that a returned ``Scenario`` is complete, finite and inside the range in which the fire
correlations hold; anything else is a ``ConfigError`` that names the key, what was got and what was
expected. The digest is SHA-256 over canonical content with the start stamp, so two spellings of one
scenario have one digest. Leaves out whether a fire may be drawn at all: that is the gate's decision.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Ignition, Scenario
from vidgen_nodes.scenario.air_conditioning import grilles_from_record, parse_grilles
from vidgen_nodes.scenario.imported_field import imported_from_record, parse_imported
from vidgen_nodes.scenario.leak import leaks_from_record, parse_leaks
from vidgen_nodes.scenario.spread_plan import parse_rooms, parse_spread, rooms_from_record, spread_from_record
from vidgen_nodes.scenario.values import flag, mapping, named_list, number, text, wrong
from vidgen_nodes.scenario.wind import parse_wind, spread_with, wind_from_record
from vidgen_nodes.text_file import parse_yaml, read_text

# alpha = 1055 kW / t_g^2 with t_g = 600, 300, 150, 75 s (NFPA 72, NFPA 92).
GROWTH_KW_PER_S2 = {"slow": 0.00293, "medium": 0.01172, "fast": 0.04689, "ultrafast": 0.18756}

MOST_IGNITIONS = 64  # a tick of the world with so many takes about half of its 80 ms on one core
MOST_BYTES = 256 << 10  # one written by hand has a hundredth; as many take seconds to read
_TOO_LARGE = "say less in one scenario: a field of another engine is named by its file (imported)"
_KELVIN_AT_0_DEGC = 273.15
_TOP_KEYS = frozenset(
    {
        "name", "seed", "ambient_degc", "ignitions", "debris", "spread", "rooms", "imported", "leaks", "wind",
        "air_conditioning",
    }
)  # fmt: skip
_REQUIRED_TOP_KEYS = frozenset({"name", "ignitions"})


@dataclass(frozen=True, slots=True)
class Fuel:
    """Source terms of a burning material.

    Soot yields: SFPE Handbook, Tewarson, well-ventilated flaming. Heats of combustion: the same,
    net chemical; wood is the middle of 12 to 17 kJ/g. Radiative fraction 0.35 is the usual default of
    design fires. Flame absorption: grey *total* coefficients of Yuen and Tien (1977) as tabulated by
    Drysdale; that they hold in 8-14 um is an assumption of this project. Where no value
    is tabulated for the fuel the one of furnishings (1.13) is assumed. They are of flames over burning surfaces and
    of the solver's; a lit fire's own flame has the soot that its radiated share asks for (``flame_soot.py``).
    """

    soot_yield: float  # kg soot per kg fuel
    heat_of_combustion_kj_per_kg: float
    radiative_fraction: float
    flame_absorption_per_m: float


FUELS = {
    "wood": Fuel(0.015, 14500.0, 0.35, 0.8),
    "pu_foam": Fuel(0.13, 23000.0, 0.35, 1.13),  # absorption assumed: furnishings
    "pmma": Fuel(0.022, 24900.0, 0.35, 1.3),
    "polystyrene": Fuel(0.164, 40000.0, 0.35, 5.3),
    "polyethylene": Fuel(0.06, 43000.0, 0.35, 1.13),  # absorption assumed: furnishings
}

# From and to, as the file has them.
LIMITS = {
    "ambient_degc": (-60.0, 60.0),
    "position_m": (-1e5, 1e5),
    "start_s": (0.0, 1e6),
    "growth_kw_per_s2": (1e-6, 1e4),
    "peak_kw": (5.0, 1e5),
    "diameter_m": (0.05, 30.0),
    "soot_yield": (0.0, 0.5),
    "heat_of_combustion_kj_per_kg": (1000.0, 150000.0),
    "radiative_fraction": (0.0, 0.7),
    "flame_absorption_per_m": (0.01, 50.0),
}

_FUEL_KEYS = frozenset(item.name for item in dataclasses.fields(Fuel))
_REQUIRED_IGNITION_KEYS = frozenset({"name", "position_m", "start_s", "peak_kw", "diameter_m"})
_IGNITION_KEYS = _REQUIRED_IGNITION_KEYS | _FUEL_KEYS | {"growth", "growth_kw_per_s2", "fuel"}


def load_scenario(path: Path, start_ns: int) -> Scenario:
    """Read a scenario file.

    Args:
        path: YAML file, UTF-8.
        start_ns: event time of scenario second 0.

    Raises:
        ConfigError: the file cannot be read or says something wrong.
    """
    try:
        content = read_text(path, MOST_BYTES, _TOO_LARGE)
    except ConfigError as err:
        raise ConfigError(f"scenario {err}") from err
    try:
        return parse_scenario(content, start_ns)
    except ConfigError as err:
        raise ConfigError(f"scenario {path}: {err}") from err


def parse_scenario(content_yaml: str, start_ns: int) -> Scenario:
    """Check a scenario's YAML text and put it in force from ``start_ns`` of event time on.

    Raises:
        ConfigError: names the key, what was got and what was expected.
    """
    if type(start_ns) is not int or start_ns < 0:
        raise ConfigError(f"start_ns: got {start_ns!r}, expected a whole number of nanoseconds, 0 or more")
    if len(content_yaml) > MOST_BYTES:
        raise ConfigError(
            f"got {len(content_yaml) >> 10} kB, expected at most {MOST_BYTES >> 10}; {_TOO_LARGE}"
        )
    body = mapping(parse_yaml(content_yaml), "scenario", _TOP_KEYS, _REQUIRED_TOP_KEYS)
    ignitions = named_list(body["ignitions"], "ignitions", "ignition", _ignition, MOST_IGNITIONS)
    leaks = parse_leaks(body.get("leaks", []))
    wind = parse_wind(body.get("wind"), [item.name for item in ignitions], [item.name for item in leaks])
    scenario = Scenario(
        name=text(body["name"], "name"),
        start_ns=start_ns,
        seed=_seed(body.get("seed", 0)),
        ambient_k=_limited(body, "ambient_degc", "", 20.0) + _KELVIN_AT_0_DEGC,
        ignitions=ignitions,
        debris=flag(body.get("debris", False), "debris"),
        spread=spread_with(wind, parse_spread(body.get("spread", False)), body.get("spread")),
        rooms=parse_rooms(body.get("rooms", [])),
        imported=parse_imported(body.get("imported", [])),
        leaks=leaks,
        wind=wind,
        grilles=parse_grilles(body.get("air_conditioning", [])),
    )
    return dataclasses.replace(scenario, digest=scenario_digest(scenario))


def starting_at(scenario: Scenario, start_ns: int) -> Scenario:
    """The same with another event time of its second 0."""
    moved = dataclasses.replace(scenario, start_ns=start_ns)
    return dataclasses.replace(moved, digest=scenario_digest(moved))


def scenario_from_record(body: Mapping[str, Any], digest: bytes) -> Scenario:
    """The scenario that a ledger stores; records from before fires could spread lack those keys.

    Raises:
        KeyError, TypeError: the record is of another version.
    """
    fires = tuple(Ignition(**{**fire, "position_m": tuple(fire["position_m"])}) for fire in body["ignitions"])
    own = {
        "ignitions": fires,
        "spread": spread_from_record(body.get("spread")),
        "rooms": rooms_from_record(body.get("rooms", [])),
        "imported": imported_from_record(body.get("imported", [])),
        "leaks": leaks_from_record(body.get("leaks", [])),
        "wind": wind_from_record(body.get("wind")),
        "grilles": grilles_from_record(body.get("grilles", [])),
        "digest": digest,
    }
    return Scenario(**{**body, **own})


def scenario_digest(scenario: Scenario) -> bytes:
    """SHA-256 over the canonical CBOR (RFC 8949, 4.2.3) of every field but the digest itself.

    Wind and air conditioning count only where there are any: scenarios from before them keep their digest. These are
    the bytes that the ledger stores for a scenario, so the digest finds them there.
    """
    content = dataclasses.asdict(scenario)
    del content["digest"]
    for item in dataclasses.fields(scenario):
        if item.metadata.get("if_said") and getattr(scenario, item.name) == item.default:
            del content[item.name]
    return hashlib.sha256(cbor2.dumps(content, canonical=True)).digest()


def _ignition(entry: object, key: str) -> Ignition:
    body = mapping(entry, key, _IGNITION_KEYS, _REQUIRED_IGNITION_KEYS)
    position = body["position_m"]
    if not isinstance(position, list) or len(position) != 3:
        raise wrong(f"{key}.position_m", position, "[east, north, up] in metres")
    east, north, up = (
        number(value, f"{key}.position_m[{axis}]", *LIMITS["position_m"])
        for axis, value in enumerate(position)
    )
    fuel = _fuel(body, key)
    ignition = Ignition(
        name=text(body["name"], f"{key}.name"),
        position_m=(east, north, up),
        start_s=_limited(body, "start_s", key),
        growth_kw_per_s2=_growth(body, key),
        peak_kw=_limited(body, "peak_kw", key),
        diameter_m=_limited(body, "diameter_m", key),
        radiative_fraction=fuel.radiative_fraction,
        soot_yield=fuel.soot_yield,
        heat_of_combustion_kj_per_kg=fuel.heat_of_combustion_kj_per_kg,
        flame_absorption_per_m=fuel.flame_absorption_per_m,
    )
    # Q* = Q / (rho cp T g^0.5 D^2.5) at 293 K; Heskestad's flame height holds for 0.1 to 1e4.
    q_star = ignition.peak_kw / (1105.6 * ignition.diameter_m**2.5)
    if not 0.1 <= q_star <= 1e4:
        raise ConfigError(
            f"{key}: peak_kw {ignition.peak_kw} over diameter_m {ignition.diameter_m} gives Q* = {q_star:.3g}, "
            "expected 0.1 to 10000 (the range of the flame height correlation); change one of the two"
        )
    return ignition


def _growth(body: dict[str, Any], key: str) -> float:
    if ("growth" in body) == ("growth_kw_per_s2" in body):
        raise ConfigError(f"{key}: expected exactly one of growth and growth_kw_per_s2")
    if "growth_kw_per_s2" in body:
        return _limited(body, "growth_kw_per_s2", key)
    growth = body["growth"]
    if not isinstance(growth, str) or growth not in GROWTH_KW_PER_S2:
        raise wrong(f"{key}.growth", growth, f"one of {', '.join(GROWTH_KW_PER_S2)}")
    return GROWTH_KW_PER_S2[growth]


def _fuel(body: dict[str, Any], key: str) -> Fuel:
    """The named fuel's terms, each replaced by an explicit value where one is given."""
    name = body.get("fuel")
    if name is not None and (not isinstance(name, str) or name not in FUELS):
        raise wrong(f"{key}.fuel", name, f"one of {', '.join(FUELS)}")
    values = dict(dataclasses.asdict(FUELS[name])) if name is not None else {}
    values.update({name: _limited(body, name, key) for name in sorted(_FUEL_KEYS & set(body))})
    values.setdefault("radiative_fraction", 0.35)
    missing = sorted(_FUEL_KEYS - set(values))
    if missing:
        raise ConfigError(f"{key}: {', '.join(missing)} missing; give them, or a fuel ({', '.join(FUELS)})")
    return Fuel(**values)


def _limited(body: dict[str, Any], name: str, key: str, default: float = math.nan) -> float:
    """A number of the file, within its limits."""
    return number(body.get(name, default), f"{key}.{name}" if key else name, *LIMITS[name])


def _seed(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise wrong("seed", value, "a whole number from 0 to 2^63 - 1")
    return value
