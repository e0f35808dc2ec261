# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far off a drawn pixel is expected to be: from the errors of pose, boresight and stamps.

Linear error propagation with all correlations of the pose kept; the errors of camera position,
angles and time against the navigation are taken as independent. Leaves out lens calibration, and the
turn about the optical axis, which does not move the middle of the picture.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vidgen_nodes.packets import FloatArray, NavState, Pose, UncertaintyMap
from vidgen_nodes.sensing.transform import rotation_matrix

_LOWEST_SLOPE: Final = 0.05  # flatter looks do not meet the ground within the map
_MOST_RANGES: Final = 10.0


def camera_covariance(
    state: NavState,
    map_T_base: Pose,
    map_T_camera: Pose,
    *,
    boresight_sigma_rad: float,
    time_sigma_s: float,
) -> FloatArray:
    """Covariance (6, 6) of ``map_T_camera``: x y z [m], then rotation about map x y z [rad].

    Args:
        state: where the pose comes from, with its covariance, velocity and rates.
        map_T_base: its pose carried to the frame's stamp.
        map_T_camera: the camera at the stamp.
        boresight_sigma_rad: error of the camera's mounting angles, per axis.
        time_sigma_s: error of the frame's stamp against navigation; it moves the camera by its velocity
            and turns it by its rate.
    """
    x, y, z = (map_T_camera.translation_m - map_T_base.translation_m).tolist()
    lever = np.eye(6)
    lever[:3, 3:] = ((0.0, z, -y), (-z, 0.0, x), (y, -x, 0.0))  # rotation error x lever arm
    covariance: FloatArray = lever @ state.covariance @ lever.T
    covariance.flat[21::7] += boresight_sigma_rad**2
    shift = np.empty(6)
    shift[3:] = rotation_matrix(map_T_base) @ state.angular_velocity_radps
    shift[:3] = state.velocity_mps + lever[:3, 3:] @ shift[3:]
    shift *= time_sigma_s
    covariance += shift[:, None] * shift
    return covariance


def placement_sigma_px(covariance: FloatArray, map_T_camera: Pose, focal_px: float, range_m: float) -> float:
    """1 sigma of the pixel of a point on the optical axis at a range, along its worst direction, px.

    ``f * (angles + position / Z)`` added in quadrature, as a 2x2 covariance of the pixel of which the
    larger eigenvalue counts.
    """
    right, down = rotation_matrix(map_T_camera).T[:2]  # optical x and y in map
    # A camera displaced by d and turned by a sees a point ahead at u = -f (d_x / Z + a_y), v = f (a_x - d_y / Z).
    jacobian = np.empty((2, 6))
    jacobian[0, :3], jacobian[0, 3:] = -right / range_m, -down
    jacobian[1, :3], jacobian[1, 3:] = -down / range_m, right
    (uu, uv), (_, vv) = (jacobian @ covariance @ jacobian.T).tolist()
    worst = 0.5 * (uu + vv) + math.sqrt(0.25 * (uu - vv) ** 2 + uv * uv)
    return focal_px * math.sqrt(worst)


def median_height_m(umap: UncertaintyMap) -> float:
    """Median elevation of the cells seen, m in map; NaN if there are none."""
    seen = umap.elevation_m[np.isfinite(umap.elevation_m)]
    middle = seen.size // 2
    return float(np.partition(seen, middle)[middle]) if seen.size else math.nan


def viewing_range_m(map_T_camera: Pose, ground_m: float, typical_range_m: float) -> float:
    """Distance along the optical axis to a height in map [m]; typical where that means nothing (NaN, level looks)."""
    slope = -float(rotation_matrix(map_T_camera)[2, 2])
    if math.isnan(ground_m) or slope < _LOWEST_SLOPE:
        return typical_range_m
    range_m = (float(map_T_camera.translation_m[2]) - ground_m) / slope
    return range_m if 1.0 <= range_m <= _MOST_RANGES * typical_range_m else typical_range_m
