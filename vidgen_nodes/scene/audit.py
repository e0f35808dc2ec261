# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The check after drawing: do the drawn pixels look into the open columns?

Guarantees: shares neither boxes nor method with the mask that the renderer draws under; every audited
pixel is tested by the ray through its own centre. Leaves out: pixels beyond the sample.
"""

from __future__ import annotations

import hashlib
import math
import struct

import cv2
import numpy as np

from vidgen_nodes.drawn import drawn_rectangle
from vidgen_nodes.packets import BoolArray, ByteArray, FloatArray, GateReport, Overlay
from vidgen_nodes.scene.columns import Gate
from vidgen_nodes.scene.compose import Scene

_BOUNDARY_SHARE = 0.75  # of the audited pixels lie on the edge of the drawing, where a leak shows first
_CHUNK = 128  # rays at a time: the work fits the cache and costs no fresh pages
_PARALLEL = 1e-15  # a direction component below this counts as this, so that nothing divides by zero


def audit_overlay(overlay: Overlay, gate: Gate, scene: Scene, audit_pixels: int) -> GateReport:
    """Test drawn pixels against the open columns, those of steam too, each by its own centre ray.

    Shares neither boxes nor method with ``pixel_mask``. The sample follows from the stamp and prefers the
    edge of the drawing; with ``audit_pixels`` at or above the number drawn it is all of them.
    """
    drawn, outside = _count(overlay, gate, scene, audit_pixels)
    withheld = () if scene.causes or scene.scenario is None else gate.reasons
    return GateReport(gate.cells_open, drawn, outside, gate.leaks_closed, withheld)


def _count(overlay: Overlay, gate: Gate, scene: Scene, audit_pixels: int) -> tuple[int, int]:
    """Pixels drawn, and audited ones that look into no open column."""
    left, top, right, bottom = drawn_rectangle(np.ascontiguousarray(overlay.rgba))
    if left == right:
        return 0, 0
    # A border of one pixel, so that the edge of the drawing is an edge here too.
    left, top = max(left - 1, 0), max(top - 1, 0)
    part = overlay.rgba[top : bottom + 1, left : right + 1]
    alpha: ByteArray = np.asarray(cv2.extractChannel(part, 3), np.uint8)
    drawn = cv2.countNonZero(alpha)
    if drawn == 0:
        return 0, 0
    if scene.camera is None or gate.cells_open == 0:
        return drawn, drawn
    pixels = np.add(_sample(alpha, drawn, overlay.stamp_ns, audit_pixels), (left, top))
    directions = scene.camera.directions(pixels)
    outside = len(pixels) - int(np.count_nonzero(_meets(scene.camera.centre_m, directions, gate.columns_m)))
    return drawn, outside


def _sample(alpha: ByteArray, drawn: int, stamp_ns: int, limit: int) -> FloatArray:
    """Pixels (n, 2) to audit, at most ``limit``: evenly spread, from a start that the stamp decides."""
    _, mask = cv2.threshold(alpha, 0, 1, cv2.THRESH_BINARY)
    if drawn <= limit:
        return _positions(np.asarray(mask, np.uint8), 0, 1)
    start = int.from_bytes(hashlib.sha256(struct.pack("<q", stamp_ns)).digest()[:4], "little")
    interior = np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), np.uint8)
    edge = _positions(np.asarray(mask - interior, np.uint8), 0, 1)
    inner = drawn - len(edge)
    first = min(len(edge), max(round(limit * _BOUNDARY_SHARE), limit - inner))
    # A lattice instead of a list of all inner pixels: the list alone would cost more than the whole test.
    step = max(1, math.isqrt(inner // max(limit - first, 1)))
    lattice = _positions(interior, start, step)
    return np.concatenate((_spread(edge, start, first), _spread(lattice, start, limit - first)))


def _positions(mask: ByteArray, start: int, step: int) -> FloatArray:
    """Positions (n, 2) of the pixels that are set, on every ``step``-th row and column."""
    top, left = start % step, start // step % step
    part = mask[top::step, left::step]
    flat = np.flatnonzero(np.ascontiguousarray(part).view(np.bool_))
    rows, cols = np.divmod(flat, part.shape[1])
    return np.column_stack((cols * step + left, rows * step + top)).astype(np.float64)


def _spread(pixels: FloatArray, start: int, share: int) -> FloatArray:
    count = min(share, len(pixels))
    return pixels[(start + np.arange(count) * len(pixels) // max(count, 1)) % max(len(pixels), 1)]


def _meets(centre_m: FloatArray, directions: FloatArray, boxes_m: FloatArray) -> BoolArray:
    """Whether each ray (n, 3) from ``centre_m`` meets any box (slab test, Kay and Kajiya 1986)."""
    met = np.empty(len(directions), bool)
    low_m = (boxes_m[:, :3] - centre_m).T[:, :, None]  # (3, boxes, 1)
    high_m = (boxes_m[:, 3:] - centre_m).T[:, :, None]
    steps = np.where(np.abs(directions) < _PARALLEL, np.copysign(_PARALLEL, directions), directions)
    per_step = np.ascontiguousarray((1.0 / steps).T)  # (3, rays): rays run along the rows of all that follows
    for first in range(0, len(directions), _CHUNK):
        inverse = per_step[:, first : first + _CHUNK]
        entry, leave, low, high, lesser = np.zeros((5, len(boxes_m), inverse.shape[1]))
        leave.fill(np.inf)  # and entry stays at least 0: a ray only goes forward
        for axis in (0, 1, 2):
            np.multiply(low_m[axis], inverse[axis], out=low)
            np.multiply(high_m[axis], inverse[axis], out=high)
            np.maximum(entry, np.minimum(low, high, out=lesser), out=entry)
            np.minimum(leave, np.maximum(low, high, out=high), out=leave)
        met[first : first + _CHUNK] = (entry <= leave).any(axis=0)
    return met
