# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Proof files: small, checked with the root key alone, and no byte of one can change unseen."""

from __future__ import annotations

import binascii
import hashlib
import shutil
import subprocess
import sys
import time

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.cli.main import main
from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.keys import FileKey, KeyRing
from vidgen_nodes.custody.leaf import _OPTIONAL, FRAME, leaf_fault
from vidgen_nodes.custody.merkle import leaf_hash, root_from_path
from vidgen_nodes.custody.note import COSIGNATURE, SignedNote, TreeHead, VerifierKey, cosign, sign_note
from vidgen_nodes.custody.packed_leaf import _WORDS, HASHES, NAMES, pack_leaf, unpack_leaf
from vidgen_nodes.custody.proof import PROOF_BYTES, encode_proof, verify_proof
from vidgen_nodes.custody.proof_maker import make_proof
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.signer import sign_ledger
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import Cause, Mark

NOW_S = int(time.time())
LOG = bytes(range(8))
WITNESSES = [(f"w{number}.example.org/vidgen", FileKey.generate()) for number in (1, 2)]


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing.open(tmp_path_factory.mktemp("keys"), NOW_S)


@pytest.fixture(scope="module")
def signed(tmp_path_factory, written, ring):
    path = tmp_path_factory.mktemp("signed") / "ledger.db"
    shutil.copy(written, path)
    sign_ledger(path, ring)
    return path


@pytest.fixture(scope="module")
def leaf(written):
    with LedgerReader(written) as reader:
        return next(iter(reader.rows(4))).leaf


def proof_in(size: int, index: int, leaf: bytes, ring: KeyRing, *, witnesses: int = 2, session=None) -> bytes:
    """A proof in a tree too large to make: any path leads to some root, and that root is signed."""
    session = session or ring.new_session(NOW_S)
    length = _path_length(index, size)
    path = [hashlib.sha256(str(level).encode()).digest() for level in range(length)]
    root = root_from_path(leaf_hash(leaf), index, size, path)
    head = TreeHead(origin_of(session.chain.unit.public, LOG), size, root, bytes(32))
    lines = tuple(cosign(head.text, name, key, NOW_S) for name, key in WITNESSES[:witnesses])
    note = SignedNote(head.text, (sign_note(head.text, head.origin, session.key),))
    return encode_proof(leaf, index, path, Head(note, session.chain, lines), LOG)


def _path_length(index: int, size: int) -> int:
    length, low, high = 0, 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        low, high = (low, middle) if index < middle else (middle, high)
        length += 1
    return length


@settings(max_examples=60)
@given(st.integers(1, 2**30), st.data())
def test_a_proof_with_two_cosignatures_fits_at_any_size(leaf, ring, size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = proof_in(size, index, leaf, ring)
    assert len(proof) <= PROOF_BYTES
    witnesses = [VerifierKey(name, COSIGNATURE, key.public) for name, key in WITNESSES]
    report = verify_proof(proof, ring.root.public, witnesses)
    assert (report.leaf_index, report.head.size, report.leaf_bytes) == (index, size, leaf)
    assert [item.trusted for item in report.cosigned] == [True, True]


def test_the_largest_tree_leaves_room(leaf, ring):
    assert len(proof_in(2**30, 12345, leaf, ring)) <= 1950
    assert len(proof_in(2_592_000, 12345, leaf, ring)) <= 1700


def largest(leaf: bytes) -> dict:
    """A frame of a long run with every field set, numbers as large as they get."""
    hashed = ("map", "building", "attestation", "review", "view", "columns", "paths", "inputs", "scenario")
    full = cbor2.loads(leaf) | {name: hashlib.sha256(name.encode()).digest() for name in hashed}
    stamp_ns = 1_790_000_000_123_456_789
    return full | {
        "mission": "exercise north 2026-11",
        "origin": "replay",
        "label": "AIGC",
        "seq": 2**30,
        "stamp_ns": stamp_ns,
        "nav_stamp_ns": stamp_ns - 3_456_789,
        "map_stamp_ns": stamp_ns - 345_678_912,
        "bundle": 2**30,
        "tick": 2**30,
        "segment": 3,
        "sigma_px": 1.2345678901,
        "late": {"map": 1, "nav": 12},
        "gate": {
            "cells_open": 65_000,
            "pixels_drawn": 327_680,
            "pixels_outside": 0,
            "leaks_closed": 8,
        },
        "marks": ["pose_old"],
        "clock_offset_ns": -98_765_400,
    }


def test_a_frame_with_every_optional_field_fits_and_says_it_all(leaf, ring):
    full = largest(leaf)
    assert leaf_fault(full) == ""
    assert set(_OPTIONAL[FRAME]) <= set(full)
    assert all(value is not None for value in full.values())
    proof = proof_in(2**30, 2**30 - 1, canonical(full), ring)
    assert len(proof) <= PROOF_BYTES
    assert verify_proof(proof, ring.root.public).leaf == full


CAUSES = st.lists(st.sampled_from([*Cause]).map(lambda cause: cause.value), max_size=4, unique=True)


@settings(max_examples=100)
@given(st.data(), CAUSES, st.integers(0, 2**30 - 1))
def test_whichever_optional_fields_a_frame_has_it_fits(leaf, ring, data, causes, index):
    full = largest(leaf) | {"causes": causes}
    dropped = data.draw(st.lists(st.sampled_from(sorted(_OPTIONAL[FRAME]))))
    full = {name: value for name, value in full.items() if name not in dropped}
    if causes:  # nothing is drawn then, so there is no obstacle to attest
        full.pop("attestation", None)
    proof = proof_in(2**30, index, canonical(full), ring)
    assert len(proof) <= PROOF_BYTES
    assert verify_proof(proof, ring.root.public).leaf == full


PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=9) | st.binary(max_size=33)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
NAMED = st.sampled_from([*NAMES, *HASHES]) | st.text(max_size=6)


@settings(max_examples=300)
@given(
    st.dictionaries(
        NAMED, VALUES | st.sampled_from(["SYN", "frame", "live"]) | st.binary(min_size=32, max_size=32)
    )
)
def test_any_leaf_comes_back_to_the_byte(fields):
    leaf = cbor2.dumps(fields, canonical=True)
    packed = cbor2.loads(cbor2.dumps(pack_leaf(leaf), canonical=True))
    assert unpack_leaf(packed) == leaf


def test_every_cause_and_mark_of_today_is_a_word():
    for word in [*Cause, *Mark]:
        assert cbor2.dumps(
            pack_leaf(canonical({"v": 1, "kind": "frame", "causes": [word.value]}))[0][8][0]
        ) == cbor2.dumps(cbor2.CBORSimpleValue(_WORDS.index(word.value)))


@given(st.binary(max_size=80))
def test_what_is_no_map_is_carried_as_it_is(leaf):
    assert unpack_leaf(pack_leaf(leaf)) == leaf


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        ({}, "another form"),
        ([{}, 1 << 60, b""], "unknown field"),
        ([{}, -1, b""], "unknown field"),
        ([{}, 1, b"short"], "5 bytes of hashes for 1"),
        ([{99: 1}, 0, b""], "unknown field number 99"),
    ],
)
def test_a_leaf_of_a_newer_version_is_refused_in_words(packed, why):
    with pytest.raises(VerificationError, match=why):
        unpack_leaf(packed)


def test_every_leaf_of_a_ledger_is_proved(signed, ring):
    with LedgerReader(signed) as reader:
        for row in reader.rows():
            report = verify_proof(make_proof(signed, row.index), ring.root.public)
            assert (report.leaf_bytes, report.leaf_index) == (row.leaf, row.index)


@pytest.mark.parametrize("bit", range(8))
def test_no_flipped_bit_passes_and_the_part_is_named(leaf, ring, bit):
    proof = proof_in(1000, 321, leaf, ring)
    parts = (
        "leaf",
        "path",
        "head",
        "cosignatures",
        "certificates",
        "damaged",
        "not a vidgen proof",
        "one form",
    )
    for at in range(len(proof)):
        changed = proof[:at] + bytes([proof[at] ^ 1 << bit]) + proof[at + 1 :]
        with pytest.raises(VerificationError) as caught:
            verify_proof(changed, ring.root.public)
        assert any(part in str(caught.value) for part in parts), (at, caught.value)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_in_words(data):
    with pytest.raises(VerificationError):
        verify_proof(data, bytes(32))


def test_whoever_recomputes_the_check_sums_still_lacks_a_key(leaf, ring):
    version, sections, _ = cbor2.loads(proof_in(1000, 321, leaf, ring))
    for section, place, value in (
        (0, 0, {}),
        (0, 2, bytes(32 * 6)),  # hashes of the leaf
        (1, 0, 320),
        (1, 1, bytes(320)),
        (2, 0, 999),
        (2, 1, bytes(8 + 64)),
        (2, 1, bytes(8 + 64 + 32)),
        (3, 0, ["w1.example.org/vidgen", NOW_S, bytes(63)]),
        (4, 1, [None, NOW_S - 1000, NOW_S + 1000, bytes(96)]),
    ):
        forged = [dict(part) if isinstance(part, dict) else list(part) for part in sections]
        forged[section][place] = value
        crcs = b"".join(
            binascii.crc_hqx(cbor2.dumps(part, canonical=True), 0).to_bytes(2, "big") for part in forged
        )
        with pytest.raises(VerificationError):
            verify_proof(cbor2.dumps([version, forged, crcs], canonical=True), ring.root.public)


def test_a_cosignature_outside_the_session_is_refused(leaf, ring):
    old = ring.new_session(NOW_S - 30 * 24 * 3600)
    with pytest.raises(VerificationError, match="session certificate is valid"):
        verify_proof(proof_in(10, 3, leaf, ring, session=old), ring.root.public)


def test_a_witness_that_is_asked_for_must_have_signed(leaf, ring):
    name, key = WITNESSES[1]
    with pytest.raises(VerificationError, match="none by the witness w2"):
        verify_proof(
            proof_in(10, 3, leaf, ring, witnesses=1),
            ring.root.public,
            [VerifierKey(name, COSIGNATURE, key.public)],
        )


def test_a_leaf_that_no_head_covers_says_what_to_do(tmp_path, written):
    path = tmp_path / "ledger.db"
    shutil.copy(written, path)
    with pytest.raises(VerificationError, match="no signed tree head covers it yet"):
        make_proof(path, 0)
    with pytest.raises(VerificationError, match="has 12 leaves"):
        make_proof(path, 12)


def test_the_command_needs_neither_ros_nor_numpy_nor_a_network(tmp_path, signed, ring):
    proof = tmp_path / "frame.proof"
    proof.write_bytes(make_proof(signed, 3))
    code = """
import builtins, socket, sys
real = builtins.__import__
def guarded(name, *rest, **more):
    if name.split(".")[0] in {"numpy", "torch", "rclpy", "cv2", "scipy", "vidgen", "yaml", "rosbags"}:
        raise ImportError(name + " is not for auditors")
    return real(name, *rest, **more)
builtins.__import__ = guarded
socket.socket = None
from vidgen_nodes.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    arguments = ["proof", "verify", str(proof), "--root", str(ring.root), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, '"leaf_index": 3' in done.stdout) == (0, True), done.stderr


def test_the_commands_make_and_verify(tmp_path, signed, ring, capsys):
    proof = tmp_path / "frame.proof"
    assert main(["proof", "make", str(signed), "5", "--out", str(proof)]) == 0
    assert main(["proof", "verify", str(proof), "--root", str(ring.folder / "root.pub")]) == 0
    assert "signed by unit" in capsys.readouterr().out
    assert main(["proof", "verify", str(proof), "--root", FileKey.generate().public.hex()]) == 1
    assert main(["proof", "verify", str(proof)]) == 2
    assert main(["proof", "make", str(signed)]) == 2
    assert main(["proof", "make", str(signed), "99", "--out", str(proof)]) == 1
