# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signs tree heads of a growing ledger, beside the thread that writes it.

Guarantees: no head contradicts an earlier one of the same file; a head is durable before a witness or a time stamp
authority sees it; a witness that does not answer delays no frame and no later head by more than its time-out. Leaves
out what is not signed yet: the leaves after the newest head (a period's worth, or what a killed process left) are
signed by the next head.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.keys import KeyRing, Session
from vidgen_nodes.custody.log_room import HEADS_BYTES, make_room
from vidgen_nodes.custody.note import SignedNote, TreeHead, sign_note
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.subtrees import Subtrees
from vidgen_nodes.custody.timestamp import TimestampAuthority
from vidgen_nodes.custody.witness_client import WitnessClient, parse_witnesses
from vidgen_nodes.errors import CustodyError, VerificationError, VidgenError
from vidgen_nodes.params import CustodyParams
from vidgen_nodes.scheduling import yield_to_frames

_LOG = logging.getLogger(__name__)
_RENEW_S = 3600  # before a session certificate ends
_AGAIN_S = 10.0  # until somebody who did not answer is asked again
_POLL_S = 0.002
_PATIENCE_S = 0.1  # to wait for a leaf: frames come more often while they come


@dataclass(frozen=True)
class Signing:
    """How heads are signed."""

    period_s: float = 1.0
    witnesses: tuple[WitnessClient, ...] = ()
    authority: TimestampAuthority | None = None
    stamp_period_s: float = 60.0


def signing_of(params: CustodyParams) -> Signing:
    """How the parameters say that heads are signed.

    Raises:
        ConfigError: a witness or an authority that is named wrongly.
        MissingPackageError: an authority is named and asn1crypto is absent.
    """
    authority = TimestampAuthority(params.timestamp_url) if params.timestamp_url else None
    witnesses = parse_witnesses(params.witnesses)
    return Signing(params.head_period_s, witnesses, authority, params.timestamp_period_s)


def keys_of(params: CustodyParams) -> KeyRing:
    """The keys that the parameters name; made on first use.

    Raises:
        ConfigError: they cannot be used.
        MissingPackageError: a token is named and python-pkcs11 is absent.
    """
    folder = Path(params.key_dir).expanduser() if params.key_dir else None
    return KeyRing.open(folder, int(time.time()), params.unit_key)


class HeadLog:
    """Signs when told to. ``HeadSigner`` does it on a thread; a recording rendered offline once at its end."""

    def __init__(
        self, ledger: Path, keys: KeyRing, signing: Signing, clock: Callable[[], float] = time.time
    ) -> None:
        """Open heads and ledger.

        Raises:
            CustodyError: leaves that were signed are gone or changed; nothing may be added to such a log.
            VerificationError: the ledger cannot be read.
        """
        self._keys, self._signing, self._clock = keys, signing, clock
        self._session: Session | None = None
        self._session_number = 0
        self._asked_s: dict[object, float] = {}  # who did not answer, and when
        self._stamped_s = float("-inf")
        self._store = HeadStore(heads_path(ledger), writable=True)
        self._reader: LedgerReader | None = None
        try:
            self._reader = LedgerReader(ledger)
            self._subtrees = Subtrees(self._reader.leaf_hashes)
            self._newest = self._store.newest()
            self._check_beginning()
        except BaseException:
            self.close()
            raise

    @property
    def signed_size(self) -> int:
        """Leaves under the newest head."""
        return self._newest.head.size if self._newest else 0

    @property
    def leaves(self) -> int:
        """Leaves in the ledger now.

        Raises:
            VerificationError: it cannot be read.
        """
        assert self._reader is not None
        return self._reader.size

    def _check_beginning(self) -> None:
        self._catch_up()
        if self._newest is None:
            return
        head = self._newest.head
        if head.size > self._subtrees.size or self._subtrees.root(head.size) != head.root:
            raise CustodyError(
                f"{self._store.path}: a head over {head.size} leaves was signed, which the ledger does not have as "
                "signed any more. Keep both files as evidence and name another ledger"
            )

    def _catch_up(self) -> None:
        assert self._reader is not None
        size = self._reader.size
        while (start := self._subtrees.size) < size:
            for hashed in self._reader.leaf_hashes(start, min(start + 4096, size)):
                self._subtrees.append(hashed)

    def sign_new(self, *, last: bool = False) -> Head | None:
        """Sign a head if leaves came since the newest, then ask witnesses and authority.

        Args:
            last: nobody will ask again: ask those too who did not answer just now.

        Returns:
            The newest head, None for an empty ledger.

        Raises:
            VidgenError: it cannot be signed or kept.
        """
        self._catch_up()
        size = self._subtrees.size
        if size > self.signed_size:
            self._newest = self._sign(size)
        if self._newest is not None:
            self._ask_witnesses(self._newest, last=last)
            self._ask_authority(last=last)
        return self._newest

    def _sign(self, size: int) -> Head:
        assert self._reader is not None
        root, now_s = self._subtrees.root(size), int(self._clock())
        (row,) = self._reader.rows(size - 1, size)
        if row.root != root:
            raise VerificationError(
                f"leaf {size - 1}: the stored root is not that over the leaves; not signed"
            )
        session = self._session
        if session is None or now_s > session.chain.session.not_after_s - _RENEW_S:
            session = self._session = self._keys.new_session(now_s)
            self._session_number = self._store.add_session(session.chain)
        origin = origin_of(session.chain.unit.public, self._store.log_id)
        head = TreeHead(origin, size, root, self._newest.head.digest if self._newest else None)
        note = SignedNote(head.text, (sign_note(head.text, origin, session.key),))
        stamp = self._signing.authority is not None and (
            self._clock() - self._stamped_s >= self._signing.stamp_period_s
        )
        self._store.add_head(note, size, self._session_number, stamp=stamp)
        if stamp:
            self._stamped_s = self._clock()
        return Head(note, session.chain)

    def _may_ask(self, whom: object, *, last: bool) -> bool:
        return last or self._clock() - self._asked_s.get(whom, float("-inf")) >= _AGAIN_S

    def _no_answer(self, whom: object, what: str) -> None:
        if whom not in self._asked_s:
            _LOG.warning("%s", what)
        self._asked_s[whom] = self._clock()

    def _ask_witnesses(self, newest: Head, *, last: bool) -> None:
        size = newest.head.size
        for witness in self._signing.witnesses:
            if witness.known_size == size or not self._may_ask(witness, last=last):
                continue
            if self._has_signed(witness, size):  # when another process asked
                witness.known_size = size
                continue
            try:
                line = witness.submit(newest, self._subtrees.consistency)
            except VidgenError as err:
                self._no_answer(witness, str(err))
            else:
                self._asked_s.pop(witness, None)
                self._store.add_cosignature(size, line)

    def _has_signed(self, witness: WitnessClient, size: int) -> bool:
        own = (witness.key.name, witness.key.key_id)
        return any((line.name, line.key_id) == own for line in self._store.at(size).cosignatures)

    def _ask_authority(self, *, last: bool) -> None:
        authority = self._signing.authority
        if authority is None or not self._may_ask(authority, last=last):
            return
        waiting = self._store.waiting_stamps()
        if not waiting:
            return
        try:  # one a round; the rest wait in the file
            token = authority.stamp(self._store.at(waiting[0]).head.digest)
        except VidgenError as err:
            self._no_answer(authority, str(err))
        else:
            self._asked_s.pop(authority, None)
            self._store.add_stamp(waiting[0], token)

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()
        if self._reader is not None:
            self._reader.close()


class HeadSigner:
    """A thread that signs every period, and once more when it is closed."""

    def __init__(self, ledger: Path, keys: KeyRing, signing: Signing) -> None:
        """Start.

        Raises:
            CustodyError: see ``HeadLog``.
            VerificationError: see ``HeadLog``.
        """
        self._log = HeadLog(ledger, keys, signing)
        make_room(heads_path(ledger), HEADS_BYTES)
        self._period_s = signing.period_s
        self._closing = threading.Event()
        self.fault = ""  # why the newest leaves are not signed; empty: they are
        self._thread = threading.Thread(target=self._run, name="ledger-heads", daemon=True)
        self._thread.start()

    @property
    def signed_size(self) -> int:
        """Leaves under the newest head."""
        return self._log.signed_size

    def close(self) -> None:
        """Sign what was written until now, then end the thread. Call it after the ledger was closed."""
        self._closing.set()
        self._thread.join()

    def _wait_for_leaf(self) -> bool:
        """Wait until a leaf was just written; returns whether the signer is being closed.

        The next frame is then most of a period away, and does not have to wait until the disk has kept the head.
        """
        before, until_s = self._log.leaves, time.monotonic() + _PATIENCE_S
        while before > self._log.signed_size and self._log.leaves == before and time.monotonic() < until_s:
            if self._closing.wait(_POLL_S):
                return True
        return False

    def _run(self) -> None:
        yield_to_frames()
        closing = False
        while not closing:
            closing = self._closing.wait(self._period_s)
            try:
                if not closing:
                    closing = self._wait_for_leaf()
                self._log.sign_new(last=closing)
                self.fault = ""
            except VidgenError as err:
                if str(err) != self.fault:
                    _LOG.error("tree heads: %s", err)
                self.fault = str(err)
        self._log.close()


def sign_ledger(ledger: Path, keys: KeyRing, signing: Signing | None = None) -> Head | None:
    """Sign one head over a ledger as it is; returns the newest head.

    Raises:
        VidgenError: it cannot be signed.
    """
    log = HeadLog(ledger, keys, signing or Signing())
    try:
        return log.sign_new(last=True)
    finally:
        log.close()
