# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which material an element of a model shows on each of its faces.

Understands single materials, layer sets (the *exposed* layer decides), lists, constituents, profiles, and
assemblies: a part without a material has that of its whole, a whole without one those of its parts.
Guarantees: where the model does not say which of several materials a face shows, all of them are named and
nothing is guessed. Leaves out whether they burn (``scene.combustibility``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.packets import FloatArray

UNKNOWN = "unknown"
_SIDE = 0.7  # cosine: a face within 45 degrees of the layers' direction shows an outer layer
_DEPTH = 16  # of assemblies; deeper ones go round in circles
_AXES = {"AXIS1": 0, "AXIS2": 1, "AXIS3": 2}


@dataclass(frozen=True, slots=True)
class ElementMaterials:
    """The materials of one element, in order where there is one."""

    form: str  # single | layers | list | constituents | profile | parts | none
    names: tuple[str, ...]  # UNKNOWN for an entry without a name
    axis: int | None = None  # of the element's placement along which layers follow one another
    sense: int = 0  # 1: along the axis, -1: against it, 0: the model does not say
    inherited: str = ""  # from which whole, where it is not the element's own
    by_style: Mapping[int, str] = field(default_factory=dict)  # style id -> material

    @property
    def is_one(self) -> bool:
        """Whether there is one material only."""
        return len(set(self.names)) == 1

    def shown(self, normals: FloatArray, styles: list[int | None]) -> list[tuple[str, ...]]:
        """The materials that each face may show: one where that is known.

        Args:
            normals: (n, 3) outward unit normals in the element's placement.
            styles: (n) id of the presentation style of each face, None without.
        """
        if self.form == "layers" and len(self.names) > 1:
            return [self._layer(normal) for normal in normals]
        known = set(self.names)
        every = tuple(sorted(known))
        shown = []
        for style in styles:
            name = None if style is None else self.by_style.get(style)
            shown.append((name,) if name in known and name is not None else every)
        return shown

    def _layer(self, normal: FloatArray) -> tuple[str, ...]:
        """Sides show an outer layer, edges and reveals any."""
        assert self.axis is not None
        along = float(normal[self.axis])
        outer = (self.names[0], self.names[-1])
        if abs(along) < _SIDE:
            return tuple(sorted(set(self.names)))
        if self.sense == 0:
            return tuple(sorted(set(outer)))
        return (outer[1] if along * self.sense > 0.0 else outer[0],)


def element_materials(library: ModuleType, element: Any, by_style: Mapping[int, str]) -> ElementMaterials:
    """The materials of an element: its own or its type's, its whole's, or its parts'."""
    own = _own(library, element, by_style)
    if own is not None:
        return own
    whole = element
    for _ in range(_DEPTH):
        whole = library.util.element.get_aggregate(whole)
        if whole is None or not whole.is_a("IfcElement"):
            break
        found = _own(library, whole, by_style)
        if found is not None and found.form != "layers":
            # Layers of the whole say nothing of which of them this part is.
            return ElementMaterials(found.form, found.names, inherited=_title(whole), by_style=by_style)
        if found is not None:
            return ElementMaterials("list", found.names, inherited=_title(whole), by_style=by_style)
    names = sorted({name for part in _parts(library, element, 0) for name in _names(library, part, by_style)})
    if names:
        return ElementMaterials("parts", tuple(names), by_style=by_style)
    return ElementMaterials("none", (UNKNOWN,), by_style=by_style)


def style_materials(model: Any) -> dict[int, str]:
    """Material by the id of the style it is drawn with, where a style belongs to one material."""
    found: dict[int, set[str]] = {}
    for definition in model.by_type("IfcMaterialDefinitionRepresentation"):
        name = _name(definition.RepresentedMaterial)
        for representation in definition.Representations or ():
            for item in representation.Items or ():
                for style in _styles(getattr(item, "Styles", None)):
                    found.setdefault(style.id(), set()).add(name)
    for style in model.by_type("IfcSurfaceStyle"):
        for shading in style.Styles or ():
            if style.id() in found:
                found.setdefault(shading.id(), set()).update(found[style.id()])
    return {key: next(iter(names)) for key, names in found.items() if len(names) == 1}


def material_categories(model: Any) -> dict[str, str]:
    """Category (``wood``, ``concrete`` ...) by the name of a material, where all materials of that name agree."""
    found: dict[str, set[str]] = {}
    for material in model.by_type("IfcMaterial"):
        category = str(getattr(material, "Category", None) or "").strip()  # IFC 2x3 has none
        found.setdefault(_name(material), set()).add(category)
    return {name: next(iter(said)) for name, said in found.items() if len(said) == 1 and name != UNKNOWN}


def _styles(styles: Any) -> Iterator[Any]:
    for style in styles or ():
        if style.is_a("IfcPresentationStyleAssignment"):
            yield from style.Styles or ()
        else:
            yield style


def _own(library: ModuleType, element: Any, by_style: Mapping[int, str]) -> ElementMaterials | None:
    material = library.util.element.get_material(element, should_inherit=True)
    if material is None:
        return None
    kind = material.is_a()
    if kind.startswith("IfcMaterialLayer"):
        return _layers(element, material, by_style)
    if kind == "IfcMaterial":
        return ElementMaterials("single", (_name(material),), by_style=by_style)
    if kind == "IfcMaterialList":
        return _several("list", material.Materials, by_style)
    if kind in ("IfcMaterialConstituentSet", "IfcMaterialConstituent"):
        items = (material.MaterialConstituents or ()) if kind.endswith("Set") else (material,)
        return _several("constituents", [item.Material for item in items], by_style)
    if kind.startswith("IfcMaterialProfile"):
        profiles = material.ForProfileSet if kind.startswith("IfcMaterialProfileSetUsage") else material
        items = profiles.MaterialProfiles if profiles.is_a("IfcMaterialProfileSet") else (profiles,)
        return _several("profile", [item.Material for item in items or ()], by_style)
    return None


def _several(form: str, materials: Any, by_style: Mapping[int, str]) -> ElementMaterials | None:
    names = tuple(_name(item) for item in materials or ())
    return ElementMaterials(form, names, by_style=by_style) if names else None


def _layers(element: Any, material: Any, by_style: Mapping[int, str]) -> ElementMaterials | None:
    usage = material if material.is_a("IfcMaterialLayerSetUsage") else None
    layer_set = usage.ForLayerSet if usage else material
    layers = layer_set.MaterialLayers if layer_set.is_a("IfcMaterialLayerSet") else (layer_set,)
    # A layer without a material is air or a membrane of no thickness: what lies behind it shows.
    names = tuple(
        _name(layer.Material)
        for layer in layers or ()
        if layer.Material is not None or not (layer.IsVentilated is True or layer.LayerThickness == 0.0)
    )
    if not names:
        return None
    if usage is None:
        flat = element.is_a("IfcSlab") or element.is_a("IfcRoof") or element.is_a("IfcCovering")
        return ElementMaterials("layers", names, axis=2 if flat else 1, sense=0, by_style=by_style)
    sense = -1 if usage.DirectionSense == "NEGATIVE" else 1
    axis = _AXES.get(usage.LayerSetDirection, 1)
    return ElementMaterials("layers", names, axis=axis, sense=sense, by_style=by_style)


def _parts(library: ModuleType, element: Any, depth: int) -> Iterator[Any]:
    if depth < _DEPTH:
        for part in library.util.element.get_parts(element):
            yield part
            yield from _parts(library, part, depth + 1)


def _names(library: ModuleType, element: Any, by_style: Mapping[int, str]) -> tuple[str, ...]:
    own = _own(library, element, by_style)
    return own.names if own else ()


def _name(material: Any) -> str:
    name = str(material.Name or "").strip() if material is not None else ""
    return name or UNKNOWN


def _title(element: Any) -> str:
    return f"{element.is_a()} {element.Name or ''} [{element.GlobalId}]"


def face_normals(triangles_m: FloatArray) -> FloatArray:
    """Outward unit normals (n, 3) of triangles (n, 3, 3); zero for those without area."""
    vectors = np.cross(triangles_m[:, 1] - triangles_m[:, 0], triangles_m[:, 2] - triangles_m[:, 0])
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    normals: FloatArray = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-15)
    return normals
