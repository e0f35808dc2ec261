# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a reader gives, and that only its own error comes out."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from vidgen_nodes.custody.leaf import physics_refs
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import VerificationError


@pytest.fixture
def path(tmp_path, written):
    copy = tmp_path / "ledger.db"
    copy.write_bytes(written.read_bytes())
    return copy


def altered(path, *statements):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_every_leaf_has_a_proof_that_verifies(path):
    with LedgerReader(path) as reader:
        assert reader.size == 12
        for row in reader.rows():
            proof = reader.inclusion_proof(row.index)
            assert (proof.leaf, proof.root) == (row.leaf, reader.root)
            verify_inclusion(leaf_hash(proof.leaf), proof.leaf_index, proof.tree_size, proof.path, proof.root)


@pytest.mark.parametrize("index", [-1, 12, 1 << 70])
def test_a_proof_of_no_leaf_is_refused(path, index):
    with LedgerReader(path) as reader, pytest.raises(VerificationError):
        reader.inclusion_proof(index)


def test_a_proof_from_a_log_with_a_gap_is_refused(path):
    altered(path, "DELETE FROM leaves WHERE idx = 4")
    with LedgerReader(path) as reader, pytest.raises(VerificationError, match="1 of the leaves 0 to"):
        reader.inclusion_proof(4)


def test_ranges_frames_and_segments(path):
    with LedgerReader(path) as reader:
        assert [row.index for row in reader.rows(3, 6)] == [3, 4, 5]
        assert [index for index, _ in reader.segments()] == [0, 7]
        assert [leaf["seq"] for _, leaf in reader.frames(8)] == [6, 7, 8, 9]


def test_a_log_longer_than_a_batch_is_read_whole(tmp_path, digests):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        for number in range(600):
            ledger.append_segment("clock_jump", {"number": number})
    with LedgerReader(path) as reader:
        assert [row.index for row in reader.rows()] == list(range(601))


def test_a_record_that_is_not_there_is_refused(path):
    with LedgerReader(path) as reader, pytest.raises(VerificationError, match="is not in the ledger"):
        reader.blob(bytes(32))


def test_an_emptied_log_has_the_empty_root(path):
    altered(path, "DELETE FROM leaves")
    with LedgerReader(path) as reader:
        assert (reader.size, reader.root, list(reader.rows())) == (0, EMPTY_ROOT, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaves SET leaf = x'ff' WHERE idx = 3",
        "UPDATE leaves SET leaf = x'01' WHERE idx = 3",
        "UPDATE leaves SET leaf = 5 WHERE idx = 3",
        "UPDATE blobs SET data = x'8101'",
        "UPDATE blobs SET data = 'text'",
        "UPDATE blobs SET data = 3.5",
        "DELETE FROM blobs",
    ],
)
def test_altered_rows_give_only_verification_errors(path, statement):
    altered(path, statement)
    with LedgerReader(path) as reader, pytest.raises(VerificationError):
        list(reader.inputs())


def test_a_table_that_is_gone_is_no_ledger(path):
    altered(path, "DROP TABLE blobs")
    with pytest.raises(VerificationError, match="lacks the table blobs"):
        LedgerReader(path)


@pytest.mark.parametrize("record", [None, {}, [1], [[1, 2]], [["flame", "x", "1", "hash", 0]]])
def test_what_is_no_physics_record_is_refused(record):
    with pytest.raises(VerificationError):
        physics_refs(record)
