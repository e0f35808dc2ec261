# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The live graph as real processes: demo, up, replay, and what happens when something is killed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import cv2
import pytest

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.delivery.content_label import read_label
from vidgen_nodes.delivery.label import rows_above_label
from vidgen_nodes.delivery.tag_strip import read_strip
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.ros import transport

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

NODES = {f"{n}_node" for n in ("thermal", "rtk", "lidar", "sync", "generator", "ar", "robot", "custody")}


def frame_hashes(ledger: Path) -> dict[int, bytes]:
    """Frame hash by stamp."""
    with LedgerReader(ledger) as reader:
        return {leaf["stamp_ns"]: leaf["frame"] for _, leaf in reader.frames()}  # type: ignore[misc]


def recorded(run_dir: Path) -> int:
    """Frames in the ledger of a run so far; none while it is being made."""
    try:
        return len(frame_hashes(run_dir / "ledger.db"))
    except VerificationError:
        return 0


def test_the_demo_flies_draws_records_and_leaves_pictures(vidgen: Any) -> None:
    status, summary, err = vidgen.run("demo", "--seconds", "4")
    assert status == 0, err
    assert summary["frames"]["thermal_in"] >= 150
    assert summary["frames"]["overlay_out"] > 0
    assert summary["gate"]["pixels_outside"] == 0
    assert summary["custody"]["verified"] is True
    assert summary["latency_ms"]["p50"] > 0
    assert set(summary["cpu_percent"]) == NODES | {"sim_node"}
    assert summary["restarts"] == {}
    overlay = cv2.imread(str(vidgen.run_dir / "overlay.png"), cv2.IMREAD_UNCHANGED)
    composite = cv2.imread(str(vidgen.run_dir / "composite.png"), cv2.IMREAD_UNCHANGED)
    assert rows_above_label(overlay[..., [2, 1, 0, 3]], "SYN") == 512
    assert composite.shape == (512, 640, 3)
    assert read_strip(overlay) == read_strip(composite) is not None
    for name in ("overlay.png", "composite.png"):
        assert read_label((vidgen.run_dir / name).read_bytes()).source_type.endswith("algorithmicMedia")
    assert {p.stem for p in (vidgen.run_dir / "logs").iterdir()} == NODES | {"sim_node"}


def test_replay_and_render_of_one_recording_give_the_same_frames(
    vidgen: Any, flight: Path, tmp_path: Path
) -> None:
    status, summary, err = vidgen.run("replay", flight, "--preset", "sim")
    assert status == 0, err
    assert summary["frames"]["thermal_in"] == 50
    live = frame_hashes(vidgen.run_dir / "ledger.db")
    status, _, err = vidgen.run("render", flight, "--preset", "sim", "--out", tmp_path / "out", own_dir=False)
    assert status == 0, err
    offline = frame_hashes(tmp_path / "out" / "ledger.db")
    assert len(live) >= 45
    assert {stamp: offline[stamp] for stamp in live} == live
    status, result, err = vidgen.run("verify", vidgen.run_dir, "--bag", flight, own_dir=False)
    assert status == 0, err
    assert result["bag"]["files"] == "identical"
    assert result["bag"]["rederived"]["identical"] == len(live)


def test_a_real_recording_plays_through(vidgen: Any, real_composite: Path) -> None:
    status, summary, err = vidgen.run("replay", real_composite)
    assert status == 0, err
    assert summary["frames"]["thermal_in"] == summary["frames"]["overlay_out"] == 30
    assert summary["gate"]["pixels_drawn"] == 0  # no building, no scenario, no RTK fix in force
    status, result, err = vidgen.run("verify", vidgen.run_dir, "--bag", real_composite, own_dir=False)
    assert status == 0, err
    verdicts = result["bag"]["rederived"]
    assert verdicts.pop("identical") == 30
    assert not any(verdicts.values())


def test_a_killed_node_comes_back_and_the_ledger_goes_on(vidgen: Any, wait_until: Any, finish: Any) -> None:
    command = vidgen.start("up", "--preset", "sim", "--sim")
    wait_until(lambda: recorded(vidgen.run_dir) > 20, "frames in the ledger")
    first = vidgen.node("generator_node")
    first.kill()

    def is_back() -> bool:
        node = vidgen.node("generator_node")
        return node is not None and node.pid != first.pid

    wait_until(is_back, "generator_node was started again")
    before = recorded(vidgen.run_dir)
    wait_until(lambda: recorded(vidgen.run_dir) > before + 20, "frames after the restart")
    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 0, err
    assert summary["restarts"] == {"generator_node": 1}
    assert summary["custody"]["verified"] is True
    with LedgerReader(vidgen.run_dir / "ledger.db") as reader:
        assert len(list(reader.segments())) == 2


def test_an_interrupt_ends_everything_in_order(vidgen: Any, wait_until: Any, finish: Any) -> None:
    command = vidgen.start("up")
    wait_until(lambda: len(vidgen.processes()) >= len(NODES) + 1, "all nodes run")
    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 1  # nothing flew, so nothing came out
    assert summary["frames"]["overlay_out"] == 0
    assert "no overlay came out" in err
    assert "sending SIGTERM" not in err
    assert "sending SIGKILL" not in err


def test_nothing_outlives_a_command_that_is_killed(vidgen: Any, wait_until: Any) -> None:
    command = vidgen.start("up")
    wait_until(lambda: len(vidgen.processes()) >= len(NODES) + 1, "all nodes run")
    command.kill()
    command.communicate()
    wait_until(lambda: not vidgen.processes(), "the nodes ended with their supervisor")


def test_a_second_graph_in_the_same_domain_leaves_the_first_alone(
    vidgen: Any, wait_until: Any, finish: Any, tmp_path: Path
) -> None:
    command = vidgen.start("up", "--preset", "sim", "--sim")
    wait_until(lambda: recorded(vidgen.run_dir) > 20, "frames of the first")
    second = tmp_path / "second"
    status, result, _ = vidgen.run("up", "--preset", "sim", "--sim", "--run-dir", second, own_dir=False)
    assert status == 2
    assert "another graph publishes" in result["error"]
    assert not (second / "ledger.db").exists()
    before = recorded(vidgen.run_dir)
    wait_until(lambda: recorded(vidgen.run_dir) > before + 20, "more frames of the first")
    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 0, err
    assert summary["restarts"] == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demo", "--set", "sync.nope=1"), "no parameter 'nope'"),
        (("up", "--preset", "nope"), "'nope' is not known"),
        (("up", "--config", "nowhere.yaml"), "no such file"),
        (("replay", "nowhere"), "no such file or directory"),
    ],
)
def test_a_wrong_request_starts_nothing(vidgen: Any, words: tuple[str, ...], said: str) -> None:
    status, result, _ = vidgen.run(*words)
    assert status == 2
    assert said in result["error"]
    assert not vidgen.run_dir.exists()


def test_the_ledger_of_another_run_is_not_continued(vidgen: Any) -> None:
    vidgen.run_dir.mkdir()
    (vidgen.run_dir / "ledger.db").touch()
    status, result, _ = vidgen.run("up")
    assert status == 2
    assert "ledger of another run" in result["error"]


def test_the_doctor_finds_this_machine_fit(vidgen: Any) -> None:
    status, result, err = vidgen.run("doctor", own_dir=False)
    assert status == 0, err
    assert result["ok"] is True
    assert any("interfaces built" in finding["what"] for finding in result["findings"])


def test_no_stale_segment_is_left_in_shared_memory(vidgen: Any) -> None:
    before = {path.name for path in transport.SHARED_MEMORY.glob("fast*")}
    assert vidgen.run("demo", "--seconds", "1")[0] == 0
    assert not set(transport.sweep_stale_segments()) - before
