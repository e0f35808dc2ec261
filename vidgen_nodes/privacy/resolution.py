# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How many pixels a metre takes where a person may be: focal length over range to building and ground.

Guarantees: a pure function of the scene. A person may stand nearer than the surface behind; ``warm_bodies``
bears being off by a third either way. Leaves out persons on high between camera and house.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.compose import Scene

LEAST_PX_PER_M: Final = 4.0  # coarser, a person is two pixels wide and cannot be told from noise
_BEARABLE: Final = 1.6  # ratio of finest to coarsest that one search covers
_MOST_SCALES: Final = 3
_LATTICE: Final = np.array([(x, y) for y in (0.0, 0.5, 1.0) for x in (0.0, 0.5, 1.0)])  # where range is asked


def px_per_m(scene: Scene, windows: Sequence[Rectangle]) -> list[tuple[float, ...]]:
    """The scales at which to look for persons in parts of the picture, from coarse to fine.

    Args:
        scene: of the frame.
        windows: left, top, right, bottom (the last two excluded), px, of each part.

    Returns:
        For each part one scale, or up to three where near and far differ much; none where nothing is known, or where
        persons would be too small to be found at all.
    """
    camera = scene.camera
    if camera is None or not windows:
        return [()] * len(windows)
    corners = np.array(windows, np.float64).reshape(-1, 1, 2, 2)  # (n, 1, first and past the last, xy)
    pixels = corners[..., 0, :] + _LATTICE * (corners[..., 1, :] - 1.0 - corners[..., 0, :])
    rays = camera.directions(pixels)
    depths_m = reach_m(scene, rays) * (rays @ camera.map_R_camera[:, 2])
    focal_px = math.sqrt(camera.lens.fx_px * camera.lens.fy_px)
    return [_scales(part_m, focal_px) for part_m in depths_m.reshape(len(windows), -1)]


def _scales(depths_m: FloatArray, focal_px: float) -> tuple[float, ...]:
    known_m = depths_m[np.isfinite(depths_m) & (depths_m > 0.0)]
    if not known_m.size:
        return ()
    coarse, fine = focal_px / float(known_m.max()), focal_px / float(known_m.min())
    if coarse < LEAST_PX_PER_M:
        return ()
    return scales_between(coarse, fine)


def reach_m(scene: Scene, rays: FloatArray) -> FloatArray:
    """Distance (n,) from the camera along unit rays (n, 3) in ``map`` to building or ground; inf where neither is, or
    nobody knows where the camera is.

    The ground is the lowest height that was measured.
    """
    camera = scene.camera
    if camera is None:
        return np.full(len(rays), np.inf)
    centre_m = camera.centre_m
    distance_m = _to_ground_m(scene, centre_m[2], rays[:, 2])
    if scene.building is not None:
        surface_m = scene.building.occlusion_depth(centre_m, rays.astype(np.float32))
        distance_m = np.fmin(distance_m, surface_m.astype(np.float64))
    return distance_m


def scales_between(coarse: float, fine: float, most: int = _MOST_SCALES) -> tuple[float, ...]:
    """Scales, even in ratio, that cover a range; at most so many."""
    count = min(most, max(1, math.ceil(math.log(fine / coarse) / math.log(_BEARABLE))))
    return tuple(coarse * (fine / coarse) ** ((index + 0.5) / count) for index in range(count))


def _to_ground_m(
    scene: Scene, height_m: float, slopes: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Distance along rays to the lowest height that was measured; inf where there is none."""
    umap = scene.uncertainty_map
    ground_m = math.nan if umap is None else float(np.fmin.reduce(umap.elevation_m, axis=None))
    with np.errstate(divide="ignore"):
        reach_m = (ground_m - height_m) / slopes
    return np.asarray(np.where(reach_m > 0.0, reach_m, np.inf))  # false for NaN
