# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the stored records of a ledger, each once, in the order in which they were written.

Leaves name their records in nearly that order, so reading ahead answers almost every question without a search.
Leaves out what a record says.
"""

from __future__ import annotations

from vidgen_nodes.custody.digest import sha256
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.reader import FIRST_ROW, LedgerReader
from vidgen_nodes.errors import VerificationError

_REMEMBERED = 4096  # records at least; an older one is looked up again
_SHORT_BYTES = 512  # of records whose bytes are remembered too: those that name others


class StoredRecords:
    """The records of a ledger that may be growing."""

    def __init__(self, reader: LedgerReader, after: int = FIRST_ROW) -> None:
        self._reader = reader
        self._row = after
        self._sound: dict[bytes, bool] = {}
        self._older: dict[bytes, bool] = {}  # what was remembered before
        self._short: dict[bytes, bytes] = {}  # of the records in ``_sound``
        self._unreadable = False
        self._faults: list[Fault] = []

    def is_sound(self, key: bytes) -> bool | None:
        """Whether the record has the hash under which it is stored; None: there is none, or it cannot be read."""
        sound = self._remembered(key)
        if sound is None and self._read_ahead():
            sound = self._remembered(key)
        if sound is not None:
            return sound
        try:
            return sha256(self._reader.blob(key)) == key
        except VerificationError:
            return None

    def _remembered(self, key: bytes) -> bool | None:
        sound = self._sound.get(key)
        return self._older.get(key) if sound is None else sound

    def content(self, key: bytes) -> bytes:
        """The bytes of a record.

        Raises:
            VerificationError: there is none.
        """
        return self._short.get(key) or self._reader.blob(key)

    def check_rest(self, until: int | None = None) -> tuple[Fault, ...]:
        """Read what was not asked for, up to row ``until``; returns every stored record that was changed."""
        while (until is None or self._row < until) and self._read_ahead():
            pass
        faults, self._faults = self._faults, []
        return tuple(faults)

    def _read_ahead(self) -> bool:
        if self._unreadable:
            return False
        try:
            batch = self._reader.blobs_after(self._row)
        except VerificationError as err:
            self._unreadable = True
            self._faults.append(Fault("records", f"{err}; records after this one were not checked"))
            return False
        if len(self._sound) > _REMEMBERED:
            self._older, self._sound, self._short = self._sound, {}, {}
        for row, key, data in batch:
            self._row = row
            self._sound[key] = sound = sha256(data) == key
            if not sound:
                what = "its bytes do not have the hash under which they are stored"
                self._faults.append(Fault(f"record {key.hex()}", what))
            elif len(data) <= _SHORT_BYTES:
                self._short[key] = data
        return bool(batch)
