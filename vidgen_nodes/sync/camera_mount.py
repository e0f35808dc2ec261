# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera sits on the drone at a frame: bolted to the body, or held by a gimbal that reports its attitude.

Gimbal attitudes are inputs like every other: one with stamp s is in effect at t when ``s + gimbal_delay_ms <= t``,
the newest in effect is carried to t, and each is a source of exactly one bundle. Their clock is navigation's.

Guarantees: without an attitude in effect, or with none younger than ``gimbal_stale_ms``, there is a cause and no
pose. A camera that is bolted on listens to no gimbal. What a bundle gets depends on stamps alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidgen_nodes.packets import Cause, FloatArray, GimbalAttitude, Pose
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sensing.gimbal import MAP, Gimbal, check_parent, turn_rate_radps
from vidgen_nodes.sensing.transform import OPTICAL_FROM_BODY, compose, pose_from_rpy
from vidgen_nodes.sync.stream import Stream

_MAX_ATTITUDES: Final = 2048


@dataclass(frozen=True, slots=True)
class GimbalHold:
    """What a gimbal adds to the doubt about where the camera looks."""

    sigma_rad: float  # of the angles it reports, per axis
    age_s: float  # of the newest attitude; it was carried so far
    rate_radps: FloatArray  # (3,) at which it turns, in the axes of its parent
    in_map: bool  # it holds the camera against map: the body's own turning and its error do not count


class CameraMount:
    """``base_T_camera`` of a frame."""

    def __init__(self, params: SyncParams) -> None:
        self._params = params
        self.on_gimbal = params.camera_on_gimbal
        body = pose_from_rpy(params.camera_translation_m, params.camera_rpy_deg)
        self.fixed = compose(body, OPTICAL_FROM_BODY)  # base_T_camera where it is bolted on
        self._gimbal = Gimbal(
            params.camera_translation_m, pose_from_rpy(params.gimbal_lens_m, params.camera_rpy_deg)
        )
        self._stale_ns = round(params.gimbal_stale_ms * 1e6)
        self._attitudes: Stream[GimbalAttitude] = Stream(
            params.gimbal_delay_ms,
            params.clock_jump_ms,
            _MAX_ATTITUDES,
            expected="gimbal" in params.replay_inputs,
        )

    @property
    def delay_ns(self) -> int:
        """From stamp to effect of an attitude."""
        return self._attitudes.delay_ns

    def add(self, attitude: GimbalAttitude) -> bool:
        """Take an attitude; True when there was no room and the oldest had to go.

        Raises:
            InputError: ``gimbal_frame`` or ``duplicate``.
        """
        check_parent(attitude)
        return self._attitudes.add(attitude)

    def enter(self, stamp_ns: int) -> list[GimbalAttitude]:
        """Put in effect what is due; returns all that was, by rising stamp."""
        return self._attitudes.enter(stamp_ns)

    def has_passed(self, stamp_ns: int) -> bool:
        """Whether every attitude that counts at the stamp has come, for all one can know."""
        return not self.on_gimbal or self._attitudes.has_passed(stamp_ns)

    def clear(self) -> None:
        """Forget every attitude."""
        self._attitudes.clear()

    def keep_before(self, stamp_ns: int) -> None:
        """A new segment: drop what is in effect, and all that waits but what is older than the stamp."""
        self._attitudes.keep_before(stamp_ns)

    def doubt(self, stamp_ns: int) -> Cause | None:
        """Why it is not known where the camera looks; None: it is."""
        if not self.on_gimbal:
            return None
        newest = self._attitudes.at(stamp_ns)
        if newest is None:
            return Cause.NO_GIMBAL
        return Cause.GIMBAL_STALE if stamp_ns - newest.stamp_ns > self._stale_ns else None

    def at(self, stamp_ns: int, map_q_base: FloatArray) -> tuple[Pose, GimbalHold | None]:
        """``base_T_camera`` at a stamp for which there is no doubt, and what the gimbal adds to the error.

        Args:
            stamp_ns: of the frame, in navigation's time.
            map_q_base: attitude (4,) of the body there.
        """
        newest = self._attitudes.at(stamp_ns) if self.on_gimbal else None
        if newest is None:
            return self.fixed, None
        before = self._attitudes.before(newest.stamp_ns - 1)
        hold = GimbalHold(
            math.radians(self._params.gimbal_sigma_deg),
            (stamp_ns - newest.stamp_ns) * 1e-9,
            turn_rate_radps(newest, before),
            newest.parent == MAP,
        )
        return self._gimbal.base_T_camera(newest, before, stamp_ns, np.asarray(map_q_base)), hold
