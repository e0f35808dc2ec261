# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifecycle_msgs.msg import State
from sensor_msgs.msg import Image
from vidgen.msg import HazardArray, OverlayFrame, Provenance, SensorBundle
from vidgen.srv import Review, SetScenario

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.nodes.custody_node import CustodyNode
from vidgen_nodes.nodes.generator_node import GeneratorNode
from vidgen_nodes.ros import convert, fill
from vidgen_nodes.scenario.timeline import parse_scenario

WIDTH, HEIGHT = 64, 48


def bundle(stamp_ns: int, sequence: int, segment: int = 0) -> Any:
    """A bundle with a pose that names a map which nobody has."""
    message = SensorBundle(sequence=sequence, segment=segment, pose_valid=True, map_valid=True, sigma_px=1.0)
    fill.set_header(message.header, stamp_ns, "cam")
    message.map_pose_camera.pose.orientation.w = 1.0
    message.map_digest = fill.digest(bytes(range(32)))
    message.map_stamp = message.nav_stamp = fill.time(stamp_ns - 1)
    thermal = message.thermal
    thermal.header = message.header
    thermal.image = fill.image(stamp_ns, "cam", "mono16", np.zeros((HEIGHT, WIDTH), np.uint16))
    thermal.calibrated = True
    thermal.scale_k_per_count = thermal.offset_k = float("nan")
    info = thermal.camera_info
    fill.set_header(info.header, stamp_ns, "cam")
    info.width, info.height, info.distortion_model = WIDTH, HEIGHT, "plumb_bob"
    info.k = np.array([60.0, 0, 32, 0, 60.0, 24, 0, 0, 1])
    return message


class Graph:
    """The generator between a publisher of bundles and listeners to what it makes."""

    def __init__(self, bench: Any, ledger: Path, **parameters: Any) -> None:
        self._bench = bench
        named = {"ledger": str(ledger), "mission": "bench", "origin": "sim", **parameters}
        others = {"custody_node": {"ledger": str(ledger)}}
        self.node = bench.start(GeneratorNode, others, **named)
        self.peer = bench.peer()
        self.got: dict[str, list[Any]] = {name: [] for name in ("overlay", "provenance", "hazards", "frame")}
        for name, message_type, topic in (
            ("overlay", Image, "overlay/image_raw"), ("provenance", Provenance, "provenance"),
            ("hazards", HazardArray, "hazards"), ("frame", OverlayFrame, "overlay/frame"),
        ):  # fmt: skip
            self.peer.create_subscription(message_type, topic, self.got[name].append, 50)
        self.bundles = self.peer.create_publisher(SensorBundle, "bundle", 50)
        bench.until(
            lambda: self.peer.count_publishers("/vidgen/overlay/image_raw"), "discovery of the outputs"
        )
        if parameters.get("auto_activate", True):
            bench.until(self.bundles.get_subscription_count, "discovery of the input")

    def call(self, service_type: Any, name: str, request: Any) -> Any:
        client = self.peer.create_client(service_type, name)
        self._bench.until(client.service_is_ready, f"service {name}")
        future = client.call_async(request)
        self._bench.until(future.done, f"answer of {name}")
        return future.result()


def test_bundle_with_an_unknown_map_gives_a_recorded_transparent_overlay(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    stamps = [1_000_000_000_000 + 20_000_000 * i for i in range(3)]
    for number, stamp_ns in enumerate(stamps):
        count = number + 1
        graph.bundles.publish(bundle(stamp_ns, number))
        bench.until(lambda count=count: len(graph.got["provenance"]) == count, "provenance of the frame")
    bench.until(lambda: len(graph.got["frame"]) == 3 and len(graph.got["overlay"]) == 3, "the overlays")
    assert [convert.stamp_ns(m.header.stamp) for m in graph.got["overlay"]] == stamps
    assert not any(np.frombuffer(m.data, np.uint8).any() for m in graph.got["overlay"])
    with LedgerReader(ledger) as reader:
        for message in graph.got["provenance"]:
            assert "map_missing" in message.causes
            assert message.mission == "bench"
            (row,) = reader.rows(message.leaf_index, message.leaf_index + 1)
            assert row.leaf_hash == message.leaf_hash.tobytes()
            assert row.root == message.root.tobytes()
    assert verify_ledger(ledger).ok
    assert "map_missing" in graph.got["hazards"][0].causes
    assert len(graph.got["hazards"]) == 1  # ten a second of event time, and 0.04 s have passed


def test_new_segment_of_the_synchroniser_is_written_into_the_ledger(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    graph.bundles.publish(bundle(2_000_000_000_000, 0, 0))
    bench.until(lambda: len(graph.got["provenance"]) == 1, "the first frame")
    graph.bundles.publish(bundle(1_000_000_000_000, 0, 1))
    bench.until(lambda: len(graph.got["provenance"]) == 2, "the frame after the jump")
    with LedgerReader(ledger) as reader:
        assert [leaf["cause"] for _, leaf in reader.segments()] == ["start", "clock_jump"]


def test_review_is_added_as_a_leaf_and_nonsense_is_not(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    graph.bundles.publish(bundle(1_000_000_000_000, 0))
    bench.until(lambda: graph.got["provenance"], "a frame")
    leaf = graph.got["provenance"][0].leaf_index
    good = Review.Request(
        leaf_index=leaf, reviewer="key 7", verdict="reject", comment="off", seconds_viewed=2.5
    )
    answer = graph.call(Review, "generator_node/review", good)
    assert (answer.success, answer.review_leaf_index) == (True, leaf + 1)
    for field, value in (("verdict", "maybe"), ("reviewer", ""), ("leaf_index", 99)):
        request = Review.Request(leaf_index=leaf, reviewer="key 7", verdict="note")
        setattr(request, field, value)
        answer = graph.call(Review, "generator_node/review", request)
        assert not answer.success
        assert answer.message
    with LedgerReader(ledger) as reader:
        assert reader.size == leaf + 2
    assert verify_ledger(ledger).ok


def test_scenario_that_cannot_be_read_changes_nothing_and_the_ledger_says_why(
    bench: Any, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    graph.bundles.publish(bundle(1_000_000_000_000, 0))
    bench.until(lambda: graph.got["provenance"], "a frame")
    answer = graph.call(SetScenario, "generator_node/set_scenario", SetScenario.Request(yaml="name: [broken"))
    assert not answer.success
    assert answer.message
    with LedgerReader(ledger) as reader:
        *_, (_, refusal) = reader.segments()
    assert refusal["cause"] == "scenario_refused"
    assert refusal["scenario_refused"] == {
        "yaml_sha256": hashlib.sha256(b"name: [broken").digest(),
        "bytes": 13,
        "why": answer.message,
    }
    assert verify_ledger(ledger).ok


def test_a_scenario_made_to_exhaust_its_reader_is_refused_and_the_node_lives_on(
    bench: Any, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    graph.bundles.publish(bundle(1_000_000_000_000, 0))
    bench.until(lambda: graph.got["provenance"], "a frame")
    for text in ("name: x\nignitions: " + "[" * 3000, "name: x\nignitions: []\nseed: 0x" + "f" * 20000):
        answer = graph.call(SetScenario, "generator_node/set_scenario", SetScenario.Request(yaml=text))
        assert not answer.success
    with LedgerReader(ledger) as reader:
        causes = [leaf["cause"] for _, leaf in reader.segments()]
    assert causes == ["start", "scenario_refused", "scenario_refused"]
    graph.bundles.publish(bundle(1_000_020_000_000, 1))
    bench.until(lambda: len(graph.got["provenance"]) == 2, "a frame after it")


def test_a_scenario_file_that_is_replaced_before_the_first_frame_is_not_read_again(
    bench: Any, tmp_path: Path
) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("name: as it was\nignitions: []\n", encoding="utf-8")
    graph = Graph(bench, tmp_path / "ledger.db", scenario_file=str(path))
    path.write_text("name: [half writ", encoding="utf-8")
    stamp_ns = 1_000_000_000_000
    graph.bundles.publish(bundle(stamp_ns, 0))
    bench.until(lambda: graph.got["provenance"], "a frame")
    meant = parse_scenario("name: as it was\nignitions: []\n", stamp_ns)
    assert graph.got["provenance"][0].scenario_sha256.tobytes() == meant.digest


def test_generator_that_is_not_active_draws_nothing_and_says_so(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger, auto_activate=False)
    assert not ledger.exists()
    graph.node.trigger_configure()
    bench.until(graph.bundles.get_subscription_count, "discovery of the input")
    graph.bundles.publish(bundle(1_000_000_000_000, 0))
    bench.until(lambda: graph.node.health.dropped["inactive"], "the drop to be counted")
    assert "activation" in graph.node.health.waiting_for
    graph.node.trigger_activate()
    graph.bundles.publish(bundle(1_000_020_000_000, 1))
    bench.until(lambda: graph.got["provenance"], "a frame after activation")
    assert len(graph.got["provenance"]) == 1
    graph.node.trigger_deactivate()
    graph.node.trigger_cleanup()
    assert graph.node._state_machine.current_state[0] == State.PRIMARY_STATE_UNCONFIGURED
    graph.node.trigger_configure()
    graph.node.trigger_activate()
    bench.until(graph.bundles.get_subscription_count, "discovery after another configuration")
    graph.bundles.publish(bundle(1_000_040_000_000, 2))
    bench.until(lambda: len(graph.got["provenance"]) == 2, "a frame after another configuration")


def test_ledger_in_use_ends_the_node_with_a_sentence(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Graph(bench, ledger)
    second = bench.add(GeneratorNode())
    second.activate_if_asked()
    assert (second.finished, second.exit_status) == (True, 1)
    assert str(ledger) in second.health.fault
    assert not graph.node.finished


def test_configuring_that_breaks_ends_the_node_and_says_where(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rclpy swallows what a transition raises: the node would stay up, inactive, for ever."""
    monkeypatch.setattr("vidgen_nodes.nodes.generator_node.FrameMaker", lambda *_: 1 / 0)
    node = bench.start(GeneratorNode, ledger=str(tmp_path / "ledger.db"))
    assert node.finished
    assert node.exit_status == 1
    assert "ZeroDivisionError" in node.health.fault


@pytest.mark.parametrize("changed", [False, True])
def test_auditor_compares_provenance_with_the_ledger(bench: Any, tmp_path: Path, changed: bool) -> None:
    graph = Graph(bench, tmp_path / "ledger.db")
    graph.bundles.publish(bundle(1_000_000_000_000, 0))
    bench.until(lambda: graph.got["provenance"], "a frame")
    auditor = bench.add(CustodyNode())
    auditor.activate_if_asked()
    provenances = graph.peer.create_publisher(Provenance, "provenance", 50)
    bench.until(lambda: provenances.get_subscription_count() >= 2, "discovery")
    message = graph.got["provenance"][0]
    if changed:
        message.leaf_hash = fill.digest(bytes(31) + b"\1")
    bench.until(lambda: auditor.health.extra.get("leaves_checked") == "2", "the audit")
    provenances.publish(message)
    if changed:
        bench.until(lambda: f"leaf {message.leaf_index}" in auditor.health.fault, "the fault")
    else:
        bench.until(lambda: auditor.matched_frames == 1, "the comparison")
        assert auditor.health.fault == ""
