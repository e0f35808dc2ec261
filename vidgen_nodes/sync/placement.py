# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera was at a frame, and how far off a drawn pixel is expected to be.

Causes of misplacement: the pose (its covariance), what the drone may have done since the state (growing with
the state's age), the camera's mounting angles, the frame's stamp, and the map's cells, which do not say
where in a cell a thing is. Linear error propagation with all correlations of the pose kept; the causes are
taken as independent of each other. Leaves out lens calibration, and relief: the ground is flat at one height.

``sigma_px`` is stated so that 95 % of errors are shorter than ``1.96 sigma_px``, whatever shape the error
has: for errors along one line it is their 1 sigma, for round ones 1.25 times the 1 sigma of each axis.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vidgen_nodes.packets import CameraCalibration, FloatArray, NavState, Pose, UncertaintyMap
from vidgen_nodes.sensing.transform import propagate_pose, rotation_matrix, turned
from vidgen_nodes.sync.camera_mount import GimbalHold

COVERING: Final = 1.959964  # 95 % of errors are shorter than so many sigma_px

_LOWEST_SLOPE: Final = 0.05  # flatter looks do not meet the ground within the map
_MOST_RANGES: Final = 10.0
_SPREAD: Final = 1.0 / math.sqrt(12.0)
_SHORT_S: Final = 0.06  # over longer times an angular acceleration is no guide
_LONGEST_BETWEEN_S: Final = 0.06
# What a drone does between two states that the older one does not tell, 1 sigma.
_ACCELERATION_MPS2: Final = 1.0
_TURNING_RADPS2: Final = math.radians(20.0)


def carried_pose(state: NavState, before: NavState | None, stamp_ns: int) -> Pose:
    """``map_T_base`` at a stamp shortly after the state (or before it).

    With acceleration, rate and, when ``before`` is a state some 30 ms older, the change of the rate between the
    two. At 60 deg/s swinging by 200 deg/s^2 that is 0.02 deg after 25 ms, where constant rates are off by 0.06.
    """
    dt_s = (stamp_ns - state.stamp_ns) * 1e-9
    between_s = (state.stamp_ns - before.stamp_ns) * 1e-9 if before is not None else 0.0
    constant = propagate_pose(state, stamp_ns)
    if before is None or not 0.0 < between_s <= _LONGEST_BETWEEN_S or abs(dt_s) > _SHORT_S:
        return constant
    now, then = state.angular_velocity_radps.tolist(), before.angular_velocity_radps.tolist()
    share = 0.5 * dt_s / between_s
    x, y, z, w = state.map_T_base.quaternion_xyzw.tolist()
    mean_rate = [a + share * (a - b) for a, b in zip(now, then, strict=True)]
    return Pose(constant.translation_m, np.array(turned((x, y, z, w), mean_rate, dt_s)))


def camera_covariance(
    state: NavState,
    map_T_base: Pose,
    map_T_camera: Pose,
    *,
    boresight_sigma_rad: float,
    time_sigma_s: float,
    age_s: float = 0.0,
    hold: GimbalHold | None = None,
) -> FloatArray:
    """Covariance (6, 6) of ``map_T_camera``: x y z [m], then rotation about map x y z [rad].

    Args:
        state: where the pose comes from, with its covariance, velocity and rates.
        map_T_base: its pose carried to the frame's stamp.
        map_T_camera: the camera at the stamp.
        boresight_sigma_rad: error of the camera's mounting angles, per axis.
        time_sigma_s: error of the frame's stamp against navigation; it moves the camera by its velocity
            and turns it by its rate.
        age_s: how far the pose was carried; what may have happened meanwhile grows with its square.
        hold: what the gimbal adds; None: the camera is bolted on.
    """
    x, y, z = (map_T_camera.translation_m - map_T_base.translation_m).tolist()
    lever = np.array(((0.0, z, -y), (-z, 0.0, x), (y, -x, 0.0)))  # rotation error x lever arm
    covariance: FloatArray = state.covariance.copy()
    half = 0.25 * age_s**4
    covariance.flat[0:21:7] += half * _ACCELERATION_MPS2**2
    covariance.flat[21::7] += half * _TURNING_RADPS2**2
    covariance[:3] += lever @ covariance[3:]
    covariance[:, :3] += covariance[:, 3:] @ lever.T
    covariance.flat[21::7] += boresight_sigma_rad**2
    map_R_base = rotation_matrix(map_T_base)
    turn = map_R_base @ state.angular_velocity_radps
    motion = state.velocity_mps + lever @ turn
    if hold is not None:
        turn = _add_gimbal(covariance, hold, turn, map_R_base, boresight_sigma_rad)
    shift = time_sigma_s * np.concatenate((motion, turn))
    covariance += shift[:, None] * shift
    return covariance


def _add_gimbal(
    covariance: FloatArray,
    hold: GimbalHold,
    turn: FloatArray,
    map_R_base: FloatArray,
    boresight_sigma_rad: float,
) -> FloatArray:
    """Add what the gimbal's angles are off by, in place; returns the rate (3,) [rad/s] of the camera in map.

    A gimbal that reports against map has an attitude of its own: that of the body, and its error, do not enter.
    """
    if hold.in_map:
        covariance[3:] = covariance[:, 3:] = 0.0
        covariance.flat[21::7] += boresight_sigma_rad**2
        turn = hold.rate_radps
    else:
        turn = turn + map_R_base @ hold.rate_radps
    covariance.flat[21::7] += hold.sigma_rad**2 + 0.25 * hold.age_s**4 * _TURNING_RADPS2**2
    return turn


def placement_sigma_px(
    covariance: FloatArray,
    map_T_camera: Pose,
    calibration: CameraCalibration,
    *,
    ground_m: float,
    typical_range_m: float,
    cell_m: float = 0.0,
) -> float:
    """Expected placement error over the whole picture, px; see the module on what it says.

    The pixel's covariance (2, 2) is averaged over four points that stand for an even spread over the picture
    (at 1/sqrt(12) of its size from the middle, so that second moments are right).

    Args:
        covariance: of the camera pose, (6, 6) as above.
        map_T_camera: the camera.
        calibration: of the camera.
        ground_m: height of what is seen, m in map; NaN: not known.
        typical_range_m: distance that is assumed where a look does not meet the ground.
        cell_m: size of the map's cells; 0: no map.
    """
    camera_R_map = rotation_matrix(map_T_camera).T
    focal_px = 0.5 * float(calibration.matrix_px[0, 0] + calibration.matrix_px[1, 1])
    right, down = (_SPREAD * size / focal_px for size in (calibration.width_px, calibration.height_px))
    up = camera_R_map[:, 2].tolist()
    above_m = float(map_T_camera.translation_m[2]) - ground_m
    rows = []
    for x, y in ((-right, -down), (right, -down), (-right, down), (right, down)):
        near = 1.0 / _depth_m(up, x, y, above_m, typical_range_m)
        # A camera displaced by d and turned by a (both in its own axes) sees the point at (x, y, 1) Z moved by
        # (-d_x + x d_z) / Z + x y a_x - (1 + x x) a_y + y a_z, and likewise down.
        rows.append((-near, 0.0, x * near, x * y, -1.0 - x * x, y))
        rows.append((0.0, -near, y * near, 1.0 + y * y, -x * y, -x))
    jacobian = np.array(rows)
    to_map = np.empty((8, 6))
    to_map[:, :3], to_map[:, 3:] = jacobian[:, :3] @ camera_R_map, jacobian[:, 3:] @ camera_R_map
    spread = to_map @ covariance @ to_map.T
    if cell_m > 0.0:  # anywhere in the cell: an even spread, east and north
        spread += (cell_m * cell_m / 12.0) * (to_map[:, :2] @ to_map[:, :2].T)
    uu = vv = uv = 0.0
    table = spread.tolist()
    for i in (0, 2, 4, 6):
        uu, uv, vv = uu + table[i][i], uv + table[i][i + 1], vv + table[i + 1][i + 1]
    return focal_px * _covering_radius(0.25 * uu, 0.25 * uv, 0.25 * vv) / COVERING


def _covering_radius(uu: float, uv: float, vv: float) -> float:
    """Radius that holds 95 % of a normal error with this covariance.

    The squared length is taken as a scaled chi-square of the same mean and variance (Satterthwaite 1946), which
    is exact for errors along a line and for round ones, and within 1 % between.
    """
    trace, squares = uu + vv, uu * uu + 2.0 * uv * uv + vv * vv
    if not trace > 0.0:
        return 0.0 if trace == 0.0 else math.nan
    freedom = trace * trace / squares  # 1: a line, 2: round
    # 95 % point of chi-square between 1 and 2 degrees of freedom: 3.841, 4.980, 5.991 at 1, 1.5, 2.
    most = 3.8415 + 2.4052 * (freedom - 1.0) - 0.2552 * (freedom - 1.0) ** 2
    return math.sqrt(most * trace / freedom)


def median_height_m(umap: UncertaintyMap) -> float:
    """Median elevation of the cells seen, m in map; NaN if there are none."""
    seen = umap.elevation_m[np.isfinite(umap.elevation_m)]
    middle = seen.size // 2
    return float(np.partition(seen, middle)[middle]) if seen.size else math.nan


def viewing_range_m(map_T_camera: Pose, ground_m: float, typical_range_m: float) -> float:
    """Distance along the optical axis to a height in map [m]; typical where that means nothing (NaN, level looks)."""
    up = rotation_matrix(map_T_camera)[2].tolist()
    return _depth_m(up, 0.0, 0.0, float(map_T_camera.translation_m[2]) - ground_m, typical_range_m)


def _depth_m(up: list[float], x: float, y: float, above_m: float, typical_range_m: float) -> float:
    """Depth along the optical axis at which a look (x, y, 1) meets the ground that lies so far below.

    ``up``: of each axis of the camera, how much it points up.
    """
    falls = -(up[0] * x + up[1] * y + up[2])  # m that the look falls in 1 m of depth
    if falls < _LOWEST_SLOPE:
        return typical_range_m
    depth_m = above_m / falls
    return depth_m if 1.0 <= depth_m <= _MOST_RANGES * typical_range_m else typical_range_m
