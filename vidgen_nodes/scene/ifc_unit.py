# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The units of an IFC model.

One unit that the library cannot read (a factor without its type, a misspelt name) makes it draw the whole model in
metres and radians, whatever the others say. Guarantees: the unit of length is known or overridden, and the library
draws in it, or in ``drawn_m``. Leaves out what is drawn (``scene.ifc_shape``).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from vidgen_nodes.errors import ConfigError

_LEAST_M, _MOST_M = 1e-4, 1e3
_PLAIN = (1.0, 0.001, 0.01)
_DEPTH = 8
_SAME = 1e-9  # relative
_BROKEN = (AttributeError, TypeError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class LengthUnit:
    """The unit of length of a model."""

    metres: float  # in one unit
    drawn_m: float  # in one unit, as the library draws the model
    notes: tuple[str, ...]  # what was corrected


def length_unit(where: str, library: ModuleType, model: Any, override_m: float | None = None) -> LengthUnit:
    """The unit of length, after the library was brought to use it.

    Args:
        where: name of the model, for messages.
        library: ifcopenshell.
        model: open; its units are replaced where the library cannot read them.
        override_m: metres in a unit, whatever the model says.

    Raises:
        ConfigError: the model names none, and none is given; or one that cannot be.
    """
    declared = _declared(library, model, "LENGTHUNIT")
    notes: list[str] = []
    if override_m is not None:
        notes.append(f"unit of length: {override_m:g} m by the building file; the model says {declared} m")
    elif declared is None:
        raise ConfigError(
            f"{where}: unit of length: got none, expected an IfcUnitAssignment with a LENGTHUNIT; "
            "say it in a building YAML: metres_per_unit"
        )
    elif not _LEAST_M <= declared <= _MOST_M:
        raise ConfigError(
            f"{where}: unit of length: got {declared} m, expected {_LEAST_M:g} to {_MOST_M:g} m; set metres_per_unit"
        )
    elif declared not in _PLAIN:
        notes.append(f"unit of length: {declared:g} m, converted to metres")
    drawn_m = _drawn_m(library, model)
    if declared is not None and _differ(drawn_m, declared):
        _replace(model, declared, _declared(library, model, "PLANEANGLEUNIT") or 1.0)
        drawn_m = _drawn_m(library, model)
        notes.append("a unit that the model declares cannot be read; those of lengths and angles were kept")
    return LengthUnit(override_m if override_m is not None else declared or 1.0, drawn_m, tuple(notes))


def metres(library: ModuleType, unit: Any) -> float:
    """How many of its SI unit a unit is: metres for one of length, radians for one of angle.

    Raises:
        AttributeError, TypeError, ValueError, KeyError: a broken unit.
    """
    scale = 1.0
    for _ in range(_DEPTH):
        if not unit.is_a("IfcConversionBasedUnit"):
            return scale * float(library.util.unit.get_prefix_multiplier(unit.Prefix))
        factor = unit.ConversionFactor
        value = factor.ValueComponent  # some programs write the number without its type
        scale *= float(getattr(value, "wrappedValue", value))
        unit = factor.UnitComponent
    raise ValueError(f"a unit that is made of units {_DEPTH} times")


def _declared(library: ModuleType, model: Any, kind: str) -> float | None:
    """In SI; None where the project names none that can be read."""
    assigned = model.by_type("IfcProject")[0].UnitsInContext
    units = (assigned.Units or ()) if assigned is not None else ()
    found = next((unit for unit in units if getattr(unit, "UnitType", "") == kind), None)
    try:
        return None if found is None else metres(library, found)
    except _BROKEN:
        return None


def _drawn_m(library: ModuleType, model: Any) -> float:
    return float(library.geom.iterator(library.geom.settings(), model, 1).unit_magnitude())


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > _SAME * max(abs(a), abs(b))


def _replace(model: Any, length_m: float, angle_rad: float) -> None:
    """Give the project these two units, and no others."""
    units = []
    for kind, name, exponents, scale in (
        ("LENGTHUNIT", "METRE", (1, 0, 0, 0, 0, 0, 0), length_m),
        ("PLANEANGLEUNIT", "RADIAN", (0, 0, 0, 0, 0, 0, 0), angle_rad),
    ):
        unit = model.create_entity("IfcSIUnit", UnitType=kind, Name=name)
        if scale != 1.0:
            factor = model.create_entity(
                "IfcMeasureWithUnit",
                ValueComponent=model.create_entity("IfcReal", scale),
                UnitComponent=unit,
            )
            powers = model.create_entity("IfcDimensionalExponents", *exponents)
            unit = model.create_entity("IfcConversionBasedUnit", powers, kind, f"{scale!r} {name}", factor)
        units.append(unit)
    project = model.by_type("IfcProject")[0]
    project.UnitsInContext = model.create_entity("IfcUnitAssignment", Units=units)
