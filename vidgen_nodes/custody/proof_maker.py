# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the proof of one leaf from a ledger and its heads. Leaves out the form of the file (``proof.py``)."""

from __future__ import annotations

import contextlib
from pathlib import Path

from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.proof import encode_proof
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.subtrees import Subtrees
from vidgen_nodes.errors import VerificationError


def make_proof(ledger: Path, index: int, subtrees: Subtrees | None = None) -> bytes:
    """The proof of one leaf under a signed head.

    Args:
        ledger: the file; its heads lie beside it.
        index: leaf, from 0.
        subtrees: of this ledger, if somebody keeps them; None: made by reading every leaf hash.

    Raises:
        VerificationError: no such leaf, no head over it yet, or a file that cannot be read.
    """
    with LedgerReader(ledger) as reader, contextlib.ExitStack() as stack:
        if not 0 <= index < reader.size:
            raise VerificationError(f"leaf {index}: the ledger has {reader.size} leaves")
        path = heads_path(ledger)
        store = stack.enter_context(HeadStore(path)) if path.is_file() else None
        head = store.covering(index) if store else None
        if store is None or head is None:
            raise VerificationError(
                f"leaf {index}: no signed tree head covers it yet; heads come once a second while a run writes, else "
                "'vidgen custody sign LEDGER' makes one"
            )
        size = head.head.size
        if subtrees is None or subtrees.size < size:
            subtrees = read_subtrees(reader, size)
        (row,) = reader.rows(index, index + 1)
        return encode_proof(row.leaf, index, subtrees.inclusion(index, size), head, store.log_id)


def read_subtrees(reader: LedgerReader, size: int) -> Subtrees:
    """Every leaf hash up to ``size``, ready for any number of proofs.

    Raises:
        VerificationError: some are missing.
    """
    subtrees = Subtrees(reader.leaf_hashes)
    while (start := subtrees.size) < size:
        for hashed in reader.leaf_hashes(start, min(start + 4096, size)):
            subtrees.append(hashed)
    return subtrees
