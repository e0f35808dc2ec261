# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a viewer stands who is not on the drone: a person with glasses, a second camera."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import Pose


def looking_at(eye_m: tuple[float, float, float], target_m: tuple[float, float, float]) -> Pose:
    """map_T_camera of an optical frame (z forward, x right, y down), level, that looks from one point at another."""
    forward = np.subtract(target_m, eye_m)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    rotation = np.stack((right, np.cross(forward, right), forward), axis=1)
    return Pose(np.array(eye_m, np.float64), Rotation.from_matrix(rotation).as_quat())
