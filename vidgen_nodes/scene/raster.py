# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which pixels see a set of boxes: exact scan lines, drawn inwards.

Guarantees: a pixel is marked only if the ray through its centre meets a box (beyond ``_NEAR_M``); pixels
within ``_MARGIN_PX`` of a silhouette may be left out. A box is convex, so on a straight scan line its image
is one interval, whose ends lie on projected edges; no polygon filler and its rounding is involved. A lens
that bends lines is handled in the image of a pinhole camera at the same place. Leaves out: occlusion, and
with a bending lens whatever lies further than about 76 degrees off the axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.camera import Camera, Lens

_NEAR_M = 0.01
_MARGIN_PX = 0.01  # far above rounding, far below what anyone sees
_WIDEST_TANGENT = 4.0
_VIRTUAL_SIDE_PX = 3000
_CORNER_BITS = np.array([[(corner >> axis) & 1 for axis in range(3)] for corner in range(8)])  # (8, 3)
_EDGES = np.array([(a, a | 1 << axis) for axis in range(3) for a in range(8) if not a >> axis & 1])  # (12, 2)
_CUT_PAIRS = np.array([(a, b) for a in range(6) for b in range(a)])  # a plane cuts at most six edges of a box
_IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Segments:
    """Straight edges in the image, ``n`` boxes with ``s`` edges each; per box the ends of its silhouette."""

    edges: FloatArray  # (5, s, n): u at the first end, v at the first end, du/dv, lowest v, highest v
    u_px: FloatArray  # (2, n)
    v_px: FloatArray  # (2, n)

    @property
    def parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self.edges, self.u_px, self.v_px


@dataclass(frozen=True, slots=True, eq=False)
class _Spans:
    """Intervals of scan lines inside boxes; lines of one box follow each other."""

    box: _IntArray  # (L,)
    row: _IntArray
    low_px: FloatArray
    high_px: FloatArray


def see_boxes(boxes_m: FloatArray, camera: Camera) -> BoolArray:
    """Mark the pixels whose centre ray meets a box.

    Args:
        boxes_m: (n, 6) ``x0 y0 z0 x1 y1 z1`` in map.
        camera: the camera that looks.

    Returns:
        (H, W).
    """
    lens = camera.lens
    if not len(boxes_m):
        return np.zeros((lens.height_px, lens.width_px), bool)
    if ((boxes_m[:, :3] < camera.centre_m) & (camera.centre_m < boxes_m[:, 3:])).all(axis=1).any():
        return _everything(lens)
    corners = boxes_m.reshape(-1, 2, 3)[:, _CORNER_BITS, np.arange(3)]  # (n, 8, 3)
    local = camera.to_camera(corners)
    if lens.is_pinhole:
        flat = lens
    else:
        flat, nodes, positions = _flat_view(lens)
    groups = _project(local, flat)
    spans = [_scan(group, flat) for group in groups]
    seen = _fill([(s.row, np.ceil(s.low_px), np.floor(s.high_px)) for s in spans], flat)
    if lens.is_pinhole:
        return seen
    return _bend(seen, spans, groups, flat, nodes, positions)


def _everything(lens: Lens) -> BoolArray:
    if lens.is_pinhole:
        return np.ones((lens.height_px, lens.width_px), bool)
    return np.greater_equal(_flat_view(lens)[1][..., 0], 0)  # pixels without a ray see nothing


def _project(local: FloatArray, lens: Lens) -> list[_Segments]:
    """Edges of the boxes (n, 8, 3, camera frame) in the image; boxes across the near plane are cut there."""
    near = local[..., 2] > _NEAR_M
    whole: BoolArray = np.all(near, axis=1)
    crossing: BoolArray = np.any(near, axis=1) & ~whole
    groups = []
    if whole.any():
        groups.append(_segments(local[whole][:, _EDGES], lens))
    if crossing.any():
        groups.append(_segments(_cut(local[crossing], near[crossing]), lens))
    return groups


def _cut(local: FloatArray, near: BoolArray) -> FloatArray:
    """Edges (k, 12 + 15, 2, 3) of boxes cut by the near plane: what is left of theirs, and the section."""
    ends, kept = local[:, _EDGES], near[:, _EDGES]  # (k, 12, 2, 3), (k, 12, 2)
    is_cut = kept[..., 0] != kept[..., 1]
    a, b = ends[:, :, 0], ends[:, :, 1]
    depth = np.where(is_cut, b[..., 2] - a[..., 2], 1.0)
    points = a + ((_NEAR_M - a[..., 2]) / depth)[..., None] * (b - a)
    points[..., 2] = _NEAR_M
    order = np.argsort(~is_cut, axis=1, kind="stable")[:, :6]
    order = np.where(np.take_along_axis(is_cut, order, 1), order, order[:, :1])
    section = np.take_along_axis(points, order[..., None], 1)  # (k, 6, 3); repeated when fewer are cut
    ends = np.where(kept[..., None], ends, points[:, :, None])
    gone: BoolArray = ~np.any(kept, axis=2)
    ends = np.where(gone[..., None, None], section[:, None, :1], ends)
    return np.concatenate((ends, section[:, _CUT_PAIRS]), axis=1)


def _segments(ends: FloatArray, lens: Lens) -> _Segments:
    from vidgen_nodes.scene.raster_kernel import outlines  # numba

    focal_px, centre_px = (lens.fx_px, lens.fy_px), (lens.cx_px, lens.cy_px)
    return _Segments(*outlines(np.ascontiguousarray(ends), focal_px, centre_px, _MARGIN_PX))


def _scan(segments: _Segments, lens: Lens) -> _Spans:
    from vidgen_nodes.scene.raster_kernel import scan  # numba

    return _Spans(*scan(*segments.parts, lens.width_px, lens.height_px, _MARGIN_PX))


def _fill(spans: list[tuple[_IntArray, FloatArray, FloatArray]], lens: Lens) -> BoolArray:
    """Union of the pixel runs ``(row, first, last)``."""
    from vidgen_nodes.scene.raster_kernel import fill  # numba

    seen = np.zeros((lens.height_px, lens.width_px), bool)
    for row, first, last in spans:
        fill(seen, row, first, last)
    return seen


@lru_cache(maxsize=4)
def _flat_view(lens: Lens) -> tuple[Lens, npt.NDArray[np.int16], FloatArray]:
    """A pinhole view that holds the image of a bending lens.

    Returns:
        The pinhole lens; for each pixel (H, W) the node left above it there as (x, y), (-1, -1) for none;
        and its position there (H, W, 2).
    """
    x, y = np.meshgrid(np.arange(lens.width_px, dtype=float), np.arange(lens.height_px, dtype=float))
    tangents = lens.undistort(np.column_stack((x.ravel(), y.ravel())))
    tangents[~(np.abs(tangents).max(axis=1) <= _WIDEST_TANGENT)] = np.nan
    if np.isnan(tangents).all():
        tangents[0] = 0.0  # no pixel has a ray: an empty view, in which nothing is ever seen
    low, high = np.nanmin(tangents, axis=0), np.nanmax(tangents, axis=0)
    focal = min(max(lens.fx_px, lens.fy_px), _VIRTUAL_SIDE_PX / max(float((high - low).max()), 1e-9))
    origin = 2.0 - low * focal
    width, height = (int(value) for value in np.ceil((high - low) * focal) + 5)
    flat = Lens("plumb_bob", width, height, focal, focal, float(origin[0]), float(origin[1]), ())
    positions = (tangents * focal + origin).reshape(lens.height_px, lens.width_px, 2)
    nodes = np.where(np.isnan(positions), -1, np.floor(np.nan_to_num(positions))).astype(np.int16)
    return flat, nodes, positions


def _bend(
    seen: BoolArray,
    spans: list[_Spans],
    groups: list[_Segments],
    flat: Lens,
    nodes: npt.NDArray[np.int16],
    positions: FloatArray,
) -> BoolArray:
    """Carry a mask of the pinhole view over to the pixels of the real lens.

    A square of four nodes inside one convex image lies inside it whole. Where the nodes lie in several
    images there may be a gap between them, so those pixels are tried one by one.
    """
    from vidgen_nodes.scene.raster_kernel import inside_any  # numba

    sure = _fill([_squares(group) for group in spans], flat)
    # All four nodes seen: erosion over the square to the right of and below each node.
    held = cv2.erode(
        seen.view(np.uint8),
        np.ones((2, 2), np.uint8),
        anchor=(0, 0),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    state = held * np.uint8(2) - sure.view(np.uint8)  # 1 sure, 2 to be tried; what is sure is held
    no_fraction = np.empty(0, np.int16)  # the nodes are whole numbers
    found = cv2.remap(state, nodes, no_fraction, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    mask: BoolArray = np.equal(found, 1)
    doubtful = np.flatnonzero(np.equal(found, 2))
    if len(doubtful):
        points_px = positions.reshape(-1, 2)[doubtful]
        inside = np.zeros(len(doubtful), bool)
        for group in groups:
            inside |= inside_any(group.edges, group.u_px, points_px, _MARGIN_PX)
        mask.reshape(-1)[doubtful] = inside
    return mask


def _squares(spans: _Spans) -> tuple[_IntArray, FloatArray, FloatArray]:
    """Runs of unit squares whose four nodes lie in one span of a line and of the next, of the same box."""
    follows = (spans.box[1:] == spans.box[:-1]) & (spans.row[1:] == spans.row[:-1] + 1)
    low = np.maximum(spans.low_px[1:], spans.low_px[:-1])[follows]
    high = np.minimum(spans.high_px[1:], spans.high_px[:-1])[follows]
    return spans.row[:-1][follows], np.ceil(low), np.floor(high) - 1
