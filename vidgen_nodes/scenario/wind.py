# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The wind of a scenario: how fast, from where, and which fires and leaks it does not reach.

Guarantees finite numbers in range, names of ignitions and leaks that there are, and one direction for flames and for
fire that spreads. Leaves out gusts, and what stands in the lee or under a roof: the generator looks at the building.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import SpreadPlan, Wind
from vidgen_nodes.scenario.values import mapping, number, wrong

# From and to, as the file has them. 30 m/s is a violent storm, in which no drone flies.
LIMITS = {
    "speed_mps": (0.1, 30.0),
    "from_deg": (0.0, 360.0),
    "height_m": (0.5, 100.0),
    "exponent": (0.0, 0.6),
}
_REQUIRED = frozenset({"speed_mps", "from_deg"})
_KNOWN = frozenset(LIMITS) | {"sheltered"}
_MEANT = {
    "speed_mps": "a speed above 0 in m/s (leave wind out for still air; 10 knots are 5.1 m/s)",
    "from_deg": "degrees clockwise from north out of which the wind comes (0 north, 90 east; not radians, no letters)",
}
_SAME_DEG = 1.0


def parse_wind(value: object, ignitions: Sequence[str], leaks: Sequence[str] = ()) -> Wind | None:
    """The ``wind`` of a scenario; None: still air.

    Args:
        value: of the file.
        ignitions: names of the fires that there are.
        leaks: and of the leaks.

    Raises:
        ConfigError: not a mapping of known numbers in range, or a name that no ignition and no leak has.
    """
    if value is None:
        return None
    body = mapping(value, "wind", _KNOWN, _REQUIRED)
    read = {name: _limited(body[name], name) for name in LIMITS if name in body}
    sheltered = body.get("sheltered", [])
    if not isinstance(sheltered, list):
        raise wrong("wind.sheltered", sheltered, "a list of names of ignitions or leaks")
    for name in sheltered:
        if name not in (*ignitions, *leaks):
            known = ", ".join(ignitions) or "there is no ignition"
            or_leaks = f" or leaks ({', '.join(leaks)})" if leaks else ""
            raise wrong("wind.sheltered", name, f"names of ignitions ({known}){or_leaks}")
    return Wind(**read, sheltered=tuple(sorted(set(sheltered))))


def wind_from_record(body: Mapping[str, Any] | None) -> Wind | None:
    """What a ledger stores of it."""
    return None if body is None else Wind(**{**body, "sheltered": tuple(body["sheltered"])})


def spread_with(wind: Wind | None, plan: SpreadPlan | None, said: object) -> SpreadPlan | None:
    """The plan of spread, which runs where the wind of the scenario blows to.

    How much faster fire runs there is the fuel's business and stays ``wind_head_ratio``: no number for building
    materials is known to this project.

    Raises:
        ConfigError: the plan says another direction.
    """
    if wind is None or plan is None:
        return plan
    towards_deg = (wind.from_deg + 180.0) % 360.0
    if isinstance(said, Mapping) and "wind_towards_deg" in said:
        off_deg = abs((plan.wind_towards_deg - towards_deg + 180.0) % 360.0 - 180.0)
        if off_deg > _SAME_DEG:
            raise ConfigError(
                f"spread.wind_towards_deg: got {plan.wind_towards_deg:g}, but wind.from_deg {wind.from_deg:g} blows "
                f"towards {towards_deg:g}; expected one wind: leave wind_towards_deg out"
            )
        return plan
    return dataclasses.replace(plan, wind_towards_deg=towards_deg)


def towards(wind: Wind) -> tuple[float, float]:
    """Unit vector (east, north) of where the wind blows to; map is east, north, up."""
    angle = math.radians(wind.from_deg)
    return 0.0 - math.sin(angle), 0.0 - math.cos(angle)  # never minus zero


def wind_units() -> dict[str, str]:
    """Unit of each number of a wind, for records."""
    return {
        "speed_mps": "m/s at height_m",
        "from_deg": "deg from north, clockwise, out of which it comes",
        "height_m": "m above the foot of what burns",
        "exponent": "1, power law of speed over height",
        "sheltered": "",
    }


def _limited(value: object, name: str) -> float:
    low, high = LIMITS[name]
    if name in _MEANT and (isinstance(value, (str, bool)) or not isinstance(value, (int, float))):
        raise wrong(f"wind.{name}", value, _MEANT[name])
    if name in _MEANT and not low <= float(value) <= high:  # type: ignore[arg-type]  # a number, as the line above saw
        raise wrong(f"wind.{name}", value, f"{low:g} to {high:g}: {_MEANT[name]}")
    return number(value, f"wind.{name}", low, high)
