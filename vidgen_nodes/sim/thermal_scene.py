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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vidgen_nodes.packets import FloatArray, Pose
from vidgen_nodes.sensing.transform import rotation_matrix
from vidgen_nodes.sim import person, rig, site, texture
from vidgen_nodes.sim.noise import Numbers, draw
from vidgen_nodes.sim.quad import Steps as _Steps
from vidgen_nodes.sim.quad import paint_quad
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

# Steps are int16, which OpenCV warps and blurs two to four times as fast as uint16: nothing here is as hot as 2**15.


@dataclass(frozen=True, slots=True)
class _Panel:
    """One face of the house with its picture, ready to be warped."""

    picture: _Steps  # with a rim of one texel, for the pixels on the border of the face
    corners_m: FloatArray  # (4, 3)
    normal: FloatArray  # (3,) outwards
    first_m: FloatArray  # (3,) the middle of texel (0, 0)
    column_m: FloatArray  # (3,) from one texel column to the next
    row_m: FloatArray  # (3,) from one texel row to the next
    middle_m: FloatArray  # (3,) of the face

    @classmethod
    def of(cls, face: site.Face) -> _Panel:
        picture = texture.face_texture(face).astype(np.int16)
        height, width = picture.shape
        column_m, row_m = np.array(face.across_m) / (width - 1), np.array(face.up_m) / (height - 1)
        first_m = np.array(face.origin_m) - column_m - row_m
        return cls(np.pad(picture, 1, mode="edge"), face.corners_m, face.normal, first_m, column_m, row_m,
                   face.corners_m.mean(axis=0))  # fmt: skip


# From pixel (x, y) to that of an image of half the size: pixel centres lie at whole numbers.
_HALF_SIZE = np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]])


class ThermalScene:
    """Draws frames, in one thread. Holds about 10 MB of pictures and noise."""

    def __init__(self, seed: int) -> None:
        self._numbers = Numbers(seed, "thermal")
        self._panels = [_Panel.of(face) for face in site.FACES]
        self._ground = _halved(texture.ground_texture().astype(np.int16))
        self._ground_mean = float(np.median(self._ground))
        self._table = centikelvin_table(_BIAS)
        bank = draw(seed, "thermal_bank").standard_normal(_BANK, dtype=np.float32)
        self._bank = np.rint(bank * _SIGMA_STEPS + _BIAS // 2).astype(np.uint16)
        self._pattern = _pattern_steps(seed)
        self._matrix_px = rig.camera_matrix_px()
        self._view: _Steps = np.empty((rig.HEIGHT_PX, rig.WIDTH_PX), dtype=np.int16)  # of one frame
        self._look_up = _fastest_look_up(self._table)

    def frame(self, map_T_camera: Pose, index: int) -> Counts:
        """Counts (512, 640) of 0.01 K of frame ``index`` from the given optical pose."""
        return self._expose(self._paint(map_T_camera).view(np.uint16), index)

    def flat_frame(self, temperature_k: float, index: int) -> Counts:
        """The same camera before a black body that fills its view: how its noise is measured."""
        level = apparent_steps(np.array(temperature_k), 1.0, sky_k=temperature_k)
        return self._expose(np.full((rig.HEIGHT_PX, rig.WIDTH_PX), level, dtype=np.uint16), index)

    def _paint(self, map_T_camera: Pose) -> _Steps:
        """Radiance steps without noise: ground, faces that look at the camera, far to near, then the mannequin."""
        camera_R_map = rotation_matrix(map_T_camera).T
        centre_m = map_T_camera.translation_m
        view = self._paint_ground(camera_R_map, centre_m)
        seen = [panel for panel in self._panels if panel.normal @ (centre_m - panel.corners_m[0]) > 0.0]
        seen.sort(key=lambda panel: -float(np.linalg.norm(panel.middle_m - centre_m)))
        image_P_map = self._matrix_px @ camera_R_map
        boxes = [self._paint_panel(view, panel, image_P_map, centre_m) for panel in seen]
        boxes.append(person.paint(view, image_P_map, centre_m))  # stands before every wall that is seen
        _soften(view, [box for box in boxes if box is not None])
        return view

    def _paint_ground(self, camera_R_map: FloatArray, centre_m: FloatArray) -> _Steps:
        texel = 2.0 * texture.GROUND_TEXEL_M
        inwards_m = (
            0.25 * texel
        )  # from the middle of a texel to that of the larger one made of it and its neighbours
        corner_m = np.array([texture.GROUND_WEST_M + inwards_m, texture.GROUND_SOUTH_M + inwards_m, 0.0])
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
        cv2.resize(small, (rig.WIDTH_PX, rig.HEIGHT_PX), dst=self._view)
        return self._view

    def _paint_panel(
        self, view: _Steps, panel: _Panel, image_P_map: FloatArray, centre_m: FloatArray
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
        image_H_texel = image_P_map @ _plane(panel.column_m, panel.row_m, panel.first_m - centre_m)
        image_H_texel[:2] -= np.outer((left, top), image_H_texel[2])
        drawn = cv2.warpPerspective(
            panel.picture,
            image_H_texel,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )
        paint_quad(
            view, np.asarray(drawn, np.int16), np.stack([columns - left, rows - top], axis=1), left, top
        )
        return left, top, right, bottom

    def _expose(self, steps: Counts, index: int) -> Counts:
        """Add noise and turn radiance into counts; ``steps`` is written to."""
        start = int(self._numbers.at(index).integers(_BANK - _PIXELS))
        np.add(steps, self._bank[start : start + _PIXELS].reshape(steps.shape), out=steps)
        np.add(steps, self._pattern, out=steps)
        return self._look_up(steps)


def _halved(picture: _Steps) -> _Steps:
    """Every four texels in one: drawn at half the size little is lost, and what is read stays in the caches."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    whole = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.int16)


def _plane(along: FloatArray, up: FloatArray, origin: FloatArray) -> FloatArray:
    """(3, 3): from (texel column, texel row, 1) to a point relative to the camera, in map axes."""
    return np.stack([along, up, origin], axis=1)


def _soften(view: _Steps, boxes: list[tuple[int, int, int, int]]) -> None:
    """Blur by the lens where the house is; the ground has no detail that fine."""
    if not boxes:
        return
    left, top, right, bottom = np.array(boxes).T
    part = view[max(0, top.min() - 1) : bottom.max() + 1, max(0, left.min() - 1) : right.max() + 1]
    cv2.GaussianBlur(part, (3, 3), _MTF_SIGMA_PX, dst=part)


def _fastest_look_up(table: Counts) -> Callable[[Counts], Counts]:
    """What reads every pixel's count out of a table (65536,); older OpenCV has 8 bit tables only."""
    try:
        cv2.LUT(table[:1, None], table)
    except cv2.error:
        return lambda steps: np.take(table, steps, mode="clip")
    return lambda steps: np.asarray(cv2.LUT(steps, table), dtype=np.uint16)


def _pattern_steps(seed: int) -> Counts:
    """(H, W) fixed pattern of rows and columns, in steps, around half the bias."""
    source = draw(seed, "thermal_pattern")
    sigma = _SIGMA_STEPS * _PATTERN_OF_NETD / np.sqrt(2.0)
    rows = source.standard_normal((rig.HEIGHT_PX, 1))
    columns = source.standard_normal((1, rig.WIDTH_PX))
    return np.asarray(np.rint(sigma * (rows + columns) + _BIAS // 2).astype(np.uint16))
