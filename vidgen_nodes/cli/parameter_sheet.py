# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every number that a scenario is drawn with, for the person who has to answer for it: value, unit, source, range.

Guarantees that no number of the physics record is left out. Leaves out numbers that only a frame has (its state at a
tick, its map).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scenario.air_conditioning import ALLOWED
from vidgen_nodes.scenario.leak import RANGES
from vidgen_nodes.scenario.timeline import LIMITS
from vidgen_nodes.scenario.wind import LIMITS as WIND_LIMITS

_ENTRY = 3  # value, unit, source
_FIXED = "fixed in the software"
_SHOWN = 60
# The rule by which the gate opens, which decides as much as any physics.
_RULE = ("tau_uncertainty", "min_observations", "cell_fresh_ms", "flame_standoff_m", "person_alpha_cap")


@dataclass(frozen=True)
class Row:
    """One number."""

    name: str
    value: str
    unit: str
    source: str
    allowed: str


def sheet(constants: Mapping[str, Any], params: GeneratorParams) -> list[Row]:
    """The rows for a scenario's constants (``World.constants``) and the rule of the gate."""
    rows = list(_rows("", constants))
    known = {row.name.rpartition(".")[2] for row in rows}
    fields = {item.name: item.metadata for item in dataclasses.fields(params)}
    for name in _RULE:
        if name in fields and name not in known:
            value = str(getattr(params, name))
            rows.append(Row(f"gate.{name}", value, fields[name]["unit"], fields[name]["doc"], _allowed(name)))
    return rows


def _rows(path: str, record: Mapping[str, Any]) -> Iterator[Row]:
    for name, value in record.items():
        where = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            yield from _rows(where, value)
        elif isinstance(value, (list, tuple)) and len(value) == _ENTRY and isinstance(value[1], str):
            yield Row(where, _short(value[0]), value[1], str(value[2]), _allowed(str(name), path))
        else:
            yield Row(where, _short(value), "", "", _allowed(str(name)))


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)) and len(value) <= 4:
        return ", ".join(_short(item) for item in value)
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _allowed(name: str, path: str = "") -> str:
    if path.startswith("steam.leaks.") and name in RANGES:
        return "{:g} to {:g}".format(*RANGES[name])
    if path.endswith("wind.wind") and name in WIND_LIMITS:
        return "{:g} to {:g}".format(*WIND_LIMITS[name])
    if "air_conditioning." in path and name in ALLOWED:
        return ALLOWED[name]
    for item in dataclasses.fields(GeneratorParams):
        low, high = item.metadata["low"], item.metadata["high"]
        if item.name == name and (low is not None or high is not None):
            return f"{'' if low is None else format(low, 'g')} to {'' if high is None else format(high, 'g')}"
    if name == "ambient_k":
        low_degc, high_degc = LIMITS["ambient_degc"]
        return f"{low_degc + 273.15:g} to {high_degc + 273.15:g}"
    if name in LIMITS:
        return "{:g} to {:g}".format(*LIMITS[name])
    return {"name": "any text", "seed": "0 to 2^63 - 1", "start_ns": "any", "debris": "true or false"}.get(
        name, _FIXED
    )
