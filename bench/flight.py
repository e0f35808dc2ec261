# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of the simulated flight with the fire grown, for benchmarks of single stages."""

from __future__ import annotations

import tempfile
from pathlib import Path

from vidgen_nodes.graph import resolve_params
from vidgen_nodes.packets import Bundle, Scenario
from vidgen_nodes.params import GeneratorParams, SimParams
from vidgen_nodes.ros.offline import load_surroundings, run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.scene.building import Building
from vidgen_nodes.sim.recording import write_recording

_FLIGHT_S = 28.0
_GROWN_S = 24.0  # the scenario's fire has its peak by then


def flight_bundles() -> tuple[list[Bundle], Building | None, Scenario | None, GeneratorParams]:
    """The last seconds of a flight at 5 thermal frames a second, through the real stages."""
    with tempfile.TemporaryDirectory() as directory:
        bag = Path(directory) / "flight"
        write_recording(bag, SimParams(thermal_rate_hz=5.0, lidar_rate_hz=2.0, imu_rate_hz=100.0), _FLIGHT_S)
        recording = read_recording(bag)
        params = resolve_params("sim", overrides=replay_overrides(recording))
        around = load_surroundings(params, recording.first_frame_ns())
        late_ns = recording.first_frame_ns() + int(_GROWN_S * 1e9)
        kept: list[Bundle] = []
        run_offline(
            recording,
            params,
            Path(directory) / "ledger.db",
            lambda bundle, _: kept.append(bundle) if bundle.stamp_ns >= late_ns else None,
        )
    return kept, around.building, around.scenario, params.generator
