# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The elements of an IFC model as surfaces, in the model's own frame and in metres.

Reads what is built (``scene.ifc_kind``) and the parts of assemblies, one element at a time. Guarantees: an element
without usable geometry is counted by reason and named, never passed over in silence. Leaves out furniture, spaces
and installations (named in the notes), and where the model stands (``scene.georeference``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.exposure import exposed_fuel
from vidgen_nodes.scene.georeference import Georeference
from vidgen_nodes.scene.ifc_element import ElementReader
from vidgen_nodes.scene.ifc_extent import sized
from vidgen_nodes.scene.ifc_file import IfcFile, ifc_library, open_ifc
from vidgen_nodes.scene.ifc_kind import building_elements, left_out
from vidgen_nodes.scene.ifc_place import read_georeference
from vidgen_nodes.scene.ifc_shape import Faults, shapes, shapes_one_by_one, usable
from vidgen_nodes.scene.materials import MaterialTable
from vidgen_nodes.scene.surface import Surface

_LARGEST_MODEL = 2_000_000
_MOST_ELEMENTS = (
    150_000  # a box has 12 triangles, so more would not fit either, and are refused before they are cut
)
# Share of the work, about, that is done when a model is open, and when it is cut into triangles.
_OPENED, _CUT = 0.1, 0.6
# What missing or misplaced references in a model make the library and its readers raise.
_DAMAGE = (AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class IfcContent:
    """What was read of a model."""

    name: str
    surfaces: tuple[Surface, ...]  # in the frame of the model, m
    georeference: Georeference
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caution:
    """How to read a model that broke the library before."""

    one_by_one: bool = False  # and tell ``begin`` each element
    left_out: Mapping[int, str] = field(default_factory=dict)  # id of an element: why
    begin: Callable[[Any], None] = lambda _: None  # before each step into the library; None: not known which
    end: Callable[[], None] = lambda: None  # after the last one


def read_ifc(
    path: Path,
    table: MaterialTable,
    *,
    metres_per_unit: float | None = None,
    material_names: dict[str, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
    caution: Caution | None = None,
) -> IfcContent:
    """Read a model.

    Args:
        path: the file.
        table: of materials.
        metres_per_unit: overrides the model's unit of length.
        material_names: names in the model -> names to look up in the table instead.
        progress: told the share done.
        caution: for a model that broke the library.

    Raises:
        ConfigError: cannot be read, has no building elements, or cannot be a building.
    """
    reading = _Reading(path, progress or _tell_nobody, caution or Caution())
    try:
        return reading.read(table, metres_per_unit, material_names or {})
    except ConfigError:
        raise
    except _DAMAGE as err:
        raise ConfigError(
            f"{path}: {reading.at}: the model is damaged ({type(err).__name__}: {err}): something that it refers to is "
            "missing or of another kind; check it with the program that made it, and export it again"
        ) from err


class _Reading:
    """The reading of one model, and where it is."""

    def __init__(self, path: Path, tell: Callable[[float, str], None], caution: Caution) -> None:
        self._path, self._tell, self._caution = path, tell, caution
        self._faults = Faults()
        self.at = "the project"  # for whoever reports damage

    def read(
        self, table: MaterialTable, metres_per_unit: float | None, material_names: dict[str, str]
    ) -> IfcContent:
        """See ``read_ifc``; what damage does to the library is raised as it is."""
        self._tell(0.0, f"opening the model, {_megabytes(self._path)}")
        file = open_ifc(self._path, metres_per_unit)
        library = ifc_library()
        reader = ElementReader(library, file.model, table, material_names)
        found = self._surfaces(library, file, reader)
        self.at = "the project"
        if not found:
            why = "; ".join(self._faults.notes())
            raise ConfigError(f"{self._path}: no element has geometry: {why}; export bodies, not only data")
        surfaces, strays = sized(str(self._path), found, file.metres_per_unit)
        self._look(0.0)
        shown, covered = exposed_fuel(tuple(surfaces), self._look)
        place, doubts = read_georeference(library, file.model, file.metres_per_unit)
        self._tell(1.0, "done")
        project = file.model.by_type("IfcProject")[0]
        return IfcContent(
            str(project.LongName or project.Name or self._path.stem),
            shown,
            place,
            (*file.notes, *self._faults.notes(), *strays, *_left_out(file.model), *covered, *doubts),
        )

    def _surfaces(self, library: ModuleType, file: IfcFile, reader: ElementReader) -> list[Surface]:
        elements = self._elements(file.model)
        surfaces: list[Surface] = []
        drawn: set[int] = set()
        count = 0
        for element, made, share in self._shapes(library, file.model, elements):
            self._tell(_OPENED + (_CUT - _OPENED) * share, f"cutting {len(elements)} elements into triangles")
            self.at = f"{element.is_a()} #{element.id()}"
            drawn.add(element.id())
            shape = usable(library, element, made, file.factor, self._faults)
            if shape is None:
                continue
            count += len(shape.faces)
            if count > _LARGEST_MODEL:
                raise ConfigError(
                    f"{self._path}: got more than {_LARGEST_MODEL} triangles, expected fewer; export less detail "
                    "or one building"
                )
            surfaces += reader.surfaces(element, shape)
        self._caution.end()
        for element in elements:
            if element.id() not in drawn:
                self._faults.add("gave no geometry and were left out", element)
        return surfaces

    def _elements(self, model: Any) -> list[Any]:
        elements = building_elements(model)
        if len(elements) > _MOST_ELEMENTS:
            raise ConfigError(
                f"{self._path}: got {len(elements)} building elements, expected at most {_MOST_ELEMENTS}; "
                "export one building"
            )
        if not elements:
            found = "; ".join(_left_out(model))
            raise ConfigError(
                f"{self._path}: got no walls, slabs or other building elements, expected some; export them"
                + (f" ({found})" if found else "")
            )
        for element in elements:
            if why := self._caution.left_out.get(element.id()):
                self._faults.add(f"{why} and were left out", element)
        return [element for element in elements if element.id() not in self._caution.left_out]

    def _shapes(
        self, library: ModuleType, model: Any, elements: list[Any]
    ) -> Iterator[tuple[Any, Any, float]]:
        drawn: set[int] = set()
        if not self._caution.one_by_one:
            for item in shapes(library, model, elements, self._caution.begin):
                drawn.add(item[0].id())
                yield item
        # What the library passes over among others it sometimes makes when asked for alone (on grids, say).
        rest = [element for element in elements if element.id() not in drawn]
        yield from shapes_one_by_one(library, rest, self._caution.begin)

    def _look(self, share: float) -> None:
        self._tell(_CUT + (1.0 - _CUT) * share, "looking for covered faces")


def _left_out(model: Any) -> tuple[str, ...]:
    others = left_out(model)
    if not others:
        return ()
    listed = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
    return (f"not building elements, left out: {listed}",)


def _megabytes(path: Path) -> str:
    try:
        return f"{max(path.stat().st_size >> 20, 1)} MB"
    except OSError:
        return "which cannot be read"  # said in full by whoever opens it


def _tell_nobody(share: float, what: str) -> None:
    """Where nobody wants to know."""
