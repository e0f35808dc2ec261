# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""An elevation map of another node (``grid_map_msgs/GridMap``) as a scan: one return from each known cell.

A GridMap is laid out unlike anything else (from its sources, ANYbotics/grid_map): row 0 lies at the *largest* x
and column 0 at the largest y; layers are matrices in column-major order, unless the labels of their dimensions
say otherwise; and the matrix is a ring, in which ``outer_start_index`` and ``inner_start_index`` are the row and
column where the map begins. A scan made from it hangs level above the middle of the map, so that everything
downstream treats it as any other. Messages are touched by their attributes alone: the package is not needed.

Leaves out: maps that are turned against ``map``, and how sure the other node is of each cell.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Float32Array, PointScan, Pose, SourceRef
from vidgen_nodes.ros.convert import header_stamp_ns
from vidgen_nodes.ros.fill import MAP_FRAME

LAYER: Final = "elevation"
_ABOVE_M: Final = 100.0
_ROW, _COLUMN = "row_index", "column_index"
_MOST_CELLS: Final = 10_000_000


def elevation_scan(message: Any, source: SourceRef) -> tuple[PointScan, Pose]:
    """The known cells of the layer ``elevation`` as a scan, and ``map_T_lidar`` of the place it hangs from.

    Raises:
        InputError: ``missing_layer``, ``bad_layout``, ``map_size``, ``wrong_frame``, ``turned``, ``no_valid_points``
            or ``no_stamp``.
    """
    stamp_ns = header_stamp_ns(message)
    info = message.info
    if message.header.frame_id != MAP_FRAME:
        raise InputError(
            "wrong_frame",
            f"the elevation map is in frame {message.header.frame_id!r}; expected {MAP_FRAME!r}: set the map "
            "frame of the node that makes it",
        )
    q = info.pose.orientation
    if max(abs(q.x), abs(q.y), abs(q.z)) > 1e-6:
        raise InputError("turned", "the elevation map is turned against its frame; expected orientation 0")
    heights_m = layer(message, LAYER)
    rows, cols = heights_m.shape
    resolution_m = float(info.resolution)
    if not resolution_m > 0.0 or not np.allclose(
        (info.length_x, info.length_y), (rows * resolution_m, cols * resolution_m), rtol=1e-3
    ):
        raise InputError(
            "map_size",
            f"the elevation map of {rows} x {cols} cells of {resolution_m} m says it is {info.length_x} x "
            f"{info.length_y} m; expected rows along x and columns along y",
        )
    known = np.isfinite(heights_m)
    if not known.any():
        raise InputError("no_valid_points", f"all {heights_m.size} cells of the elevation map are unknown")
    row, col = np.nonzero(known)
    z_m = heights_m[known].astype(np.float64) + float(info.pose.position.z)
    top_m = float(z_m.max()) + _ABOVE_M
    points = np.column_stack(
        (
            (0.5 * rows - row - 0.5) * resolution_m,
            (0.5 * cols - col - 0.5) * resolution_m,
            z_m - top_m,
        )
    ).astype(np.float32)
    middle = np.array([float(info.pose.position.x), float(info.pose.position.y), top_m])
    unknown = heights_m.size - len(points)
    refused = {"nan": unknown} if unknown else {}
    scan = PointScan(stamp_ns, MAP_FRAME, points, None, refused, source)
    return scan, Pose(middle, np.array([0.0, 0.0, 0.0, 1.0]))


def layer(message: Any, name: str) -> Float32Array:
    """A layer as a plain array (rows, cols): row 0 at the largest x, column 0 at the largest y.

    Raises:
        InputError: ``missing_layer``, ``bad_layout`` or ``map_size``.
    """
    names = list(message.layers)
    if name not in names or len(message.data) != len(names):
        raise InputError(
            "missing_layer",
            f"the elevation map has layers {', '.join(names) or 'none'} and {len(message.data)} arrays; expected "
            f"{name!r} and an array for each layer",
        )
    values = message.data[names.index(name)]
    dims, data = values.layout.dim, np.asarray(values.data, np.float32)[int(values.layout.data_offset) :]
    labels = [dim.label for dim in dims]
    if labels not in ([_COLUMN, _ROW], [_ROW, _COLUMN]):
        raise InputError(
            "bad_layout",
            f"layer {name!r} has dimensions {labels}; expected {_COLUMN!r} and {_ROW!r}: without them nobody can "
            "tell rows from columns",
        )
    outer, inner = int(dims[0].size), int(dims[1].size)
    if not 0 < outer * inner <= _MOST_CELLS or data.size != outer * inner:
        raise InputError(
            "map_size", f"layer {name!r} says {outer} x {inner} cells and holds {data.size} values"
        )
    matrix = data.reshape(outer, inner)
    matrix = matrix if labels[0] == _ROW else matrix.T
    start = (int(message.outer_start_index), int(message.inner_start_index))
    if start[0] >= matrix.shape[0] or start[1] >= matrix.shape[1]:
        raise InputError(
            "bad_layout", f"the map begins at cell {start} of {matrix.shape}; expected one inside"
        )
    return np.roll(matrix, (-start[0], -start[1]), axis=(0, 1))
