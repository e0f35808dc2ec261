# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signed heads of a growing ledger: chained, cosigned, checked; cut, rewritten or foreign ones are named."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time

import pytest

from vidgen_nodes.custody.head_check import check_heads
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.note import check_cosignature
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.signer import HeadLog, HeadSigner, Signing, sign_ledger
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.custody.witness import Witness
from vidgen_nodes.custody.witness_client import WitnessClient
from vidgen_nodes.errors import CustodyError

NOW_S = int(time.time())


class Direct(WitnessClient):
    """A witness without a network between; ``down``: it does not answer."""

    def __init__(self, witness: Witness) -> None:
        super().__init__("http://localhost:1", witness.verifier)
        self.witness, self.down, self.asked = witness, False, 0

    def exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        self.asked += 1
        if self.down:
            raise CustodyError("witness: cannot be reached")
        answer = self.witness.add_checkpoint(body, headers["Vidgen-Certificates"])
        return answer.status, answer.kind, answer.text.encode()


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing.open(tmp_path_factory.mktemp("keys"), NOW_S)


@pytest.fixture
def client(tmp_path, ring):
    witness = Witness(tmp_path / "witness", "w.example/1", [ring.root.public])
    yield Direct(witness)
    witness.close()


@pytest.fixture
def ledger(tmp_path, written):
    path = tmp_path / "ledger.db"
    shutil.copy(written, path)
    return path


@pytest.fixture
def signed(tmp_path, digests, make_frame, ring, client):
    """A ledger with three heads of two sessions, the last two cosigned."""
    path = tmp_path / "signed.db"
    with Ledger.open(path, segment=digests.segment("start")) as writer:
        log = HeadLog(path, ring, Signing())
        writer.append_frame(digests, *make_frame(0))
        log.sign_new()
        log.close()
        log = HeadLog(path, ring, Signing(witnesses=(client,)))
        for number in (1, 2):
            writer.append_frame(digests, *make_frame(number))
            writer.append_frame(digests, *make_frame(number + 10))
            log.sign_new()
        log.close()
    return path


def alter(path, statement, *values):
    connection = sqlite3.connect(heads_path(path), isolation_level=None)
    connection.execute(statement, values)
    connection.close()


def test_heads_are_chained_cosigned_and_lead_to_the_root_key(signed, ring, client):
    report = verify_ledger(signed, root_public=ring.root.public)
    assert report.ok, report.faults
    assert (report.heads.heads, report.heads.cosignatures, report.heads.trusted) == (3, 2, True)
    assert report.signed_size == report.records == 6
    with HeadStore(heads_path(signed)) as store:
        heads = [store.at(size) for size in store.sizes()]
    assert [head.head.previous for head in heads] == [None, heads[0].head.digest, heads[1].head.digest]
    check_cosignature(heads[2].note.text, heads[2].cosignatures[0], client.key)


def test_another_root_key_is_not_led_to(signed, tmp_path):
    stranger = KeyRing.open(tmp_path / "stranger", NOW_S)
    report = verify_ledger(signed, root_public=stranger.root.public)
    assert not report.ok
    assert "unit certificate: does not verify" in str(report.faults[0])


def test_a_ledger_that_nobody_signed_is_no_fault_unless_a_key_is_asked_for(ledger, ring):
    assert verify_ledger(ledger).heads is None
    report = verify_ledger(ledger, root_public=ring.root.public)
    assert [fault.kind for fault in report.faults] == ["missing"]


def test_nothing_new_is_not_signed_again_and_no_leaf_gives_no_head(ledger, ring):
    first, again = sign_ledger(ledger, ring), sign_ledger(ledger, ring)
    assert first.head == again.head
    with HeadStore(heads_path(ledger)) as store:
        assert store.sizes() == [12]


def test_leaves_cut_off_after_they_were_signed_are_missed(signed, digests):
    connection = sqlite3.connect(signed, isolation_level=None)
    connection.execute("DROP TRIGGER leaves_no_delete")
    connection.execute("DELETE FROM leaves WHERE idx >= 4")
    connection.execute("""CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""")
    connection.close()
    faults = verify_ledger(signed).faults
    assert [fault.where for fault in faults] == ["head over 6 leaves"]
    assert "cut off" in faults[0].what
    with pytest.raises(CustodyError, match="6 leaves were signed, 4 are left"):
        Ledger.open(signed, segment=digests.segment("restart"))


def test_a_ledger_rewritten_as_a_whole_is_refused_by_its_heads(signed, tmp_path, digests, make_frame):
    other = tmp_path / "other.db"
    with Ledger.open(other, segment=digests.segment("start")) as writer:
        for number in range(20, 27):
            writer.append_frame(digests, *make_frame(number))
    shutil.copy(heads_path(signed), heads_path(other))
    assert not verify_ledger(other).ok
    with pytest.raises(CustodyError, match="not those that were signed"):
        Ledger.open(other, segment=digests.segment("restart"))


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("DELETE FROM heads WHERE size = 4", "head over 6 leaves"),
        ("UPDATE heads SET size = 5 WHERE size = 4", "head over 5 leaves"),
        ("UPDATE heads SET note = replace(note, 'vidgen', 'vidgem') WHERE size = 4", "head over 4 leaves"),
        ("UPDATE heads SET session = 1 WHERE size = 6", "head over 6 leaves"),
        ("UPDATE sessions SET unit = session WHERE id = 1", "head over 2 leaves"),
        ("UPDATE log SET id = x'0000000000000000'", "head over 2 leaves"),
        ("DROP TABLE heads", "signed.heads.db"),
        ("UPDATE cosignatures SET line = 'x' WHERE size = 6", "head over 6 leaves"),
    ],
)
def test_whatever_is_done_to_the_heads_is_placed(signed, ring, statement, where):
    alter(signed, statement)
    with LedgerReader(signed) as reader:
        report = check_heads(reader, ring.root.public)
    assert where in [fault.where for fault in report.faults]
    assert not report.trusted


def test_a_forged_cosignature_shows_to_who_knows_the_witness(signed, ring, client):
    with HeadStore(heads_path(signed)) as store:
        line = str(store.at(4).cosignatures[0])
    alter(signed, "UPDATE cosignatures SET line = ? WHERE size = 6", line)
    with LedgerReader(signed) as reader:
        report = check_heads(reader, ring.root.public, [client.key])
    assert [fault.where for fault in report.faults] == ["head over 6 leaves"]


def test_a_witness_that_is_down_delays_nothing_and_is_asked_at_the_end(ledger, ring, client, caplog):
    client.down = True
    log = HeadLog(ledger, ring, Signing(witnesses=(client,)))
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert log.sign_new().head.size == 12
    assert client.asked == 1
    assert caplog.text.count("cannot be reached") == 1
    client.down = False
    log.sign_new(last=True)
    log.close()
    with HeadStore(heads_path(ledger)) as store:
        assert len(store.at(12).cosignatures) == 1


def test_the_thread_signs_while_frames_come_and_once_more_at_the_end(tmp_path, ring, digests, make_frame):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as writer:
        signer = HeadSigner(path, ring, Signing(period_s=0.02))
        number, until_s = 0, time.monotonic() + 20
        while signer.signed_size < 4 and time.monotonic() < until_s:
            writer.append_frame(digests, *make_frame(number))
            number += 1
        writer.append_frame(digests, *make_frame(number))
        size = writer.size
    signer.close()
    assert signer.fault == ""
    report = verify_ledger(path, root_public=ring.root.public)
    assert (report.ok, report.signed_size) == (True, size)
    assert report.heads.heads > 1


def test_a_head_that_cannot_be_kept_is_said_and_tried_again(ledger, ring):
    log = HeadLog(ledger, ring, Signing())
    log._store._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(CustodyError, match="cannot be written"):
        log.sign_new()
    log._store._connection.execute("PRAGMA query_only = 0")
    assert log.sign_new().head.size == 12
    log.close()


def test_a_witness_that_signed_a_head_is_not_asked_for_it_by_the_next_process(ledger, ring, client):
    signing = Signing(witnesses=(client,))
    head = sign_ledger(ledger, ring, signing)
    asked = client.asked
    client.known_size = 0  # as a new process knows it
    again = sign_ledger(ledger, ring, signing)
    assert again.head.size == head.head.size
    assert client.asked == asked
    with HeadStore(heads_path(ledger)) as store:
        assert len(store.newest().cosignatures) == 1


def test_a_head_is_signed_just_after_a_leaf_and_without_one_all_the_same(
    tmp_path, ring, digests, make_frame, monkeypatch
):
    """Waiting for a leaf keeps the disk free for it; none comes here, and the head is not held back."""
    from vidgen_nodes.custody import signer as module

    monkeypatch.setattr(module, "_PATIENCE_S", 1e9)
    path, asked = tmp_path / "ledger.db", threading.Event()
    original = HeadLog.leaves.fget

    def watched(self):
        asked.set()
        return original(self)

    monkeypatch.setattr(HeadLog, "leaves", property(watched))
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        signer = HeadSigner(path, ring, Signing(period_s=0.01))
        assert asked.wait(30.0)
        assert signer.signed_size == 0
        ledger.append_frame(digests, *make_frame(0))
        until_s = time.monotonic() + 30.0
        while not signer.signed_size and time.monotonic() < until_s:
            asked.wait(0.01)
        assert signer.signed_size == 2
        ledger.append_frame(digests, *make_frame(1))
    signer.close()
    assert signer.signed_size == 3
