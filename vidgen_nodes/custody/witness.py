# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A witness: cosigns a tree head only if it extends the one it cosigned before. C2SP ``tlog-witness``.

Guarantees: of one log it never cosigns two heads that contradict each other, nor a smaller one after a larger, also
after a crash: the new head is durable, in one transaction with the check, before the cosignature leaves. It keeps
signed heads that it had to refuse: they prove what the operator did. Leaves out what the leaves say, and the operator
who also owns the witness: put it on another host, with other people.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cbor2

from vidgen_nodes.custody.certificate import Certificate, Chain, fingerprint
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from vidgen_nodes.custody.note import COSIGNATURE, NOTE, SignedNote, TreeHead, VerifierKey, check_note, cosign
from vidgen_nodes.custody.witness_client import SIZE_TYPE
from vidgen_nodes.errors import ConfigError, CustodyError, VerificationError

_TEXT = "text/plain"
_MOST_HASHES = 63
_MOST_REFUSED = 1000
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SCHEMA = """
CREATE TABLE logs (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE refused (id INTEGER PRIMARY KEY, why TEXT NOT NULL, note TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    text: str
    kind: str = _TEXT


class _RefusedError(Exception):
    def __init__(self, status: int, text: str, kind: str = _TEXT) -> None:
        super().__init__(text)
        self.answer = Answer(status, text, kind)


class Witness:
    """Key and memory of one witness, in one folder. Thread-safe."""

    def __init__(
        self, folder: Path, name: str, roots: Sequence[bytes], clock: Callable[[], float] = time.time
    ) -> None:
        """Open it, or make it on first use.

        Args:
            folder: for key and memory; nobody else's.
            name: under which it signs.
            roots: public root keys of the operators whose logs it watches.
            clock: Unix seconds.

        Raises:
            ConfigError: the key cannot be used.
            CustodyError: the memory is gone or cannot be written: such a witness must not sign any more.
        """
        self._roots, self._clock, self._lock = tuple(roots), clock, threading.Lock()
        memory, key_file = folder / "witness.db", folder / "witness.key"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as err:
            raise ConfigError(f"witness {folder}: cannot be made: {err.strerror}") from err
        if key_file.exists() and not memory.exists():
            raise CustodyError(
                f"{memory}: is gone, so this witness no longer knows what it signed. Retire its key: make a new "
                "witness in another folder"
            )
        self._connection = _open_memory(memory)
        if not key_file.exists():
            FileKey.generate().save(key_file)
        self._key = FileKey.load(key_file)
        self.verifier = VerifierKey(name, COSIGNATURE, self._key.public)

    def add_checkpoint(self, body: bytes, certificates: str) -> Answer:
        """Answer a request to cosign.

        Args:
            body: as C2SP ``tlog-witness`` says: old size, proof, empty line, signed head.
            certificates: base64 of the CBOR list of unit and session certificate.
        """
        try:
            old, proof, note = _parse(body)
            head = TreeHead.parse(note.text)
            self._check_signature(note, head, certificates)
            with self._lock:
                return self._check_and_sign(old, proof, note, head)
        except _RefusedError as err:
            return err.answer
        except VerificationError as err:
            return Answer(400, f"{err}\n")
        except sqlite3.Error as err:  # nothing was promised: the transaction did not end
            return Answer(503, f"the witness cannot remember: {err}\n")

    def _check_signature(self, note: SignedNote, head: TreeHead, certificates: str) -> None:
        chain = _parse_chain(certificates)
        if not head.origin.startswith(f"vidgen/{fingerprint(chain.unit.public)}/"):
            raise _RefusedError(404, f"the log {head.origin} is not one of that unit\n")
        try:
            self._check_session(note, head, chain)
        except VerificationError as err:
            raise _RefusedError(403, f"{err}\n") from err

    def _check_session(self, note: SignedNote, head: TreeHead, chain: Chain) -> None:
        if not any(_vouches(root, chain) for root in self._roots):
            raise VerificationError("the certificates lead to no root key that this witness trusts")
        chain.check_time(int(self._clock()), "head")
        session = VerifierKey(head.origin, NOTE, chain.session.public)
        own = [s for s in note.signatures if (s.name, s.key_id) == (session.name, session.key_id)]
        if not own:
            raise VerificationError("the head is not signed by the session of the certificate")
        for signature in own:
            check_note(note.text, signature, session)

    def _check_and_sign(self, old: int, proof: list[bytes], note: SignedNote, head: TreeHead) -> Answer:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            row = execute("SELECT size, root FROM logs WHERE origin = ?", (head.origin,)).fetchone()
            size, root = row or (0, EMPTY_ROOT)
            why = _contradiction(old, proof, head, size, root)
            if why is not None:
                if why.status in (409, 422) and old == size:
                    self._remember_refused(why.text, note)
                execute("COMMIT")
                return why
            line = cosign(note.text, self.verifier.name, self._key, int(self._clock()))
            execute(
                "INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?)",
                (head.origin, head.size, head.root, str(note)),
            )
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        return Answer(200, str(line))

    def _remember_refused(self, why: str, note: SignedNote) -> None:
        (count,) = self._connection.execute("SELECT count(*) FROM refused").fetchone()
        if count < _MOST_REFUSED:
            self._connection.execute("INSERT INTO refused (why, note) VALUES (?, ?)", (why, str(note)))

    def refused(self) -> list[tuple[str, str]]:
        """Reason and note of the heads that contradicted one that it had cosigned."""
        with self._lock:
            return list(self._connection.execute("SELECT why, note FROM refused ORDER BY id"))

    def close(self) -> None:
        """Let go of the memory."""
        self._connection.close()


def _open_memory(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchall():
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        connection.execute("SELECT origin, size, root, note FROM logs LIMIT 1")
    except sqlite3.Error as err:
        raise CustodyError(f"{path}: cannot be used as the memory of a witness: {err}") from err
    return connection


def _contradiction(old: int, proof: list[bytes], head: TreeHead, size: int, root: bytes) -> Answer | None:
    """Why the head must not be signed after the one over ``size`` leaves; None: it may."""
    if old > head.size:
        return Answer(400, f"old size {old} is larger than the head's {head.size}\n")
    if old != size:
        return Answer(409, f"{size}\n", SIZE_TYPE)
    if head.size == size and head.root != root:
        return Answer(409, f"{size}\n", SIZE_TYPE)
    if old == 0:
        return Answer(422, "a proof from nothing is empty\n") if proof or head.size == 0 else None
    try:
        verify_consistency(old, head.size, proof, root, head.root)
    except VerificationError as err:
        return Answer(422, f"{err}\n")
    return None


def _vouches(root: bytes, chain: Chain) -> bool:
    try:
        chain.check(root)
    except VerificationError:
        return False
    return True


def _parse(body: bytes) -> tuple[int, list[bytes], SignedNote]:
    head, blank, note = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    old = _OLD.fullmatch(lines[0])
    if not blank or old is None or len(lines) - 1 > _MOST_HASHES:
        raise VerificationError("expected an old size, at most 63 hashes, an empty line and a signed head")
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except (binascii.Error, ValueError) as err:
        raise VerificationError(f"consistency proof: is not base64: {err}") from err
    if any(len(node) != HASH_BYTES for node in proof):
        raise VerificationError(f"consistency proof: expected hashes of {HASH_BYTES} bytes")
    return int(old.group(1)), proof, SignedNote.parse(note)


def _parse_chain(text: str) -> Chain:
    try:
        links = cbor2.loads(base64.b64decode(text, validate=True))
    except Exception as err:  # foreign bytes can make the decoder raise anything
        raise _RefusedError(403, "the head came without the certificates of its session\n") from err
    if not isinstance(links, list) or len(links) != 2:
        raise VerificationError("certificates: expected those of unit and session")
    return Chain(Certificate.from_list(links[0]), Certificate.from_list(links[1]))
