# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Notes, tree heads and cosignatures: the forms of C2SP, one form each, nothing altered passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import (
    COSIGNATURE,
    NOTE,
    NoteSignature,
    SignedNote,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_note,
    cosign,
    sign_note,
)
from vidgen_nodes.errors import VerificationError

KEY = FileKey.generate()
HASH = st.binary(min_size=32, max_size=32)
HEADS = st.builds(
    TreeHead, st.just("vidgen/ab/cd"), st.integers(0, 2**63 - 1), HASH, st.one_of(st.none(), HASH)
)


@given(HEADS)
def test_a_head_is_read_back(head):
    assert TreeHead.parse(head.text) == head
    assert head.text.split("\n")[1] == str(head.size)


@given(HEADS, st.integers(0, 2**40))
def test_a_signed_and_cosigned_head_is_read_back_and_holds(head, time_s):
    own, witness = (
        VerifierKey(head.origin, NOTE, KEY.public),
        VerifierKey("w.example/1", COSIGNATURE, KEY.public),
    )
    lines = (sign_note(head.text, head.origin, KEY), cosign(head.text, "w.example/1", KEY, time_s))
    note = SignedNote.parse(str(SignedNote(head.text, lines)).encode())
    assert note == SignedNote(head.text, lines)
    check_note(note.text, note.signatures[0], own)
    assert check_cosignature(note.text, note.signatures[1], witness) == time_s


@given(st.data())
def test_no_changed_byte_of_a_signed_head_passes(data):
    head = TreeHead("vidgen/ab/cd", 7, bytes(32), bytes(range(32)))
    whole = str(SignedNote(head.text, (sign_note(head.text, head.origin, KEY),))).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))
    changed = whole[:at] + bytes([byte]) + whole[at + 1 :]

    def check() -> None:
        note = SignedNote.parse(changed)
        TreeHead.parse(note.text)
        check_note(note.text, note.signatures[0], VerifierKey(head.origin, NOTE, KEY.public))

    with pytest.raises(VerificationError):
        check()


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_in_words(data):
    for parse in (SignedNote.parse, lambda raw: TreeHead.parse(raw.decode("latin-1"))):
        with pytest.raises(VerificationError):
            parse(data)


@pytest.mark.parametrize(
    "text", ["", "x", "x+12345678+AAAA", "a b+00000000+AA==", "vidgen-root+00000000+" + "A" * 44]
)
def test_a_mistyped_key_is_refused(text):
    with pytest.raises(VerificationError, match="public key"):
        VerifierKey.parse(text)


def test_a_key_is_read_back():
    key = VerifierKey("w.example/1", COSIGNATURE, KEY.public)
    assert VerifierKey.parse(f" {key}\n") == key


def test_the_example_of_the_specification_is_read():
    line = (
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
        "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
    )
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    note = SignedNote.parse(f"{text}\n{line}\n".encode())
    assert TreeHead.parse(note.text).size == 20852163
    assert note.signatures[0].key_id.hex() == "033de0ae"
    assert str(note.signatures[0]) == line + "\n"


def test_another_key_and_another_name_do_not_pass():
    head = TreeHead("vidgen/ab/cd", 7, bytes(32))
    line = sign_note(head.text, head.origin, KEY)
    for key in (
        VerifierKey(head.origin, NOTE, FileKey.generate().public),
        VerifierKey("vidgen/ab/ce", NOTE, KEY.public),
        VerifierKey(head.origin, COSIGNATURE, KEY.public),
    ):
        with pytest.raises(VerificationError, match="another key"):
            check_note(head.text, line, key)
    forged = NoteSignature(line.name, line.key_id, bytes(64))
    with pytest.raises(VerificationError, match="does not verify"):
        check_note(head.text, forged, VerifierKey(head.origin, NOTE, KEY.public))
