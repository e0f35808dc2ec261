# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The thermal camera in ``map``: points to pixels and pixels to rays.

Guarantees: ``project(centre + d * ray_at(p))`` gives ``p`` again; a point that no pixel can show and a
pixel that no ray reaches are NaN, never a wrong number. Integer pixel coordinates are pixel centres,
as in OpenCV. Leaves out: scaling a calibration to another image size (``sensing.thermal``), skew (like
OpenCV), and anything at or behind the camera plane, also for lenses wider than 180 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import CameraCalibration, Float32Array, FloatArray, Pose

_COEFFICIENTS = {"plumb_bob": (0, 4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
_MIN_DEPTH_M = 1e-6  # nearer points have no finite pixel
_ROUND_TRIP_PX = 1e-6  # an undistorted pixel that does not come back this closely has no ray
_NEWTON_STEPS = 40
_PATH_SHARES = np.linspace(0.1, 1.0, 10)  # of the way from the axis, at which a lens is looked at for a fold
_INVERSION = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-9)


@dataclass(frozen=True, slots=True)
class Lens:
    """Intrinsics as hashable values, so that what is derived from them can be cached by value."""

    model: str
    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    distortion: tuple[float, ...]

    @property
    def is_pinhole(self) -> bool:
        """Straight lines stay straight (an equidistant lens never is, whatever its coefficients)."""
        return self.model != "equidistant" and not any(self.distortion)

    def distort(self, tangents: FloatArray) -> FloatArray:
        """Pixels (N, 2) of the directions ``(x / z, y / z)`` (N, 2)."""
        if self.is_pinhole or not len(tangents):
            return tangents * (self.fx_px, self.fy_px) + (self.cx_px, self.cy_px)
        matrix, coefficients = self._opencv()
        if self.model == "equidistant":
            pixels = cv2.fisheye.distortPoints(tangents[:, None], matrix, coefficients)
        else:
            points = np.column_stack((tangents, np.ones(len(tangents))))
            pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, coefficients)
        return np.asarray(pixels, np.float64).reshape(-1, 2)

    def undistort(self, pixels: FloatArray) -> FloatArray:
        """Directions ``(x / z, y / z)`` (N, 2) of the pixels (N, 2); NaN where the lens has none."""
        pixels = np.ascontiguousarray(pixels, np.float64)
        if self.is_pinhole or not len(pixels):
            return (pixels - (self.cx_px, self.cy_px)) / (self.fx_px, self.fy_px)
        matrix, coefficients = self._opencv()
        if self.model == "equidistant":
            found = cv2.fisheye.undistortPoints(pixels[:, None], matrix, coefficients, criteria=_INVERSION)
        else:
            found = cv2.undistortPointsIter(
                pixels[:, None], matrix, coefficients, np.eye(3), np.eye(3), _INVERSION
            )
        tangents = np.asarray(found, np.float64).reshape(-1, 2)
        # The fixed-point iteration may end off the solution far out in a strong lens.
        with np.errstate(all="ignore"):
            miss_px = np.abs(self.distort(tangents) - pixels).max(axis=1)
            missed = np.flatnonzero(~(miss_px <= _ROUND_TRIP_PX))
            if missed.size:
                tangents[missed] = np.nan if self.model == "equidistant" else self._by_newton(pixels[missed])
        return tangents

    def _by_newton(self, pixels: FloatArray) -> FloatArray:
        """:meth:`undistort` by Newton's method from the axis outwards; NaN beyond the fold of the polynomial."""
        tangents = (pixels - (self.cx_px, self.cy_px)) / (self.fx_px, self.fy_px)
        for _ in range(_NEWTON_STEPS):
            found, slopes = self._distort_slopes(tangents)
            determinant = _determinant(slopes)
            miss = pixels - found
            step = np.column_stack(
                (
                    slopes[:, 1, 1] * miss[:, 0] - slopes[:, 0, 1] * miss[:, 1],
                    slopes[:, 0, 0] * miss[:, 1] - slopes[:, 1, 0] * miss[:, 0],
                )
            )
            tangents = tangents + step / determinant[:, None]
        good = (np.abs(self.distort(tangents) - pixels) <= _ROUND_TRIP_PX).all(axis=1)
        # On the way from the axis to a visible direction the image never runs backwards.
        path = tangents[:, None] * _PATH_SHARES[:, None]
        turned = _determinant(self._distort_slopes(path.reshape(-1, 2))[1]).reshape(len(tangents), -1) > 0.0
        tangents[~(good & turned.all(axis=1))] = np.nan
        return tangents

    def _distort_slopes(self, tangents: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels (N, 2) and their derivatives (N, 2, 2) by the tangents; not of an equidistant lens."""
        matrix, coefficients = self._opencv()
        points = np.column_stack((tangents, np.ones(len(tangents))))
        pixels, slopes = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, coefficients)
        # Columns 3 and 4: by x and y of a translation, which at depth 1 is by the tangents.
        by_tangent = np.asarray(slopes, np.float64)[:, 3:5].reshape(-1, 2, 2)
        return np.asarray(pixels, np.float64).reshape(-1, 2), by_tangent

    def _opencv(self) -> tuple[FloatArray, FloatArray]:
        matrix = np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1]], np.float64)
        return matrix, np.asarray(self.distortion or (0.0,) * 4, np.float64)


def _determinant(slopes: FloatArray) -> FloatArray:
    found: FloatArray = slopes[:, 0, 0] * slopes[:, 1, 1] - slopes[:, 0, 1] * slopes[:, 1, 0]
    return found


def lens_of(calibration: CameraCalibration) -> Lens:
    """Check intrinsics and make them hashable.

    Raises:
        InputError: ``bad_camera_info``: unknown lens model, wrong number of coefficients, bad focal length.
    """
    model, matrix = calibration.distortion_model, calibration.matrix_px
    coefficients = tuple(float(value) for value in calibration.distortion)
    if model not in _COEFFICIENTS:
        known = ", ".join(_COEFFICIENTS)
        raise InputError("bad_camera_info", f"distortion_model: got {model!r}, expected one of {known}")
    if len(coefficients) not in _COEFFICIENTS[model]:
        expected = " or ".join(map(str, _COEFFICIENTS[model]))
        raise InputError(
            "bad_camera_info", f"{model}: got {len(coefficients)} coefficients, expected {expected}"
        )
    values = (float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2]))
    if not np.all(np.isfinite(values + coefficients)) or min(values[:2]) <= 0.0:
        raise InputError(
            "bad_camera_info",
            f"K: got fx, fy, cx, cy = {values}, expected finite values and focal lengths > 0",
        )
    return Lens(model, calibration.width_px, calibration.height_px, *values, coefficients)


@lru_cache(maxsize=8)
def _unit_rays(lens: Lens, stride_px: int) -> Float32Array:
    """Unit rays (h, w, 3) in the camera frame, at the centres of the stride blocks."""
    middle = (stride_px - 1) / 2
    x, y = np.meshgrid(
        np.arange(0, lens.width_px, stride_px) + middle, np.arange(0, lens.height_px, stride_px) + middle
    )
    rays = _unit(lens.undistort(np.column_stack((x.ravel(), y.ravel()))))
    grid = rays.reshape(*x.shape, 3).astype(np.float32)
    grid.setflags(write=False)
    return grid


@lru_cache(maxsize=8)
def _widest_tangent(lens: Lens) -> float:
    """The widest ``tan(angle to the axis)`` that the image shows."""
    columns, rows = np.arange(lens.width_px), np.arange(lens.height_px)
    border = [np.column_stack((columns, np.full(len(columns), y))) for y in (0, lens.height_px - 1)]
    border += [np.column_stack((np.full(len(rows), x), rows)) for x in (0, lens.width_px - 1)]
    radii = np.hypot(*lens.undistort(np.concatenate(border).astype(np.float64)).T)
    return float(np.max(radii[np.isfinite(radii)], initial=0.0)) or np.inf


def _unit(tangents: FloatArray) -> FloatArray:
    rays = np.column_stack((tangents, np.ones(len(tangents))))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return rays


def rotation_matrix(quaternion_xyzw: FloatArray) -> FloatArray:
    """The rotation (3, 3) of a unit quaternion."""
    x, y, z, w = (float(value) for value in quaternion_xyzw)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


class Camera:
    """One calibrated camera at one pose."""

    def __init__(self, calibration: CameraCalibration, map_T_camera: Pose) -> None:
        """Place ``calibration`` at ``map_T_camera``.

        Raises:
            InputError: ``bad_camera_info``.
        """
        self.calibration = calibration
        self.map_T_camera = map_T_camera
        self.lens = lens_of(calibration)
        self.width_px = calibration.width_px
        self.height_px = calibration.height_px
        self.centre_m: FloatArray = np.asarray(map_T_camera.translation_m, np.float64)
        self.map_R_camera = rotation_matrix(map_T_camera.quaternion_xyzw)

    def to_camera(self, points_m: FloatArray) -> FloatArray:
        """Points (..., 3) of ``map`` in the optical frame (x right, y down, z forward)."""
        local: FloatArray = (np.asarray(points_m, np.float64) - self.centre_m) @ self.map_R_camera
        return local

    def project(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Project points of ``map``.

        Args:
            points_m: (N, 3).

        Returns:
            Pixels (N, 2), distortion included, and depth along the optical axis (N,) in metres. Pixels are
            NaN where the depth is not positive, and where the point lies so far outside the view that the
            distortion polynomial folds it back into the image.
        """
        points = self.to_camera(points_m).reshape(-1, 3)
        depth_m = points[:, 2]
        pixels = np.full((len(points), 2), np.nan)
        front = depth_m > _MIN_DEPTH_M
        tangents = points[front, :2] / depth_m[front, None]
        found = self.lens.distort(tangents)
        if not self.lens.is_pinhole:
            limit = (self.width_px - 0.5, self.height_px - 0.5)
            shown = ((found >= -0.5) & (found <= limit)).all(axis=1)
            found[shown & (np.hypot(*tangents.T) > 1.05 * _widest_tangent(self.lens))] = np.nan
        pixels[front] = found
        return pixels, depth_m

    def rays(
        self, stride_px: int, blocks: tuple[slice, slice] = (slice(None), slice(None))
    ) -> tuple[FloatArray, Float32Array]:
        """Rays through the centres of ``stride_px`` blocks of pixels.

        Args:
            stride_px: edge of a block.
            blocks: rows and columns of blocks that are wanted; all by default.

        Returns:
            The camera centre (3,) and unit directions (ceil(H / stride), ceil(W / stride), 3), both in
            ``map``. Block (i, j) is centred on pixel ``stride * (j, i) + (stride - 1) / 2``; a last partial
            block counts whole. NaN where the lens has no ray.
        """
        local = _unit_rays(self.lens, stride_px)[blocks]
        turned = local.reshape(-1, 3) @ self.map_R_camera.T.astype(np.float32)
        return self.centre_m, turned.reshape(local.shape)

    def directions(self, pixels: FloatArray) -> FloatArray:
        """Unit directions (N, 3) in ``map`` through the pixels (N, 2), in double precision."""
        rays = _unit(self.lens.undistort(np.asarray(pixels, np.float64).reshape(-1, 2)))
        turned: FloatArray = rays @ self.map_R_camera.T
        return turned

    def ray_at(self, pixels: FloatArray) -> Float32Array:
        """Unit directions (N, 3) in ``map`` through the pixels (N, 2); NaN where the lens has no ray."""
        return self.directions(pixels).astype(np.float32)
