# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The grilles of the air conditioning of a scenario: where air is blown into rooms or drawn out, how much and when.

Guarantees finite numbers in range, a speed through the grille that fans reach, and times in order. Leaves out whether
a grille lies in a surface of the building, and whether what is blown in can get out again: the generator looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Grille
from vidgen_nodes.scenario.values import mapping, named_list, number, text, wrong

MOST_GRILLES = 16
FASTEST_MPS = 20.0  # through a grille: a jet fan of a tunnel reaches that
_KELVIN_AT_0_DEGC = 273.15
# From and to, as the file has them.
LIMITS = {
    "flow_m3_per_s": (0.001, 100.0),
    "temperature_degc": (-30.0, 80.0),
    "size_m": (0.05, 20.0),
    "position_m": (-1e5, 1e5),
}
# The same, as ``Grille`` has them, in words.
ALLOWED = {
    "side": "floor, ceiling, south, north, west, east",
    "flow_m3_per_s": "0.001 to 100 in, -100 to -0.001 out",
    "temperature_k": "0, or 243.15 to 353.15",
    "size_m": "0.05 to 20",
    "on_s": "0 to 1e+09, in order",
}
SIDES = ("floor", "ceiling", "south", "north", "west", "east")
KINDS = ("supply", "exhaust")
_REQUIRED = frozenset({"name", "kind", "side", "position_m", "size_m", "flow_m3_per_s"})
_KNOWN = _REQUIRED | {"temperature_degc", "on_s"}
_ALWAYS = ((0.0, 1e9),)


def parse_grilles(value: object) -> tuple[Grille, ...]:
    """The ``air_conditioning`` of a scenario.

    Raises:
        ConfigError: not a list of grilles with names of their own.
    """
    return named_list(value, "air_conditioning", "grille", _grille, MOST_GRILLES)


def grilles_from_record(rows: Sequence[Mapping[str, Any]]) -> tuple[Grille, ...]:
    """The grilles that a ledger stores.

    Raises:
        KeyError, TypeError: the record is of another version.
    """
    return tuple(
        Grille(
            **{
                **row,
                "position_m": tuple(row["position_m"]),
                "size_m": tuple(row["size_m"]),
                "on_s": tuple((low, high) for low, high in row["on_s"]),
            }
        )
        for row in rows
    )


def grille_units() -> dict[str, str]:
    """Unit of each number of a grille, for records."""
    return {
        "name": "",
        "side": "",
        "position_m": "m in map",
        "size_m": "m",
        "flow_m3_per_s": "m3/s into the room; below 0 out of it",
        "temperature_k": "K; 0: of the air outside",
        "on_s": "s after scenario start",
    }


def _grille(item: object, key: str) -> Grille:
    body = mapping(item, key, _KNOWN, _REQUIRED)
    kind, side = body["kind"], body["side"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise wrong(f"{key}.kind", kind, " or ".join(KINDS))
    if not isinstance(side, str) or side not in SIDES:
        raise wrong(f"{key}.side", side, f"the side of the room that it lies in: {', '.join(SIDES)}")
    flow = body["flow_m3_per_s"]
    if isinstance(flow, (int, float)) and flow < 0.0:
        raise wrong(f"{key}.flow_m3_per_s", flow, "a flow above 0; kind says which way it goes")
    flow = number(flow, f"{key}.flow_m3_per_s", *LIMITS["flow_m3_per_s"])
    width_m, height_m = _numbers(body, "size_m", key, 2, "[width, height] in metres")
    if flow > FASTEST_MPS * width_m * height_m:
        raise ConfigError(
            f"{key}.flow_m3_per_s: got {flow:g} m3/s through {width_m:g} m by {height_m:g} m, which is "
            f"{flow / (width_m * height_m):.0f} m/s; expected at most {FASTEST_MPS:g} m/s; is it m3/h? divide by 3600"
        )
    if kind == "exhaust" and "temperature_degc" in body:
        raise ConfigError(
            f"{key}.temperature_degc: only a supply has one; what is drawn out is as warm as the room"
        )
    at_k = 0.0
    if "temperature_degc" in body:
        at_k = _KELVIN_AT_0_DEGC + number(
            body["temperature_degc"], f"{key}.temperature_degc", *LIMITS["temperature_degc"]
        )
    east, north, up = _numbers(body, "position_m", key, 3, "[east, north, up] in metres")
    return Grille(
        name=text(body["name"], f"{key}.name"),
        side=side,
        position_m=(east, north, up),
        size_m=(width_m, height_m),
        flow_m3_per_s=flow if kind == "supply" else -flow,
        temperature_k=at_k,
        on_s=_times(body["on_s"], f"{key}.on_s") if "on_s" in body else _ALWAYS,
    )


def _times(value: object, key: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, list):
        raise wrong(key, value, "a list of [from, to] in seconds")
    spans: list[tuple[float, float]] = []
    for index, span in enumerate(value):
        if not isinstance(span, list) or len(span) != 2:
            raise wrong(f"{key}[{index}]", span, "[from, to] in seconds")
        low = number(span[0], f"{key}[{index}][0]", spans[-1][1] if spans else 0.0, 1e9)
        spans.append((low, number(span[1], f"{key}[{index}][1]", low, 1e9)))
    return tuple(spans)


def _numbers(body: Mapping[str, Any], name: str, key: str, count: int, expected: str) -> tuple[float, ...]:
    value = body[name]
    if not isinstance(value, list) or len(value) != count:
        raise wrong(f"{key}.{name}", value, expected)
    return tuple(number(item, f"{key}.{name}[{index}]", *LIMITS[name]) for index, item in enumerate(value))
