# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The surfaces of one element of a model: what each shows, and whether that burns.

Guarantees: every surface names its way through the model and what decided. Leaves out shapes
(``scene.ifc_shape``), materials (``scene.ifc_material``) and labels (``scene.reaction_to_fire``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.scene.combustibility import (
    Evidence,
    Verdict,
    category_evidence,
    material_evidence,
    property_evidence,
    weigh,
)
from vidgen_nodes.scene.ifc_kind import kind_of
from vidgen_nodes.scene.ifc_material import (
    UNKNOWN,
    ElementMaterials,
    element_materials,
    material_categories,
    style_materials,
)
from vidgen_nodes.scene.ifc_shape import Shape
from vidgen_nodes.scene.materials import MaterialTable
from vidgen_nodes.scene.surface import IntArray, Surface

_PROPERTIES = ("Combustible", "SurfaceSpreadOfFlame", "FlammabilityRating")
_ROUND = 5  # decimals of a metre: the library's last digits differ from machine to machine
_DEPTH = 16
_FORMS = {"none": "no material", "layers": "exposed layer", "list": "material list"}


class ElementReader:
    """What is asked of the elements of one model.

    Args:
        library: ifcopenshell.
        model: the open model.
        table: of materials.
        renamed: names in the model -> names to look up in the table instead.
    """

    def __init__(
        self, library: ModuleType, model: Any, table: MaterialTable, renamed: Mapping[str, str]
    ) -> None:
        self._library, self._table, self._renamed = library, table, renamed
        self._styles = style_materials(model)
        self._categories = material_categories(model)
        self._paths: dict[int, str] = {}
        self._seen: Counter[str] = Counter()  # names

    def surfaces(self, element: Any, shape: Shape) -> list[Surface]:
        """One surface for each material that the element shows."""
        materials = element_materials(self._library, element, self._styles)
        by_material: dict[tuple[str, ...], list[int]] = {}
        for index, names in enumerate(materials.shown(shape.normals, list(shape.styles))):
            by_material.setdefault(names, []).append(index)
        return [
            self._surface(element, materials, names, shape, indices)
            for names, indices in sorted(by_material.items())
        ]

    def _surface(
        self,
        element: Any,
        materials: ElementMaterials,
        names: tuple[str, ...],
        shape: Shape,
        indices: list[int],
    ) -> Surface:
        used, index = np.unique(shape.faces[indices], return_inverse=True)
        faces: IntArray = index.reshape(-1, 3).astype(np.int32)
        verdict = self._verdict(element, materials, names)
        identity = self._identity(element, names)
        return Surface(
            name=identity,
            material=" or ".join(names),
            kind=kind_of(self._library, element),
            corners_m=np.round(shape.corners_m[used], _ROUND) + 0.0,
            combustible=verdict.burns,
            faces=faces,
            path=self._path(element),
            decided_by=verdict.decided_by,
            material_id=self._material_id(names),
        )

    def _material_id(self, names: tuple[str, ...]) -> str:
        """Of the table, where one entry is meant."""
        if len(names) != 1:
            return ""
        found = self._table.find(self._name(names[0]))
        if found is None and (category := self._category(names[0])):
            found = self._table.find(category)
        return found.identity if found is not None else ""

    def _verdict(self, element: Any, materials: ElementMaterials, names: tuple[str, ...]) -> Verdict:
        """Whether faces that may show any of ``names`` burn: only if all of them do."""
        said = list(self._properties(element, is_one=materials.is_one))
        verdicts = [weigh([*said, *self._named(name)]) for name in names]
        if len({item.burns for item in verdicts}) == 1 and (
            len(verdicts) == 1 or verdicts[0].burns is not None
        ):
            joined = "; ".join(dict.fromkeys(item.decided_by for item in verdicts))
            return Verdict(verdicts[0].burns, f"{joined} ({_form(materials)})")
        which = f"{', '.join(names)} ({_form(materials)})"
        return Verdict(None, f"the face may show any of {which}, which are not all known and alike")

    def _named(self, name: str) -> Iterator[Evidence]:
        """What the name of a material says, or, where it says nothing, its category."""
        if name == UNKNOWN:
            return
        found = material_evidence(self._name(name), self._table)
        if found is None and (category := self._category(name)):
            found = category_evidence(name, category, self._table)
        if found is not None:
            yield found

    def _category(self, name: str) -> str:
        """Of a material whose name means nothing to the table; empty: none."""
        return self._categories.get(name, "") if not self._table.matches(self._name(name)) else ""

    def _properties(self, element: Any, *, is_one: bool) -> Iterator[Evidence]:
        for pset, values in sorted(self._library.util.element.get_psets(element, psets_only=True).items()):
            for name in _PROPERTIES:
                found = property_evidence(f"{pset}.{name}", values.get(name), is_one_material=is_one)
                if found is not None:
                    yield found

    def _name(self, name: str) -> str:
        return self._renamed.get(name, name)

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


def _form(materials: ElementMaterials) -> str:
    form = _FORMS.get(materials.form, materials.form)
    return f"{form} of {materials.inherited}" if materials.inherited else form
