# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""When each message is measured, stamped and sent, and what goes wrong on the way.

Guarantees: the faults of a message depend on the seed, its stream and its number only.
Faults: uniform jitter on stamps, lost messages, messages sent after their successor, a thermal clock
that is ahead. At most half of the messages can come after their successor, whatever share is asked for.
An image and its camera_info share one stamp, as a driver makes them.
IMU jitter is held under half a sample period: an autopilot stamps its IMU where it is read, and
samples that run backwards would be another fault than the one asked for.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import count
from typing import Final

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.noise import draw
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, KINDS, SCAN, THERMAL, Sample

# Streams start apart, so that making a scan or a fix never stands in the way of a thermal frame.
_PHASE_S: Final = {CAMERA_INFO: 0.0, THERMAL: 0.0, IMU: 0.001, FIX: 0.003, SCAN: 0.012}
_AFTER_S: Final = 1e-6
_IMU_JITTER_OF_PERIOD: Final = 0.45


def rate_hz(params: SimParams, kind: str) -> float:
    """Messages a second of one stream, before losses."""
    return {
        THERMAL: params.thermal_rate_hz,
        CAMERA_INFO: params.thermal_rate_hz,
        IMU: params.imu_rate_hz,
        FIX: params.fix_rate_hz,
        SCAN: params.lidar_rate_hz,
    }[kind]


def schedule(params: SimParams, duration_s: float) -> Iterator[Sample]:
    """Every message in the order in which it is sent; without end if ``duration_s`` is 0.

    Messages measured at or after ``duration_s`` are not sent.
    """
    end_s = duration_s if duration_s > 0.0 else math.inf
    streams = (_stream(params, kind, end_s) for kind in KINDS)
    return heapq.merge(*streams, key=lambda sample: (sample.send_s, _ORDER[sample.kind], sample.index))


_ORDER: Final = {kind: number for number, kind in enumerate((CAMERA_INFO, THERMAL, IMU, FIX, SCAN))}


def _stream(params: SimParams, kind: str, end_s: float) -> Iterator[Sample]:
    """One stream, two messages at a time: a swap touches a message and its successor, nothing else."""
    period_s = 1.0 / rate_hz(params, kind)
    for first in count(0, 2):
        if _PHASE_S[kind] + first * period_s >= end_s:
            return
        pair = [_sample(params, kind, first + i, period_s) for i in (0, 1)]
        # Every second message may wait for its successor, so twice the share of those waits.
        if _strikes(params, "reorder", kind, first, 2.0 * params.reorder_fraction):
            late = pair[0]
            delayed = Sample(late.kind, late.index, late.truth_t_s, late.stamp_s, pair[1].send_s + _AFTER_S)
            pair = [pair[1], delayed]
        for sample in pair:
            lost = _strikes(params, "drop", kind, sample.index, params.drop_fraction)
            if sample.truth_t_s < end_s and not lost:
                yield sample


def _sample(params: SimParams, kind: str, index: int, period_s: float) -> Sample:
    truth_t_s = _PHASE_S[kind] + index * period_s
    jitter_s = 1e-3 * params.jitter_ms
    if kind == IMU:
        jitter_s = min(jitter_s, _IMU_JITTER_OF_PERIOD * period_s)
    stamped = THERMAL if kind == CAMERA_INFO else kind
    stamp_s = truth_t_s
    if jitter_s > 0.0:
        stamp_s += jitter_s * draw(params.seed, "jitter", _number(stamped, index)).uniform(-1.0, 1.0)
    if stamped == THERMAL:
        stamp_s += 1e-3 * params.thermal_clock_offset_ms
    return Sample(kind, index, truth_t_s, stamp_s, truth_t_s)


def _strikes(params: SimParams, fault: str, kind: str, index: int, share: float) -> bool:
    return share > 0.0 and draw(params.seed, fault, _number(kind, index)).random() < share


def _number(kind: str, index: int) -> int:
    """One number for a message of any stream."""
    return index * len(KINDS) + KINDS.index(kind)
