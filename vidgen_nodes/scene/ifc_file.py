# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Opens an IFC file, or says in plain words why not.

Guarantees: what comes back is a whole file of a schema we read (``scene.ifc_text``), and its unit of length is
known. Leaves out what is in it (``scene.ifc_building``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.ifc_archive import plain_file
from vidgen_nodes.scene.ifc_text import checked_text


@dataclass(frozen=True, slots=True)
class IfcFile:
    """An open model."""

    model: Any  # ifcopenshell.file
    schema: str
    metres_per_unit: float
    notes: tuple[str, ...]  # what was corrected


def ifc_library() -> ModuleType:
    """``ifcopenshell``, imported when the first model is read: it takes most of a second.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import ifcopenshell
        import ifcopenshell.geom
        import ifcopenshell.util.element
        import ifcopenshell.util.geolocation
        import ifcopenshell.util.shape
        import ifcopenshell.util.unit
    except ImportError as err:
        raise ConfigError(
            f"IFC models need the package ifcopenshell, which cannot be imported ({err}); "
            "pip install --no-deps ifcopenshell, and shapely and isodate beside it (not lark: ROS breaks)"
        ) from err
    return ifcopenshell


def open_ifc(path: Path, metres_per_unit: float | None = None) -> IfcFile:
    """Open a model.

    Args:
        path: ``.ifc``, the text form (ISO 10303-21), or an archive with one in it (``.ifczip``).
        metres_per_unit: overrides what the file says of its unit of length.

    Raises:
        ConfigError: not a whole IFC file, a schema nobody reads, NaN in it, or no unit.
    """
    with plain_file(path) as (file, where):
        text = checked_text(file, where)
        library = ifc_library()
        try:
            model = (
                library.open(str(file)) if text.content is None else library.file.from_string(text.content)
            )
        except (OSError, ValueError, RuntimeError, library.Error) as err:
            raise ConfigError(f"{where}: cannot be read as {text.schema}: {err}; export it again") from err
    if not model.by_type("IfcProject"):
        raise ConfigError(
            f"{path}: got no IfcProject among {len(list(model))} entities; export the whole model"
        )
    notes = list(text.notes)
    return IfcFile(model, text.schema, _unit(path, library, model, metres_per_unit, notes), tuple(notes))


def _unit(
    path: Path, library: ModuleType, model: Any, metres_per_unit: float | None, notes: list[str]
) -> float:
    """Metres in one unit of length of the model."""
    assigned = model.by_type("IfcProject")[0].UnitsInContext
    units = (assigned.Units or ()) if assigned is not None else ()
    lengths = [unit for unit in units if getattr(unit, "UnitType", "") == "LENGTHUNIT"]
    if metres_per_unit is not None:
        declared = library.util.unit.calculate_unit_scale(model) if lengths else None
        notes.append(
            f"unit of length: {metres_per_unit:g} m by the building file; the model says {declared} m"
        )
        return metres_per_unit
    if not lengths:
        raise ConfigError(
            f"{path}: unit of length: got none, expected an IfcUnitAssignment with a LENGTHUNIT; "
            "say it in a building YAML: metres_per_unit"
        )
    scale = float(library.util.unit.calculate_unit_scale(model))
    if not 1e-4 <= scale <= 1e3:
        raise ConfigError(
            f"{path}: unit of length: got {scale} m, expected 0.0001 to 1000 m; set metres_per_unit"
        )
    if scale not in (1.0, 0.001, 0.01):
        notes.append(f"unit of length: {scale:g} m, converted to metres")
    return scale
