# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Retention and export: deleted payload is admitted by the log, leaves stay provable, a slice stands alone."""

from __future__ import annotations

import shutil
import sqlite3
import time

import pytest

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.ledger_slice import check_slice, write_slice
from vidgen_nodes.custody.proof import verify_proof
from vidgen_nodes.custody.proof_maker import make_proof
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.retention import prune
from vidgen_nodes.custody.signer import sign_ledger
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import ConfigError, CustodyError, VerificationError


@pytest.fixture
def ring(tmp_path):
    return KeyRing.open(tmp_path / "keys", int(time.time()))


@pytest.fixture
def ledger(tmp_path, written, ring):
    path = tmp_path / "ledger.db"
    shutil.copy(written, path)
    sign_ledger(path, ring)
    return path


def delete_secretly(path, keys):
    connection = sqlite3.connect(path, isolation_level=None)
    (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'blobs_no_delete'").fetchone()
    connection.execute("DROP TRIGGER blobs_no_delete")
    connection.executemany("DELETE FROM blobs WHERE sha256 = ?", [(key,) for key in keys])
    connection.execute(trigger)
    connection.close()


def inputs_of(path, index):
    with LedgerReader(path) as reader:
        return next(leaf["inputs"] for at, leaf in reader.frames() if at == index)


def test_deleted_payload_is_admitted_and_leaves_stay_provable(ledger, ring):
    report = verify_ledger(ledger)
    before = ledger.stat().st_size
    pruned = prune(ledger, 6)
    sign_ledger(ledger, ring)
    assert pruned.records >= 5
    after = verify_ledger(ledger, root_public=ring.root.public)
    assert after.ok, after.faults
    assert after.records == report.records + 1
    assert after.pruned >= 5
    assert ledger.stat().st_size <= before
    for index in range(after.records):
        assert verify_proof(make_proof(ledger, index), ring.root.public).leaf_index == index
    with LedgerReader(ledger) as reader:
        assert reader.record(next(reader.frames())[1]["config"])
        with pytest.raises(VerificationError, match="not in the ledger"):
            reader.record(inputs_of(ledger, 1))
        assert reader.record(inputs_of(ledger, 9))


def test_a_deletion_that_the_log_does_not_admit_is_a_fault(ledger):
    prune(ledger, 4)
    delete_secretly(ledger, [inputs_of(ledger, 8)])
    faults = verify_ledger(ledger).faults
    assert [(fault.where, fault.kind) for fault in faults] == [("leaf 8", "missing")]


def test_constants_may_not_be_deleted_even_from_old_leaves(ledger):
    with LedgerReader(ledger) as reader:
        config = next(reader.frames())[1]["config"]
    prune(ledger, 12)
    delete_secretly(ledger, [config])
    assert not verify_ledger(ledger).ok


def test_evidence_that_does_not_verify_is_not_touched(ledger):
    delete_secretly(ledger, [inputs_of(ledger, 8)])
    with pytest.raises(CustodyError, match="nothing is deleted"):
        prune(ledger, 4)


def test_a_slice_stands_alone(ledger, ring, tmp_path):
    out = tmp_path / "slice"
    written = write_slice(ledger, 2, 5, out)
    ledger.unlink()
    report = check_slice(out, ring.root.public)
    assert (report.faults, report.leaves, written.leaves) == ((), 4, 4)
    assert report.records == written.records > 4


@pytest.mark.parametrize("what", ["proof", "record", "no proof", "no record", "swapped"])
def test_whatever_is_done_to_a_slice_is_placed(ledger, ring, tmp_path, what):
    out = tmp_path / "slice"
    write_slice(ledger, 2, 5, out)
    proof, record = (
        out / "proofs" / "000000000003.proof",
        out / "records" / f"{inputs_of(ledger, 3).hex()}.cbor",
    )
    if what == "swapped":
        shutil.copy(out / "proofs" / "000000000004.proof", proof)
    elif what.startswith("no"):
        (proof if "proof" in what else record).unlink()
    else:
        path = proof if what == "proof" else record
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    faults = check_slice(out, ring.root.public).faults
    assert len(faults) == 1
    assert "leaf 3" in str(faults[0]) or "000000000003" in str(faults[0])


def test_a_slice_that_cannot_be_made_or_read_says_why(ledger, ring, tmp_path):
    with pytest.raises(VerificationError, match="the ledger has 12"):
        write_slice(ledger, 0, 12, tmp_path / "x")
    with pytest.raises(ConfigError, match="is not empty"):
        write_slice(ledger, 0, 3, tmp_path)
    with pytest.raises(ConfigError, match="holds no proofs"):
        check_slice(tmp_path / "nothing", ring.root.public)


def test_the_commands(ledger, ring, tmp_path, capsys):
    keys = ["--keys", str(ring.folder)]
    assert main(["custody", "sign", str(ledger), *keys]) == 0
    assert main(["custody", "prune", str(ledger), "--before", "3", *keys]) == 0
    assert main(["custody", "export", str(ledger), "--from", "3", "--out", str(tmp_path / "s")]) == 0
    root = str(ring.folder / "root.pub")
    assert main(["custody", "check", str(tmp_path / "s"), "--root", root, "--json"]) == 0
    next((tmp_path / "s" / "records").iterdir()).unlink()
    assert main(["custody", "check", str(tmp_path / "s"), "--root", root]) == 1
    assert "is missing" in capsys.readouterr().err
    assert main(["custody", "check", str(tmp_path / "s")]) == 2
    assert main(["custody", "prune", str(ledger)]) == 2
    assert main(["verify", str(ledger), "--key", root]) == 0
    assert main(["keys", "show", *keys, "--json"]) == 0
    certificate = str(tmp_path / "unit.cert")
    assert main(["keys", "certify", "00" * 32, "--out", certificate, *keys]) == 0
