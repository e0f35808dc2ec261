# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of actuation_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class ActuationParams(Checked):
    """actuation_node: the gate for commands; does not run unless enabled."""

    enabled: bool = param(False, "Run the gate at all. Off: nothing can be commanded through this system.")
    unit: str = param("", "Name of this machine, as envelopes have it; needed when enabled.")
    roster_file: str = param(
        "", "YAML of who may propose and approve, with public keys; needed when enabled."
    )
    memory_file: str = param(
        "vidgen_out/actuation.db",
        "What must survive a restart: counter, epoch, spent envelopes. Never delete it.",
    )
    heartbeat_timeout_ms: float = param(
        1000.0, "Silence on actuation/heartbeat that closes the gate.", unit="ms", low=50.0, high=60000.0
    )
