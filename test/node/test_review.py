# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reviews through the services of the running generator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from vidgen.msg import Provenance, SensorBundle
from vidgen.srv import Review, SetScenario

from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.frame_review import FrameReview, reviewed_frames
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.review_report import read_reviews
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.scenario_review import Opinion, sign_review, subjects_of
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.generator import World
from vidgen_nodes.nodes.generator_node import GeneratorNode
from vidgen_nodes.params import NodeParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.ros import fill
from vidgen_nodes.ros.review_client import ReviewClient
from vidgen_nodes.scenario.timeline import load_scenario

SCENARIO = config_dir() / "scenarios" / "sim_wall_fire.yaml"


@dataclass
class Alice:
    """A reviewer with her key, and the file that names her."""

    key: FileKey
    file: Path

    def validate(self, node: Any, path: Path) -> bytes:
        """Her review of a scenario, bound to the parameters that the node runs with."""
        scenario = load_scenario(path, 0)
        digests = run_digests(NodeParams(generator=node.params), None)
        subjects = subjects_of(scenario, World(node.params, scenario).constants, digests)
        return sign_review(
            subjects, scenario.name, Opinion("accept", "", 60.0, 1), "alice", self.key
        ).encode()


@pytest.fixture
def alice(tmp_path: Path) -> Alice:
    key, file = FileKey.generate(), tmp_path / "reviewers.yaml"
    public = VerifierKey("alice", NOTE, key.public)
    file.write_text(f"reviewers: [{{name: Alice, may: [scenario, frames], keys: ['{public}']}}]\n")
    return Alice(key, file)


class Running:
    """A generator that publishes a frame for each bundle."""

    def __init__(self, bench: Any, ledger: Path, **parameters: Any) -> None:
        self._bench = bench
        named = {"ledger": str(ledger), "mission": "bench", "origin": "sim", **parameters}
        self.node = bench.start(GeneratorNode, **named)
        self.peer = bench.peer()
        self.provenance: list[Any] = []
        self.overlays: list[Any] = []
        self.peer.create_subscription(Provenance, "provenance", self.provenance.append, 50)
        self.peer.create_subscription(Image, "overlay/image_raw", self.overlays.append, 50)
        self._bundles = self.peer.create_publisher(SensorBundle, "bundle", 50)
        bench.until(self._bundles.get_subscription_count, "discovery of the input")
        bench.until(lambda: self.peer.count_publishers("/vidgen/provenance"), "discovery of the output")

    def frame(self) -> Any:
        """The provenance of another frame; nothing of the sensors is known but the picture."""
        count = len(self.provenance)
        message = SensorBundle(sequence=count)
        fill.set_header(message.header, 1_000_000_000_000 + 20_000_000 * count, "cam")
        message.thermal.header = message.header
        message.thermal.image = fill.image(
            1_000_000_000_000 + 20_000_000 * count, "cam", "mono16", np.zeros((8, 8), np.uint16)
        )
        self._bundles.publish(message)
        self._bench.until(lambda: len(self.provenance) > count, "provenance of the frame")
        return self.provenance[-1]

    def call(self, service_type: Any, name: str, request: Any) -> Any:
        client = self.peer.create_client(service_type, name)
        self._bench.until(client.service_is_ready, f"service {name}")
        future = client.call_async(request)
        self._bench.until(future.done, f"answer of {name}")
        return future.result()


def test_nothing_is_drawn_before_a_named_person_validated_it(
    bench: Any, tmp_path: Path, alice: Alice
) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Running(
        bench, ledger, require_review=True, reviewers_file=str(alice.file), scenario_file=str(SCENARIO)
    )
    assert "not_reviewed" in graph.frame().causes
    assert "no review" in graph.node.health.extra["reviewed_by"]

    request = SetScenario.Request(yaml=SCENARIO.read_text())
    refused = graph.call(SetScenario, "generator_node/set_scenario", request)
    assert not refused.success
    assert "no review" in refused.message
    other = tmp_path / "other.yaml"
    other.write_text(SCENARIO.read_text().replace("seed: 20", "seed: 21"))
    request.review = list(alice.validate(graph.node, other))
    refused = graph.call(SetScenario, "generator_node/set_scenario", request)
    assert not refused.success
    assert "another scenario" in refused.message
    assert "not_reviewed" in graph.frame().causes

    request.review = list(alice.validate(graph.node, SCENARIO))
    assert graph.call(SetScenario, "generator_node/set_scenario", request).success
    assert "not_reviewed" not in graph.frame().causes
    assert graph.node.health.extra["reviewed_by"] == "Alice"
    with LedgerReader(ledger) as reader:
        report = read_reviews(reader, Reviewers.load(alice.file))
        (start, *_) = reader.segments()
    assert [(row.person, row.trusted, row.frames) for row in report.scenarios] == [("Alice", True, 1)]
    assert start[1]["require_review"] is True
    assert verify_ledger(ledger).ok


def test_verdicts_need_a_signature_where_the_policy_says_so(bench: Any, tmp_path: Path, alice: Alice) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Running(bench, ledger, require_signed_reviews=True, reviewers_file=str(alice.file))
    leaf = graph.frame().leaf_index
    review = FrameReview(leaf, "Alice", "reject", "floats", 2.3)
    request = Review.Request(
        leaf_index=leaf,
        reviewer="Alice",
        verdict="reject",
        comment="floats",
        seconds_viewed=review.seconds_viewed,
    )
    refused = graph.call(Review, "generator_node/review", request)
    assert not refused.success
    assert "require_signed_reviews" in refused.message
    with LedgerReader(ledger) as reader:
        frames = reviewed_frames(reader, review)
    request.statement = list(review.sign(frames, "mallory", FileKey.generate()).encode())
    assert not graph.call(Review, "generator_node/review", request).success
    request.statement = list(review.sign(frames, "alice", alice.key).encode())
    answer = graph.call(Review, "generator_node/review", request)
    assert (answer.success, answer.review_leaf_index) == (True, leaf + 1)
    with LedgerReader(ledger) as reader:
        (row,) = read_reviews(reader, Reviewers.load(alice.file)).verdicts
    assert (row.review, row.person, row.trusted) == (review, "Alice", True)


def test_verdict_reaches_the_running_generator_from_another_process_s_client(
    bench: Any, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    graph = Running(bench, ledger)
    leaf = graph.frame().leaf_index
    graph.frame()
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO, domain_id=bench._domain)
    client = ReviewClient(context)
    review = FrameReview(leaf, "bob", "note", "two at once", 1.0, leaf + 1)
    try:
        with ThreadPoolExecutor(1) as pool:
            checked = pool.submit(client.check)
            bench.until(checked.done, "the service to be found")
            checked.result()
            added = pool.submit(client.add, review.as_dict(), b"")
            bench.until(added.done, "the verdict")
            assert added.result() == leaf + 2
            refused = pool.submit(client.add, {**review.as_dict(), "leaf_index": 99, "last_leaf": 99}, b"")
            bench.until(refused.done, "the refusal")
            with pytest.raises(InputError, match="does not exist"):
                refused.result()
    finally:
        client.close()
        context.try_shutdown()
    with LedgerReader(ledger) as reader:
        (row,) = read_reviews(reader).verdicts
    assert (row.review, row.person) == (review, "")


def test_client_says_when_no_generator_answers(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.start(GeneratorNode, auto_activate=False)
    monkeypatch.setattr("vidgen_nodes.ros.review_client._FIND_S", 0.2)
    monkeypatch.setattr("vidgen_nodes.ros.review_client._SERVICE", "nobody/review")
    client = ReviewClient(rclpy.get_default_context())
    try:
        with pytest.raises(InputError, match="is the graph up"):
            client.check()
    finally:
        client.close()
