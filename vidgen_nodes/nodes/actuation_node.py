# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signed envelopes in; commands out, or a counted refusal. Runs only where ``actuation.enabled`` is set.

``actuation/command`` is the only topic of ours outside the advisory ones that anything may act on.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from std_msgs.msg import Empty, String, UInt8MultiArray

from vidgen_nodes.actuation.gate import ActuationGate
from vidgen_nodes.actuation.memory import GateMemory
from vidgen_nodes.actuation.roster import Roster
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.params import ActuationParams
from vidgen_nodes.ros import qos
from vidgen_nodes.ros.node import VidgenNode
from vidgen_nodes.ros.parameters import graph_params
from vidgen_nodes.ros.process import main_for


class ActuationNode(VidgenNode[ActuationParams]):
    """``actuation/envelope`` and ``actuation/heartbeat`` to ``actuation/command`` and ``actuation/state``."""

    def __init__(self) -> None:
        super().__init__("actuation_node", ActuationParams)
        if not (self.params.enabled and self.params.unit and self.params.roster_file):
            raise ConfigError(
                "actuation: expected enabled, unit and roster_file together; got not all of them"
            )
        generator = graph_params(sys.argv, actuation=self.params).generator
        self._ledger = Path(generator.ledger)
        self._memory = GateMemory(Path(self.params.memory_file))
        self._gate = ActuationGate(
            self.params.unit,
            generator.mission,
            Roster.load(Path(self.params.roster_file)),
            self._memory,
            clock_ns=time.time_ns,  # never simulated time
            is_recorded=self._is_recorded,
            heartbeat_timeout_ns=round(self.params.heartbeat_timeout_ms * 1e6),
        )
        self._mission = generator.mission
        self._commands = self.advertise(String, "actuation/command", qos.EVENTS, primary=False)
        self._states = self.advertise(String, "actuation/state", qos.MASK, primary=False)
        self.subscribe(Empty, "actuation/heartbeat", qos.EVENTS, lambda _: self._gate.beat(), required=False)
        self.subscribe(UInt8MultiArray, "actuation/envelope", qos.EVENTS, self._on_envelope, required=False)
        self.health.idle = "commands only come out when two persons sign one"

    def _on_envelope(self, message: Any) -> None:
        admitted = self._gate.admit(bytes(message.data))  # InputError: counted, and said once for each reason
        envelope = admitted.envelope
        self.get_logger().warning(
            f"command {envelope.command!r} (counter {envelope.counter}) proposed by {admitted.proposer}, "
            f"approved by {admitted.approver}, on leaf {envelope.leaf_index}"
        )
        told = {
            "command": envelope.command,
            "parameters": admitted.parameters.hex(),
            "counter": envelope.counter,
            "leaf_index": envelope.leaf_index,
            "proposer": admitted.proposer,
            "approver": admitted.approver,
        }
        self._commands.publish(String(data=json.dumps(told)))
        self.on_tick()

    def _is_recorded(self, index: int, leaf_hash: bytes) -> bool:
        try:
            with LedgerReader(self._ledger) as reader:
                return any(row.leaf_hash == leaf_hash for row in reader.rows(index, index + 1))
        except VerificationError:
            return False

    def on_tick(self) -> None:
        """Say what an envelope has to name to be obeyed next."""
        state = {
            "unit": self.params.unit,
            "mission": self._mission,
            "epoch": self._gate.epoch,
            "counter": self._gate.counter,
            "open": self._gate.is_alive,
        }
        self._states.publish(String(data=json.dumps(state)))
        self.health.extra.update({key: str(value) for key, value in state.items()})

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()


def main() -> None:
    """Run the node."""
    main_for(ActuationNode)


if __name__ == "__main__":
    main()
