# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The auditor beside the writer: reads the ledger, checks it as it grows, and answers for it."""

from __future__ import annotations

import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from vidgen.msg import Provenance
from vidgen.srv import Proof, Verify

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import LedgerAudit, verify_ledger
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.params import CustodyParams
from vidgen_nodes.ros import fill, qos, unpack
from vidgen_nodes.ros.node import VidgenLifecycleNode
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority

_PENDING = 1000  # provenance messages that may wait for their leaf to be audited
_OVERDUE_S = 5.0


class CustodyNode(VidgenLifecycleNode[CustodyParams]):
    """Compares ``provenance`` with the ledger, leaf by leaf; services ``~/proof`` and ``~/verify``."""

    def __init__(self) -> None:
        super().__init__("custody_node", CustodyParams)
        self._reader: LedgerReader | None = None
        self._audit: LedgerAudit | None = None
        self._pending: OrderedDict[int, tuple[bytes, float]] = OrderedDict()
        self.matched_frames = 0
        self.subscribe_frequent(Provenance, "provenance", qos.PROVENANCE, self._on_provenance, required=False)
        self.create_service(Proof, "~/proof", self._on_proof)
        self.create_service(Verify, "~/verify", self._on_verify)

    def configure(self) -> None:
        """Start the audit; the ledger need not exist yet."""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(self.params.audit_period_s, self._look, clock=steady)

    def clean_up(self) -> None:
        """End the audit; the next one starts with the first leaf."""
        self.destroy_timer(self._timer)
        self.close()
        self._reader = self._audit = None

    def _on_provenance(self, message: Any) -> None:
        self._pending[int(message.leaf_index)] = (unpack.digest(message.leaf_hash), time.monotonic())
        if len(self._pending) > _PENDING:
            self._pending.popitem(last=False)
            self.health.dropped["provenance_not_checked"] += 1

    def _look(self) -> None:
        if not self.is_active:
            return
        try:
            if self._reader is None:
                self._reader = LedgerReader(Path(self.params.ledger))
                self._audit = LedgerAudit(self._reader)
            self._check()
        except VerificationError as err:
            if self._audit is None:
                self.health.waiting_for = f"the ledger: {err}"
            else:
                self._broken(str(err))

    def _check(self) -> None:
        assert self._audit is not None
        assert self._reader is not None
        start = self._audit.size
        for fault in self._audit.check_new():
            self._broken(str(fault))
        first = min(self._pending, default=start)
        for row in self._reader.rows(min(first, start), self._audit.size):
            if row.index not in self._pending:
                continue
            expected, _ = self._pending.pop(row.index)
            self.matched_frames += expected == row.leaf_hash
            if expected != row.leaf_hash:
                self._broken(
                    f"leaf {row.index} is not the one that provenance named: {expected.hex()} was published"
                )
        now_s = time.monotonic()
        overdue = [i for i, (_, since_s) in self._pending.items() if now_s - since_s > _OVERDUE_S]
        if overdue:
            self._broken(f"leaf {overdue[0]} was published {_OVERDUE_S:.0f} s ago and is not in the ledger")
        self.health.waiting_for = ""
        checked, root = str(self._audit.size), self._audit.root.hex()
        self.health.extra |= {"leaves_checked": checked, "root": root, "ledger": self.params.ledger}

    def _broken(self, message: str) -> None:
        if message != self.health.fault:
            self.get_logger().fatal(f"custody is broken: {message}")
        self.health.fault = f"custody is broken: {message}" if not self.health.fault else self.health.fault

    def _audited(self) -> LedgerAudit:
        if self._audit is None:
            raise VerificationError(f"there is no ledger yet: {self.health.waiting_for}")
        return self._audit

    def _on_proof(self, request: Any, response: Any) -> Any:
        index = int(request.leaf_index)
        try:
            self._look()
            audit = self._audited()
            proof = audit.inclusion_proof(index)
        except (VerificationError, ValueError) as err:
            response.success, response.message = False, str(err)
            return response
        response.success, response.message = True, f"leaf {index} of {proof.tree_size}"
        response.leaf, response.tree_size = list(proof.leaf), proof.tree_size
        response.root, response.path = fill.digest(proof.root), list(b"".join(proof.path))
        try:
            response.file = list(audit.proof_file(index))
        except VerificationError as err:
            response.message += f"; no proof file: {err}"
        return response

    def _on_verify(self, request: Any, response: Any) -> Any:  # noqa: ARG002
        try:
            report = verify_ledger(Path(self.params.ledger))
        except VerificationError as err:
            response.success, response.message = False, str(err)
            return response
        response.success, response.records = report.ok, report.records
        response.root, response.signed_records = fill.digest(report.root), report.signed_size
        response.message = str(report.faults[0]) if report.faults else f"{report.records} records verify"
        return response

    def close(self) -> None:
        """Let go of the ledger."""
        if self._reader is not None:
            self._reader.close()


def main() -> None:
    """Run the node."""
    main_for(CustodyNode, Priority.BACKGROUND)


if __name__ == "__main__":
    main()
