# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The shapes of a model's elements as triangles in metres, one element after the other.

Guarantees: finite corners, faces with area, and every element that gave none is counted by reason and named.
Leaves out what the faces are made of (``scene.ifc_element``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.ifc_material import face_normals

_LARGEST_ELEMENT = 200_000  # triangles; a finer one is a scan or a piece of art
_FARTHEST_M = 1e8
_NAMED = 3  # elements that are named for each reason


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The triangles of one element."""

    corners_m: FloatArray  # (n, 3) in the model
    faces: npt.NDArray[np.int64]  # (m, 3), none without area
    normals: FloatArray  # (m, 3) outward unit normals in the element's own placement
    styles: tuple[int | None, ...]  # (m) id of the presentation style of each face


class Faults:
    """What of a model could not be used: how many elements by reason, and which."""

    def __init__(self) -> None:
        self._named: dict[str, list[str]] = {}

    def add(self, why: str, element: Any) -> None:
        """Count an element and remember its name."""
        name = f" {element.Name!r}" if element.Name else ""
        self._named.setdefault(why, []).append(f"{element.is_a()}{name} [{element.GlobalId}]")

    def notes(self) -> tuple[str, ...]:
        """One sentence for each reason."""
        return tuple(
            f"{len(names)} elements {why}: {_listed(names)}" for why, names in sorted(self._named.items())
        )


def shapes(
    library: ModuleType, model: Any, elements: list[Any], begin: Callable[[Any], None]
) -> Iterator[tuple[Any, Any, float]]:
    """What the library makes of the elements, each shape that occurs often once: element, its shape, share done.

    Args:
        library: that makes them.
        model: the open model.
        elements: of it.
        begin: called before each step into the library, with None: it does not say what it takes up next.
    """
    begin(None)
    iterator = library.geom.iterator(library.geom.settings(), model, 1, include=elements)
    if not iterator.initialize():
        return
    while True:
        shape = iterator.get()
        yield model.by_id(shape.id), shape, iterator.progress() / 100.0
        begin(None)
        if not iterator.next():
            return


def shapes_one_by_one(
    library: ModuleType, elements: list[Any], begin: Callable[[Any], None]
) -> Iterator[tuple[Any, Any, float]]:
    """As :func:`shapes`, slower, but ``begin`` is told each element: to find the one that breaks the library."""
    settings = library.geom.settings()
    for index, element in enumerate(elements):
        begin(element)
        try:
            shape = library.geom.create_shape(settings, element)
        except RuntimeError:  # no shape for us: as the iterator, which passes over it
            continue
        yield element, shape, (index + 1) / len(elements)


def usable(library: ModuleType, element: Any, made: Any, factor: float, faults: Faults) -> Shape | None:
    """The triangles of an element, or None and a fault.

    Args:
        library: that made it.
        element: of the model.
        made: what the library made of it.
        factor: of all lengths, where the unit of the model was overridden.
        faults: that a reason is added to.
    """
    geometry = made.geometry
    local_m = library.util.shape.get_vertices(geometry) * factor
    faces = library.util.shape.get_faces(geometry)
    if not len(faces):
        faults.add("have no faces and were left out", element)
        return None
    if len(faces) > _LARGEST_ELEMENT:
        faults.add(f"with more than {_LARGEST_ELEMENT} triangles were left out", element)
        return None
    matrix = np.array(library.util.shape.get_shape_matrix(made), np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        corners_m = local_m @ matrix[:3, :3].T + matrix[:3, 3] * factor
    if not (np.isfinite(corners_m).all() and np.abs(corners_m).max() < _FARTHEST_M):
        faults.add("with coordinates that are no numbers were left out", element)
        return None
    normals = face_normals(local_m[faces])
    solid = np.linalg.norm(normals, axis=1) > 0.5
    if not solid.any():
        faults.add("have no area and were left out", element)
        return None
    styles = [_style(geometry, index) for index in geometry.material_ids]
    if len(styles) != len(faces):
        styles = [None] * len(faces)
    kept = tuple(style for style, is_solid in zip(styles, solid.tolist(), strict=True) if is_solid)
    return Shape(corners_m, np.asarray(faces, np.int64)[solid], normals[solid], kept)


def _style(geometry: Any, index: int) -> int | None:
    if index < 0 or index >= len(geometry.materials):
        return None
    return int(geometry.materials[index].instance_id())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
