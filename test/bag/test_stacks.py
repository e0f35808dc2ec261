# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of PX4, MAVROS and DJI: the frames are those of the same flight in standard topics, and verify."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from stack_bags import PSDK, write_as

from vidgen_nodes.cli import main
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import BagError, ConfigError
from vidgen_nodes.graph import preset_remaps, resolve_params
from vidgen_nodes.packets import Bundle, Heading
from vidgen_nodes.params import NodeParams, RtkParams
from vidgen_nodes.ros.offline import OfflineCounts, run_offline
from vidgen_nodes.ros.recorded_navigation import HEADING, NavInput, RecordedNavigation
from vidgen_nodes.ros.replay import read_recording, replay_overrides
from vidgen_nodes.sensing.transform import rotation_matrix

STACKS = ("px4", "mavros", "psdk_ros2")
# PX4 sends attitude and rates in single precision: half a micrometre a second and 0.1 arc seconds.
NEAR_M, NEAR_DEG = 0.02, 0.02


def params_for(bag: Path, stack: str, **sync: Any) -> tuple[Any, NodeParams]:
    """The recording and the parameters of the simulated drone, read as one of that stack."""
    heights = "orthometric" if stack == "psdk_ros2" else "ellipsoidal"  # its rtk_position has no other
    overrides = {"rtk": {"stack": stack, "height_datum": heights}, "sync": sync}
    params = resolve_params("sim", overrides=overrides)
    suggested = {foreign: ours for ours, foreign in preset_remaps("" if stack == "generic" else stack)}
    recording = read_recording(bag, nav=params.rtk, suggested=suggested)
    overrides = {**overrides, "generator": replay_overrides(recording)["generator"]}
    return recording, resolve_params("sim", overrides=overrides)


def fly(bag: Path, stack: str, out: Path, **sync: Any) -> tuple[list[Bundle], OfflineCounts]:
    bundles: list[Bundle] = []
    recording, params = params_for(bag, stack, **sync)
    counts = run_offline(recording, params, out / "ledger.db", lambda bundle, _: bundles.append(bundle))
    return bundles, counts


@pytest.fixture(scope="session")
def standard(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    return fly(flight, "generic", tmp_path_factory.mktemp("standard"))[0]


@pytest.fixture(scope="session", params=STACKS)
def stacked(request: Any, flight: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, write_as(request.param, flight, tmp_path_factory.mktemp(request.param) / "bag")


def test_a_stacks_recording_gives_the_poses_of_the_same_flight(
    stacked: tuple[str, Path], standard: list[Bundle], tmp_path: Path
) -> None:
    stack, bag = stacked
    bundles, counts = fly(bag, stack, tmp_path)
    assert [b.stamp_ns for b in bundles] == [b.stamp_ns for b in standard]
    assert counts.matched == sum(not b.causes for b in standard) > 10
    assert counts.pixels_outside == 0
    placed = [(a, b) for a, b in zip(bundles, standard, strict=True) if b.map_T_camera is not None]
    assert len(placed) > 20
    for ours, theirs in placed:
        assert ours.map_T_camera is not None
        assert theirs.map_T_camera is not None
        off_m = np.abs(ours.map_T_camera.translation_m - theirs.map_T_camera.translation_m).max()
        turn = rotation_matrix(ours.map_T_camera).T @ rotation_matrix(theirs.map_T_camera)
        off_deg = math.degrees(math.acos(min(1.0, (float(np.trace(turn)) - 1.0) / 2.0)))
        assert off_m < NEAR_M
        assert off_deg < NEAR_DEG
    heard = {ref.topic for bundle in bundles for ref in bundle.sources}
    assert not heard & {"/vidgen/fix", "/vidgen/imu/data"}
    assert {"/fmu/out", "/mavros/", PSDK} & {
        t[: len(p)] for t in heard for p in ("/fmu/out", "/mavros/", PSDK)
    }


def test_a_stacks_recording_is_rendered_and_verifies(
    stacked: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, bag = stacked
    assert main(["render", str(bag), "--preset", stack, "--out", str(tmp_path / "out"), "--json"]) == 0
    remap = [] if stack != "psdk_ros2" else ["--remap", f"{PSDK}/main_camera_stream:=thermal/image_raw"]
    capsys.readouterr()
    status = main(["verify", str(tmp_path / "out"), "--bag", str(bag), *remap, "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (status, result["faults"]) == (0, [])
    assert result["bag"]["rederived"]["identical"] == result["frames"] == 35


def test_the_newest_version_of_a_topic_is_read_and_named(flight: Path, tmp_path: Path) -> None:
    recording, _ = params_for(write_as("px4", flight, tmp_path / "bag"), "px4")
    assert recording.inputs["/fmu/out/vehicle_gps_position"] == "/fmu/out/vehicle_gps_position_v1"
    assert recording.missing == ()
    assert recording.derived == "nav,map"


def test_a_heading_of_two_antennas_reaches_the_filter_and_the_record(flight: Path, tmp_path: Path) -> None:
    bag = write_as("psdk_ros2", flight, tmp_path / "bag", heading=True)
    bundles, counts = fly(bag, "psdk_ros2", tmp_path)
    named = Counter(ref.topic for bundle in bundles for ref in bundle.sources)
    assert named[f"{PSDK}/rtk_yaw"] > 50
    assert not {key for key in counts.refused if key.startswith(f"{PSDK}/rtk_yaw")}


def test_px4s_heading_comes_with_its_position(flight: Path, tmp_path: Path) -> None:
    recording, params = params_for(write_as("px4", flight, tmp_path / "bag", heading=True), "px4")
    made = RecordedNavigation(recording, params.rtk, Counter()).understood(recording.messages())
    headings = [item.packet for item in made if isinstance(item, NavInput) and item.topic == HEADING]
    assert len(headings) == recording.counts["/fmu/out/vehicle_gps_position"]
    for heading in headings:
        assert isinstance(heading, Heading)
        assert heading.yaw_rad == pytest.approx(math.pi / 2.0 - 0.3, abs=1e-6)


@pytest.mark.parametrize("stack", ["generic", "psdk_ros2"])
def test_a_recorded_gimbal_holds_the_camera(
    stack: str, flight: Path, standard: list[Bundle], tmp_path: Path
) -> None:
    """In base it is a degree of yaw off what is bolted on; DJI's counts from east, where the drone does not look."""
    bag = write_as(stack, flight, tmp_path / "bag", gimbal=True)
    on_gimbal = {"camera_on_gimbal": True, "camera_rpy_deg": [0.0, 0.0, 0.0]}
    bundles, _ = fly(bag, stack, tmp_path, **on_gimbal)
    placed = [(a, b) for a, b in zip(bundles, standard, strict=True) if a.map_T_camera and b.map_T_camera]
    assert len(placed) > 15
    for ours, theirs in placed:
        assert ours.map_T_camera is not None
        assert theirs.map_T_camera is not None
        looks = rotation_matrix(ours.map_T_camera)[:, 2]
        if stack == "generic":
            turn = rotation_matrix(ours.map_T_camera).T @ rotation_matrix(theirs.map_T_camera)
            assert math.degrees(math.acos((float(np.trace(turn)) - 1.0) / 2.0)) == pytest.approx(1.0, abs=0.3)
        else:
            expected = (math.cos(math.radians(40.0)), 0.0, -math.sin(math.radians(40.0)))
            np.testing.assert_allclose(looks, expected, atol=0.01)
    named = [ref for b in bundles for ref in b.sources if ref.topic.endswith(("/gimbal", "/gimbal_angles"))]
    assert len(named) == len({ref.stamp_ns for ref in named}) > 100


def test_a_gimbal_is_verified_with_the_rest(
    flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_as("generic", flight, tmp_path / "bag", gimbal=True)
    settings = ["--set", "sync.camera_on_gimbal=true", "--set", "sync.camera_rpy_deg=[0.0, 0.0, 0.0]"]
    assert (
        main(["render", str(bag), "--preset", "sim", *settings, "--out", str(tmp_path / "out"), "--json"])
        == 0
    )
    capsys.readouterr()
    status = main(["verify", str(tmp_path / "out"), "--bag", str(bag), "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (status, result["faults"]) == (0, [])
    assert result["bag"]["rederived"]["identical"] == 35


def test_a_type_without_a_definition_is_named_when_it_is_needed(flight: Path, tmp_path: Path) -> None:
    bag = write_as("px4", flight, tmp_path / "bag", plugin=StoragePlugin.SQLITE3, undefined=True)
    with pytest.raises(BagError, match=r"holds no definition of px4_msgs/msg/\w+ .*ros2 bag convert"):
        params_for(bag, "px4")


def test_a_type_without_a_definition_that_can_be_done_without_is_left_out_and_said(
    flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"plugin": StoragePlugin.SQLITE3, "undefined": True, "heading": True}
    bag = write_as("psdk_ros2", flight, tmp_path / "bag", **options)
    recording, _ = params_for(bag, "psdk_ros2")
    assert f"{PSDK}/rtk_yaw" not in recording.inputs
    status = main(["render", str(bag), "--preset", "psdk_ros2", "--out", str(tmp_path / "out"), "--json"])
    assert status == 0
    said = capsys.readouterr().err
    assert "without the heading of the two RTK antennas" in said
    assert "psdk_interfaces/msg/RTKYaw" in said


def test_what_a_run_could_not_hear_is_left_out_when_it_is_verified(
    flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run without the message package of the heading, verified where the recording has its definition."""
    deaf = write_as(
        "psdk_ros2", flight, tmp_path / "deaf", heading=True, plugin=StoragePlugin.SQLITE3, undefined=True
    )
    hears = write_as("psdk_ros2", flight, tmp_path / "hears", heading=True)
    assert main(["render", str(deaf), "--preset", "psdk_ros2", "--out", str(tmp_path / "out"), "--json"]) == 0
    with LedgerReader(tmp_path / "out" / "ledger.db") as reader:
        assert f"{PSDK}/rtk_yaw" not in {ref.topic for ref in reader.inputs()}
    capsys.readouterr()
    remap = ["--remap", f"{PSDK}/main_camera_stream:=thermal/image_raw"]
    main(["verify", str(tmp_path / "out"), "--bag", str(hears), *remap, "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["bag"]["rederived"]["identical"] == 35
    assert any(f"{PSDK}/rtk_yaw: nothing of it entered" in note for note in result["notes"])


def test_another_stacks_topics_are_not_taken_for_ours(flight: Path, tmp_path: Path) -> None:
    bag = write_as("mavros", flight, tmp_path / "bag")
    recording = read_recording(bag, nav=RtkParams(stack="px4"))
    assert recording.derived == ""
    assert set(recording.missing) >= {"/fmu/out/sensor_combined", "/fmu/out/vehicle_gps_position"}


def sentence(body: str) -> bytes:
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode()


@pytest.fixture
def spoken(flight: Path, tmp_path: Path) -> Path:
    """What a receiver with two antennas would have said during the flight: positions and HDT."""
    from datetime import datetime, timezone

    recording = read_recording(flight)
    lines = []
    for message in recording.messages():
        if message.topic != "fix":
            continue
        fix = recording.deserialize(message)
        at = datetime.fromtimestamp(recording.stamp_ns(message) / 1e9, timezone.utc)
        clock = f"{at:%H%M%S}.{at.microsecond // 1000:03d}"
        north, east = (
            f"{int(v):0{n}d}{(v % 1) * 60:011.8f}" for v, n in ((fix.latitude, 2), (fix.longitude, 3))
        )
        lines.append(sentence(f"GPRMC,{clock},A,{north},N,{east},E,0.0,,{at:%d%m%y},,,R"))
        height = f"{fix.altitude - 48.0:.3f},M,48.0,M"
        lines.append(sentence(f"GPGGA,{clock},{north},N,{east},E,4,20,0.6,{height},1.0,0001"))
        lines.append(sentence("GPHDT,72.8,T"))
    path = tmp_path / "receiver.nmea"
    path.write_bytes(b"".join(lines))
    return path


def test_the_sentences_of_a_receiver_stand_in_for_the_topic_and_verify(
    flight: Path, spoken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    source = ["--set", f"rtk.nmea_source={spoken}"]
    assert main(["render", str(flight), "--preset", "sim", *source, "--out", str(out), "--json"]) == 0
    with LedgerReader(out / "ledger.db") as reader:
        named = {ref.topic for ref in reader.inputs()}
    assert "/vidgen/nmea" in named
    assert "/vidgen/fix" not in named
    summary = json.loads((out / "summary.json").read_text())
    assert summary["sync"]["matched"] > 10
    capsys.readouterr()
    status = main(["verify", str(out), "--bag", str(flight), "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (status, result["faults"]) == (0, [])
    spoken.write_bytes(spoken.read_bytes().replace(b"GPHDT,72.8,T", b"GPHDT,72.9,T"))
    assert main(["verify", str(out), "--bag", str(flight), "--json"]) == 1
    spoken.unlink()
    capsys.readouterr()
    assert main(["verify", str(out), "--bag", str(flight), "--json"]) == 1
    assert "nmea_source" in capsys.readouterr().out


def test_a_port_cannot_be_read_again(flight: Path, tmp_path: Path) -> None:
    recording = read_recording(flight, nav=RtkParams(nmea_source="tcp://localhost:1"))
    params = resolve_params("sim", overrides={"rtk": {"nmea_source": "tcp://localhost:1"}})
    with pytest.raises(ConfigError, match="derived from a file of its sentences only"):
        run_offline(recording, params, tmp_path / "ledger.db", lambda *_: None)
