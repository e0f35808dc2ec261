# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A witness: signs what extends what it signed, refuses forks, rollbacks and strangers, also after a restart."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.merkle import consistency_proof, leaf_hash, tree_root
from vidgen_nodes.custody.note import SignedNote, TreeHead, check_cosignature, sign_note
from vidgen_nodes.custody.witness import Witness
from vidgen_nodes.custody.witness_client import WitnessClient, parse_witnesses
from vidgen_nodes.custody.witness_server import WitnessServer
from vidgen_nodes.errors import ConfigError, CustodyError

NOW_S = 1_800_000_000
LOG = bytes(8)


def hashes(*leaves: object) -> list[bytes]:
    return [leaf_hash(repr(leaf).encode()) for leaf in leaves]


HONEST = hashes(*range(60))
FORKED = hashes(*range(10), "other", *range(11, 60))
BRANCHED = hashes(*range(17), "other", *range(18, 60))  # after what the witness has seen in one test


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return KeyRing.open(tmp_path_factory.mktemp("keys"), NOW_S)


@pytest.fixture
def witness(tmp_path, ring):
    made = Witness(tmp_path / "witness", "w.example/1", [ring.root.public], lambda: NOW_S)
    yield made
    made.close()


def signed(ring: KeyRing, leaves: list[bytes], size: int, session=None) -> Head:
    session = session or ring.new_session(NOW_S)
    head = TreeHead(origin_of(session.chain.unit.public, LOG), size, tree_root(leaves[:size]))
    return Head(SignedNote(head.text, (sign_note(head.text, head.origin, session.key),)), session.chain)


class Direct(WitnessClient):
    """A client without a network between."""

    def __init__(self, witness: Witness) -> None:
        super().__init__("http://localhost:1", witness.verifier)
        self.witness = witness

    def exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = self.witness.add_checkpoint(body, headers["Vidgen-Certificates"])
        return answer.status, answer.kind, answer.text.encode()


def proofs(leaves: list[bytes]):
    return lambda old, size: consistency_proof(leaves[:size], old)


def test_it_cosigns_a_log_that_grows(ring, witness):
    client = Direct(witness)
    for size in (1, 2, 7, 7, 33, 60):
        head = signed(ring, HONEST, size)
        line = client.submit(head, proofs(HONEST))
        assert check_cosignature(head.note.text, line, witness.verifier) == NOW_S
    assert witness.refused() == []


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_whatever_is_sent_it_never_signs_two_heads_that_contradict(tmp_path_factory, ring, requests):
    witness = Witness(tmp_path_factory.mktemp("w") / "w", "w.example/1", [ring.root.public], lambda: NOW_S)
    accepted: list[tuple[list[bytes], int]] = []
    for forked, size, claimed in requests:
        leaves = FORKED if forked else HONEST
        client = Direct(witness)
        client.known_size = claimed
        try:
            client.submit(
                signed(ring, leaves, size),
                lambda old, new, leaves=leaves: consistency_proof(leaves[:new], old),
            )
        except CustodyError:
            continue
        accepted.append((leaves, size))
    for (before, old), (after, new) in itertools.pairwise(accepted):
        assert new >= old
        assert tree_root(after[:old]) == tree_root(before[:old])
    witness.close()


def test_a_fork_is_refused_and_kept_as_evidence(ring, witness):
    Direct(witness).submit(signed(ring, HONEST, 20), proofs(HONEST))
    fork = Direct(witness)
    fork.known_size = 20
    for size, status in ((20, 409), (30, 422)):
        with pytest.raises(CustodyError, match=str(status)):
            fork.submit(signed(ring, FORKED, size), proofs(FORKED))
    assert len(witness.refused()) == 2
    assert all("vidgen/" in note for _, note in witness.refused())


def test_a_rollback_is_refused_also_after_a_restart(tmp_path, ring, witness):
    Direct(witness).submit(signed(ring, HONEST, 20), proofs(HONEST))
    witness.close()
    again = Witness(tmp_path / "witness", "w.example/1", [ring.root.public], lambda: NOW_S)
    assert again.verifier == witness.verifier
    with pytest.raises(CustodyError, match="an old copy"):
        Direct(again).submit(signed(ring, HONEST, 12), proofs(HONEST))
    with pytest.raises(CustodyError, match=r"409|422"):
        Direct(again).submit(signed(ring, FORKED, 20), proofs(FORKED))
    Direct(again).submit(signed(ring, HONEST, 21), proofs(HONEST))
    again.close()


def test_a_witness_that_lost_its_memory_stops(tmp_path, ring, witness):
    witness.close()
    (tmp_path / "witness" / "witness.db").unlink()
    with pytest.raises(CustodyError, match="Retire its key"):
        Witness(tmp_path / "witness", "w.example/1", [ring.root.public])


def test_strangers_and_expired_sessions_are_refused(tmp_path, ring, witness):
    stranger = KeyRing.open(tmp_path / "stranger", NOW_S)
    with pytest.raises(CustodyError, match=r"403.*no root key"):
        Direct(witness).submit(signed(stranger, HONEST, 5), proofs(HONEST))
    old = ring.new_session(NOW_S - 2 * 24 * 3600)
    with pytest.raises(CustodyError, match=r"403.*session certificate"):
        Direct(witness).submit(signed(ring, HONEST, 5, old), proofs(HONEST))
    head, other = signed(ring, HONEST, 5), ring.new_session(NOW_S)
    with pytest.raises(CustodyError, match=r"403.*not signed by the session"):
        Direct(witness).submit(Head(head.note, other.chain), proofs(HONEST))


@pytest.mark.parametrize(
    "body", [b"", b"old 0\n\n", b"old 01\n\nx\n\n\xe2\x80\x94 x AAAA\n", b"old 0\nAAAA\n\nx", b"\xff" * 100]
)
def test_foreign_requests_are_refused_in_words(witness, body):
    answer = witness.add_checkpoint(body, "")
    assert answer.status == 400
    assert answer.text.strip()


def test_over_http_it_signs_and_survives_nonsense(ring, witness):
    server = WitnessServer(("127.0.0.1", 0), witness)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        (client,) = parse_witnesses(f"{url} {witness.verifier}")
        client.submit(signed(ring, HONEST, 9), proofs(HONEST))
        assert client.known_size == 9
        (fresh,) = parse_witnesses(f"{url} {witness.verifier}")  # learns the size from the first answer
        line = fresh.submit(signed(ring, HONEST, 40), proofs(HONEST))
        assert line.name == "w.example/1"
        with pytest.raises(CustodyError, match="404"):
            WitnessClient(f"{url}/elsewhere", witness.verifier).submit(
                signed(ring, HONEST, 41), proofs(HONEST)
            )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with pytest.raises(CustodyError, match="cannot be reached"):
        fresh.submit(signed(ring, HONEST, 50), proofs(HONEST))


@pytest.mark.parametrize("text", ["http://h:1", "ftp://h x", "http://h:1 vidgen-root+0+x"])
def test_a_witness_named_wrongly_is_refused(text):
    with pytest.raises(ConfigError, match="witness"):
        parse_witnesses(text)
    assert parse_witnesses("") == ()


def test_of_two_forks_that_come_at_once_one_is_signed(tmp_path, ring):
    for attempt in range(12):
        made = Witness(tmp_path / str(attempt), "w.example/1", [ring.root.public], lambda: NOW_S)
        first = signed(ring, HONEST, 15)
        Direct(made).submit(first, proofs(HONEST))
        start, accepted = threading.Barrier(6), []

        def race(leaves, size, made=made, start=start, accepted=accepted):
            client = Direct(made)
            client.known_size = 15
            head = signed(ring, leaves, size)
            start.wait()
            try:
                client.submit(head, proofs(leaves))
            except CustodyError:
                return
            accepted.append((leaves, size))

        threads = [
            threading.Thread(target=race, args=(leaves, size))
            for leaves in (HONEST, FORKED, BRANCHED)
            for size in (20, 30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert accepted
        roots = {tree_root(leaves[: min(20, size)]) for leaves, size in accepted}
        assert len(roots) == 1, accepted
        made.close()


@settings(max_examples=80)
@given(st.integers(1, 59), st.integers(2, 60), st.data())
def test_no_altered_consistency_proof_is_signed(tmp_path_factory, ring, old, size, data):
    if old >= size:
        old, size = sorted((old, size)) if old != size else (size - 1, size)
    witness = Witness(tmp_path_factory.mktemp("w") / "w", "w.example/1", [ring.root.public], lambda: NOW_S)
    Direct(witness).submit(signed(ring, HONEST, old), proofs(HONEST))
    client = Direct(witness)
    client.known_size = old
    true = consistency_proof(HONEST[:size], old)
    kind = data.draw(st.sampled_from(["flip", "drop", "add", "swap"]))
    forged = list(true)
    if kind == "add" or not forged:
        forged.insert(data.draw(st.integers(0, len(forged))), bytes(32))
    elif kind == "drop":
        del forged[data.draw(st.integers(0, len(forged) - 1))]
    elif kind == "swap" and len(set(forged)) > 1:
        forged.reverse()
    else:
        at, place = data.draw(st.integers(0, len(forged) - 1)), data.draw(st.integers(0, 255))
        node = bytearray(forged[at])
        node[place // 8] ^= 1 << place % 8
        forged[at] = bytes(node)
    if forged != true:
        with pytest.raises(CustodyError):
            client.submit(signed(ring, HONEST, size), lambda *_: forged)
        assert len(witness.refused()) <= 1
    client.submit(signed(ring, HONEST, size), proofs(HONEST))  # the true one still passes
    witness.close()
