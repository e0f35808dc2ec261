# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from std_msgs.msg import Empty, String, UInt8MultiArray

from vidgen_nodes.actuation.envelope import Envelope, SignedEnvelope
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.nodes.actuation_node import ActuationNode
from vidgen_nodes.ros import qos

ANN, BOB = FileKey.generate(), FileKey.generate()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    Ledger.open(path, segment={"cause": "start"}).close()
    return path


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.yaml"
    path.write_text(
        "persons:\n"
        f"- {{name: Ann, may: [propose], keys: ['{VerifierKey('ann', NOTE, ANN.public)}']}}\n"
        f"- {{name: Bob, may: [approve], keys: ['{VerifierKey('bob', NOTE, BOB.public)}']}}\n"
    )
    return path


def signed(state: dict[str, Any], leaf: bytes, parameters: bytes) -> bytes:
    now_ns = time.time_ns()
    envelope = Envelope(
        state["unit"], state["mission"], "close_valve", hashlib.sha256(parameters).digest(), 0, leaf, now_ns,
        now_ns + 4 * 10**9, state["counter"] + 1, hashlib.sha256(str(now_ns).encode()).digest()[:16], state["epoch"],
    )  # fmt: skip
    pairs = (("ann", ANN.sign(envelope.signed_bytes)), ("bob", BOB.sign(envelope.signed_bytes)))
    return SignedEnvelope(envelope.encode(), parameters, pairs).encode()


def test_a_signed_command_on_a_recorded_leaf_comes_out_once(
    bench: Any, tmp_path: Path, ledger: Path, roster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = tmp_path / "params.yaml"
    others = {"generator_node": {"ledger": str(ledger), "mission": "m1"}}
    monkeypatch.setattr("sys.argv", ["node", "--ros-args", "--params-file", str(params)])
    node = bench.start(
        ActuationNode, others, enabled=True, unit="u1", roster_file=str(roster),
        memory_file=str(tmp_path / "gate.db"), heartbeat_timeout_ms=60000.0,
    )  # fmt: skip
    peer = bench.peer()
    commands: list[Any] = []
    states: list[dict[str, Any]] = []
    peer.create_subscription(String, "actuation/command", commands.append, qos.EVENTS)
    peer.create_subscription(String, "actuation/state", lambda m: states.append(json.loads(m.data)), qos.MASK)
    beats = peer.create_publisher(Empty, "actuation/heartbeat", qos.EVENTS)
    envelopes = peer.create_publisher(UInt8MultiArray, "actuation/envelope", qos.EVENTS)
    bench.until(
        lambda: beats.get_subscription_count() and envelopes.get_subscription_count()
        and peer.count_publishers("/vidgen/actuation/command"), "discovery",
    )  # fmt: skip
    with LedgerReader(ledger) as reader:
        leaf = next(iter(reader.rows(0, 1))).leaf_hash
    bench.until(lambda: states, "the state")
    assert states[-1]["open"] is False
    data = signed(states[-1], leaf, b"valve 3")
    envelopes.publish(UInt8MultiArray(data=list(data)))
    entry = node.health.inputs["/vidgen/actuation/envelope"]
    bench.until(lambda: entry.refused["no_heartbeat"], "the refusal: nobody is there")
    beats.publish(Empty())
    bench.until(lambda: node._gate.is_alive, "the heartbeat")
    envelopes.publish(UInt8MultiArray(data=list(data)))
    bench.until(lambda: commands, "the command")
    envelopes.publish(UInt8MultiArray(data=list(data)))
    bench.until(lambda: entry.refused["replayed"], "the refusal of the second")
    told = json.loads(commands[0].data)
    assert (told["command"], bytes.fromhex(told["parameters"])) == ("close_valve", b"valve 3")
    assert (told["proposer"], told["approver"], len(commands)) == ("Ann", "Bob", 1)
    other = signed(states[-1] | {"counter": 5}, bytes(32), b"")
    envelopes.publish(UInt8MultiArray(data=list(other)))
    bench.until(lambda: entry.refused["evidence"], "the refusal: no such leaf")


def test_without_being_enabled_it_does_not_run(bench: Any) -> None:
    with pytest.raises(ConfigError, match="enabled, unit and roster_file"):
        bench.start(ActuationNode)


def test_parameters_say_that_it_is_off() -> None:
    from vidgen_nodes.graph import node_specs
    from vidgen_nodes.params import ActuationParams

    assert not dataclasses.replace(ActuationParams()).enabled
    assert "actuation_node" not in {spec.name for spec in node_specs()}
