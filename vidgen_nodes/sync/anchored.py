# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The anchored rule: every thermal frame yields one bundle at once, with the inputs in effect at its stamp.

An input with stamp s is in effect at t when ``s + delay <= t`` (event time; the delay is a parameter).
Navigation: the newest state in effect, carried to t by its own velocity, acceleration and rates. (A state
beyond t is never in effect, so nothing is interpolated here.) Map: the newest in effect.

Guarantees:
- A bundle depends on which inputs came before it, never on their order or on a clock.
- Every message behind an input is a source of exactly one bundle of its segment, also of inputs that a
  newer one overtook. Those still waiting at a clock jump or dropped for want of room are in none; the
  latter are counted (``nav_overflow``, ``map_overflow``).
- An input that came after a frame it should have counted for is used from then on and counted as late.
- The cost of an input does not grow with time: what waits is bounded.

Leaves out: whether the calibration fits the image or the image is frozen (``scene.compose``), and waiting:
``ready_for`` tells who replays whether to.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    Cause,
    FloatArray,
    NavState,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sensing.pose import OPTICAL_FROM_BODY, compose, pose_from_rpy, propagate_pose
from vidgen_nodes.sync.placement import (
    camera_covariance,
    median_height_m,
    placement_sigma_px,
    viewing_range_m,
)

_WINDOW: Final = 5000  # bundles behind the percentiles
_RECENT: Final = 256  # frames: over two seconds of the fastest camera
_MAX_NAV: Final = 2048
_MAX_MAPS: Final = 32
_SILENT_NS: Final = 5_000_000_000  # an input silent that long (event time) holds up nothing

Input = TypeVar("Input", NavState, UncertaintyMap)


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What ``SyncReport.msg`` says, since the start. Percentiles are over the last 5000 bundles."""

    thermal_in: int
    bundles_out: int
    matched: int  # bundles with pose and map in force and no cause
    drops: dict[str, int]  # thermal frames without a bundle and inputs without room, by reason
    causes: dict[str, int]
    late: dict[str, int]
    skew_ms_p50: float  # age of the navigation state; NaN: none
    skew_ms_p99: float
    sigma_px_p50: float  # expected placement error; NaN: no pose
    sigma_px_p99: float
    segment: int
    segment_cause: str  # why the newest segment began; empty for the first


class _Stream(Generic[Input]):
    """One kind of input: what waits, ordered by stamp, and what is in effect."""

    def __init__(self, delay_ms: float, jump_ms: float, room: int, *, expected: bool) -> None:
        self.delay_ns = round(delay_ms * 1e6)
        self._jump_ns = round(jump_ms * 1e6)
        self._room = room
        self._expected = expected  # it will come, though none has yet
        self.clear()

    def clear(self) -> None:
        self._stamps: list[int] = []
        self._waiting: list[Input] = []
        self._past: list[Input] = []  # what was in effect, by rising stamp, for frames that were overtaken
        self.current: Input | None = None
        self.watermark_ns: int | None = None

    def keep_before(self, stamp_ns: int) -> None:
        """A new segment: drop what is in effect, and all that waits but what is older than the stamp."""
        keep = bisect_left(self._stamps, stamp_ns)
        stamps, waiting = self._stamps[:keep], self._waiting[:keep]
        self.clear()
        self._stamps, self._waiting = stamps, waiting
        self.watermark_ns = stamps[-1] if stamps else None

    def add(self, item: Input) -> bool:
        """True when there was no room and the oldest had to go."""
        stamp_ns = item.stamp_ns
        at = bisect_left(self._stamps, stamp_ns)
        known = at < len(self._stamps) and self._stamps[at] == stamp_ns
        if known or (self.current is not None and self.current.stamp_ns == stamp_ns):
            raise InputError(
                "duplicate", f"a second input of its kind has stamp {stamp_ns} ns; the first is used."
            )
        self._stamps.insert(at, stamp_ns)
        self._waiting.insert(at, item)
        mark_ns = self.watermark_ns
        if mark_ns is None or stamp_ns > mark_ns or stamp_ns < mark_ns - self._jump_ns:
            self.watermark_ns = stamp_ns
        if len(self._stamps) <= self._room:
            return False
        del self._stamps[0], self._waiting[0]
        return True

    def enter(self, stamp_ns: int) -> list[SourceRef]:
        """Put in effect what is due; returns the messages behind it, by rising stamp of the input."""
        due = bisect_right(self._stamps, stamp_ns - self.delay_ns)
        if not due:
            return []
        newest = self._waiting[due - 1]
        if self.current is None or newest.stamp_ns > self.current.stamp_ns:
            known_ns = self._past[-1].stamp_ns if self._past else -1
            self._past += [item for item in self._waiting[:due] if item.stamp_ns > known_ns]
            del self._past[: -self._room]
            self.current = newest
        sources = [source for item in self._waiting[:due] for source in item.sources]
        del self._stamps[:due], self._waiting[:due]
        return sources

    def at(self, stamp_ns: int) -> Input | None:
        """What was in effect at a stamp that younger frames have overtaken."""
        due = bisect_right(self._past, stamp_ns - self.delay_ns, key=lambda item: item.stamp_ns)
        return self._past[due - 1] if due else None

    def has_passed(self, stamp_ns: int) -> bool:
        """Whether all that can be in effect at the stamp has come, for all one can know."""
        if self.watermark_ns is None:
            return not self._expected
        missing_ns = stamp_ns - self.delay_ns - self.watermark_ns
        return missing_ns <= 0 or missing_ns > _SILENT_NS


class AnchoredSync:
    """Makes one bundle of every thermal frame."""

    def __init__(self, params: SyncParams) -> None:
        self._params = params
        self._jump_ns = round(params.clock_jump_ms * 1e6)
        self._nav: _Stream[NavState] = _Stream(
            params.nav_delay_ms, params.clock_jump_ms, _MAX_NAV, expected="nav" in params.replay_inputs
        )
        self._maps: _Stream[UncertaintyMap] = _Stream(
            params.map_delay_ms, params.clock_jump_ms, _MAX_MAPS, expected="map" in params.replay_inputs
        )
        body = pose_from_rpy(params.camera_translation_m, params.camera_rpy_deg)
        self._base_T_camera = compose(body, OPTICAL_FROM_BODY)
        self._ground_of: UncertaintyMap | None = None
        self._ground = math.nan
        self._newest_ns: int | None = None
        self._recent: deque[int] = deque(maxlen=_RECENT)  # stamps of frames, to tell doubles
        self._overtaken_ns = round(params.overtaken_ms * 1e6)
        self._sequence = 0
        self._segment = 0
        self._segment_cause = ""
        self._late: Counter[str] = Counter()
        self._thermal_in = self._bundles_out = self._matched = 0
        self._drops: Counter[str] = Counter()
        self._causes: Counter[str] = Counter()
        self._late_total: Counter[str] = Counter()
        self._skews_ms: deque[float] = deque(maxlen=_WINDOW)
        self._sigmas_px: deque[float] = deque(maxlen=_WINDOW)

    def add_nav(self, state: NavState) -> None:
        """Take a navigation state.

        Raises:
            InputError: ``duplicate``.
        """
        if self._nav.add(state):
            self._drops["nav_overflow"] += 1
        self._note_late("nav", state.stamp_ns + self._nav.delay_ns)

    def add_map(self, umap: UncertaintyMap) -> None:
        """Take an uncertainty map.

        Raises:
            InputError: ``duplicate``.
        """
        if self._maps.add(umap):
            self._drops["map_overflow"] += 1
        self._note_late("map", umap.stamp_ns + self._maps.delay_ns)

    def ready_for(self, stamp_ns: int) -> bool:
        """Whether every input that counts for a frame at the stamp has come.

        An input has passed when a message with ``stamp + delay >= stamp_ns`` of it has come. One that was
        never seen holds up nothing, unless ``replay_inputs`` names it; nor does one that lags by over five
        seconds of event time.
        """
        return self._nav.has_passed(stamp_ns) and self._maps.has_passed(stamp_ns)

    def bundle(self, thermal: ThermalFrame) -> Bundle:
        """Make the bundle of a frame.

        A frame that younger ones overtook by at most ``overtaken_ms`` gets what was in effect at its own
        stamp. A stamp more than ``clock_jump_ms`` behind the newest one starts a new segment.

        Raises:
            InputError: ``duplicate`` or ``out_of_order``; the frame yields none, and is counted.
        """
        self._thermal_in += 1
        t = thermal.stamp_ns
        self._check_stamp(t)
        self._recent.append(t)
        if self._newest_ns is not None and t < self._newest_ns:
            state, umap, sources = self._nav.at(t), self._maps.at(t), thermal.sources
        else:
            self._newest_ns = t
            sources = (*self._nav.enter(t), *self._maps.enter(t), *thermal.sources)
            state, umap = self._nav.current, self._maps.current
        causes = self._doubts(thermal, state, umap)
        pose: Pose | None = None
        covariance: FloatArray | None = None
        sigma_px = math.nan
        if state is not None and Cause.POSE_STALE not in causes:
            pose, covariance, sigma_px = self._place(state, thermal, umap)
        result = Bundle(
            stamp_ns=t,
            sequence=self._sequence,
            segment=self._segment,
            thermal=thermal,
            map_T_camera=pose,
            pose_covariance=covariance,
            nav_stamp_ns=state.stamp_ns if state is not None else 0,
            rtk=state.rtk if state is not None else RtkStatus.NONE,
            uncertainty_map=umap,
            sigma_px=sigma_px,
            causes=causes,
            sources=sources,
            late=dict(self._late),
        )
        self._count(result)
        return result

    def report(self) -> SyncCounts:
        """The counts since the start."""
        skews, sigmas = _percentiles(self._skews_ms), _percentiles(self._sigmas_px)
        return SyncCounts(
            self._thermal_in, self._bundles_out, self._matched,
            dict(self._drops), dict(self._causes), dict(self._late_total),
            *skews, *sigmas, self._segment, self._segment_cause,
        )  # fmt: skip

    def reset(self, cause: str) -> None:
        """Begin a new segment with nothing in effect and nothing waiting."""
        self._nav.clear()
        self._maps.clear()
        self._begin_segment(cause)

    def _begin_segment(self, cause: str) -> None:
        self._newest_ns = None
        self._recent.clear()
        self._sequence = 0
        self._segment += 1
        self._segment_cause = cause

    def _check_stamp(self, stamp_ns: int) -> None:
        if self._newest_ns is None or stamp_ns > self._newest_ns:
            return
        behind_ns = self._newest_ns - stamp_ns
        if behind_ns > self._jump_ns:
            # The other inputs may have jumped before: what lies behind the jump belongs to the new segment.
            limit_ns = self._newest_ns - self._jump_ns
            self._nav.keep_before(limit_ns)
            self._maps.keep_before(limit_ns)
            self._begin_segment("clock_jump")
            return
        known = stamp_ns in self._recent
        if not known and behind_ns <= self._overtaken_ns:
            return
        reason = "duplicate" if known else "out_of_order"
        self._drops[reason] += 1
        raise InputError(
            reason,
            f"thermal frame is {behind_ns / 1e6:.1f} ms behind the newest; expected a new stamp, at most "
            f"{self._params.overtaken_ms:g} ms behind (a new segment begins beyond {self._params.clock_jump_ms:g} ms).",
        )

    def _note_late(self, name: str, effect_ns: int) -> None:
        if self._newest_ns is not None and 0 <= self._newest_ns - effect_ns <= max(self._jump_ns, _SILENT_NS):
            self._late[name] += 1
            self._late_total[name] += 1

    def _doubts(
        self, thermal: ThermalFrame, state: NavState | None, umap: UncertaintyMap | None
    ) -> tuple[Cause, ...]:
        params, t = self._params, thermal.stamp_ns
        causes = [Cause.NO_CAMERA_INFO] if thermal.calibration is None else []
        if state is None:
            causes.append(Cause.NO_POSE)
        else:
            if t - state.stamp_ns > params.pose_stale_ms * 1e6:
                causes.append(Cause.POSE_STALE)
            never = state.rtk_fixed_ns == 0
            if params.require_rtk and (never or t - state.rtk_fixed_ns > params.rtk_stale_ms * 1e6):
                causes.append(Cause.RTK_LOST)
        if umap is None:
            causes.append(Cause.NO_MAP)
        elif t - umap.stamp_ns > params.map_stale_ms * 1e6:
            causes.append(Cause.MAP_STALE)
        return tuple(causes)

    def _place(
        self, state: NavState, thermal: ThermalFrame, umap: UncertaintyMap | None
    ) -> tuple[Pose, FloatArray, float]:
        map_T_base = propagate_pose(state, thermal.stamp_ns)
        map_T_camera = compose(map_T_base, self._base_T_camera)
        covariance = camera_covariance(
            state,
            map_T_base,
            map_T_camera,
            boresight_sigma_rad=math.radians(self._params.boresight_sigma_deg),
            time_sigma_s=self._params.time_sigma_ms * 1e-3,
        )
        if thermal.calibration is None:
            return map_T_camera, covariance, math.nan
        range_m = viewing_range_m(map_T_camera, self._ground_m(umap), self._params.typical_range_m)
        focal_px = 0.5 * float(thermal.calibration.matrix_px[0, 0] + thermal.calibration.matrix_px[1, 1])
        return map_T_camera, covariance, placement_sigma_px(covariance, map_T_camera, focal_px, range_m)

    def _ground_m(self, umap: UncertaintyMap | None) -> float:
        if umap is None:
            return math.nan
        if umap is not self._ground_of:  # five frames share a map
            self._ground_of, self._ground = umap, median_height_m(umap)
        return self._ground

    def _count(self, bundle: Bundle) -> None:
        self._sequence += 1
        self._late.clear()
        self._bundles_out += 1
        self._causes.update(cause.value for cause in bundle.causes)
        if not bundle.causes:
            self._matched += 1
        if bundle.nav_stamp_ns:
            self._skews_ms.append((bundle.stamp_ns - bundle.nav_stamp_ns) * 1e-6)
        if not math.isnan(bundle.sigma_px):
            self._sigmas_px.append(bundle.sigma_px)


def _percentiles(values: deque[float]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    p50, p99 = np.percentile(np.array(values), (50, 99))
    return float(p50), float(p99)
