# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How large a person would be in each place of a picture, as far as the recording knows the range.

Range from camera to building, measured surface and ground, by block of the picture. Guarantees: a pure function of
the scene; where no ray meets anything known (sky, unmeasured ground) every usual size is looked for; where it does,
every size within a third of the one that the range gives, as somebody may stand nearer than what was measured.
Leaves out who is much nearer than that, for example on a ladder right before the camera: for those there are the
detectors, which know no range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import BoolArray, Cause, FloatArray
from vidgen_nodes.privacy.resolution import reach_m, scales_between
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.measured import measured_depth

COARSEST_PX_PER_M, FINEST_PX_PER_M = 6.0, 160.0  # where the range is not known
# What makes range worth nothing, though there is a pose.
_DOUBTS: Final = frozenset(
    (Cause.POSE_STALE, Cause.RTK_LOST, Cause.NO_GIMBAL, Cause.GIMBAL_STALE, Cause.CAMERA_INFO_MISMATCH)
)
_BLOCKS: Final = (12, 16)  # down, across
_MARGIN: Final = 1.3  # somebody may be so much nearer or farther than what was measured
_ONE_SEARCH: Final = 1.27  # sizes that a search finds, either way: half of what lies between two scales
_MOST_SCALES: Final = 12


def local_px_per_m(scene: Scene) -> FloatArray | None:
    """Pixels to a metre in the middle of each block (rows, cols), NaN unknown; None: nothing is known at all."""
    camera = scene.camera
    if camera is None or _DOUBTS.intersection(scene.causes):
        return None
    rows, cols = _BLOCKS
    across = (np.arange(cols) + 0.5) * scene.width_px / cols
    down = (np.arange(rows) + 0.5) * scene.height_px / rows
    rays = camera.directions(np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2))
    distance_m = reach_m(scene, rays)
    umap = scene.uncertainty_map
    if umap is not None:
        nothing = np.zeros(umap.elevation_m.shape, np.bool_)
        surface_m = measured_depth(umap, nothing, camera.centre_m, rays.astype(np.float32))
        distance_m = np.fmin(distance_m, surface_m.astype(np.float64))
    depth_m = distance_m * (rays @ camera.map_R_camera[:, 2])
    focal_px = math.sqrt(camera.lens.fx_px * camera.lens.fy_px)
    known = np.isfinite(depth_m) & (depth_m > 0.0)
    scale = np.where(known, focal_px / np.where(known, depth_m, 1.0), np.nan).reshape(_BLOCKS)
    return scale if known.any() else None


def searches(local: FloatArray | None, width_px: int, height_px: int) -> Iterator[tuple[float, Rectangle]]:
    """At which scale to look for persons where, from coarse to fine.

    Args:
        local: see :func:`local_px_per_m`.
        width_px: of the picture.
        height_px: of the picture.

    Yields:
        px/m, and left, top, right, bottom of where.
    """
    whole = (0, 0, width_px, height_px)
    if local is None:
        yield from ((scale, whole) for scale in every_scale())
        return
    for scale in _scales(local):
        near = np.isnan(local) | (np.abs(np.log(local / scale)) <= math.log(_MARGIN * _ONE_SEARCH))
        if near.any():
            yield scale, _around(near, width_px, height_px)


def every_scale() -> tuple[float, ...]:
    """Where nobody knows how near persons are."""
    return scales_between(COARSEST_PX_PER_M, FINEST_PX_PER_M, _MOST_SCALES)


def _scales(local: FloatArray) -> tuple[float, ...]:
    if np.isnan(local).any():
        return every_scale()
    coarse, fine = float(local.min()) / _MARGIN, float(local.max()) * _MARGIN
    coarse, fine = (min(max(bound, COARSEST_PX_PER_M), FINEST_PX_PER_M) for bound in (coarse, fine))
    return scales_between(coarse, max(fine, coarse * (1.0 + 1e-9)), _MOST_SCALES)


def _around(near: BoolArray, width_px: int, height_px: int) -> Rectangle:
    """The blocks and half of one around them, in pixels."""
    rows, cols = near.shape
    col, row, across, down = cv2.boundingRect(near.astype(np.uint8))
    return (
        max(0, math.floor((col - 0.5) * width_px / cols)),
        max(0, math.floor((row - 0.5) * height_px / rows)),
        min(width_px, math.ceil((col + across + 0.5) * width_px / cols)),
        min(height_px, math.ceil((row + down + 0.5) * height_px / rows)),
    )
