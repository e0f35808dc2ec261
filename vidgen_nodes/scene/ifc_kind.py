# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which elements of a model are its building, and what each of them is.

Every element of a building (IFC 4.3: built element) counts, whatever a program exports it as; a proxy, a course of
a road or a chimney is ``other``. Guarantees: what is left out is named with its class. Leaves out: reinforcement,
holes kept free, furniture, installations, spaces and terrain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

KIND_OF_CLASS = {
    "IfcWall": "wall",
    "IfcCurtainWall": "wall",
    "IfcSlab": "floor",
    "IfcRoof": "roof",
    "IfcCovering": "covering",
    "IfcDoor": "door",
    "IfcWindow": "window",
    "IfcBeam": "member",
    "IfcColumn": "member",
    "IfcMember": "member",
    "IfcPlate": "member",  # of a wall: wall
    "IfcRailing": "member",
    "IfcFooting": "member",
    "IfcPile": "member",
    "IfcDeepFoundation": "member",
    "IfcElementAssembly": "member",
    "IfcStair": "stair",
    "IfcStairFlight": "stair",
    "IfcRamp": "stair",
    "IfcRampFlight": "stair",
    "IfcPavement": "floor",
}
_OTHER = "other"
_BASES = ("IfcBuildingElement", "IfcBuiltElement", "IfcBuildingElementPart", "IfcElementAssembly")
_NOT_BUILT = ("IfcReinforcingElement",)  # inside of concrete; a building element in IFC 2x3
_KEPT_FREE = ("PROVISIONFORVOID", "PROVISIONFORSPACE")
_DEPTH = 16


def building_elements(model: Any) -> list[Any]:
    """Elements with a shape, by GlobalId, so that the order in the file does not count."""
    found: dict[int, Any] = {}
    for name in _BASES:
        found.update((item.id(), item) for item in _of_class(model, name) if is_building(item))
    return sorted(found.values(), key=lambda item: (item.GlobalId, item.id()))


def is_building(element: Any) -> bool:
    """Whether an element is one of a building, and has a shape."""
    if element.Representation is None or getattr(element, "PredefinedType", None) in _KEPT_FREE:
        return False
    return any(map(element.is_a, _BASES)) and not any(map(element.is_a, _NOT_BUILT))


def left_out(model: Any) -> Counter[str]:
    """Elements with a shape that are not read, by class; openings are cut out of what they open."""
    others: Counter[str] = Counter()
    for item in model.by_type("IfcElement"):
        if item.Representation is not None and not is_building(item):
            others[item.is_a()] += 1
    others.pop("IfcOpeningElement", None)
    return others


def kind_of(library: ModuleType, element: Any) -> str:
    """One of ``surface.KINDS``; a part is what its whole is."""
    chain = list(owners(library, element))
    if any(item.is_a("IfcRoof") for item in chain) or "ROOF" in (
        library.util.element.get_predefined_type(item) for item in chain
    ):
        return "roof"
    if element.is_a("IfcPlate") and any(map(_is_wall, chain)):
        return "wall"
    whole = next((item for item in chain if not item.is_a("IfcBuildingElementPart")), element)
    return next((kind for name, kind in KIND_OF_CLASS.items() if whole.is_a(name)), _OTHER)


def _is_wall(element: Any) -> bool:
    return bool(element.is_a("IfcWall") or element.is_a("IfcCurtainWall"))


def owners(library: ModuleType, element: Any) -> Iterator[Any]:
    """The element and the wholes it is a part of."""
    for _ in range(_DEPTH):
        if element is None or not element.is_a("IfcElement"):
            return
        yield element
        element = library.util.element.get_aggregate(element)


def _of_class(model: Any, name: str) -> list[Any]:
    try:
        return list(model.by_type(name))
    except RuntimeError:  # a class that this schema does not have
        return []
