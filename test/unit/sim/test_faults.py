# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The schedule: rates, order, and faults of the share and size that were asked for."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import numpy as np
import pytest

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.faults import schedule
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, KINDS, SCAN, THERMAL, Sample


def of_kind(samples: list[Sample], kind: str) -> list[Sample]:
    return [sample for sample in samples if sample.kind == kind]


def test_without_faults_every_stream_has_its_rate_and_true_stamps() -> None:
    samples = list(schedule(SimParams(), 4.0))
    assert Counter(sample.kind for sample in samples) == {
        THERMAL: 200,
        CAMERA_INFO: 200,
        IMU: 800,
        FIX: 40,
        SCAN: 40,
    }
    assert all(sample.stamp_s == sample.truth_t_s == sample.send_s for sample in samples)
    sent = [sample.send_s for sample in samples]
    assert sent == sorted(sent)
    for kind in KINDS:
        assert [sample.index for sample in of_kind(samples, kind)] == list(range(len(of_kind(samples, kind))))


def test_camera_info_goes_out_before_its_image() -> None:
    samples = list(schedule(SimParams(), 0.5))
    for before, after in pairwise(samples):
        if after.kind == THERMAL:
            assert (before.kind, before.index, before.stamp_ns) == (CAMERA_INFO, after.index, after.stamp_ns)


def test_no_other_message_is_due_right_before_a_thermal_frame() -> None:
    samples = list(schedule(SimParams(), 2.0))
    thermal = np.array([sample.send_s for sample in of_kind(samples, THERMAL)])
    heavy = np.array([sample.send_s for sample in of_kind(samples, SCAN)])
    gaps = (thermal[None, :] - heavy[:, None])[(thermal[None, :] >= heavy[:, None])]
    assert gaps.min() > 0.005


def test_duration_zero_flies_on() -> None:
    assert len(list(islice(schedule(SimParams(), 0.0), 5000))) == 5000


def test_drops_have_the_share_asked_for() -> None:
    samples = list(schedule(SimParams(drop_fraction=0.1), 100.0))
    for kind, count in {THERMAL: 5000, IMU: 20000, SCAN: 1000}.items():
        lost = 1.0 - len(of_kind(samples, kind)) / count
        assert lost == pytest.approx(0.1, abs=4.0 * np.sqrt(0.09 / count))


def test_all_dropped_means_silence() -> None:
    assert list(schedule(SimParams(drop_fraction=1.0), 2.0)) == []


def test_jitter_is_uniform_within_its_bounds() -> None:
    samples = list(schedule(SimParams(jitter_ms=18.0), 40.0))
    for kind in (THERMAL, FIX, SCAN):
        jitter_s = np.array([sample.stamp_s - sample.truth_t_s for sample in of_kind(samples, kind)])
        assert np.abs(jitter_s).max() <= 0.018
        assert np.abs(jitter_s).max() > 0.0165
        assert jitter_s.std() == pytest.approx(0.018 / np.sqrt(3.0), rel=0.08)
    assert all(sample.send_s == sample.truth_t_s for sample in samples)  # jitter is of stamps only


def test_imu_stamps_never_run_backwards_by_jitter() -> None:
    stamps = [sample.stamp_s for sample in of_kind(list(schedule(SimParams(jitter_ms=18.0), 20.0)), IMU)]
    assert np.diff(stamps).min() > 0.0
    assert np.diff(stamps).std() > 0.001


def test_image_and_camera_info_share_their_stamp_under_jitter() -> None:
    samples = list(schedule(SimParams(jitter_ms=18.0, thermal_clock_offset_ms=7.0), 4.0))
    stamps = {sample.index: sample.stamp_ns for sample in of_kind(samples, THERMAL)}
    assert {sample.index: sample.stamp_ns for sample in of_kind(samples, CAMERA_INFO)} == stamps


def test_only_the_thermal_clock_is_offset() -> None:
    samples = list(schedule(SimParams(thermal_clock_offset_ms=-35.0), 2.0))
    for sample in samples:
        expected_s = -0.035 if sample.kind in (THERMAL, CAMERA_INFO) else 0.0
        assert sample.stamp_s - sample.truth_t_s == pytest.approx(expected_s, abs=1e-12)


def test_reordered_messages_come_after_their_successor() -> None:
    samples = list(schedule(SimParams(reorder_fraction=0.2), 100.0))
    for kind, count in {THERMAL: 5000, IMU: 20000}.items():
        indices = np.array([sample.index for sample in of_kind(samples, kind)])
        assert sorted(indices) == list(range(count))
        back = np.flatnonzero(np.diff(indices) < 0)
        assert len(back) / count == pytest.approx(0.2, abs=0.02)
        assert (np.diff(indices)[back] == -1).all()
    assert all(sample.send_s >= sample.truth_t_s for sample in samples)
    sent = [sample.send_s for sample in samples]
    assert sent == sorted(sent)


def test_faults_depend_on_seed_stream_and_number_only() -> None:
    params = SimParams(jitter_ms=18.0, drop_fraction=0.05, reorder_fraction=0.1)
    samples = list(schedule(params, 10.0))
    assert list(schedule(params, 10.0)) == samples
    longer = {(sample.kind, sample.index): sample for sample in schedule(params, 20.0)}
    assert all(longer[sample.kind, sample.index] == sample for sample in samples)
    slower_lidar = SimParams(jitter_ms=18.0, drop_fraction=0.05, reorder_fraction=0.1, lidar_rate_hz=5.0)
    assert of_kind(list(schedule(slower_lidar, 10.0)), THERMAL) == of_kind(samples, THERMAL)
    other = SimParams(jitter_ms=18.0, drop_fraction=0.05, reorder_fraction=0.1, seed=2)
    assert list(schedule(other, 10.0)) != samples
