# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The elements of an IFC model as surfaces, in the model's own frame and in metres.

Reads walls, slabs, roofs, coverings, doors, windows, members, stairs and the parts of their assemblies, one
element at a time. Guarantees: every surface names its way through the model and what decided whether it
burns; an element without usable geometry is counted by reason, never passed over in silence. Leaves out
furniture, spaces and installations (named in the notes), and where the model stands (``scene.georeference``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.combustibility import Evidence, Verdict, material_evidence, property_evidence, weigh
from vidgen_nodes.scene.exposure import exposed_fuel
from vidgen_nodes.scene.georeference import Georeference
from vidgen_nodes.scene.ifc_file import ifc_library, open_ifc
from vidgen_nodes.scene.ifc_material import (
    UNKNOWN,
    ElementMaterials,
    element_materials,
    face_normals,
    style_materials,
)
from vidgen_nodes.scene.ifc_place import read_georeference
from vidgen_nodes.scene.materials import MaterialTable
from vidgen_nodes.scene.surface import Surface

KIND_OF_CLASS = {
    "IfcWall": "wall",
    "IfcCurtainWall": "wall",
    "IfcPlate": "wall",
    "IfcSlab": "floor",
    "IfcRoof": "roof",
    "IfcCovering": "covering",
    "IfcDoor": "door",
    "IfcWindow": "window",
    "IfcBeam": "member",
    "IfcColumn": "member",
    "IfcMember": "member",
    "IfcRailing": "member",
    "IfcFooting": "member",
    "IfcStair": "stair",
    "IfcStairFlight": "stair",
    "IfcRamp": "stair",
    "IfcRampFlight": "stair",
    "IfcBuildingElementPart": "wall",
}
_PROPERTIES = ("Combustible", "SurfaceSpreadOfFlame", "FlammabilityRating")
_LARGEST_ELEMENT = 200_000  # triangles; a finer one is a scan or a piece of art
_LARGEST_MODEL = 2_000_000
_MOST_ELEMENTS = (
    150_000  # a box has 12 triangles, so more would not fit either, and are refused before they are cut
)
_WIDEST_M = 5_000.0
_WALL_HEIGHTS_M = (0.25, 60.0)  # the median wall of a building lies between
_ROUND = 5  # decimals of a metre: the library's last digits differ from machine to machine
_DEPTH = 16
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


def read_ifc(
    path: Path,
    table: MaterialTable,
    *,
    metres_per_unit: float | None = None,
    material_names: dict[str, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> IfcContent:
    """Read a model.

    Args:
        path: the file.
        table: of materials.
        metres_per_unit: overrides the model's unit of length.
        material_names: names in the model -> names to look up in the table instead.
        progress: told the share done.

    Raises:
        ConfigError: cannot be read, has no building elements, or cannot be a building.
    """
    reading = _Reading(path, progress or _tell_nobody)
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

    def __init__(self, path: Path, tell: Callable[[float, str], None]) -> None:
        self._path, self._tell = path, tell
        self.at = "the project"  # for whoever reports damage

    def read(
        self, table: MaterialTable, metres_per_unit: float | None, material_names: dict[str, str]
    ) -> IfcContent:
        """See ``read_ifc``; what damage does to the library is raised as it is."""
        self._tell(0.0, f"opening the model, {_megabytes(self._path)}")
        file = open_ifc(self._path, metres_per_unit)
        library = ifc_library()
        reader = _Reader(library, file.model, table, material_names)
        elements = self._elements(reader)
        # The library gives metres by the model's own unit; a unit that was overridden is put right here.
        own_m = float(library.util.unit.calculate_unit_scale(file.model))
        factor = file.metres_per_unit / own_m if metres_per_unit is not None else 1.0
        surfaces = self._surfaces(reader, _shapes(library, file.model, elements), len(elements), factor)
        self.at = "the project"
        _check_size(self._path, surfaces, file.metres_per_unit)
        self._look(0.0)
        shown, covered = exposed_fuel(tuple(surfaces), self._look)
        self._tell(1.0, "done")
        notes = (*file.notes, *reader.notes({element.GlobalId for element in elements}), *covered)
        place = read_georeference(library, file.model, file.metres_per_unit)
        project = file.model.by_type("IfcProject")[0]
        name = str(project.LongName or project.Name or self._path.stem)
        return IfcContent(name, shown, place, notes)

    def _elements(self, reader: _Reader) -> list[Any]:
        elements = reader.elements()
        if len(elements) > _MOST_ELEMENTS:
            raise ConfigError(
                f"{self._path}: got {len(elements)} building elements, expected at most {_MOST_ELEMENTS}; "
                "export one building"
            )
        if not elements:
            raise ConfigError(
                f"{self._path}: got no walls, slabs or other building elements, expected some; export them"
            )
        return elements

    def _surfaces(
        self, reader: _Reader, shapes: Iterator[tuple[Any, Any, float]], elements: int, factor: float
    ) -> list[Surface]:
        surfaces: list[Surface] = []
        count = 0
        for element, shape, share in shapes:
            self._tell(_OPENED + (_CUT - _OPENED) * share, f"cutting {elements} elements into triangles")
            self.at = f"{element.is_a()} #{element.id()}"
            found = reader.surfaces(element, shape, factor)
            count += sum(len(item.faces) for item in found if item.faces is not None)
            if count > _LARGEST_MODEL:
                raise ConfigError(
                    f"{self._path}: got more than {_LARGEST_MODEL} triangles, expected fewer; export less detail "
                    "or one building"
                )
            surfaces += found
        return surfaces

    def _look(self, share: float) -> None:
        self._tell(_CUT + (1.0 - _CUT) * share, "looking for covered faces")


def _megabytes(path: Path) -> str:
    try:
        return f"{max(path.stat().st_size >> 20, 1)} MB"
    except OSError:
        return "which cannot be read"  # said in full by whoever opens it


def _tell_nobody(share: float, what: str) -> None:
    """Where nobody wants to know."""


def _shapes(library: ModuleType, model: Any, elements: list[Any]) -> Iterator[tuple[Any, Any, float]]:
    """Geometry of the elements, one after the other: element, shape, share done."""
    settings = library.geom.settings()
    iterator = library.geom.iterator(settings, model, 1, include=elements)
    if not iterator.initialize():
        return
    while True:
        shape = iterator.get()
        yield model.by_id(shape.id), shape, iterator.progress() / 100.0
        if not iterator.next():
            return


class _Reader:
    """What is asked of the elements of one model."""

    def __init__(
        self, library: ModuleType, model: Any, table: MaterialTable, material_names: dict[str, str]
    ) -> None:
        self._library, self._model, self._table = library, model, table
        self._renamed = material_names
        self._styles = style_materials(model)
        self._paths: dict[int, str] = {}
        self._seen: Counter[str] = Counter()  # names
        self._drawn: set[str] = set()
        self._faults: Counter[str] = Counter()

    def elements(self) -> list[Any]:
        """Building elements by GlobalId, so that the order in the file does not count."""
        found: dict[int, Any] = {}
        for name in KIND_OF_CLASS:
            found.update((item.id(), item) for item in self._of_class(name))
        return sorted(
            (item for item in found.values() if item.Representation is not None),
            key=lambda item: (item.GlobalId, item.id()),
        )

    def _of_class(self, name: str) -> list[Any]:
        try:
            return list(self._model.by_type(name))
        except RuntimeError:  # a class that this schema does not have
            return []

    def surfaces(self, element: Any, shape: Any, factor: float) -> list[Surface]:
        """One surface for each material that the element shows."""
        self._drawn.add(element.GlobalId)
        geometry = shape.geometry
        local_m = self._library.util.shape.get_vertices(geometry) * factor
        faces = self._library.util.shape.get_faces(geometry)
        if not len(faces):
            self._faults["without faces"] += 1
            return []
        if len(faces) > _LARGEST_ELEMENT:
            self._faults[f"with more than {_LARGEST_ELEMENT} triangles"] += 1
            return []
        matrix = np.array(self._library.util.shape.get_shape_matrix(shape), np.float64)
        corners_m = local_m @ matrix[:3, :3].T + matrix[:3, 3] * factor
        if not (np.isfinite(corners_m).all() and np.abs(corners_m).max() < 1e8):
            self._faults["with coordinates that are no numbers"] += 1
            return []
        normals = face_normals(local_m[faces])
        solid = np.linalg.norm(normals, axis=1) > 0.5
        styles = [self._style(geometry, index) for index in geometry.material_ids]
        materials = element_materials(self._library, element, self._styles)
        shown = materials.shown(normals, styles if len(styles) == len(faces) else [None] * len(faces))
        by_material: dict[tuple[str, ...], list[int]] = {}
        for index, names in enumerate(shown):
            if solid[index]:
                by_material.setdefault(names, []).append(index)
        return [
            self._surface(element, materials, names, corners_m, faces[indices])
            for names, indices in sorted(by_material.items())
        ]

    def _surface(
        self,
        element: Any,
        materials: ElementMaterials,
        names: tuple[str, ...],
        corners_m: FloatArray,
        faces: Any,
    ) -> Surface:
        used, index = np.unique(faces, return_inverse=True)
        verdict = self._verdict(element, materials, names)
        identity = self._identity(element, names)
        material_ids = {found.identity for name in names if (found := self._table.find(self._name(name)))}
        corners = np.round(corners_m[used], _ROUND) + 0.0
        return Surface(
            name=identity,
            material=" or ".join(names),
            kind=self._kind(element),
            corners_m=corners,
            combustible=verdict.burns,
            faces=index.reshape(-1, 3).astype(np.int32),
            path=self._path(element),
            decided_by=verdict.decided_by,
            material_id=material_ids.pop() if len(material_ids) == 1 and len(names) == 1 else "",
        )

    def _verdict(self, element: Any, materials: ElementMaterials, names: tuple[str, ...]) -> Verdict:
        """Whether faces that may show any of ``names`` burn: only if all of them do."""
        said = list(self._properties(element, is_one=materials.is_one))
        verdicts = []
        for name in names:
            own = material_evidence(self._name(name), self._table) if name != UNKNOWN else None
            verdicts.append(weigh([*said, *([own] if own else [])]))
        if len({item.burns for item in verdicts}) == 1 and (
            len(verdicts) == 1 or verdicts[0].burns is not None
        ):
            joined = "; ".join(dict.fromkeys(item.decided_by for item in verdicts))
            return Verdict(verdicts[0].burns, f"{joined} ({self._form(materials)})")
        which = f"{', '.join(names)} ({self._form(materials)})"
        return Verdict(None, f"the face may show any of {which}, which are not all known and alike")

    @staticmethod
    def _form(materials: ElementMaterials) -> str:
        words = {"none": "no material", "layers": "exposed layer", "list": "material list"}
        form = words.get(materials.form, materials.form)
        return f"{form} of {materials.inherited}" if materials.inherited else form

    def _properties(self, element: Any, *, is_one: bool) -> Iterator[Evidence]:
        for pset, values in sorted(self._library.util.element.get_psets(element, psets_only=True).items()):
            for name in _PROPERTIES:
                found = property_evidence(f"{pset}.{name}", values.get(name), is_one_material=is_one)
                if found is not None:
                    yield found

    def _name(self, name: str) -> str:
        return self._renamed.get(name, name)

    def _kind(self, element: Any) -> str:
        owners = list(self._owners(element))
        if any(item.is_a("IfcRoof") or getattr(item, "PredefinedType", "") == "ROOF" for item in owners):
            return "roof"
        whole = next((item for item in owners if not item.is_a("IfcBuildingElementPart")), element)
        return next((kind for name, kind in KIND_OF_CLASS.items() if whole.is_a(name)), "wall")

    def _owners(self, element: Any) -> Iterator[Any]:
        """The element and the wholes it is a part of."""
        for _ in range(_DEPTH):
            if element is None or not element.is_a("IfcElement"):
                return
            yield element
            element = self._library.util.element.get_aggregate(element)

    def _path(self, element: Any) -> str:
        """Project/site/building/storey/element [GlobalId]."""
        return f"{self._titles(element, 0)} [{element.GlobalId}]"

    def _titles(self, item: Any, depth: int) -> str:
        """Names down to an item, parted by slashes; what holds many items is asked once."""
        known = self._paths.get(item.id())
        if known is None:
            title = str(item.Name or getattr(item, "LongName", None) or item.is_a()).replace("/", "|")
            parent = self._library.util.element.get_parent(item) if depth < _DEPTH else None
            known = title if parent is None else f"{self._titles(parent, depth + 1)}/{title}"
            self._paths[item.id()] = known
        return known

    def _identity(self, element: Any, names: tuple[str, ...]) -> str:
        base = f"{element.is_a()} {element.Name or ''} [{element.GlobalId}] {'+'.join(names)}"
        self._seen[base] += 1
        return base if self._seen[base] == 1 else f"{base} #{self._seen[base]}"

    def _style(self, geometry: Any, index: int) -> int | None:
        if index < 0 or index >= len(geometry.materials):
            return None
        return int(geometry.materials[index].instance_id())

    def notes(self, asked: set[str]) -> tuple[str, ...]:
        """What was not read, one sentence each."""
        said = [f"{count} elements {why} were left out" for why, count in sorted(self._faults.items())]
        silent = len(asked - self._drawn)
        if silent:
            said.append(f"{silent} elements gave no geometry and were left out")
        others: Counter[str] = Counter()
        for item in self._model.by_type("IfcElement"):
            if item.Representation is not None and not any(item.is_a(name) for name in KIND_OF_CLASS):
                others[item.is_a()] += 1
        others.pop("IfcOpeningElement", None)
        if others:
            listed = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
            said.append(f"not building elements, left out: {listed}")
        return tuple(said)


def _check_size(path: Path, surfaces: list[Surface], metres_per_unit: float) -> None:
    """Refuse what cannot be a building: mostly a unit that is declared wrong."""
    if not surfaces:
        raise ConfigError(f"{path}: no element has geometry; export bodies, not only data")
    low = np.min([item.corners_m.min(axis=0) for item in surfaces], axis=0)
    high = np.max([item.corners_m.max(axis=0) for item in surfaces], axis=0)
    hint = f"the unit of length was taken as {metres_per_unit:g} m; correct it by metres_per_unit in a building YAML"
    if float((high - low).max()) > _WIDEST_M:
        raise ConfigError(
            f"{path}: the model is {(high - low).max():.0f} m wide, expected at most {_WIDEST_M:g} m; {hint}"
        )
    heights: dict[str, tuple[float, float]] = {}
    for item in surfaces:
        if item.kind == "wall":
            z = item.corners_m[:, 2]
            before = heights.get(item.path, (np.inf, -np.inf))
            heights[item.path] = min(before[0], float(z.min())), max(before[1], float(z.max()))
    if heights:
        median_m = float(np.median([top - bottom for bottom, top in heights.values()]))
        if not _WALL_HEIGHTS_M[0] <= median_m <= _WALL_HEIGHTS_M[1]:
            raise ConfigError(
                f"{path}: half of the walls are higher than {median_m:g} m, expected {_WALL_HEIGHTS_M[0]:g} to "
                f"{_WALL_HEIGHTS_M[1]:g} m; {hint}"
            )
