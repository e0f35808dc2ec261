# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How fires of a scenario go over to the building, and which rooms get air through which vents.

``spread: true`` takes every default; a mapping sets single numbers. Guarantees finite numbers in range and vents whose
times are in order. Leaves out whether the building has those surfaces: ``generation/burning.py`` looks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import Room, SpreadPlan, Vent
from vidgen_nodes.scenario.values import mapping, number, text, wrong

_KELVIN_AT_0_DEGC = 273.15
_LIMITS = {
    "speedup": (1.0, 1000.0),
    "resolution_m": (0.05, 5.0),
    "fuel_depth_m": (0.0005, 0.5),
    "preheat_degc": (0.0, 300.0),
    "wind_towards_deg": (-360.0, 360.0),
    "wind_head_ratio": (1.0, 100.0),
    "wind_length_to_breadth": (1.0, 8.0),
}
_ROOM_KEYS = frozenset({"name", "surfaces", "vents"})
_VENT_KEYS = frozenset({"name", "width_m", "height_m", "open_s"})
_ALWAYS = [[0.0, 1e9]]


def parse_spread(value: object) -> SpreadPlan | None:
    """The ``spread`` of a scenario; None: fires stay where they are lit.

    Raises:
        ConfigError: neither true, false nor a mapping of known numbers.
    """
    if isinstance(value, bool):
        return SpreadPlan() if value else None
    body = mapping(value, "spread", frozenset(_LIMITS), frozenset())
    read = {key: number(body[key], f"spread.{key}", *_LIMITS[key]) for key in body}
    if "preheat_degc" in read:
        read["preheat_k"] = read.pop("preheat_degc") + _KELVIN_AT_0_DEGC
    return SpreadPlan(**read)


def parse_rooms(value: object) -> tuple[Room, ...]:
    """The ``rooms`` of a scenario.

    Raises:
        ConfigError: a surface in two rooms, two rooms of one name, or something misspelt.
    """
    if not isinstance(value, list):
        raise wrong("rooms", value, "a list")
    rooms = tuple(_room(item, f"rooms[{index}]") for index, item in enumerate(value))
    _once("rooms", [room.name for room in rooms])
    _once("rooms.surfaces", [name for room in rooms for name in room.surfaces])
    return rooms


def spread_from_record(body: Mapping[str, Any] | None) -> SpreadPlan | None:
    """What a ledger stores of it."""
    return None if body is None else SpreadPlan(**body)


def rooms_from_record(body: Sequence[Mapping[str, Any]]) -> tuple[Room, ...]:
    """What a ledger stores of them."""
    return tuple(
        Room(
            room["name"],
            tuple(room["surfaces"]),
            tuple(
                Vent(**{**vent, "open_s": tuple((low, high) for low, high in vent["open_s"])})
                for vent in room["vents"]
            ),
        )
        for room in body
    )


def _room(value: object, key: str) -> Room:
    body = mapping(value, key, _ROOM_KEYS, _ROOM_KEYS)
    for name in ("surfaces", "vents"):
        if not isinstance(body[name], list):
            raise wrong(f"{key}.{name}", body[name], "a list")
    surfaces = tuple(text(item, f"{key}.surfaces[{index}]") for index, item in enumerate(body["surfaces"]))
    vents = tuple(_vent(item, f"{key}.vents[{index}]") for index, item in enumerate(body["vents"]))
    _once(f"{key}.vents", [vent.name for vent in vents])
    return Room(text(body["name"], f"{key}.name"), surfaces, vents)


def _vent(value: object, key: str) -> Vent:
    body = mapping(value, key, _VENT_KEYS, _VENT_KEYS - {"open_s"})
    times = body.get("open_s", _ALWAYS)
    if not isinstance(times, list):
        raise wrong(f"{key}.open_s", times, "a list of [from, to] in seconds")
    spans: list[tuple[float, float]] = []
    for index, span in enumerate(times):
        where = f"{key}.open_s[{index}]"
        if not isinstance(span, list) or len(span) != 2:
            raise wrong(where, span, "[from, to] in seconds")
        low = number(span[0], f"{where}[0]", spans[-1][1] if spans else 0.0, 1e9)
        spans.append((low, number(span[1], f"{where}[1]", low, 1e9)))
    return Vent(
        name=text(body["name"], f"{key}.name"),
        width_m=number(body["width_m"], f"{key}.width_m", 0.01, 100.0),
        height_m=number(body["height_m"], f"{key}.height_m", 0.01, 100.0),
        open_s=tuple(spans),
    )


def _once(key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{key}: {name!r} is there {names.count(name)} times; expected once")


def plan_units() -> dict[str, str]:
    """Unit of each number of a plan, for records."""
    units = {
        "speedup": "s of fire per s of event time",
        "resolution_m": "m",
        "fuel_depth_m": "m",
        "preheat_k": "K; 0: only by the flame",
        "wind_towards_deg": "deg from north, clockwise",
        "wind_head_ratio": "1",
        "wind_length_to_breadth": "1",
    }
    assert set(units) == {item.name for item in dataclasses.fields(SpreadPlan)}
    return units
