# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.dsse import IN_TOTO, Envelope, key_id, pae, sign, signers, verify
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.statement import Statement, read_statement, sign_statement
from vidgen_nodes.errors import RecordError, VerificationError

KEY, OTHER = FileKey.generate(), FileKey.generate()
ALICE, BOB = VerifierKey("alice", NOTE, KEY.public), VerifierKey("bob", NOTE, OTHER.public)


def test_what_is_signed_is_the_example_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.text(max_size=30), st.binary(max_size=80))
def test_signed_reads_back_and_verifies(kind: str, payload: bytes) -> None:
    made = sign(kind, payload, [("alice", KEY), ("bob", OTHER)])
    found = Envelope.decode(made.encode())
    assert found == made
    assert verify(found, [ALICE]) == (ALICE,)
    assert signers(found) == (ALICE, BOB)


def test_another_implementation_accepts_it() -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="an optional second opinion")
    signer = pytest.importorskip("securesystemslib.signer")
    made = sign(IN_TOTO, b"{}", [("alice", KEY)])
    envelope = dsse.Envelope.from_dict(json.loads(made.encode()))
    name = key_id("alice", KEY.public)
    public = signer.SSlibKey(name, "ed25519", "ed25519", {"public": KEY.public.hex()})
    assert envelope.verify([public], 1)


@pytest.mark.parametrize("what", ["payload", "payloadType", "sig", "keyid"])
def test_any_change_is_noticed(what: str) -> None:
    content = json.loads(sign("text/plain", b"drill", [("alice", KEY)]).encode())
    row = content["signatures"][0]
    changed = {"payload": "ZHJpbGs=", "payloadType": "text/plaim", "sig": "A" * 86 + "==", "keyid": str(BOB)}
    (row if what in row else content)[what] = changed[what]
    found = Envelope.decode(json.dumps(content).encode())
    with pytest.raises(VerificationError):
        verify(found, [ALICE])
    with pytest.raises(VerificationError):
        signers(found)


def test_envelope_signed_by_nobody_who_counts_is_refused() -> None:
    made = sign("text/plain", b"drill", [("bob", OTHER)])
    with pytest.raises(VerificationError, match="none of the keys"):
        verify(made, [ALICE])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig"]), inner
            )
        ),
    )
)
def test_anything_else_is_refused_and_never_crashes(content: object) -> None:
    with pytest.raises(VerificationError):
        Envelope.decode(json.dumps(content).encode())
    with pytest.raises(VerificationError):
        Statement.decode(json.dumps(content).encode(), "urn:x")


SAID = Statement({"leaf": bytes(range(32))}, "urn:x:1", {"verdict": "accept", "note": "Rauch über dem Dach"})


def test_statement_reads_back() -> None:
    envelope = sign_statement(SAID, "alice", KEY)
    assert read_statement(envelope, "urn:x:1") == SAID
    assert json.loads(envelope.payload)["_type"] == "https://in-toto.io/Statement/v1"


def test_statement_of_another_kind_is_refused() -> None:
    with pytest.raises(VerificationError, match="expected urn:y:1"):
        read_statement(sign_statement(SAID, "alice", KEY), "urn:y:1")
    with pytest.raises(VerificationError, match="text/plain"):
        read_statement(sign("text/plain", SAID.encode(), [("alice", KEY)]), "urn:x:1")


def test_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(RecordError):
        Statement({}, "urn:x:1", {"seconds": float("nan")}).encode()
