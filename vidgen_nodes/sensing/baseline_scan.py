# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A scan of the sound building as the baseline of the map.

Reads ``.npy`` (N, 3) arrays, ``.pcd`` (ascii, binary) and ``.ply`` (ascii, binary) clouds whose points are in
``map``, m. Per cell: the plane through the highest surface, its height at the middle and its variance; cells
with fewer than ``MIN_RETURNS`` points are unknown. Leaves out: compressed clouds, colours, registration of the
cloud to ``map`` (it must be done before).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray, Grid, Pose
from vidgen_nodes.sensing.cell_returns import add_near, locate
from vidgen_nodes.sensing.change import MIN_RETURNS, Baseline, BaselineLayers
from vidgen_nodes.sensing.surface_shape import SurfaceShape
from vidgen_nodes.sensing.top_surface import BAND_M, TopSurface

_AT_ORIGIN: Final = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
_BELOW_M: Final = 1.0
_PCD_TYPES: Final = {("F", 4): "<f4", ("F", 8): "<f8", ("I", 1): "i1", ("I", 2): "<i2", ("I", 4): "<i4",
                     ("U", 1): "u1", ("U", 2): "<u2", ("U", 4): "<u4"}  # fmt: skip
_PLY_TYPES: Final = {"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
                     "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
                     "float": "f4", "float32": "f4", "double": "f8", "float64": "f8"}  # fmt: skip


def load_baseline(path: Path) -> Baseline:
    """The baseline in a cloud file.

    Raises:
        ConfigError: the file cannot be read, or holds no points.
    """
    return baseline_of(read_points(path))


def baseline_of(points_m: FloatArray) -> Baseline:
    """The baseline of points (N, 3) in map, m."""

    def cut(grid: Grid) -> BaselineLayers:
        returns = locate(points_m, _AT_ORIGIN, grid)
        tops, shape = TopSurface(grid.shape), SurfaceShape(grid.shape)
        top_m = tops.add(returns, 1).top_m
        sums, below = add_near(returns, top_m, BAND_M, _BELOW_M)
        sums.mean[2] += np.where(sums.count > 0, top_m, 0.0)
        seen = sums.count > 0
        shape.add(sums, below, seen, ~seen, 0.0)
        found = shape.describe(grid.resolution_m)
        known = found.returns >= MIN_RETURNS
        height = np.where(known, found.middle_m, np.nan).reshape(grid.shape)
        variance = np.where(known, found.middle_variance_m2, np.nan).reshape(grid.shape)
        return BaselineLayers(height, variance, np.full(grid.shape, np.nan))

    return cut


def read_points(path: Path) -> FloatArray:
    """The finite points (N, 3) of a cloud file.

    Raises:
        ConfigError: a file that cannot be read, of another kind, or without points.
    """
    readers = {".npy": _read_npy, ".pcd": _read_pcd, ".ply": _read_ply}
    if path.suffix not in readers:
        raise ConfigError(f"{path}: got a {path.suffix or 'nameless'} file; expected .npy, .pcd or .ply")
    try:
        points = np.asarray(readers[path.suffix](path), np.float64)
    except (OSError, ValueError, KeyError, IndexError, EOFError) as err:
        raise ConfigError(f"{path}: not a readable point cloud: {err}") from err
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        raise ConfigError(f"{path}: holds no finite point; expected a scan of the sound building in map, m")
    return points


def _read_npy(path: Path) -> FloatArray:
    points = np.load(path, allow_pickle=False)
    if points.ndim != 2 or points.shape[1] < 3:
        raise ValueError(f"got shape {points.shape}, expected (N, 3)")
    return np.asarray(points[:, :3], np.float64)


def _read_pcd(path: Path) -> FloatArray:
    head: dict[str, list[str]] = {}
    with path.open("rb") as file:
        while "DATA" not in head:
            line = file.readline()
            if not line:
                raise ValueError("the PCD header has no DATA line")
            words = line.decode("ascii").split()
            if words and not words[0].startswith("#"):
                head[words[0].upper()] = words[1:]
        body = file.read()
    kind, names, count = head["DATA"][0], head["FIELDS"], int(head["POINTS"][0])
    counts = [int(number) for number in head.get("COUNT", ["1"] * len(names))]
    if kind == "ascii":
        starts = np.cumsum([0, *counts])
        return _columns(body, count, [int(starts[names.index(axis)]) for axis in "xyz"])
    if kind != "binary":
        raise ValueError(f"DATA {kind}: expected ascii or binary (pcl_convert_pcd_ascii_binary converts)")
    types = [_PCD_TYPES[t, int(s)] for t, s in zip(head["TYPE"], head["SIZE"], strict=True)]
    layout = [(f"{i}", t, (c,)) for i, (t, c) in enumerate(zip(types, counts, strict=True))]
    records = np.frombuffer(body, np.dtype(layout), count)
    return np.column_stack([records[f"{names.index(axis)}"][:, 0] for axis in "xyz"]).astype(np.float64)


def _read_ply(path: Path) -> FloatArray:
    with path.open("rb") as file:
        if file.readline().strip() != b"ply":
            raise ValueError("does not begin with 'ply'")
        kind, count, element = "", 0, ""
        fields: list[tuple[str, str]] = []
        while True:
            line = file.readline()
            words = line.decode("ascii").split()
            if not line or words[:1] == ["end_header"]:
                break
            if words[:1] == ["format"]:
                kind = words[1]
            elif words[:1] == ["element"]:
                if words[1] != "vertex" and not fields:
                    raise ValueError(f"element {words[1]} stands before the vertices")
                element, count = words[1], int(words[2]) if words[1] == "vertex" else count
            elif words[:1] == ["property"] and element == "vertex":
                fields.append((words[2], _PLY_TYPES[words[1]]))
        body = file.read()
    names = [name for name, _ in fields]
    if kind == "ascii":
        return _columns(body, count, [names.index(axis) for axis in "xyz"])
    order = {"binary_little_endian": "<", "binary_big_endian": ">"}[kind]
    records = np.frombuffer(body, np.dtype([(name, order + code) for name, code in fields]), count)
    return np.column_stack([records[axis] for axis in "xyz"]).astype(np.float64)


def _columns(body: bytes, count: int, columns: Sequence[int]) -> FloatArray:
    lines = body.decode("ascii").splitlines()[:count]
    return np.atleast_2d(np.loadtxt(lines, usecols=columns, dtype=np.float64))
