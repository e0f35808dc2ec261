# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A recording of DJI's stack in the live graph: the frames of its offline rendering, and what is missing is said."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from stack_bags import PSDK, write_as

from vidgen_nodes.custody.reader import LedgerReader

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


def frame_hashes(ledger: Path) -> dict[int, bytes]:
    """Frame hash by stamp."""
    with LedgerReader(ledger) as reader:
        return {leaf["stamp_ns"]: leaf["frame"] for _, leaf in reader.frames()}  # type: ignore[misc]


@pytest.mark.skipif(importlib.util.find_spec("psdk_interfaces") is not None, reason="psdk_interfaces is here")
def test_a_stacks_recording_plays_without_its_package_and_verifies(
    vidgen: Any, flight: Path, tmp_path: Path
) -> None:
    bag = write_as("psdk_ros2", flight, tmp_path / "bag", heading=True, gimbal=True)
    site = ("--preset", "psdk_ros2", "--set", "sync.camera_on_gimbal=true")
    status, summary, err = vidgen.run("replay", bag, *site)
    assert status == 0, err
    assert "without the heading of the two RTK antennas" in err
    assert "psdk_interfaces" in err
    assert summary["frames"]["thermal_in"] == 50
    live = frame_hashes(vidgen.run_dir / "ledger.db")
    assert len(live) >= 45
    with LedgerReader(vidgen.run_dir / "ledger.db") as reader:
        named = {ref.topic for ref in reader.inputs()}
        placed = [leaf for _, leaf in reader.frames() if leaf["sigma_px"] is not None]
    assert {f"{PSDK}/imu", f"{PSDK}/rtk_position", f"{PSDK}/gimbal_angles"} <= named
    assert f"{PSDK}/rtk_yaw" not in named
    assert len(placed) > 20
    remap = ("--remap", f"{PSDK}/main_camera_stream:=thermal/image_raw")
    status, result, err = vidgen.run("verify", vidgen.run_dir, "--bag", bag, *remap, own_dir=False)
    assert status == 0, err
    assert result["bag"]["rederived"]["identical"] == len(live)
    assert any("rtk_yaw: nothing of it entered" in note for note in result["notes"])


@pytest.mark.skipif(importlib.util.find_spec("px4_msgs") is not None, reason="px4_msgs is here")
def test_a_stack_that_cannot_be_published_here_says_what_can(
    vidgen: Any, flight: Path, tmp_path: Path
) -> None:
    bag = write_as("px4", flight, tmp_path / "bag")
    status, result, _ = vidgen.run("replay", bag, "--preset", "px4")
    assert status == 2
    assert "px4_msgs is not installed" in result["error"]
    assert "`vidgen render` needs no message package" in result["error"]
    assert not vidgen.run_dir.exists()
