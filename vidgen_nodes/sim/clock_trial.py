# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the synchroniser finds a camera clock that is ahead, from the pictures of the simulated flight.

The real pictures, the real filter on noisy sensors, the real synchroniser: only the clock is wrong.
Guarantees: the same arguments give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vidgen_nodes.packets import SourceRef, ThermalFrame
from vidgen_nodes.params import RtkParams, SyncParams
from vidgen_nodes.sim import rig
from vidgen_nodes.sim.placement_trial import ALIGN_S, EPOCH_NS, Motion, Trial, nav_states
from vidgen_nodes.sim.thermal_scene import ThermalScene
from vidgen_nodes.sim.trajectory import fly
from vidgen_nodes.sync.anchored import AnchoredSync
from vidgen_nodes.sync.counts import SyncCounts

FRAME_RATE_HZ = 12.5  # the synchroniser looks at no more of them
_SOURCE = SourceRef("", "", 0, b"")


@dataclass(frozen=True, slots=True)
class ClockTrial:
    """Which part of the flight, and how far the camera's clock is ahead."""

    ahead_s: float
    motion: Motion = fly
    seed: int = 1
    start_s: float = 5.0
    seconds: float = 10.2  # of motion: the last fifth of a second is not used yet
    arrival_s: float | None = (
        None  # after the true time, by the receiver's clock; None: arrivals are not known
    )


def find_clock(trial: ClockTrial, rtk: RtkParams, sync: SyncParams) -> SyncCounts:
    """Fly it; what the synchroniser says at the end."""
    anchored = AnchoredSync(sync)
    for true_ns, frame, anchored in frames_of(trial, rtk, sync):
        anchored.bundle(frame, _arrival_ns(trial, true_ns))
        anchored.observe()
    return anchored.report()


def frames_of(
    trial: ClockTrial, rtk: RtkParams, sync: SyncParams
) -> Iterator[tuple[int, ThermalFrame, AnchoredSync]]:
    """True time, frame, and the synchroniser that has got all that came before it."""
    anchored = AnchoredSync(sync)
    states = nav_states(Trial(trial.motion, trial.start_s - ALIGN_S, trial.seconds, trial.seed), rtk)
    waiting = next(states)
    for true_ns, frame in _frames(trial):
        while waiting.stamp_ns < true_ns:
            anchored.add_nav(waiting, _arrival_ns(trial, waiting.stamp_ns))
            waiting = next(states)
        yield true_ns, frame, anchored


def _arrival_ns(trial: ClockTrial, true_ns: int) -> int | None:
    return None if trial.arrival_s is None else true_ns + round(trial.arrival_s * 1e9)


def _frames(trial: ClockTrial) -> Iterator[tuple[int, ThermalFrame]]:
    """True time and frame."""
    scene = ThermalScene(trial.seed)
    calibration = rig.calibration(1)
    for index in range(round(trial.seconds * FRAME_RATE_HZ)):
        t_s = trial.start_s + index / FRAME_RATE_HZ
        stamp_ns = EPOCH_NS + round((t_s + trial.ahead_s) * 1e9)
        pixels = scene.frame(trial.motion(t_s).map_T_camera, index)
        frame = ThermalFrame(
            stamp_ns, rig.THERMAL_FRAME, "mono16", pixels, index, calibration,
            True, rig.SCALE_K_PER_COUNT, 0.0, 0.0, False, (_SOURCE,),
        )  # fmt: skip
        yield EPOCH_NS + round(t_s * 1e9), frame
