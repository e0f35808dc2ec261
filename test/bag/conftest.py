# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings to test with: one of the simulated flight, made here, and real ones where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.recording import write_recording

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.4 s of the simulated flight at 25 Hz, long enough for a map to be in force."""
    path = tmp_path_factory.mktemp("recording") / "flight"
    write_recording(path, SimParams(thermal_rate_hz=25.0, lidar_points=12000), 1.4)
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings; skips where there are none."""
    path = Path(os.environ.get("VIDGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (path / "rosbag2").is_dir():
        pytest.skip(f"no real recordings at {path}; set VIDGEN_SHARED_DATA")
    return path
