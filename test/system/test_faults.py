# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The live graph under the faults of a real flight: disturbed stamps and streams, clocks, loops, a full disk."""

from __future__ import annotations

import itertools
import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from vidgen_nodes.custody.merkle import leaf_hash, verify_inclusion
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import VerificationError

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
# A slow camera and a thin scan: the trials are of logic, not of speed.
SLOW = ("--set", "sim.thermal_rate_hz=10", "--set", "sim.lidar_points=8000")


def settings(**values: float) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in ("--set", f"sim.{name}={value}"))


def leaves(run_dir: Path) -> list[dict[str, Any]]:
    """Frames in the ledger of a run so far; none while it is being made."""
    try:
        with LedgerReader(run_dir / "ledger.db") as reader:
            return [leaf for _, leaf in reader.frames()]
    except VerificationError:
        return []


def jumps(run_dir: Path) -> list[str]:
    """Causes of the segments so far."""
    try:
        with LedgerReader(run_dir / "ledger.db") as reader:
            return [str(segment["cause"]) for _, segment in reader.segments()]
    except VerificationError:
        return []


def matched(run_dir: Path) -> int:
    """Frames so far that nothing is wrong with."""
    return sum(not leaf["causes"] for leaf in leaves(run_dir))


@pytest.fixture
def flown(wait_until: Any, finish: Any) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Flies until a condition holds; the result of the command."""

    def fly(
        vidgen: Any, faults: tuple[str, ...], enough: Callable[[], bool]
    ) -> tuple[int, dict[str, Any], str]:
        command = vidgen.start("up", "--preset", "sim", "--sim", *SLOW, *faults)
        wait_until(enough, "enough frames in the ledger", limit_s=90.0)
        command.send_signal(signal.SIGINT)
        result: tuple[int, dict[str, Any], str] = finish(command)
        return result

    return fly


def test_every_frame_that_arrives_is_matched_though_stamps_jitter_and_streams_lose_and_swap(
    vidgen: Any, flown: Any
) -> None:
    faults = settings(jitter_ms=18, drop_fraction=0.02, reorder_fraction=0.02)
    status, summary, err = flown(vidgen, faults, lambda: matched(vidgen.run_dir) > 50)
    assert status == 0, err
    frames = leaves(vidgen.run_dir)
    first = next(number for number, leaf in enumerate(frames) if not leaf["causes"])
    assert len(frames) - first > 40
    unmatched = Counter(cause for leaf in frames[first:] for cause in leaf["causes"])
    assert not unmatched
    assert not {"duplicate", "out_of_order"} & summary["frames"]["dropped"].keys()
    # Whatever a busy machine lost behind the synchroniser: only frames before the first map were not matched.
    assert summary["frames"]["thermal_in"] - summary["sync"]["matched"] <= frames[first]["bundle"]
    assert summary["gate"]["pixels_outside"] == 0
    assert summary["gate"]["pixels_drawn"] > 0
    assert summary["custody"]["verified"] is True
    stamps = [leaf["stamp_ns"] for leaf in frames]
    assert len(set(stamps)) == len(stamps)


def test_a_camera_whose_clock_is_two_seconds_ahead_is_named_and_draws_nothing_in_the_wrong_place(
    vidgen: Any, flown: Any
) -> None:
    offset = settings(thermal_clock_offset_ms=2000)
    status, summary, err = flown(vidgen, offset, lambda: len(leaves(vidgen.run_dir)) > 70)
    assert status == 0, err
    assert re.search(
        r"thermal_node: stamps on /vidgen/thermal/\w+ are 2\.0 s ahead of this node's clock", err
    ), err
    frames = leaves(vidgen.run_dir)
    doubted = [leaf for leaf in frames if "pose_stale" in leaf["causes"]]
    assert doubted
    assert all(leaf["gate"]["pixels_drawn"] == 0 for leaf in frames if leaf["causes"])
    trusted = [leaf for leaf in frames if not leaf["causes"]]  # only once the offset was found and taken out
    assert all(abs(leaf.get("clock_offset_ns", 0) - 2_000_000_000) < 5_000_000 for leaf in trusted)
    assert summary["custody"]["verified"] is True


def test_a_recording_that_loops_clears_every_buffer_once_and_begins_a_segment_each_time(
    vidgen: Any, flight: Path, wait_until: Any, finish: Any
) -> None:
    command = vidgen.start("replay", flight, "--preset", "sim", "--loop")
    wait_until(lambda: jumps(vidgen.run_dir).count("clock_jump") >= 2, "two restarts of the recording")
    wait_until(lambda: leaves(vidgen.run_dir)[-1]["bundle"] > 5, "frames of the third pass")
    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 0, err
    assert summary["custody"]["verified"] is True
    frames = leaves(vidgen.run_dir)
    passes = {
        number: list(group) for number, group in itertools.groupby(frames, key=lambda leaf: leaf["segment"])
    }
    assert list(passes) == list(range(len(passes)))  # one segment a pass, none between
    assert jumps(vidgen.run_dir) == ["start"] + ["clock_jump"] * (len(passes) - 1)
    assert [len(passes[number]) for number in list(passes)[:-1]] == [50] * (len(passes) - 1)
    for group in passes.values():
        assert [leaf["bundle"] for leaf in group] == list(range(len(group)))
        assert (
            group[0]["nav_stamp_ns"] == group[0]["map_stamp_ns"] == 0
        )  # nothing of the pass before is in effect
        assert {"no_pose", "no_map"} <= set(group[0]["causes"])
    again = zip(passes[1], passes[2], strict=False)
    assert all((a["stamp_ns"], a["frame"]) == (b["stamp_ns"], b["frame"]) for a, b in again)


def test_when_the_disk_is_full_nothing_leaves_unlogged_and_the_node_says_so(
    vidgen: Any, peer: Any, wait_until: Any, finish: Any
) -> None:
    from vidgen.msg import Provenance

    published: list[tuple[int, bytes]] = []

    def keep(message: Any) -> None:
        published.append((int(message.leaf_index), bytes(message.leaf_hash)))

    peer.create_subscription(Provenance, "provenance", keep, 100)
    command = vidgen.start("up", "--preset", "sim", "--sim", *SLOW)
    wait_until(lambda: len(published) > 20, "frames with their records")
    first = vidgen.node("generator_node")
    ledger = vidgen.run_dir / "ledger.db"
    # Nothing of this process can be written beyond: its disk is full. The log has room, zeros, made for it beforehand.
    room = max(len(path.read_bytes().rstrip(b"\0")) for path in ledger.parent.glob("ledger.db*")) + 40_000
    first.rlimit(psutil.RLIMIT_FSIZE, (room, room))
    log = vidgen.run_dir / "logs" / "generator_node.log"
    wait_until(lambda: "nothing more is published: CustodyError" in log.read_text(), "the node said so")
    said = len(published)
    wait_until(lambda: first.pid not in {p.pid for p in vidgen.processes()}, "the node ended")
    wait_until(lambda: len(published) > said + 20, "frames again, where there is room again", limit_s=120.0)
    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 0, err
    assert summary["restarts"] == {"generator_node": 1}
    assert summary["custody"]["verified"] is True
    with LedgerReader(ledger) as reader:
        logged = {row.index: row.leaf_hash for row in reader.rows()}
    assert len(published) == len(set(published))
    assert all(logged[index] == hashed for index, hashed in published)
    assert "custody is broken" not in (vidgen.run_dir / "logs" / "custody_node.log").read_text()


def test_the_services_of_a_live_graph_answer(vidgen: Any, peer: Any, wait_until: Any, finish: Any) -> None:
    from vidgen.srv import Proof, SetScenario, Verify

    command = vidgen.start("up", "--preset", "sim", "--sim", *SLOW)
    wait_until(lambda: len(leaves(vidgen.run_dir)) > 20, "frames in the ledger")

    checked = peer.call(Verify, "custody_node/verify", {})
    assert checked.success, checked.message
    assert checked.records > 20

    proofs: list[Any] = []

    def proved() -> bool:
        proofs.append(peer.call(Proof, "custody_node/proof", {"leaf_index": 5}))
        return bool(proofs[-1].file)

    wait_until(proved, "a signed head over leaf 5")
    proof = proofs[-1]
    assert proof.success, proof.message
    path = bytes(proof.path)
    nodes = [path[at : at + 32] for at in range(0, len(path), 32)]
    verify_inclusion(leaf_hash(bytes(proof.leaf)), 5, proof.tree_size, nodes, bytes(proof.root))
    (vidgen.run_dir / "leaf5.proof").write_bytes(bytes(proof.file))
    assert not peer.call(Proof, "custody_node/proof", {"leaf_index": 10**9}).success

    text = (ROOT / "config" / "scenarios" / "sim_wall_fire.yaml").read_text(encoding="utf-8")
    request = {"yaml": text.replace("name: sim_wall_fire", "name: second_drill")}
    taken = peer.call(SetScenario, "generator_node/set_scenario", request)
    assert taken.success, taken.message
    assert "second_drill" in taken.message
    digest = bytes(taken.scenario_sha256)
    wait_until(lambda: leaves(vidgen.run_dir)[-1]["scenario"] == digest, "frames of the new scenario")
    refused = peer.call(SetScenario, "generator_node/set_scenario", {"yaml": "name: [1"})
    assert not refused.success
    assert leaves(vidgen.run_dir)[-1]["scenario"] == digest

    command.send_signal(signal.SIGINT)
    status, summary, err = finish(command)
    assert status == 0, err
    assert summary["custody"]["verified"] is True
    root = Path(vidgen.environment["VIDGEN_KEYS"]) / "root.pub"
    status, said, err = vidgen.run(
        "proof", "verify", vidgen.run_dir / "leaf5.proof", "--root", root, own_dir=False
    )
    assert status == 0, err
    assert said["leaf_index"] == 5
