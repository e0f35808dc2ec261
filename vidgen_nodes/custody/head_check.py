# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the signed tree heads of a ledger against its leaves.

Guarantees: a head whose text, signature, certificates, chain or root does not fit is named by its size. Without a
root key it shows that the heads belong together, not who signed them. Leaves out cosignatures, unless the keys of
witnesses are given, and the time of anything (``timestamp.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vidgen_nodes.custody.certificate import Chain
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.note import (
    NOTE,
    TreeHead,
    VerifierKey,
    check_cosignature,
    check_note,
    check_signature,
    cosigned_s,
)
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import VerificationError


@dataclass(frozen=True)
class HeadReport:
    """What the signed heads of a ledger say."""

    heads: int
    signed_size: int  # leaves under the newest head that holds
    cosignatures: int
    trusted: bool  # every head led to the root key that was given
    faults: tuple[Fault, ...]


def check_heads(
    reader: LedgerReader, root_public: bytes | None = None, witnesses: Sequence[VerifierKey] = ()
) -> HeadReport | None:
    """Check every head beside a ledger; None: there are none.

    Args:
        reader: of the ledger, whose own roots are taken as they are stored (``verify.py`` checks them).
        root_public: root key to which they must lead; None: any.
        witnesses: keys; their cosignatures must hold where they are.
    """
    path = heads_path(reader.path)
    if not path.is_file():
        if root_public is None:
            return None
        return HeadReport(0, 0, 0, False, (Fault(path.name, "missing: nothing is signed", "missing"),))
    checked = _Heads(reader, root_public, witnesses)
    faults: list[Fault] = []
    try:
        with HeadStore(path) as store:
            faults.extend(checked.check(store))
    except VerificationError as err:
        faults.append(Fault(path.name, str(err)))
    trusted = root_public is not None and checked.heads > 0 and not faults
    return HeadReport(checked.heads, checked.signed_size, checked.cosignatures, trusted, tuple(faults))


class _Heads:
    def __init__(
        self, reader: LedgerReader, root_public: bytes | None, witnesses: Sequence[VerifierKey]
    ) -> None:
        self._reader, self._root_public, self._witnesses = reader, root_public, witnesses
        self._good_chain: Chain | None = None
        self.heads = self.signed_size = self.cosignatures = 0

    def check(self, store: HeadStore) -> Iterator[Fault]:
        previous: bytes | None = None
        log_id = store.log_id
        for size in store.sizes():
            self.heads += 1
            where = f"head over {size} leaves"
            try:
                head = store.at(size)
                said, before, previous = head.head, previous, head.head.digest
                self._check_signed(head, log_id)
                self._check_leaves(said, size)
                self._check_cosignatures(head)
            except VerificationError as err:
                yield Fault(where, str(err))
                continue
            self.signed_size = size
            if said.previous != before:
                what = "does not name the head before it: one was changed, removed or inserted"
                yield Fault(where, what, "missing")

    def _check_signed(self, head: Head, log_id: bytes) -> None:
        chain = head.chain
        if chain != self._good_chain:
            if self._root_public is not None:
                chain.check(self._root_public)
            else:
                session = chain.session
                check_signature(chain.unit.public, session.body, session.signature, "session certificate")
            self._good_chain = chain
        key = VerifierKey(origin_of(chain.unit.public, log_id), NOTE, chain.session.public)
        if head.head.origin != key.name:
            raise VerificationError(f"is of the log {head.head.origin}, expected {key.name}")
        check_note(head.note.text, head.note.signatures[0], key)

    def _check_leaves(self, said: TreeHead, size: int) -> None:
        if said.size != size:
            raise VerificationError(f"says {said.size} leaves")
        row = next(iter(self._reader.rows(size - 1, size)), None)
        if row is None:
            raise VerificationError("was signed, but the ledger is shorter now: leaves were cut off")
        if row.root != said.root:
            raise VerificationError(
                "has another root than the leaves: leaves were changed, or another log's head"
            )

    def _check_cosignatures(self, head: Head) -> None:
        for line in head.cosignatures:
            head.chain.check_time(cosigned_s(line), f"cosignature of {line.name}")
            for witness in self._witnesses:
                if (witness.name, witness.key_id) == (line.name, line.key_id):
                    check_cosignature(head.note.text, line, witness)
            self.cosignatures += 1
