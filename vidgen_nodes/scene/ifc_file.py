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
from vidgen_nodes.scene.ifc_unit import length_unit


@dataclass(frozen=True, slots=True)
class IfcFile:
    """An open model."""

    model: Any  # ifcopenshell.file
    schema: str
    metres_per_unit: float
    factor: float  # of all that the library draws, to be metres
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
    unit = length_unit(str(path), library, model, metres_per_unit)
    return IfcFile(model, text.schema, unit.metres, unit.metres / unit.drawn_m, (*text.notes, *unit.notes))
