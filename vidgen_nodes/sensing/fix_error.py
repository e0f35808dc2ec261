# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How wrong a position fix is, by its RTK status: the part that is new with every fix, and the part that stays.

An RTK-fixed position errs anew each time. What is off in a float or single solution (ambiguities, atmosphere,
multipath) stays for about a minute, so ten fixes a second are not ten times the knowledge: nine tenths of
their variance count as slow error. That share and the usual sigmas are rules of thumb from memory.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vidgen_nodes.packets import Fix, FloatArray, RtkStatus

SLOW_TIME_S: Final = 60.0
# 1 sigma no receiver is believed to beat: horizontal, vertical, m.
_FLOOR_M: Final = {
    RtkStatus.SINGLE: (0.5, 1.0),
    RtkStatus.FLOAT: (0.05, 0.1),
    RtkStatus.FIXED: (0.01, 0.015),
}
# 1 sigma where the receiver states no covariance, m.
_USUAL_M: Final = {
    RtkStatus.SINGLE: (2.5, 5.0),
    RtkStatus.FLOAT: (0.4, 0.8),
    RtkStatus.FIXED: (0.014, 0.02),
}
_SLOW_SHARE: Final = {RtkStatus.SINGLE: 0.9, RtkStatus.FLOAT: 0.9, RtkStatus.FIXED: 0.0}


def fix_variances_m2(fix: Fix) -> tuple[FloatArray, FloatArray]:
    """Variances (3,) along east, north and up, m^2: of the white and of the slow error.

    Never below what a receiver can know; the usual ones where it states nothing (NaN or zero).
    """
    floor_h, floor_v = _FLOOR_M[fix.rtk]
    usual_h, usual_v = _USUAL_M[fix.rtk]
    east, north, up = np.diagonal(fix.covariance_m2).tolist()
    total = np.array(
        (
            _variance(east, floor_h, usual_h),
            _variance(north, floor_h, usual_h),
            _variance(up, floor_v, usual_v),
        )
    )
    slow = _SLOW_SHARE[fix.rtk]
    return (1.0 - slow) * total, slow * total


def _variance(stated_m2: float, floor_m: float, usual_m: float) -> float:
    """NaN or zero means that the receiver states nothing (NavSatFix.COVARIANCE_TYPE_UNKNOWN)."""
    if not (math.isfinite(stated_m2) and stated_m2 > 0.0):
        return usual_m * usual_m
    return max(stated_m2, floor_m * floor_m)
