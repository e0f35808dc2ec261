# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The check after drawing: do the drawn pixels look into the open columns?

Guarantees: shares neither boxes nor method with the mask that the renderer draws under; every audited
pixel is tested by the ray through its own centre. Leaves out: pixels beyond the sample.
"""

from __future__ import annotations

import hashlib
import struct

import cv2
import numpy as np

from vidgen_nodes.packets import BoolArray, ByteArray, FloatArray, GateReport, Overlay
from vidgen_nodes.scene.columns import Gate
from vidgen_nodes.scene.compose import Scene

_BOUNDARY_SHARE = 0.75  # of the audited pixels lie on the edge of the drawing, where a leak shows first


def audit_overlay(overlay: Overlay, gate: Gate, scene: Scene, audit_pixels: int) -> GateReport:
    """Test drawn pixels against the open columns, each by its own centre ray.

    Shares neither boxes nor method with ``pixel_mask``. The sample follows from the stamp and prefers the
    edge of the drawing; with ``audit_pixels`` at or above the number drawn it is all of them.
    """
    alpha: ByteArray = np.asarray(cv2.extractChannel(overlay.rgba, 3), np.uint8)
    drawn = cv2.countNonZero(alpha)
    if drawn == 0:
        return GateReport(gate.cells_open, 0, 0)
    if scene.camera is None or gate.cells_open == 0:
        return GateReport(gate.cells_open, drawn, drawn)
    pixels = _sample(alpha, drawn, overlay.stamp_ns, audit_pixels)
    directions = scene.camera.directions(pixels)
    outside = len(pixels) - int(np.count_nonzero(_meets(scene.camera.centre_m, directions, gate.columns_m)))
    return GateReport(gate.cells_open, drawn, outside)


def _sample(alpha: ByteArray, drawn: int, stamp_ns: int, limit: int) -> FloatArray:
    """Pixels (n, 2) to audit, at most ``limit``: evenly spread, from a start that the stamp decides."""
    mask = np.minimum(alpha, 1)
    if drawn <= limit:
        return cv2.findNonZero(mask).reshape(-1, 2).astype(np.float64)
    interior = cv2.erode(mask, np.ones((3, 3), np.uint8))
    edge = cv2.findNonZero(mask - interior)
    inner = cv2.findNonZero(interior)
    parts = [item.reshape(-1, 2) for item in (edge, inner) if item is not None]
    start = int.from_bytes(hashlib.sha256(struct.pack("<q", stamp_ns)).digest()[:8], "little")
    shares = [limit]
    if len(parts) == 2:
        first = min(len(parts[0]), max(round(limit * _BOUNDARY_SHARE), limit - len(parts[1])))
        shares = [first, limit - first]
    chosen = []
    for part, share in zip(parts, shares, strict=True):
        chosen.append(part[(start + np.arange(share) * len(part) // max(share, 1)) % len(part)])
    return np.concatenate(chosen).astype(np.float64)


def _meets(centre_m: FloatArray, directions: FloatArray, boxes_m: FloatArray) -> BoolArray:
    """Whether each ray (n, 3) from ``centre_m`` meets any box (slab test, Kay and Kajiya 1986)."""
    entry = np.full((len(directions), len(boxes_m)), 0.0)
    leave = np.full_like(entry, np.inf)
    for axis in range(3):
        step = directions[:, axis]
        step = np.where(np.abs(step) < 1e-15, np.copysign(1e-15, step), step)[:, None]
        low, high = (boxes_m[:, axis] - centre_m[axis]) / step, (boxes_m[:, axis + 3] - centre_m[axis]) / step
        np.maximum(entry, np.minimum(low, high), out=entry)
        np.minimum(leave, np.maximum(low, high), out=leave)
    met: BoolArray = np.any(entry <= leave, axis=1)
    return met
