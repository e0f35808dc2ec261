# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Opens an IFC file, or says in plain words why not.

Guarantees: what comes back is a whole file of a schema we read, without numbers that are none (the parser
of the library drops them without a word), and its unit of length is known. Leaves out what is in it
(``scene.ifc_building``).
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from vidgen_nodes.errors import ConfigError

LARGEST_BYTES = (
    512 << 20
)  # about 10 million lines; the library keeps some 5 times that in memory while it is read
_HEAD, _END = b"ISO-10303-21", b"END-ISO-10303-21"
_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_NOT_A_NUMBER = re.compile(rb"[(,]\s*[+-]?(?:nan|inf(?:inity)?|\d+\.#\w+)\s*[,)]", re.IGNORECASE)
_READ_AS = {"IFC4X3": "IFC4X3_ADD2", "IFC4X3_TC1": "IFC4X3_ADD2", "IFC4X3_ADD1": "IFC4X3_ADD2"}
_FAMILIES = ("IFC2X3", "IFC4", "IFC4X3_ADD2")


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
        path: ``.ifc``, the text form (ISO 10303-21).
        metres_per_unit: overrides what the file says of its unit of length.

    Raises:
        ConfigError: not a whole IFC file, a schema nobody reads, NaN in it, or no unit.
    """
    schema = _checked_text(path)
    library = ifc_library()
    notes: list[str] = []
    try:
        if schema in _READ_AS:
            notes.append(f"schema {schema} was read as {_READ_AS[schema]}")
            content = path.read_text(encoding="latin-1").replace(f"'{schema}'", f"'{_READ_AS[schema]}'", 1)
            model = library.file.from_string(content)
        else:
            model = library.open(str(path))
    except (OSError, ValueError, RuntimeError, library.Error) as err:
        raise ConfigError(f"{path}: cannot be read as {schema}: {err}; export it again") from err
    if not model.by_type("IfcProject"):
        raise ConfigError(
            f"{path}: got no IfcProject among {len(list(model))} entities; export the whole model"
        )
    return IfcFile(model, schema, _unit(path, library, model, metres_per_unit, notes), tuple(notes))


def _checked_text(path: Path) -> str:
    """The schema that a file names, after a look at its ends and at its numbers."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ConfigError(
                f"{path}: got {size >> 20} MB, expected at most {LARGEST_BYTES >> 20} MB; export architecture only"
            )
        if size == 0:
            raise ConfigError(f"{path}: the file is empty; export it again")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _checked_data(path, data)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err


def _checked_data(path: Path, data: mmap.mmap) -> str:
    if not data[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_HEAD):
        raise ConfigError(
            f"{path}: got {data[:20]!r}, expected ISO-10303-21 (IFC as text); .ifczip and .ifcxml are not read"
        )
    if data.rfind(_END, max(0, len(data) - 4096)) < 0:
        raise ConfigError(f"{path}: ends without END-ISO-10303-21: it is cut short; copy or export it again")
    found = _SCHEMA.search(data[:65536])
    schema = found[1].decode("latin-1").upper() if found else ""
    if schema not in (*_FAMILIES, *_READ_AS):
        raise ConfigError(
            f"{path}: schema: got {schema!r}, expected one of {', '.join(_FAMILIES)}; export as that"
        )
    for match in _NOT_A_NUMBER.finditer(data):
        line_start = data.rfind(b"\n", 0, match.start()) + 1
        if data[line_start : match.start()].count(b"'") % 2 == 0:  # outside of a text
            text = data[match.start() : match.end()].decode("latin-1")
            entity = data[line_start : line_start + 12].split(b"=")[0].decode("latin-1")
            raise ConfigError(
                f"{path}: {entity}: got {text}, expected finite numbers; correct the element and export it again"
            )
    return schema


def _unit(
    path: Path, library: ModuleType, model: Any, metres_per_unit: float | None, notes: list[str]
) -> float:
    """Metres in one unit of length of the model."""
    units = model.by_type("IfcUnitAssignment")
    lengths = [unit for item in units for unit in item.Units if getattr(unit, "UnitType", "") == "LENGTHUNIT"]
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
