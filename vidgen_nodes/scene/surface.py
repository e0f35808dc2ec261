# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One surface of the building: a convex planar polygon, or the triangles of one side of an element.

Guarantees of ``checked_polygon``: finite, planar, convex, with area. Leaves out what the surface is made
of (``scene.materials``) and who drew it (``scene.building_file``, ``scene.ifc``, ``scene.fuel_map``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray

IntArray = npt.NDArray[np.int32]

KINDS = ("wall", "roof", "floor", "covering", "door", "window", "member", "stair", "other")
FAR_M = 1e5  # map is local; farther corners are a mistake in frame or unit
_PLANAR_M = 0.05  # corners further off their common plane are refused
MIN_AREA_M2 = 1e-4
_FULL_TURN_RAD = 2.0 * np.pi


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One surface and what is known of its material."""

    name: str
    material: str  # as the source calls it
    kind: str  # one of KINDS
    corners_m: FloatArray  # (n, 3) in map
    combustible: bool | None  # None: unknown, which never counts as yes
    # (m, 3) corners of triangles, counter-clockwise seen from outside; None: the corners are one convex
    # planar polygon, in order.
    faces: IntArray | None = None
    path: str = (
        ""  # where in the model: project/site/building/storey/element [GlobalId]; empty: only the name
    )
    decided_by: str = ""  # what says whether it burns
    material_id: str = ""  # of config/materials.yaml; empty: not in the table

    @property
    def triangles_m(self) -> FloatArray:
        """Its triangles (m, 3, 3) in map; a polygon is cut into a fan."""
        if self.faces is not None:
            return self.corners_m[self.faces]
        count = len(self.corners_m)
        fan = [(0, index, index + 1) for index in range(1, count - 1)]
        return self.corners_m[np.array(fan, np.int64)]

    @property
    def area_m2(self) -> float:
        """Area of all its triangles."""
        return float(np.linalg.norm(area_vectors_m2(self.triangles_m), axis=1).sum())

    def polygons_m(self) -> Iterator[FloatArray]:
        """The convex polygons (n, 3) it is made of."""
        if self.faces is None:
            yield self.corners_m
        else:
            yield from self.triangles_m

    def evidence(self) -> str:
        """Where it is in the model, its material and what decided, for a permit."""
        burns = {True: "burns", False: "does not burn", None: "unknown whether it burns"}[self.combustible]
        why = f" by {self.decided_by}" if self.decided_by else ""
        return f"{self.path or self.name}: {self.material}, {burns}{why}"


def area_vectors_m2(triangles_m: FloatArray) -> FloatArray:
    """Normals (m, 3) of triangles (m, 3, 3), as long as their areas."""
    vectors: FloatArray = 0.5 * np.cross(
        triangles_m[:, 1] - triangles_m[:, 0], triangles_m[:, 2] - triangles_m[:, 0]
    )
    return vectors


def polygon_area_vector_m2(corners_m: FloatArray) -> FloatArray:
    """Normal (3,) of a planar polygon (n, 3), as long as its area (Newell)."""
    local = corners_m - corners_m[0]
    vector: FloatArray = 0.5 * np.cross(local, np.roll(local, -1, axis=0)).sum(axis=0)
    return vector


def checked_polygon(where: str, value: Any) -> FloatArray:
    """Corners (n, 3) of a convex planar polygon, read-only.

    Raises:
        ConfigError: anything else; ``where`` leads the message.
    """
    try:
        numbers = [[number(entry) for entry in corner] for corner in value]
        corners = np.array(numbers, np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise ConfigError(
            f"{where}: corners_m: expected three or more [x, y, z] in metres, in order around: {err}"
        ) from err
    if corners.ndim != 2 or corners.shape[1] != 3 or len(corners) < 3:
        raise ConfigError(
            f"{where}: corners_m: got shape {corners.shape}, expected (n, 3) with three corners or more"
        )
    if not np.abs(corners).max() <= FAR_M:
        raise ConfigError(f"{where}: corners_m: got {value}, expected finite numbers of at most {FAR_M:g} m")
    area = polygon_area_vector_m2(corners)
    if np.linalg.norm(area) < MIN_AREA_M2:
        raise ConfigError(f"{where}: corners_m: the polygon has no area; list its corners in order around it")
    normal = area / np.linalg.norm(area)
    off_m = float(np.abs((corners - corners.mean(axis=0)) @ normal).max())
    if off_m > _PLANAR_M:
        raise ConfigError(
            f"{where}: corners_m: {off_m:.3f} m off their plane, expected at most {_PLANAR_M} m; split it"
        )
    if not _is_convex(corners, normal):
        raise ConfigError(f"{where}: corners_m: not convex; list the corners in order around it, or split it")
    corners.setflags(write=False)
    return corners


def _is_convex(corners: FloatArray, normal: FloatArray) -> bool:
    """Every corner turns the same way, and all of them together once round."""
    edges = np.roll(corners, -1, axis=0) - corners
    after = np.roll(edges, -1, axis=0)
    sine = np.cross(edges, after) @ normal
    turn_rad = np.arctan2(sine, np.einsum("ni,ni->n", edges, after)).sum()
    return bool(sine.min() > 0.0 and abs(turn_rad - _FULL_TURN_RAD) < 0.5)


def number(value: Any) -> float:
    """A number of a YAML or JSON file as a float; TypeError for anything else, booleans too."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"got {value!r}, expected a number")
    return float(value)
