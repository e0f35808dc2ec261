# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The thermal camera's picture of the site: planar pictures warped through the true camera, then noise.

Guarantees: one 640x512 frame of 0.01 K counts is a pure function of seed, index and camera pose;
edges of the house lie where the pinhole model puts them; temporal noise is constant in radiance
(50 mK at 300 K, more on cold and less on hot surfaces), with fixed row and column pattern under it.
Leaves out: lens distortion, thermal lag of the detector, air between camera and house, any fire.
The damaged roof is painted on the sound plane: its depth of 0.4 m moves nothing in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import BoolArray, FloatArray, Pose
from vidgen_nodes.sim import rig, site, texture
from vidgen_nodes.sim.noise import draw
from vidgen_nodes.sim.radiance import (
    NER_W_PER_M2_SR,
    STEP_W_PER_M2_SR,
    Counts,
    apparent_steps,
    centikelvin_table,
)

_PIXELS: Final = rig.WIDTH_PX * rig.HEIGHT_PX
_BANK: Final = 1 << 21
_BIAS: Final = 512  # keeps noise above 0 in unsigned integers; far beyond any noise
_SIGMA_STEPS: Final = NER_W_PER_M2_SR / STEP_W_PER_M2_SR
_PATTERN_OF_NETD: Final = 0.5  # rows and columns together
_MTF_SIGMA_PX: Final = 0.6
_NEAR_M: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Panel:
    """One face of the house with its picture, ready to be warped."""

    picture: Counts
    corners_m: FloatArray  # (4, 3)
    normal: FloatArray  # (3,) outwards
    column_m: FloatArray  # (3,) from one texel column to the next
    row_m: FloatArray  # (3,) from one texel row to the next

    @classmethod
    def of(cls, face: site.Face) -> _Panel:
        picture = texture.face_texture(face)
        height, width = picture.shape
        across, up = np.array(face.across_m), np.array(face.up_m)
        return cls(picture, face.corners_m, face.normal, across / (width - 1), up / (height - 1))


# From pixel (x, y) to that of an image of half the size: pixel centres lie at whole numbers.
_HALF_SIZE = np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]])


class ThermalScene:
    """Draws frames. Holds about 10 MB of pictures and noise."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._panels = [_Panel.of(face) for face in site.FACES]
        self._ground = texture.ground_texture()
        self._ground_mean = float(np.median(self._ground))
        self._table = centikelvin_table(_BIAS)
        bank = draw(seed, "thermal_bank").standard_normal(_BANK, dtype=np.float32)
        self._bank = np.rint(bank * _SIGMA_STEPS + _BIAS // 2).astype(np.uint16)
        self._pattern = _pattern_steps(seed)
        self._matrix_px = rig.camera_matrix_px()

    def frame(self, map_T_camera: Pose, index: int) -> Counts:
        """Counts (512, 640) of 0.01 K of frame ``index`` from the given optical pose."""
        return self._expose(self._paint(map_T_camera), index)

    def flat_frame(self, temperature_k: float, index: int) -> Counts:
        """The same camera before a black body that fills its view: how its noise is measured."""
        level = apparent_steps(np.array(temperature_k), 1.0, sky_k=temperature_k)
        return self._expose(np.full((rig.HEIGHT_PX, rig.WIDTH_PX), level, dtype=np.uint16), index)

    def _paint(self, map_T_camera: Pose) -> Counts:
        """Radiance steps without noise: ground, then the faces that look at the camera, far to near."""
        camera_R_map = Rotation.from_quat(map_T_camera.quaternion_xyzw).as_matrix().T
        centre_m = map_T_camera.translation_m
        view = self._paint_ground(camera_R_map, centre_m)
        seen = [panel for panel in self._panels if panel.normal @ (centre_m - panel.corners_m[0]) > 0.0]
        seen.sort(key=lambda panel: -float(np.linalg.norm(panel.corners_m.mean(axis=0) - centre_m)))
        image_P_map = self._matrix_px @ camera_R_map
        boxes = [self._paint_panel(view, panel, image_P_map, centre_m) for panel in seen]
        _soften(view, [box for box in boxes if box is not None])
        return view

    def _paint_ground(self, camera_R_map: FloatArray, centre_m: FloatArray) -> Counts:
        texel = texture.GROUND_TEXEL_M
        corner_m = np.array([texture.GROUND_WEST_M, texture.GROUND_SOUTH_M, 0.0])
        image_H_texel = (
            self._matrix_px
            @ camera_R_map
            @ _plane(np.array([texel, 0.0, 0.0]), np.array([0.0, texel, 0.0]), corner_m - centre_m)
        )
        # The ground has no detail finer than two pixels: half the size is a third of the cost.
        small = cv2.warpPerspective(
            self._ground,
            _HALF_SIZE @ image_H_texel,
            (rig.WIDTH_PX // 2, rig.HEIGHT_PX // 2),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self._ground_mean,
        )
        return np.asarray(cv2.resize(small, (rig.WIDTH_PX, rig.HEIGHT_PX)), dtype=np.uint16)

    def _paint_panel(
        self, view: Counts, panel: _Panel, image_P_map: FloatArray, centre_m: FloatArray
    ) -> tuple[int, int, int, int] | None:
        """Paint one face; returns the box of pixels touched (left, top, right, bottom), None if off the picture."""
        corners = image_P_map @ (panel.corners_m - centre_m).T
        if corners[2].min() < _NEAR_M:
            return (
                None  # the flight never comes so near; a face half behind the camera cannot be warped whole
            )
        columns, rows = corners[:2] / corners[2]
        left, right = max(0, int(columns.min())), min(rig.WIDTH_PX, int(columns.max()) + 2)
        top, bottom = max(0, int(rows.min())), min(rig.HEIGHT_PX, int(rows.max()) + 2)
        if left >= right or top >= bottom:
            return None
        image_H_texel = image_P_map @ _plane(panel.column_m, panel.row_m, panel.corners_m[0] - centre_m)
        image_H_texel[:2] -= np.outer((left, top), image_H_texel[2])
        drawn = cv2.warpPerspective(
            panel.picture,
            image_H_texel,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        inside = _inside(np.stack([columns - left, rows - top], axis=1), drawn.shape)
        np.copyto(view[top:bottom, left:right], drawn, where=inside)
        return left, top, right, bottom

    def _expose(self, steps: Counts, index: int) -> Counts:
        """Add noise and turn radiance into counts; ``steps`` is written to."""
        start = int(draw(self._seed, "thermal", index).integers(_BANK - _PIXELS))
        np.add(steps, self._bank[start : start + _PIXELS].reshape(steps.shape), out=steps)
        np.add(steps, self._pattern, out=steps)
        return np.take(self._table, steps, mode="clip")


def _plane(along: FloatArray, up: FloatArray, origin: FloatArray) -> FloatArray:
    """(3, 3): from (texel column, texel row, 1) to a point relative to the camera, in map axes."""
    return np.stack([along, up, origin], axis=1)


def _soften(view: Counts, boxes: list[tuple[int, int, int, int]]) -> None:
    """Blur by the lens where the house is; the ground has no detail that fine."""
    if not boxes:
        return
    left, top, right, bottom = np.array(boxes).T
    part = view[max(0, top.min() - 1) : bottom.max() + 1, max(0, left.min() - 1) : right.max() + 1]
    cv2.GaussianBlur(part, (3, 3), _MTF_SIGMA_PX, dst=part)


def _inside(corners_px: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    """(H, W) pixels whose centres lie within a convex quad (4, 2), whichever way round it runs.

    OpenCV's own transparent border bleeds by up to a texel, and by how much depends on its version.
    """
    columns, rows = np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)[:, None]
    ahead = np.roll(corners_px, -1, axis=0) - corners_px
    (x0, y0), (x1, y1) = ahead[0], ahead[1]
    turn = np.sign(x0 * y1 - y0 * x1)
    inside = np.ones(shape, dtype=np.bool_)
    for (column, row), (along, down) in zip(corners_px.tolist(), (turn * ahead).tolist(), strict=True):
        # along * (y - row) - down * (x - column) >= 0, arranged so that it stays one comparison per pixel
        inside &= along * (rows - row) >= down * (columns - column)
    return inside


def _pattern_steps(seed: int) -> Counts:
    """(H, W) fixed pattern of rows and columns, in steps, around half the bias."""
    source = draw(seed, "thermal_pattern")
    sigma = _SIGMA_STEPS * _PATTERN_OF_NETD / np.sqrt(2.0)
    rows = source.standard_normal((rig.HEIGHT_PX, 1))
    columns = source.standard_normal((1, rig.WIDTH_PX))
    return np.asarray(np.rint(sigma * (rows + columns) + _BIAS // 2).astype(np.uint16))
