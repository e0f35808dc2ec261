# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of custody_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class CustodyParams(Checked):
    """custody_node: the auditor beside the writer."""

    ledger: str = param("vidgen_out/ledger.db", "Ledger file that the generator writes; read only here.")
    audit_period_s: float = param(
        1.0, "New leaves are re-checked this often.", unit="s", low=0.1, high=3600.0
    )
