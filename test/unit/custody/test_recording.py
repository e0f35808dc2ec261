# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Changed bytes of a recorded file and changed messages, each at its place."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody import recording
from vidgen_nodes.custody.digest import canonical
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.recording import compare_inputs, compare_manifest, file_manifest
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import SourceRef

BLOCK = 65536
CONTENT = (
    b"".join(hashlib.sha256(bytes([k % 256, k // 256])).digest() for k in range(3 * BLOCK // 32)) + b"tail"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bag")


@pytest.fixture(scope="module")
def manifest(folder):
    path = folder / "whole.db3"
    path.write_bytes(CONTENT)
    return file_manifest(path)


def test_a_manifest_holds_the_hash_of_the_file_and_of_its_blocks(manifest):
    assert manifest["name"] == "whole.db3"
    assert manifest["bytes"] == len(CONTENT)
    assert manifest["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert manifest["block_bytes"] == BLOCK
    blocks = manifest["blocks"]
    assert blocks[-32:] == hashlib.sha256(b"tail").digest()
    assert len(blocks) == 4 * 32


def test_a_manifest_survives_the_ledger(manifest, folder):
    stored = decode(canonical(manifest), "manifest")
    assert compare_manifest(stored, folder / "whole.db3") == ()


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 65536), (1, 65536), (4096 * 65536, 65536), (4096 * 65536 + 1, 131072), (10**12, 2**28)],
)
def test_blocks_grow_so_that_there_are_at_most_4096(size, expected):
    assert recording._block_bytes(size) == expected
    assert -(-size // expected) <= 4096


@settings(max_examples=60)
@given(place=st.integers(0, len(CONTENT) - 1), change=st.integers(1, 255))
def test_any_changed_byte_is_placed_in_its_block(manifest, folder, place, change):
    altered = bytearray(CONTENT)
    altered[place] ^= change
    path = folder / "altered.db3"
    path.write_bytes(altered)
    first = place // BLOCK * BLOCK
    last = min(first + BLOCK, len(CONTENT)) - 1
    (fault,) = compare_manifest(manifest, path)
    assert fault.where == f"whole.db3, bytes {first} to {last}"
    assert fault.kind == "altered"


def test_neighbouring_changed_blocks_are_one_fault(manifest, folder):
    altered = bytearray(CONTENT)
    for place in (0, BLOCK, 3 * BLOCK):
        altered[place] ^= 1
    path = folder / "runs.db3"
    path.write_bytes(altered)
    assert [fault.where for fault in compare_manifest(manifest, path)] == [
        f"whole.db3, bytes 0 to {2 * BLOCK - 1}",
        f"whole.db3, bytes {3 * BLOCK} to {len(CONTENT) - 1}",
    ]


@pytest.mark.parametrize("kept", [0, 10, BLOCK, 2 * BLOCK + 5, len(CONTENT) - 1])
def test_a_cut_file_is_placed(manifest, folder, kept):
    path = folder / "cut.db3"
    path.write_bytes(CONTENT[:kept])
    faults = compare_manifest(manifest, path)
    assert faults[-1].where == f"whole.db3, bytes {kept} to {len(CONTENT) - 1}"
    assert faults[-1].kind == "missing"


@pytest.mark.parametrize("more", [1, BLOCK, 3 * BLOCK])
def test_a_grown_file_is_placed(manifest, folder, more):
    path = folder / "grown.db3"
    path.write_bytes(CONTENT + b"x" * more)
    faults = compare_manifest(manifest, path)
    assert faults[-1].where == f"whole.db3, bytes {len(CONTENT)} to {len(CONTENT) + more - 1}"
    assert faults[-1].kind == "inserted"


def test_a_file_that_is_gone_is_named(manifest, folder):
    (fault,) = compare_manifest(manifest, folder / "gone.db3")
    assert (fault.where, fault.kind) == ("whole.db3", "missing")
    with pytest.raises(VerificationError, match=r"gone\.db3"):
        file_manifest(folder / "gone.db3")


def test_an_empty_file_has_a_manifest(folder):
    path = folder / "empty.db3"
    path.write_bytes(b"")
    assert compare_manifest(file_manifest(path), path) == ()


@pytest.mark.parametrize(
    "change", [{"blocks": b"\0" * 31}, {"bytes": None}, {"block_bytes": 0}, {"name": 1}, {"blocks": ["a"]}]
)
def test_what_is_no_manifest_is_refused(manifest, folder, change):
    with pytest.raises(VerificationError, match="manifest"):
        compare_manifest({**manifest, **change}, folder / "whole.db3")


def messages(topic, stamps):
    return [
        SourceRef(topic, "sensor_msgs/msg/Imu", s, hashlib.sha256(f"{topic}{s}".encode()).digest())
        for s in stamps
    ]


USED = messages("/imu/data", range(10, 20)) + messages("/fix", [10, 15])


def test_the_same_messages_have_no_fault_whatever_the_order_and_repetition():
    assert compare_inputs(USED + USED[:3], reversed(USED)) == ()


def test_an_altered_message_is_named():
    forged = dataclasses.replace(USED[4], sha256=bytes(32))
    (fault,) = compare_inputs(USED, [*USED[:4], forged, *USED[5:]])
    assert (fault.where, fault.kind) == ("/imu/data at 14 ns", "altered")


def test_a_missing_message_is_named():
    (fault,) = compare_inputs(USED, USED[:-1])
    assert (fault.where, fault.kind) == ("/fix at 15 ns", "missing")


def test_an_inserted_message_is_named_within_the_span_of_its_topic():
    inside, outside = messages("/fix", [12, 9, 16]), messages("/points", [12])
    (fault,) = compare_inputs(USED, [*USED, *inside, *outside])
    assert (fault.where, fault.kind) == ("/fix at 12 ns", "inserted")


def test_a_second_message_at_a_used_stamp_is_inserted():
    twin = dataclasses.replace(USED[0], sha256=bytes(32))
    (fault,) = compare_inputs(USED, [*USED, twin])
    assert (fault.where, fault.kind) == ("/imu/data at 10 ns", "inserted")


def test_a_ledger_without_inputs_says_nothing_of_messages():
    assert compare_inputs([], USED) == ()


@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
def test_every_altered_and_missing_message_has_its_fault(altered, missing):
    altered -= missing
    kept = [
        dataclasses.replace(ref, sha256=bytes(32)) if k in altered else ref
        for k, ref in enumerate(USED)
        if k not in missing
    ]
    found = {(fault.where, fault.kind) for fault in compare_inputs(USED, kept)}
    expected = {(f"{USED[k].topic} at {USED[k].stamp_ns} ns", "altered") for k in altered}
    expected |= {(f"{USED[k].topic} at {USED[k].stamp_ns} ns", "missing") for k in missing}
    assert found == expected


def test_inputs_of_a_ledger_agree_with_the_messages_it_was_made_from(written, make_sources):
    used = {ref for number in range(10) for ref in make_sources(number)}
    with LedgerReader(written) as reader:
        assert set(reader.inputs()) == used
        assert compare_inputs(reader.inputs(), used) == ()
        lost = compare_inputs(reader.inputs(), used - set(make_sources(9)[:1]))
    assert [(fault.where, fault.kind) for fault in lost] == [
        (f"/vidgen/thermal/image_raw at {make_sources(9)[0].stamp_ns} ns", "missing")
    ]
