# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The anchored rule: every thermal frame yields one bundle at once, with the inputs in effect at its time.

An input with stamp s is in effect at t when ``s + delay <= t`` (event time; the delay is a parameter).
Navigation: the newest state in effect, carried to t by its own velocity, acceleration and rates. (A state
beyond t is never in effect, so nothing is interpolated here.) Map: the newest in effect. Gimbal, where the camera
hangs in one: the newest attitude in effect, carried to t (``camera_mount``).

The time t of a frame is its stamp, less the offset of the camera's clock once that is known well
(``camera_clock``); inputs whose stamps mean nothing go by their arrival (``time_source``). The bundle keeps
the camera's own stamp.

Guarantees:
- A bundle depends on which inputs came before it, never on their order or on a clock (with ``arrival`` as
  the source of time: on the arrivals that it was given).
- Every message behind an input is a source of exactly one bundle of its segment, also of inputs that a
  newer one overtook. Those still waiting at a clock jump or dropped for want of room are in none; the
  latter are counted (``overflows``).
- An input that came after a frame it should have counted for is used from then on and counted as late.
- Stamps that go back by over ``clock_jump_ms`` clear every buffer once and begin a segment. Stamps that jump
  ahead begin none: it may be a pause, and what is in effect goes stale by itself.
- The cost of an input does not grow with time: what waits is bounded.

Leaves out: whether the calibration fits the image or the image is frozen (``scene.compose``), and waiting:
``ready_for`` tells who replays whether to.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from itertools import chain
from typing import Final

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    Cause,
    FloatArray,
    GimbalAttitude,
    Mark,
    NavState,
    Pose,
    RtkStatus,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sensing.transform import compose
from vidgen_nodes.sync.camera_clock import OFF, CameraClock
from vidgen_nodes.sync.camera_mount import CameraMount
from vidgen_nodes.sync.counts import SyncCounts, Tally
from vidgen_nodes.sync.placement import (
    camera_covariance,
    carried_pose,
    median_height_m,
    placement_sigma_px,
    viewing_range_m,
)
from vidgen_nodes.sync.stream import SILENT_NS, Stream
from vidgen_nodes.sync.time_source import TimeSource

__all__ = ["AnchoredSync", "SyncCounts"]

_RECENT: Final = 256  # frames: over two seconds of the fastest camera
_MAX_NAV: Final = 2048
_MAX_MAPS: Final = 32
_RATE_CHANGE_NS: Final = 25_000_000  # the state that tells how the rate changes is so much older
_PLACELESS: Final = {
    Cause.POSE_STALE,
    Cause.NO_GIMBAL,
    Cause.GIMBAL_STALE,
}  # where the camera is, is not known


class AnchoredSync:
    """Makes one bundle of every thermal frame. Arrivals are by the clock of whoever receives; None: not known."""

    def __init__(self, params: SyncParams) -> None:
        self._params = params
        self._jump_ns = round(params.clock_jump_ms * 1e6)
        self._nav: Stream[NavState] = Stream(
            params.nav_delay_ms, params.clock_jump_ms, _MAX_NAV, expected="nav" in params.replay_inputs
        )
        self._maps: Stream[UncertaintyMap] = Stream(
            params.map_delay_ms, params.clock_jump_ms, _MAX_MAPS, expected="map" in params.replay_inputs
        )
        kinds = (params.thermal_time_source, params.nav_time_source, params.map_time_source)
        self._thermal_time, self._nav_time, self._map_time = (
            TimeSource(kind, delay_ms) for kind, delay_ms in zip(kinds, params.arrival_delays_ms, strict=True)
        )
        self._mount = CameraMount(params)
        self._camera_clock = CameraClock(
            OFF
            if self._mount.on_gimbal
            else params.clock_offset,  # a steadied picture does not turn with the drone
            params.clock_offset_sigma_ms,
            params.clock_offset_search_ms,
            self._mount.fixed,
        )
        self._range_m = params.typical_range_m
        self._ground_of: UncertaintyMap | None = None
        self._ground = math.nan
        self._newest_ns: int | None = None
        self._recent: deque[int] = deque(maxlen=_RECENT)  # stamps of frames, to tell doubles
        self._overtaken_ns = round(params.overtaken_ms * 1e6)
        self._sequence = 0
        self._segment = 0
        self._segment_cause = ""
        self._late: Counter[str] = Counter()
        self._tally = Tally()

    def add_nav(self, state: NavState, arrival_ns: int | None = None) -> None:
        """Take a navigation state.

        Raises:
            InputError: ``duplicate``.
        """
        if arrival_ns is not None:
            self._nav_time.note(state.stamp_ns, arrival_ns)
        if self._nav.add(state):
            self._tally.overflows["nav"] += 1
        self._note_late("nav", state.stamp_ns + self._nav.delay_ns - self._nav_lead_ns)

    def add_map(self, umap: UncertaintyMap, arrival_ns: int | None = None) -> None:
        """Take an uncertainty map.

        Raises:
            InputError: ``duplicate``.
        """
        if arrival_ns is not None:
            self._map_time.note(umap.stamp_ns, arrival_ns)
        if self._maps.add(umap):
            self._tally.overflows["map"] += 1
        self._note_late("map", umap.stamp_ns + self._maps.delay_ns - self._map_lead_ns)

    def add_gimbal(self, attitude: GimbalAttitude) -> None:
        """Take an attitude of the gimbal that holds the camera; without ``camera_on_gimbal`` it counts for nothing.

        Raises:
            InputError: ``duplicate`` or ``gimbal_frame``.
        """
        if not self._mount.on_gimbal:
            return
        if self._mount.add(attitude):
            self._tally.overflows["gimbal"] += 1
        self._note_late("gimbal", attitude.stamp_ns + self._mount.delay_ns - self._nav_lead_ns)

    def ready_for(self, stamp_ns: int) -> bool:
        """Whether every input that counts for a frame at the stamp has come.

        An input has passed when a message with ``stamp + delay >= stamp_ns`` of it has come. One that was
        never seen holds up nothing, unless ``replay_inputs`` names it; nor does one that lags by over five
        seconds of event time.
        """
        t_nav = stamp_ns + self._nav_lead_ns
        passed = self._nav.has_passed(t_nav) and self._mount.has_passed(t_nav)
        return passed and self._maps.has_passed(stamp_ns + self._map_lead_ns)

    def bundle(self, thermal: ThermalFrame, arrival_ns: int | None = None) -> Bundle:
        """Make the bundle of a frame.

        A frame that younger ones overtook by at most ``overtaken_ms`` gets what was in effect at its own
        stamp. A stamp more than ``clock_jump_ms`` behind the newest one starts a new segment.

        Raises:
            InputError: ``duplicate`` or ``out_of_order``; the frame yields none, and is counted.
        """
        self.observe()
        self._tally.thermal_in += 1
        stamp_ns = thermal.stamp_ns
        if arrival_ns is not None:
            self._thermal_time.note(stamp_ns, arrival_ns)
        self._check_stamp(stamp_ns)
        self._recent.append(stamp_ns)
        t_nav, t_map = stamp_ns + self._nav_lead_ns, stamp_ns + self._map_lead_ns
        sources = thermal.sources
        if self._newest_ns is None or stamp_ns >= self._newest_ns:
            self._newest_ns = stamp_ns
            states, maps = self._nav.enter(t_nav), self._maps.enter(t_map)
            behind = [*(state.sources for state in states), *(umap.sources for umap in maps)]
            turned = [attitude.source for attitude in self._mount.enter(t_nav)]
            sources = (*chain.from_iterable(behind), *turned, *sources)
            self._camera_clock.follow(states, self._range_m)
            self._camera_clock.keep(thermal, t_nav + self._camera_clock.offset_ns, self._rough_offset_ns())
        state, umap = self._nav.at(t_nav), self._maps.at(t_map)
        causes = self._doubts(thermal, state, umap, t_nav, t_map)
        pose: Pose | None = None
        covariance: FloatArray | None = None
        sigma_px = math.nan
        if state is not None and not _PLACELESS & set(causes):
            pose, covariance, sigma_px = self._place(state, thermal, umap, t_nav)
        age_ms = math.nan if state is None else (t_nav - state.stamp_ns) * 1e-6
        result = Bundle(
            stamp_ns=stamp_ns,
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
            marks=(Mark.POSE_OLD,) if age_ms > self._params.pose_old_ms else (),
            clock_offset_ns=self._camera_clock.offset_ns,
        )
        self._sequence += 1
        self._late.clear()
        self._tally.put_out(result, age_ms)
        return result

    def observe(self) -> None:
        """Look at the last frame for the offset of the camera's clock (about 1 ms, not on every frame).

        To be called when the bundle has gone its way. Who does not call it pays with the next bundle; the
        bundles are the same.
        """
        self._camera_clock.observe()

    def report(self) -> SyncCounts:
        """The counts since the start."""
        tally = self._tally
        sources = {"thermal": self._thermal_time, "nav": self._nav_time, "map": self._map_time}
        return SyncCounts(
            tally.thermal_in, tally.bundles_out, tally.matched,
            dict(tally.drops), dict(tally.causes), dict(tally.late),
            *tally.skews_ms(), *tally.sigmas_px(), self._segment, self._segment_cause,
            dict(tally.unmatched), dict(tally.overflows), dict(tally.marks),
            self._camera_clock.offset_ns * 1e-6, *self._camera_clock.measured_ms,
            {name: source.least_ms for name, source in sources.items()},
        )  # fmt: skip

    def reset(self, cause: str) -> None:
        """Begin a new segment with nothing in effect and nothing waiting."""
        self._nav.clear()
        self._maps.clear()
        self._mount.clear()
        self._begin_segment(cause)

    @property
    def _nav_lead_ns(self) -> int:
        """What turns a thermal stamp into navigation's time."""
        return self._thermal_time.shift_ns - self._nav_time.shift_ns - self._camera_clock.offset_ns

    @property
    def _map_lead_ns(self) -> int:
        """What turns a thermal stamp into the map's time (the LiDAR is taken to keep navigation's)."""
        return self._thermal_time.shift_ns - self._map_time.shift_ns - self._camera_clock.offset_ns

    def _rough_offset_ns(self) -> int | None:
        """The camera's clock minus navigation's, but for the difference of their shortest ways here."""
        thermal_ns, nav_ns = self._thermal_time.least_ns, self._nav_time.least_ns
        if thermal_ns is None or nav_ns is None:
            return None
        return nav_ns - thermal_ns - self._nav_time.shift_ns + self._thermal_time.shift_ns

    def _begin_segment(self, cause: str) -> None:
        self._camera_clock.reset()
        for source in (self._thermal_time, self._nav_time, self._map_time):
            source.reset()
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
            self._nav.keep_before(limit_ns + self._nav_lead_ns)
            self._mount.keep_before(limit_ns + self._nav_lead_ns)
            self._maps.keep_before(limit_ns + self._map_lead_ns)
            self._begin_segment("clock_jump")
            return
        known = stamp_ns in self._recent
        if not known and behind_ns <= self._overtaken_ns:
            return
        reason = "duplicate" if known else "out_of_order"
        self._tally.drop(reason)
        raise InputError(
            reason,
            f"thermal frame is {behind_ns / 1e6:.1f} ms behind the newest; expected a new stamp, at most "
            f"{self._params.overtaken_ms:g} ms behind (a new segment begins beyond {self._params.clock_jump_ms:g} ms).",
        )

    def _note_late(self, name: str, effect_ns: int) -> None:
        if self._newest_ns is not None and 0 <= self._newest_ns - effect_ns <= max(self._jump_ns, SILENT_NS):
            self._late[name] += 1
            self._tally.late[name] += 1

    def _doubts(
        self,
        thermal: ThermalFrame,
        state: NavState | None,
        umap: UncertaintyMap | None,
        t_nav: int,
        t_map: int,
    ) -> tuple[Cause, ...]:
        params = self._params
        causes = [Cause.NO_CAMERA_INFO] if thermal.calibration is None else []
        if state is None:
            causes.append(Cause.NO_POSE)
        else:
            if t_nav - state.stamp_ns > params.pose_stale_ms * 1e6:
                causes.append(Cause.POSE_STALE)
            never = state.rtk_fixed_ns == 0
            if params.require_rtk and (never or t_nav - state.rtk_fixed_ns > params.rtk_stale_ms * 1e6):
                causes.append(Cause.RTK_LOST)
        if (gimbal_doubt := self._mount.doubt(t_nav)) is not None:
            causes.append(gimbal_doubt)
        if umap is None:
            causes.append(Cause.NO_MAP)
        elif t_map - umap.stamp_ns > params.map_stale_ms * 1e6:
            causes.append(Cause.MAP_STALE)
        return tuple(causes)

    def _place(
        self, state: NavState, thermal: ThermalFrame, umap: UncertaintyMap | None, t_nav: int
    ) -> tuple[Pose, FloatArray, float]:
        params = self._params
        map_T_base = carried_pose(state, self._nav.before(state.stamp_ns - _RATE_CHANGE_NS), t_nav)
        base_T_camera, hold = self._mount.at(t_nav, map_T_base.quaternion_xyzw)
        map_T_camera = compose(map_T_base, base_T_camera)
        covariance = camera_covariance(
            state,
            map_T_base,
            map_T_camera,
            boresight_sigma_rad=math.radians(params.boresight_sigma_deg),
            time_sigma_s=math.hypot(params.time_sigma_ms * 1e-3, self._camera_clock.sigma_s),
            age_s=(t_nav - state.stamp_ns) * 1e-9,
            hold=hold,
        )
        ground_m = self._ground_m(umap)
        self._range_m = viewing_range_m(map_T_camera, ground_m, params.typical_range_m)
        if thermal.calibration is None:
            return map_T_camera, covariance, math.nan
        sigma_px = placement_sigma_px(
            covariance,
            map_T_camera,
            thermal.calibration,
            ground_m=ground_m,
            typical_range_m=params.typical_range_m,
            cell_m=umap.grid.resolution_m if umap is not None else 0.0,
        )
        return map_T_camera, covariance, sigma_px

    def _ground_m(self, umap: UncertaintyMap | None) -> float:
        if umap is None:
            return math.nan
        if umap is not self._ground_of:  # five frames share a map
            self._ground_of, self._ground = umap, median_height_m(umap)
        return self._ground
