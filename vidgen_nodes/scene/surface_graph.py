# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The building's surfaces as points and edges, for whatever spreads over them.

Faces are sampled on lattices anchored in ``map`` (faces in one plane share one lattice), so neighbours on a
flat face are the eight of a square grid; across corners and along ceilings the nearest points of faces that
meet are joined. Guarantees: areas add up to those of the exposed faces; no edge passes through another
surface, a wall or a slab; the same building gives the same bytes. Leaves out rates and times: an edge says
how far, not how fast. Strips narrower than the resolution are one row of points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.exposure import Solids
from vidgen_nodes.scene.surface import Surface, area_vectors_m2

_Index = npt.NDArray[np.int64]
_REACH = 1.5  # of the resolution: holds the diagonal neighbour, sqrt(2)
_LIFT_M = 0.02  # edges are checked this far above the faces
_FACING = -0.5  # cosine: faces that look at each other more than this are no neighbours
_SAME_WAY = 0.7  # cosine: such faces are neighbours only where they lie in one plane, nearly
_STEP = 0.35  # of the distance: how far off that plane
_LEAST_M2 = 1e-4
_MOST_POINTS = 2_000_000


@dataclass(frozen=True, eq=False)
class SurfaceGraph:
    """Points on exposed faces and the edges between them."""

    resolution_m: float
    points_m: FloatArray  # (N, 3) in map
    normals: FloatArray  # (N, 3) outward unit normals
    area_m2: FloatArray  # (N,) of face that each point stands for
    surface: npt.NDArray[np.int32]  # (N,) index into names
    material: npt.NDArray[np.int32]  # (N,) index into material_ids
    combustible: npt.NDArray[np.int8]  # (N,) 1 burns, 0 does not, -1 unknown
    indptr: _Index  # (N + 1,) edges of point i are indptr[i] .. indptr[i + 1]
    indices: _Index  # (E,) the other end; every edge is there from both ends
    length_m: FloatArray  # (E,) along the faces
    names: tuple[str, ...]  # of the surfaces, as in Building.surfaces
    material_ids: tuple[str, ...]  # of config/materials.yaml; "" is none

    def neighbours(self, point: int) -> _Index:
        """Points joined to one."""
        return self.indices[self.indptr[point] : self.indptr[point + 1]]

    def reachable(self, starts: _Index) -> BoolArray:
        """Points (N,) joined to a burning start by points that burn."""
        reached: BoolArray = np.zeros(len(self.points_m), np.bool_)
        todo = [int(item) for item in np.atleast_1d(starts) if self.combustible[item] == 1]
        reached[todo] = True
        while todo:
            near = self.neighbours(todo.pop())
            fresh = near[(self.combustible[near] == 1) & ~reached[near]]
            reached[fresh] = True
            todo.extend(fresh.tolist())
        return reached


def surface_graph(building: Building, resolution_m: float) -> SurfaceGraph:
    """Sample the exposed faces of a building and join the samples.

    Raises:
        ConfigError: a resolution that is not positive, or one so fine that it gives millions of points.
    """
    if not (np.isfinite(resolution_m) and resolution_m > 0.0):
        raise ConfigError(f"surface graph: got a resolution of {resolution_m} m, expected above 0")
    area_m2 = sum(item.area_m2 for item in building.surfaces)
    if area_m2 / resolution_m**2 > _MOST_POINTS:
        raise ConfigError(
            f"surface graph: {area_m2:.0f} m2 at {resolution_m} m give more than {_MOST_POINTS} points; "
            "take a coarser resolution"
        )
    solids = Solids(_all_triangles(building))
    samples = list(_samples(building.surfaces, resolution_m))
    points = np.concatenate([item[0] for item in samples] or [np.zeros((0, 3))])
    normals = np.concatenate([item[1] for item in samples] or [np.zeros((0, 3))])
    areas = np.concatenate([item[2] for item in samples] or [np.zeros(0)])
    owner = np.concatenate([np.full(len(item[0]), item[3]) for item in samples] or [np.zeros(0)]).astype(
        np.int32
    )
    closed = np.array([item.faces is not None for item in building.surfaces], np.bool_)
    bare = ~(solids.cover(points, normals) & closed[owner])
    points, normals, areas, owner = points[bare], normals[bare], areas[bare], owner[bare]
    ids = tuple(sorted({item.material_id for item in building.surfaces}))
    material = np.array([ids.index(item.material_id) for item in building.surfaces], np.int32)
    burns = np.array(
        [-1 if item.combustible is None else int(item.combustible) for item in building.surfaces], np.int8
    )
    indptr, indices, length_m = _edges(points, normals, resolution_m, solids)
    return SurfaceGraph(
        resolution_m,
        points,
        normals,
        areas,
        owner,
        material[owner],
        burns[owner],
        indptr,
        indices,
        length_m,
        tuple(item.name for item in building.surfaces),
        ids,
    )


def _all_triangles(building: Building) -> FloatArray:
    return np.concatenate([item.triangles_m for item in building.surfaces] or [np.zeros((0, 3, 3))])


def _samples(
    surfaces: tuple[Surface, ...], step_m: float
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, int]]:
    """Points, normals, areas and index of the surface, for each plane of each surface."""
    for index, surface in enumerate(surfaces):
        triangles = surface.triangles_m
        vectors = area_vectors_m2(triangles)
        size_m2 = np.linalg.norm(vectors, axis=1)
        triangles, vectors, size_m2 = (item[size_m2 > 1e-9] for item in (triangles, vectors, size_m2))
        normals = vectors / size_m2[:, None]
        offsets = np.einsum("ni,ni->n", normals, triangles.mean(axis=1))
        keys = np.round(np.column_stack((normals * 500.0, offsets * 100.0))).astype(np.int64)
        _, plane = np.unique(keys, axis=0, return_inverse=True)
        for number in range(plane.max(initial=-1) + 1):
            part = plane.ravel() == number
            total_m2 = float(size_m2[part].sum())
            if total_m2 < _LEAST_M2:
                continue
            normal = vectors[part].sum(axis=0)
            normal /= np.linalg.norm(normal)
            points = _on_lattice(triangles[part], normal, step_m)
            count = len(points)
            yield points, np.tile(normal, (count, 1)), np.full(count, total_m2 / count), index


def _axes(normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """In-plane axes, the same for both sides: level, and up the slope; east and north where it is level."""
    if abs(normal[2]) > 0.999:
        u = np.array((1.0, 0.0, 0.0))
    else:
        u = np.array((-normal[1], normal[0], 0.0))
        # Both sides of a wall look at it with one and the same axis.
        u *= np.sign(u[0] if abs(u[0]) > 1e-9 else u[1]) / np.linalg.norm(u)
    v = np.cross(normal, u)
    v *= np.sign(v[2] if abs(v[2]) > 0.05 else v[1])
    return u, v / np.linalg.norm(v)


def _on_lattice(triangles: FloatArray, normal: FloatArray, step_m: float) -> FloatArray:
    """Points (n, 3) of the plane's lattice inside any of the triangles; at least one."""
    u, v = _axes(normal)
    flat = np.stack((triangles @ u, triangles @ v), axis=2)  # (m, 3, 2)
    low = np.floor(flat.min(axis=(0, 1)) / step_m).astype(np.int64)
    shape = np.ceil(flat.max(axis=(0, 1)) / step_m).astype(np.int64) - low + 1
    inside: BoolArray = np.zeros(shape, np.bool_)
    for triangle in flat:
        _fill(inside, triangle / step_m - low)
    cells = np.argwhere(inside)
    height = float((triangles @ normal).mean())
    places = (cells + low + 0.5) * step_m if len(cells) else _centre_line(flat, step_m)
    points: FloatArray = places[:, :1] * u + places[:, 1:] * v + height * normal
    return points


def _fill(inside: BoolArray, triangle: FloatArray) -> None:
    """Set the cells whose centre lies in a triangle (3, 2) given in cells."""
    low = np.maximum(np.floor(triangle.min(axis=0) - 0.5), 0).astype(np.int64)
    high = np.ceil(triangle.max(axis=0) + 0.5).astype(np.int64)
    x = np.arange(low[0], min(high[0], inside.shape[0]))[:, None] + 0.5
    y = np.arange(low[1], min(high[1], inside.shape[1]))[None, :] + 0.5
    signs = []
    for a, b in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        signs.append((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]))
    # A centre on the seam of two triangles belongs to both, and counts once.
    within = np.minimum.reduce(signs) >= -1e-9
    within |= np.maximum.reduce(signs) <= 1e-9
    inside[low[0] : low[0] + within.shape[0], low[1] : low[1] + within.shape[1]] |= within


def _centre_line(flat: FloatArray, step_m: float) -> FloatArray:
    """Points (n, 2) along the middle of a strip that no lattice point falls on."""
    low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
    along = int(np.argmax(high - low))
    count = max(1, round(float(high[along] - low[along]) / step_m))
    places = np.tile(0.5 * (low + high), (count, 1))
    places[:, along] = low[along] + (np.arange(count) + 0.5) * (high[along] - low[along]) / count
    return places


def _edges(
    points: FloatArray, normals: FloatArray, step_m: float, solids: Solids
) -> tuple[_Index, _Index, FloatArray]:
    """Rows of neighbours in compressed form, sorted."""
    count = len(points)
    if count < 2:
        return np.zeros(count + 1, np.int64), np.zeros(0, np.int64), np.zeros(0)
    pairs = cKDTree(points).query_pairs(_REACH * step_m, output_type="ndarray").astype(np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    a, b = pairs.T
    cosine = np.einsum("ni,ni->n", normals[a], normals[b])
    between = points[b] - points[a]
    far_m = np.linalg.norm(between, axis=1)
    off_m = np.maximum(
        np.abs(np.einsum("ni,ni->n", between, normals[a])), np.abs(np.einsum("ni,ni->n", between, normals[b]))
    )
    good = (cosine > _FACING) & ((cosine < _SAME_WAY) | (off_m <= _STEP * far_m)) & (far_m > 1e-6)
    a, b, cosine = a[good], b[good], cosine[good]
    corner = _corners(points[a], points[b], normals[a], normals[b], cosine)
    length_m = np.linalg.norm(corner - points[a], axis=1) + np.linalg.norm(points[b] - corner, axis=1)
    good = (length_m <= 2.0 * step_m) & _free(points, normals, a, b, corner, solids)
    a, b, length_m = a[good], b[good], length_m[good]
    both = coo_array(
        (np.concatenate((length_m, length_m)), (np.concatenate((a, b)), np.concatenate((b, a)))),
        (count, count),
    ).tocsr()
    both.sort_indices()
    return both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data


def _corners(p: FloatArray, q: FloatArray, m: FloatArray, n: FloatArray, cosine: FloatArray) -> FloatArray:
    """Where the way from p to q bends: on the line in which their planes meet; half way where they are one."""
    middle = 0.5 * (p + q)
    bend = np.abs(cosine) < 0.99
    s, c = np.einsum("ni,ni->n", m, p - middle), np.einsum("ni,ni->n", n, q - middle)
    det = np.where(bend, 1.0 - cosine**2, 1.0)
    x, y = (s - cosine * c) / det, (c - cosine * s) / det
    moved = middle + x[:, None] * m + y[:, None] * n
    corners: FloatArray = np.where(bend[:, None], moved, middle)
    return corners


def _free(
    points: FloatArray, normals: FloatArray, a: _Index, b: _Index, corner: FloatArray, solids: Solids
) -> BoolArray:
    """Whether nothing stands on the way from point to corner to point, just above the faces."""
    lifted = corner + _LIFT_M * (normals[a] + normals[b]) / (
        1.0 + np.maximum(np.einsum("ni,ni->n", normals[a], normals[b]), 0.0)[:, None]
    )
    free: BoolArray = np.ones(len(a), np.bool_)
    for ends in (a, b):
        start = points[ends] + _LIFT_M * normals[ends]
        way = lifted - start
        far_m = np.linalg.norm(way, axis=1)
        direction = way / np.maximum(far_m, 1e-12)[:, None]
        # A little further than the bend: what stands exactly on it is in the way too.
        free &= (solids.tree.first_hit_m(start, direction) > far_m + 1e-3) | (far_m < 1e-6)
    return free
