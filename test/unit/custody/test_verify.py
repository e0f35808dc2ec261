# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every way to tamper with a ledger file that does not need the whole of it, found and placed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody import schema
from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.merkle import MerkleTree, leaf_hash
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.verify import LedgerAudit, verify_ledger
from vidgen_nodes.errors import VerificationError

LEAVES = 12


@contextlib.contextmanager
def tampered(path):
    """The file with its triggers out of the way, and put back."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, statement in triggers:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def path(tmp_path, written):
    copy = tmp_path / "ledger.db"
    copy.write_bytes(written.read_bytes())
    return copy


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch") / "ledger.db"


def wheres(report):
    return [fault.where for fault in report.faults]


def test_a_sound_ledger_has_no_fault(path):
    report = verify_ledger(path)
    assert (report.ok, report.faults) == (True, ())
    assert (report.records, report.frames, report.segments) == (LEAVES, 10, 2)
    with LedgerReader(path) as reader:
        assert report.root == reader.root


LEAF_FAULT = {
    "leaf": "the content was changed",
    "leaf_hash": "its leaf hash was changed",
    "root": "the stored root",
    "kind": "is stored as",
}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    index=st.integers(0, LEAVES - 1),
    column=st.sampled_from(sorted(LEAF_FAULT)),
    place=st.integers(0, 10_000),
    change=st.integers(1, 255),
)
def test_any_changed_byte_of_a_leaf_row_is_found_at_its_leaf(written, scratch, index, column, place, change):
    scratch.write_bytes(written.read_bytes())
    with tampered(scratch) as connection:
        query = f"SELECT CAST({column} AS BLOB) FROM leaves WHERE idx = ?"
        content = bytearray(connection.execute(query, (index,)).fetchone()[0])
        content[place % len(content)] ^= change
        kind = "TEXT" if column == "kind" else "BLOB"
        connection.execute(
            f"UPDATE leaves SET {column} = CAST(? AS {kind}) WHERE idx = ?", (bytes(content), index)
        )
    report = verify_ledger(scratch)
    assert f"leaf {index}" in wheres(report)
    assert LEAF_FAULT[column] in next(f.what for f in report.faults if f.where == f"leaf {index}")
    if column in ("leaf", "leaf_hash", "root"):
        assert set(wheres(report)) == {f"leaf {index}"}  # and nowhere else


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.integers(0, 1000),
    column=st.sampled_from(["sha256", "data"]),
    place=st.integers(0, 10_000),
    change=st.integers(1, 255),
)
def test_any_changed_byte_of_a_record_is_found_at_a_leaf_that_names_it(
    written, scratch, row, column, place, change
):
    scratch.write_bytes(written.read_bytes())
    with tampered(scratch) as connection:
        rows = connection.execute("SELECT rowid, sha256, data FROM blobs").fetchall()
        rowid, key, data = rows[row % len(rows)]
        content = bytearray(key if column == "sha256" else data)
        content[place % len(content)] ^= change
        connection.execute(f"UPDATE blobs SET {column} = ? WHERE rowid = ?", (bytes(content), rowid))
        leaves = connection.execute("SELECT idx, leaf FROM leaves").fetchall()
    holders = [
        other for _, other, data in rows if key in data
    ]  # physics records name those of their elements
    first = next(index for index, leaf in leaves if any(name in leaf for name in (key, *holders)))
    report = verify_ledger(scratch)
    (fault,) = [fault for fault in report.faults if fault.where == f"leaf {first}"]
    assert key.hex() in fault.what
    altered = bytes(content).hex() if column == "sha256" else key.hex()
    assert f"record {altered}" in wheres(report)


def test_every_bit_of_a_small_leaf_row_is_bound(written, scratch):
    generator = random.Random(1)
    with sqlite3.connect(written) as connection:
        (size,) = connection.execute("SELECT length(leaf) FROM leaves WHERE idx = 0").fetchone()
    connection.close()
    for place in range(size):
        scratch.write_bytes(written.read_bytes())
        with tampered(scratch) as connection:
            content = bytearray(connection.execute("SELECT leaf FROM leaves WHERE idx = 0").fetchone()[0])
            content[place] ^= 1 << generator.randrange(8)
            connection.execute("UPDATE leaves SET leaf = ? WHERE idx = 0", (bytes(content),))
        assert wheres(verify_ledger(scratch)) == ["leaf 0"]


def test_a_value_under_another_storage_class_is_found_though_it_reads_alike(written, scratch):
    for change, where in (
        ("UPDATE leaves SET kind = CAST(kind AS BLOB) WHERE idx = 2", "leaf 2"),
        ("UPDATE leaves SET leaf_hash = CAST(leaf_hash AS TEXT) WHERE idx = 2", "leaf 2"),
        ("UPDATE blobs SET data = CAST(data AS TEXT) WHERE rowid = 3", "row 3"),
    ):
        scratch.write_bytes(written.read_bytes())
        with tampered(scratch) as connection:
            connection.execute(change)
        report = verify_ledger(scratch)
        assert not report.ok
        assert any(where in f"{fault.where} {fault.what}" for fault in report.faults)


def content_of(path):
    connection = sqlite3.connect(path.as_uri() + "?immutable=1", uri=True)
    connection.text_factory = bytes
    try:
        leaves = connection.execute(
            "SELECT idx, CAST(kind AS BLOB), leaf, leaf_hash, root FROM leaves"
        ).fetchall()
        return leaves, connection.execute(
            "SELECT sha256, data, typeof(sha256), typeof(data) FROM blobs"
        ).fetchall()
    finally:
        connection.close()


def test_any_changed_byte_of_the_file_is_found_unless_it_changes_no_row(written, scratch):
    generator = random.Random(7)
    whole, original = written.read_bytes(), content_of(written)
    unfelt = 0
    for _ in range(300):
        altered = bytearray(whole)
        altered[generator.randrange(len(whole))] ^= 1 << generator.randrange(8)
        for beside in scratch.parent.iterdir():
            beside.unlink()
        scratch.write_bytes(altered)
        try:
            found = not verify_ledger(scratch).ok
        except VerificationError:
            found = True
        if not found:
            assert content_of(scratch) == original
            unfelt += 1
    assert unfelt < 200  # unused space of pages, text of the schema


@pytest.mark.parametrize("gone", [0, 1, 5, 7])
def test_a_missing_leaf_is_named(path, gone):
    with tampered(path) as connection:
        connection.execute("DELETE FROM leaves WHERE idx = ?", (gone,))
    report = verify_ledger(path)
    assert report.faults[0].kind == "missing"
    assert report.faults[0].where == f"leaf {gone}"


def test_swapped_leaves_are_named(path):
    with tampered(path) as connection:
        connection.execute("UPDATE leaves SET idx = 100 WHERE idx = 3")
        connection.execute("UPDATE leaves SET idx = 3 WHERE idx = 4")
        connection.execute("UPDATE leaves SET idx = 4 WHERE idx = 100")
    assert wheres(verify_ledger(path))[0] == "leaf 3"


def test_a_leaf_before_the_first_is_named(path):
    with tampered(path) as connection:
        connection.execute(
            "INSERT INTO leaves SELECT -5, kind, leaf, leaf_hash, root FROM leaves WHERE idx = 1"
        )
    assert "leaf -5" in wheres(verify_ledger(path))


def test_a_leaf_of_another_column_type_is_named(path):
    with tampered(path) as connection:
        connection.execute("UPDATE leaves SET leaf = 7 WHERE idx = 6")
    report = verify_ledger(path)
    assert wheres(report) == ["leaf 6"]
    assert "not checked" in report.faults[0].what


def test_a_record_that_is_gone_is_named(path):
    with tampered(path) as connection:
        connection.execute("DELETE FROM blobs")
    report = verify_ledger(path)
    missing = [fault for fault in report.faults if fault.kind == "missing"]
    assert {fault.where for fault in missing} == {f"leaf {index}" for index in range(LEAVES)}
    assert any("scenario" in fault.what for fault in missing)


def test_triggers_that_are_gone_are_named(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER leaves_no_delete")
        connection.commit()
    assert ["leaves_no_delete" in fault.what for fault in verify_ledger(path).faults] == [True]


def rewrite(path, change, *, chained=False):
    """A forger with the whole file: hashes and roots, and the roots that segments name, fit again."""
    with tampered(path) as connection:
        tree = MerkleTree()
        rows = connection.execute("SELECT idx, leaf FROM leaves ORDER BY idx").fetchall()
        for index, leaf in rows:
            encoded = change(index, leaf)
            if chained and index and decode(leaf, "leaf")["kind"] == "segment":
                encoded = canonical({**decode(leaf, "leaf"), "previous": tree.root})
            tree.append(leaf_hash(encoded))
            values = (encoded, leaf_hash(encoded), tree.root, index)
            connection.execute("UPDATE leaves SET leaf = ?, leaf_hash = ?, root = ? WHERE idx = ?", values)


def with_fields(**fields):
    def change(index, leaf):
        return canonical({**decode(leaf, "leaf"), **fields}) if index == 4 else leaf

    return change


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (with_fields(seq=9), "is frame 9, expected frame 3"),
        (with_fields(v=2), "version 2"),
        (with_fields(kind="other"), "unknown kind"),
        (with_fields(frame=b"short"), "frame of 5 bytes"),
        (with_fields(tick="7"), "tick of type str"),
        (with_fields(more=1), "unknown field 'more'"),
        (with_fields(physics=bytes(32)), "physics record"),
        (lambda i, leaf: b"\xff\xff" if i == 4 else leaf, "is not CBOR"),
        (lambda i, leaf: b"\x01" if i == 4 else leaf, "expected a map"),
        (lambda i, leaf: leaf + b"\x00" if i == 4 else leaf, "canonical form"),
        (lambda i, leaf: canonical({"v": 1, "kind": "frame"}) if i == 4 else leaf, "lacks the field"),
    ],
)
def test_a_leaf_that_hashes_well_but_says_nonsense_is_named(path, change, what):
    rewrite(path, change)
    found = [fault.what for fault in verify_ledger(path).faults if fault.where == "leaf 4"]
    assert any(what in text for text in found), found


def test_a_segment_must_name_the_root_before_it_and_be_first(path):
    def change(index, leaf):
        if index in (0, 7):
            return canonical({**decode(leaf, "leaf"), "previous": bytes(32)})
        return leaf

    rewrite(path, change)
    assert wheres(verify_ledger(path)) == ["leaf 0", "leaf 7"]


def test_a_forged_file_is_consistent_and_only_an_outside_root_shows_it(path):
    before = verify_ledger(path)
    rewrite(path, with_fields(sigma_px=0.5), chained=True)
    assert verify_ledger(path).ok  # this is what unsigned heads cannot show
    report = verify_ledger(path, before.root)
    assert [fault.kind for fault in report.faults] == ["missing"]
    assert before.root.hex() in report.faults[0].what


@pytest.mark.parametrize("kept", [0, 1, 6, 11])
def test_truncation_shows_only_against_an_outside_root(path, kept):
    before = verify_ledger(path)
    with tampered(path) as connection:
        connection.execute("DELETE FROM leaves WHERE idx >= ?", (kept,))
    assert verify_ledger(path).ok
    report = verify_ledger(path, before.root)
    assert (report.records, report.ok, report.expected_at) == (kept, False, None)


def test_an_older_root_is_found_where_the_log_had_it(path):
    with LedgerReader(path) as reader:
        roots = [row.root for row in reader.rows()]
    report = verify_ledger(path, roots[4])
    assert (report.ok, report.expected_at) == (True, 5)


def test_what_is_no_ledger_raises_only_verification_errors(tmp_path, written):
    whole = written.read_bytes()
    cases = {
        "empty": b"",
        "text": b"not a ledger\n" * 500,
        "zeros": bytes(8192),
        "header only": whole[:100],
        "half a page": whole[:3000],
        "garbled pages": whole[:100] + bytes(len(whole) - 100),
    }
    for name, content in cases.items():
        path = tmp_path / f"{name}.db"
        path.write_bytes(content)
        with pytest.raises(VerificationError, match=r"\.db"):
            verify_ledger(path)
    with pytest.raises(VerificationError, match="no such file"):
        verify_ledger(tmp_path / "none.db")
    with pytest.raises(VerificationError, match="no such file"):
        verify_ledger(tmp_path)


def test_another_database_and_another_format_are_told_apart(tmp_path, path):
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    with pytest.raises(VerificationError, match="not a vidgen ledger"):
        verify_ledger(other)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.FORMAT_VERSION + 1}")
    with pytest.raises(VerificationError, match="format 2"):
        verify_ledger(path)


def test_a_cut_file_and_a_garbled_page_are_reported(path):
    whole = path.read_bytes()
    outcomes = []
    for page in range(1, len(whole) // 4096):
        garbled = whole[: page * 4096] + bytes(4096) + whole[(page + 1) * 4096 :]
        for content in (whole[: page * 4096], garbled):
            path.write_bytes(content)
            try:
                outcomes.append([str(fault) for fault in verify_ledger(path).faults])
            except VerificationError as err:
                outcomes.append([str(err)])
    assert all(outcomes)
    assert any(
        text.startswith("index of the records: ") and "malformed" in text
        for texts in outcomes
        for text in texts
    )


def test_a_record_that_its_hash_no_longer_finds_is_counted(path):
    with tampered(path) as connection:
        # The index of another table in its place: pages that are sound, and say nothing of these records.
        connection.execute("CREATE TABLE other (sha256 BLOB NOT NULL PRIMARY KEY, data BLOB NOT NULL)")
        connection.execute("INSERT INTO other SELECT sha256, data FROM blobs LIMIT 3")
        connection.execute("PRAGMA writable_schema = ON")
        pages = dict(connection.execute("SELECT tbl_name, rootpage FROM sqlite_master WHERE type = 'index'"))
        for table, page in (("blobs", pages["other"]), ("other", pages["blobs"])):
            connection.execute(
                "UPDATE sqlite_master SET rootpage = ? WHERE type = 'index' AND tbl_name = ?", (page, table)
            )
    (fault,) = [fault for fault in verify_ledger(path).faults if fault.where == "index of the records"]
    assert "3 can be found" in fault.what


def test_a_ledger_can_be_checked_where_nothing_can_be_written(path):
    # What SQLite makes beside the file cannot be made, not by root either.
    path.with_name("ledger.db-shm").symlink_to(path.parent / "none" / "none")
    with pytest.raises(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM leaves")
    assert verify_ledger(path).ok


def test_an_audit_goes_on_where_it_stopped(tmp_path, digests, make_frame):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as ledger, LedgerReader(path) as reader:
        audit = LedgerAudit(reader)
        for number in range(3):
            ledger.append_frame(digests, *make_frame(number))
        assert audit.check_new() == ()
        assert (audit.size, audit.frames, audit.root) == (4, 3, ledger.root)
        ledger.append_frame(digests, *make_frame(3))
        assert audit.check_new() == ()
        assert (audit.size, audit.root) == (5, ledger.root)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(
            "INSERT INTO leaves SELECT 5, kind, leaf, leaf_hash, root FROM leaves WHERE idx = 2"
        )
        connection.close()
        faults = audit.check_new()
        assert faults
        assert {fault.where for fault in faults} == {"leaf 5"}


def test_a_report_is_not_ok_with_a_fault(path):
    report = verify_ledger(path)
    with tampered(path) as connection:
        connection.execute("UPDATE leaves SET root = zeroblob(32) WHERE idx = 2")
    faulty = verify_ledger(path)
    assert (report.ok, faulty.ok) == (True, False)
    assert str(faulty.faults[0]).startswith("leaf 2: ")
    assert dataclasses.replace(faulty, faults=()) == report


@pytest.mark.parametrize("damage", ["", "UPDATE leaves SET root = zeroblob(32) WHERE idx = 8"])
def test_a_log_shared_out_over_processes_gives_the_same_report(written, tmp_path, monkeypatch, damage):
    from vidgen_nodes.custody import verify

    path = tmp_path / "ledger.db"
    path.write_bytes(written.read_bytes())
    if damage:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("DROP TRIGGER leaves_no_update")
        connection.execute(damage)
        connection.close()
    alone = verify_ledger(path)
    monkeypatch.setattr(verify, "_WORTH", 4)
    monkeypatch.setattr(verify, "_HEAD_START", 3)
    with LedgerReader(path) as reader:
        shared = verify._in_parallel(path, reader, None, 3)
    assert (shared is None) == bool(damage)
    assert verify_ledger(path, jobs=3) == alone
    assert verify_ledger(path, LedgerReader(written).root, jobs=3).expected_at == 12


def test_parts_of_a_log_cover_every_leaf_once_and_the_first_is_the_longest():
    from vidgen_nodes.custody import verify

    for size in (0, 1, 39_999, 40_000, 60_001, 1_000_000):
        for jobs in (1, 2, 3, 16):
            bounds = verify._bounds(size, jobs)
            lengths = [high - low for low, high in itertools.pairwise(bounds)]
            assert (bounds[0], bounds[-1], sum(lengths)) == (0, size, size)
            assert len(lengths) == max(1, min(jobs, size // 20_000))
            assert min(lengths) >= 0
            assert max(lengths) == lengths[0]


@pytest.mark.parametrize("seed", range(12))
def test_leaves_checked_together_and_one_by_one_have_the_same_faults(path, monkeypatch, seed):
    dice = random.Random(seed)
    with tampered(path) as connection:
        for _ in range(dice.randint(1, 3)):
            table, column = dice.choice(
                [("leaves", "leaf"), ("leaves", "leaf_hash"), ("leaves", "root"), ("blobs", "data")]
            )
            rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
            row = dice.choice(rows)
            (data,) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)).fetchone()
            at = dice.randrange(len(data))
            changed = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
            if seed % 3 == 2:
                changed = b""
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
    together = verify_ledger(path)
    monkeypatch.setattr(LedgerAudit, "_add", lambda self, rows: False)
    alone = verify_ledger(path)
    assert (together.faults, together.root, together.frames) == (alone.faults, alone.root, alone.frames)
    assert not together.ok


def test_a_leaf_of_a_known_form_that_names_another_number_or_a_lost_record_is_placed(path):
    """Rewritten as a whole, with hashes and roots that fit: only what the leaf says is wrong."""
    with LedgerReader(path) as reader:
        leaves = [row.leaf for row in reader.rows()]
    for index, change, what in (
        (5, {"seq": 9}, "is frame 9, expected frame 4"),
        (6, {"inputs": bytes(32)}, f"its inputs record {bytes(32).hex()} is missing or cannot be read"),
    ):
        leaves[index] = canonical(decode(leaves[index], "") | change)
        tree = MerkleTree()
        with tampered(path) as connection:
            for number, leaf in enumerate(leaves):
                tree.append(leaf_hash(leaf))
                connection.execute(
                    "UPDATE leaves SET leaf = ?, leaf_hash = ?, root = ? WHERE idx = ?",
                    (leaf, leaf_hash(leaf), tree.root, number),
                )
        assert f"leaf {index}: {what}" in [str(fault) for fault in verify_ledger(path).faults]
