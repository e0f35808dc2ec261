# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of custody_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class CustodyParams(Checked):
    """custody_node: the auditor beside the writer; keys and heads are the generator's, which owns the writer."""

    ledger: str = param("vidgen_out/ledger.db", "Ledger file that the generator writes; read only here.")
    key_dir: str = param(
        "", "Folder of root and unit key, made on first use; empty: $VIDGEN_KEYS, else ~/.config/vidgen/keys."
    )
    unit_key: str = param(
        "", "URI (pkcs11:...) of the unit key (see docs/CUSTODY.md); empty: a file in key_dir."
    )
    head_period_s: float = param(
        1.0, "A signed tree head at most this often, and one at the end.", unit="s", low=0.1, high=3600.0
    )
    witnesses: str = param(
        "", "Witnesses, 'URL KEY' of each as it prints it, separated by commas; empty: none."
    )
    timestamp_url: str = param("", "RFC 3161 authority; empty: no time stamps.")
    timestamp_period_s: float = param(
        60.0, "A head is time-stamped at most this often.", unit="s", low=1.0, high=86400.0
    )
    export_needs_review: bool = param(
        True, "A clip leaves only if an accepting review covers every frame; false is stated in the clip."
    )
    audit_period_s: float = param(
        1.0, "New leaves are re-checked this often.", unit="s", low=0.1, high=3600.0
    )
