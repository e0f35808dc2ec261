# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen render`` and ``vidgen verify``: the same bytes twice, and no changed byte passes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import cv2
import pytest

from vidgen_nodes.cli import main
from vidgen_nodes.custody.note import VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.custody.x509 import root_of_key
from vidgen_nodes.delivery.content_credentials import read_manifest
from vidgen_nodes.delivery.content_label import read_label
from vidgen_nodes.delivery.tag_strip import read_strip

FRAMES = 35


def command(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit status and the last line of stdout."""
    capsys.readouterr()
    status = main([str(word) for word in (*words, "--json")])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture(scope="session")
def rendered(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("render") / "out"
    assert main(["render", str(flight), "--preset", "sim", "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture
def own(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the rendered ledger to damage."""
    verify_ledger(rendered / "ledger.db")  # folds nothing, but fails early if the original is bad
    shutil.copy(rendered / "ledger.db", tmp_path / "ledger.db")
    return tmp_path / "ledger.db"


def test_every_thermal_frame_gives_a_recorded_overlay(rendered: Path) -> None:
    summary = json.loads((rendered / "summary.json").read_text())
    assert summary["frames"] == {"thermal_in": FRAMES, "overlay_out": FRAMES, "dropped": {}}
    assert summary["custody"]["verified"] is True
    assert summary["custody"]["records"] == FRAMES + 1
    assert summary["gate"]["pixels_outside"] == 0
    assert summary["gate"]["pixels_drawn"] > 0
    assert len(list((rendered / "frames").iterdir())) == FRAMES


def test_the_first_frames_are_transparent_and_say_why(rendered: Path) -> None:
    summary = json.loads((rendered / "summary.json").read_text())
    causes = summary["sync"]["causes"]
    assert causes["no_map"] >= 1
    assert causes["no_pose"] >= 1
    assert causes["no_camera_info"] >= 1
    first = min((rendered / "frames").iterdir())
    assert not cv2.imread(str(first), cv2.IMREAD_UNCHANGED)[:512, :, 3].any()  # the label lies below


def test_rendering_twice_gives_the_same_bytes_and_root(
    flight: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, summary = command(capsys, "render", flight, "--preset", "sim", "--out", tmp_path / "again")
    assert status == 0
    assert (
        summary["custody"]["root"] == json.loads((rendered / "summary.json").read_text())["custody"]["root"]
    )
    for frame in (rendered / "frames").iterdir():
        assert frame.read_bytes() == (tmp_path / "again" / "frames" / frame.name).read_bytes(), frame.name


def test_a_moved_recording_gives_the_same_root(
    flight: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(flight, tmp_path / "elsewhere")
    status, summary = command(
        capsys, "render", tmp_path / "elsewhere", "--preset", "sim", "--out", tmp_path / "out"
    )
    assert status == 0
    assert (
        summary["custody"]["root"] == json.loads((rendered / "summary.json").read_text())["custody"]["root"]
    )


def test_verify_derives_every_frame_again(
    flight: Path, rendered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = command(capsys, "verify", rendered, "--bag", flight)
    assert (status, result["verified"], result["faults"]) == (0, True, [])
    assert result["bag"]["files"] == "identical"
    counts = {"identical": FRAMES, "within_tolerance": 0, "different": 0, "inputs_missing": 0}
    assert result["bag"]["rederived"] == counts


def test_verify_needs_none_of_the_configuration_files(
    flight: Path, rendered: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a file was read that the ledger should have held")

    monkeypatch.setattr("vidgen_nodes.ros.offline.load_building", refuse)
    monkeypatch.setattr("vidgen_nodes.ros.offline.load_scenario", refuse)
    assert command(capsys, "verify", rendered, "--bag", flight)[0] == 0


@pytest.mark.parametrize("column", ["leaf", "leaf_hash", "root"])
@pytest.mark.parametrize("index", [0, 7, FRAMES])
def test_a_changed_byte_of_a_leaf_is_found_and_placed(
    own: Path, column: str, index: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(own) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        (value,) = connection.execute(f"SELECT {column} FROM leaves WHERE idx = ?", (index,)).fetchone()
        value = bytes([value[0] ^ 1]) + value[1:]
        connection.execute(f"UPDATE leaves SET {column} = ? WHERE idx = ?", (value, index))
    connection.close()
    status, result = command(capsys, "verify", own)
    assert status == 1
    assert any(fault.startswith(f"leaf {index}:") for fault in result["faults"])


def test_a_changed_byte_of_the_recording_is_found_and_placed(
    flight: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(flight, tmp_path / "bag")
    file = next((tmp_path / "bag").glob("*.mcap"))
    size = file.stat().st_size
    for place in (20, size // 2, size - 40):
        original = file.read_bytes()
        damaged = bytearray(original)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        status, result = command(capsys, "verify", rendered, "--bag", tmp_path / "bag")
        assert status == 1
        located = [f for f in result["faults"] if f.startswith(f"{file.name}, bytes ")]
        first, last = (int(word) for word in located[0].split("bytes ")[1].split(":")[0].split(" to "))
        assert first <= place <= last
        file.write_bytes(original)


def test_changed_metadata_of_the_recording_is_found(
    flight: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(flight, tmp_path / "bag")
    metadata = tmp_path / "bag" / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("ros_distro: rosbags", "ros_distro: rosbag5"))
    status, result = command(capsys, "verify", rendered, "--bag", tmp_path / "bag")
    assert status == 1
    assert any(f.startswith("metadata.yaml, bytes") for f in result["faults"])


def test_a_ledger_that_never_had_the_root_noted(rendered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = json.loads((rendered / "summary.json").read_text())["custody"]["root"]
    assert command(capsys, "verify", rendered, "--root", root)[0] == 0
    assert command(capsys, "verify", rendered, "--root", "00" * 32)[0] == 1
    assert command(capsys, "verify", rendered, "--root", "xyz")[0] == 2


def test_without_pose_or_lidar_the_overlay_is_transparent_and_says_why(
    flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rosbags.rosbag2 import Reader, StoragePlugin, Writer

    from vidgen_nodes.ros.replay import typestore

    with (
        Reader(flight) as reader,
        Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as writer,
    ):
        kept = [c for c in reader.connections if c.topic.startswith("/thermal/")]
        made = {c.topic: writer.add_connection(c.topic, c.msgtype, typestore=typestore()) for c in kept}
        for connection, log_ns, data in reader.messages(kept):
            writer.write(made[connection.topic], log_ns, data)
    status, summary = command(
        capsys, "render", tmp_path / "bag", "--preset", "sim", "--out", tmp_path / "out"
    )
    assert status == 0
    assert summary["frames"]["overlay_out"] == FRAMES
    assert summary["gate"]["pixels_drawn"] == 0
    assert summary["sync"]["causes"]["no_pose"] == FRAMES
    assert summary["sync"]["causes"]["no_map"] == FRAMES


def test_every_file_of_a_run_is_marked_tagged_and_labelled(
    flight: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDGEN_KEYS", str(tmp_path / "keys"))
    words = ("render", flight, "--preset", "sim", "--out", tmp_path / "out", "--composite")
    assert command(capsys, *words, "--video", tmp_path / "out.mp4")[0] == 0
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == FRAMES
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(25.0, rel=0.1)
    read = [read_strip(video.read()[1]) for _ in range(FRAMES)]
    with LedgerReader(tmp_path / "out" / "ledger.db") as reader:
        indexes = [index for index, _ in reader.frames()]
    assert [pointer and pointer.leaf_index for pointer in read] == indexes
    root = VerifierKey.parse((tmp_path / "keys" / "root.pub").read_text()).public
    composites = sorted((tmp_path / "out" / "composite").iterdir())
    frames = sorted((tmp_path / "out" / "frames").iterdir())
    assert len(composites) == len(frames) == FRAMES
    for path in (tmp_path / "out.mp4", composites[0], composites[-1]):
        source_type = read_manifest(path.read_bytes(), lambda pem: root_of_key(pem, root)).source_type
        assert source_type == read_label(path.read_bytes()).source_type
    for path in (*composites, *frames):
        assert read_strip(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) is not None
        read_label(path.read_bytes())


def test_old_frames_never_stay_among_new_ones(
    flight: Path, rendered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = command(capsys, "render", flight, "--out", rendered)
    assert status == 2
    assert "not empty" in result["error"]


@pytest.mark.parametrize(
    "words", [("verify", "nothing.db"), ("render", "nothing", "--out", "x"), ("rules", "x.yaml")]
)
def test_a_wrong_request_is_status_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(capsys, *words)[0] == 2


def test_the_real_recording_gives_thirty_frames_and_verifies(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = shared_data / "rosbag2" / "real_composite"
    roots = set()
    for name in ("a", "b"):
        status, summary = command(capsys, "render", bag, "--out", tmp_path / name)
        assert status == 0
        assert summary["frames"] == {"thermal_in": 30, "overlay_out": 30, "dropped": {}}
        roots.add(summary["custody"]["root"])
    assert len(roots) == 1
    status, result = command(capsys, "verify", tmp_path / "a", "--bag", bag)
    assert status == 0
    assert result["bag"]["rederived"]["identical"] == 30


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uf_gps_bag", ("/gps (sensor_msgs/msg/NavSatFix, 107)", "Record the thermal camera")),
        ("nebula_vlp16", ("perhaps you mean a recording in it",)),
        ("nebula_vlp16/1673400471837873222", ("velodyne_msgs/msg/VelodyneScan", "run velodyne_pointcloud")),
    ],
)
def test_a_real_recording_without_thermal_ends_with_a_clear_explanation(
    shared_data: Path, tmp_path: Path, name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = command(capsys, "render", shared_data / "rosbag2" / name, "--out", tmp_path / "out")
    assert status == 2
    assert all(word in result["error"] for word in words)
    assert not (tmp_path / "out").exists()
