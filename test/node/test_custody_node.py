# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""custody_node: hands out proof files that hold, and says what is signed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from vidgen.srv import Proof, Verify

from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.proof import PROOF_BYTES, verify_proof
from vidgen_nodes.custody.signer import sign_ledger
from vidgen_nodes.nodes.custody_node import CustodyNode


def call(bench: Any, peer: Any, kind: Any, name: str, request: Any) -> Any:
    client = peer.create_client(kind, name)
    bench.until(client.service_is_ready, f"service {name}")
    future = client.call_async(request)
    bench.until(future.done, f"answer of {name}")
    return future.result()


def test_a_proof_file_from_the_service_holds_with_the_root_key_alone(bench: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with Ledger.open(ledger, segment={"cause": "start"}) as writer:
        for _ in range(4):
            writer.append_segment("clock_jump", {})
    ring = KeyRing.open(tmp_path / "keys", int(time.time()))
    node = bench.start(CustodyNode, ledger=str(ledger), audit_period_s=0.1)
    peer = bench.peer()
    bench.until(lambda: node.is_active, "activation")
    name = f"{node.get_fully_qualified_name()}/proof"
    unsigned = call(bench, peer, Proof, name, Proof.Request(leaf_index=3))
    assert (unsigned.success, list(unsigned.file)) == (True, [])
    assert "no signed tree head" in unsigned.message
    sign_ledger(ledger, ring)
    signed = call(bench, peer, Proof, name, Proof.Request(leaf_index=3))
    file = bytes(signed.file)
    assert 0 < len(file) <= PROOF_BYTES
    report = verify_proof(file, ring.root.public)
    assert (report.leaf_index, report.leaf_bytes) == (3, bytes(signed.leaf))
    missing = call(bench, peer, Proof, name, Proof.Request(leaf_index=99))
    assert (missing.success, "has 5 leaves" in missing.message) == (False, True)
    verified = call(bench, peer, Verify, name.replace("proof", "verify"), Verify.Request())
    assert (verified.success, verified.records, verified.signed_records) == (True, 5, 5)
