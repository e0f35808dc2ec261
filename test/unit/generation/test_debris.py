# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The faces of a box are seen from outside, however it fell."""

from __future__ import annotations

import numpy as np
import pytest

from vidgen_nodes.generation.debris import FACES
from vidgen_nodes.generation.debris_library import SETS, fall_library

pytest.importorskip("mujoco")


def test_face_corners_run_counter_clockwise_seen_from_outside() -> None:
    for key in SETS:
        for cluster in fall_library(11).clusters(*key):
            for corners_m in (*cluster.corners_m(0.3), *cluster.end_m):
                centre = corners_m.mean(axis=0)
                for face in FACES:
                    a, b, _, d = corners_m[list(face)]
                    assert np.cross(b - a, d - a) @ (a - centre) > 0.0
