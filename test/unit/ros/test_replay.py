# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reading recordings: which topic is which input, and a clear end for everything that cannot be read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from vidgen_nodes.errors import BagError
from vidgen_nodes.ros.bagfile import storage_files
from vidgen_nodes.ros.replay import parse_remaps, read_recording, replay_overrides, typestore

IMAGE, INFO, FIX, IMU, CLOUD = (
    f"sensor_msgs/msg/{name}" for name in ("Image", "CameraInfo", "NavSatFix", "Imu", "PointCloud2")
)
USUAL = [
    ("/thermal/image_raw", IMAGE),
    ("/thermal/camera_info", INFO),
    ("/fix", FIX),
    ("/imu/data", IMU),
    ("/points", CLOUD),
]
START_NS = 1_700_000_000_000_000_000


def default(type_name: str, stamp_ns: int) -> object:
    """A message of any of these types with empty fields and the given stamp."""
    types = typestore().types
    header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, 10**9)), "f")

    def made(name: str) -> object:
        if name == "std_msgs/msg/Header":
            return header
        values = []
        for _, (kind, detail) in typestore().fielddefs[name][1]:
            values.append(empty(int(kind), detail))
        return types[name](*values)

    def empty(kind: int, detail: object) -> object:
        if kind == 1:  # one value
            return {"string": "", "bool": False}.get(detail[0], 0)  # type: ignore[index]
        if kind == 2:  # a message
            return made(str(detail))
        size = detail[1] if kind == 3 else 0  # type: ignore[index]
        return (
            np.zeros(size, np.float64 if kind == 3 or "float64" in str(detail) else np.uint8)
            if ("float" in str(detail) or "uint8" in str(detail))
            else []
        )

    return made(type_name)


def write_bag(path: Path, topics: Sequence[tuple[str, str]], count: int = 3, **options: object) -> Path:
    """A recording with ``count`` messages of each topic, 10 ms apart."""
    plugin = options.get("plugin", StoragePlugin.MCAP)
    with Writer(path, version=9, storage_plugin=plugin) as writer:  # type: ignore[arg-type]
        connections = [writer.add_connection(name, kind, typestore=typestore()) for name, kind in topics]
        for index in range(count):
            stamp_ns = START_NS + index * 10_000_000
            for connection, (_, kind) in zip(connections, topics, strict=True):
                data = typestore().serialize_cdr(default(kind, stamp_ns), kind)
                writer.write(connection, stamp_ns + 5_000_000, data)
    return path


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_the_usual_names_are_our_inputs(tmp_path: Path, plugin: StoragePlugin) -> None:
    recording = read_recording(write_bag(tmp_path / "bag", USUAL, plugin=plugin))
    assert recording.inputs == {name.lstrip("/"): name for name, _ in USUAL}
    assert recording.missing == ()
    assert len(list(recording.messages())) == 15


def test_bytes_and_stamps_are_those_recorded(tmp_path: Path) -> None:
    recording = read_recording(write_bag(tmp_path / "bag", USUAL))
    for message in recording.messages():
        read = recording.deserialize(message)
        assert message.data == bytes(typestore().serialize_cdr(read, message.type_name))
        stamp = read.header.stamp
        assert recording.stamp_ns(message) == stamp.sec * 10**9 + stamp.nanosec
    assert replay_overrides(recording)["generator"]["scenario_start_ns"] == START_NS


@pytest.mark.parametrize("suffix", ["mcap", "db3"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_single_file_packed_or_not(tmp_path: Path, suffix: str, packed: bool) -> None:
    plugin = StoragePlugin.MCAP if suffix == "mcap" else StoragePlugin.SQLITE3
    write_bag(tmp_path / "bag", USUAL, plugin=plugin)
    file = next((tmp_path / "bag").glob(f"*.{suffix}"))
    if packed:
        from vidgen_nodes.ros.bagfile import zstd

        target = file.with_name(file.name + ".zstd")
        target.write_bytes(zstd.compress(file.read_bytes()))
        file = target
    assert len(list(read_recording(file).messages())) == 15


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_recordings_are_read(tmp_path: Path, mode: CompressionMode) -> None:
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/thermal/image_raw", IMAGE, typestore=typestore())
        writer.write(connection, START_NS, typestore().serialize_cdr(default(IMAGE, START_NS), IMAGE))
    recording = read_recording(tmp_path / "bag")
    assert [recording.stamp_ns(m) for m in recording.messages()] == [START_NS]


def test_a_prefix_and_the_camera_info_beside_the_image(tmp_path: Path) -> None:
    topics = [
        ("/uav/thermal/image_raw", IMAGE),
        ("/uav/thermal/camera_info", INFO),
        ("/rgb/camera_info", INFO),
    ]
    recording = read_recording(write_bag(tmp_path / "bag", topics))
    assert recording.inputs == {
        "thermal/image_raw": "/uav/thermal/image_raw",
        "thermal/camera_info": "/uav/thermal/camera_info",
    }
    assert recording.missing == ("fix", "imu/data", "points")


def test_the_only_topic_of_a_type_is_taken_but_no_colour_camera_for_thermal(tmp_path: Path) -> None:
    topics = [
        ("/ir/thermal", IMAGE),
        ("/rgb/image_raw", IMAGE),
        ("/gps", FIX),
        ("/os_cloud_node/cloud", CLOUD),
    ]
    recording = read_recording(write_bag(tmp_path / "bag", topics))
    assert recording.inputs["thermal/image_raw"] == "/ir/thermal"
    assert recording.inputs["fix"] == "/gps"
    assert recording.inputs["points"] == "/os_cloud_node/cloud"
    with pytest.raises(BagError, match=r"--remap /rgb/image_raw:=thermal/image_raw"):
        read_recording(write_bag(tmp_path / "rgb", topics[1:]))


def test_two_that_fit_are_not_guessed_between(tmp_path: Path) -> None:
    topics = [("/thermal/image_raw", IMAGE), ("/gps1", FIX), ("/gps2", FIX)]
    bag = write_bag(tmp_path / "bag", topics)
    with pytest.raises(BagError, match=r"/gps1, /gps2 could each be fix.*--remap /gps1:=fix"):
        read_recording(bag)
    assert read_recording(bag, {"/gps2": "fix"}).inputs["fix"] == "/gps2"


@pytest.mark.parametrize(
    ("remap", "word"),
    [
        ({"/nowhere": "fix"}, "which is not in it"),
        ({"/points": "fix"}, "must be sensor_msgs/msg/NavSatFix"),
        ({"/fix": "fix", "/other": "fix"}, "two topics"),
    ],
)
def test_a_remap_that_cannot_be_is_refused(tmp_path: Path, remap: dict[str, str], word: str) -> None:
    bag = write_bag(tmp_path / "bag", [*USUAL, ("/other", FIX)])
    with pytest.raises(BagError, match=word):
        read_recording(bag, remap)


def test_remaps_are_parsed() -> None:
    assert parse_remaps(["/cam:=thermal/image_raw", "gps:=/vidgen/fix"]) == {
        "/cam": "thermal/image_raw",
        "/gps": "fix",
    }
    for wrong in ("/cam", ":=fix", "/cam:=nope"):
        with pytest.raises(BagError, match="--remap"):
            parse_remaps([wrong])


def test_no_thermal_image_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r"no thermal images.*\n.*/fix \(sensor_msgs/msg/NavSatFix, 3\)"):
        read_recording(write_bag(tmp_path / "bag", USUAL[2:]))


def test_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="no such file or directory"):
        read_recording(tmp_path / "nothing")


def test_missing_metadata_names_the_file_to_give_instead(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", USUAL)
    (bag / "metadata.yaml").unlink()
    with pytest.raises(BagError, match=r"metadata.yaml is missing.*bag\.mcap"):
        read_recording(bag)


def test_a_folder_of_recordings_is_hinted_at(tmp_path: Path) -> None:
    write_bag(tmp_path / "inner", USUAL)
    with pytest.raises(BagError, match="perhaps you mean a recording in it: inner"):
        read_recording(tmp_path)


@pytest.mark.parametrize("name", ["old.bag", "old.db3"])
def test_ros_1_content_is_told_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"#ROSBAG V2.0\nE\x00\x00\x00")
    with pytest.raises(BagError, match=r"ROS 1 bag; convert it first: `rosbags-convert"):
        read_recording(tmp_path / name)


def test_an_empty_recording(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="holds no messages"):
        read_recording(write_bag(tmp_path / "bag", USUAL, count=0))


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.999])
def test_a_file_cut_anywhere_is_a_bag_error(tmp_path: Path, plugin: StoragePlugin, share: float) -> None:
    write_bag(tmp_path / "bag", USUAL, count=40, plugin=plugin)
    file = next(p for p in (tmp_path / "bag").iterdir() if p.suffix in (".mcap", ".db3"))
    whole = [m.data for m in read_recording(tmp_path / "bag").messages()]
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    told = ""
    read: list[bytes] = []
    try:
        read = [m.data for m in read_recording(tmp_path / "bag").messages()]
    except BagError as err:
        told = str(err)
    # A cut through unused pages loses nothing; a cut through anything else must be told.
    assert str(tmp_path) in told or (read == whole and share > 0.9)


def test_a_recording_with_fewer_messages_than_it_promises_is_told(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", USUAL)
    metadata = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(metadata.replace("message_count: 3", "message_count: 4"))
    with pytest.raises(BagError, match="ends after 15 of 20 messages"):
        list(read_recording(bag).messages())


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_noise_in_a_file_never_raises_anything_else(tmp_path: Path, plugin: StoragePlugin) -> None:
    write_bag(tmp_path / "bag", USUAL, count=4, plugin=plugin)
    file = next(p for p in (tmp_path / "bag").iterdir() if p.suffix in (".mcap", ".db3"))
    whole = file.read_bytes()
    generator = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in generator.integers(0, len(damaged), 8):
            damaged[place] = generator.integers(0, 256)
        file.write_bytes(damaged)
        try:
            recording = read_recording(tmp_path / "bag")
            for message in recording.messages():
                recording.deserialize(message)
        except BagError:
            refused += 1
    assert refused > 0


def test_the_files_of_a_recording(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", USUAL)
    shutil.copy(bag / "metadata.yaml", bag / "notes.txt")
    assert [p.name for p in storage_files(bag)] == ["bag.mcap", "metadata.yaml"]
    assert storage_files(bag / "bag.mcap") == [bag / "bag.mcap"]
