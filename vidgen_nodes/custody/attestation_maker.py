# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Makes attestations of a frame from the ledger and the openings beside it.

Guarantees: nothing is signed before every cell that carries an obstacle was looked at, opened to the verifier or not.
Costs the frame path nothing: reads files only. Leaves out the form of the file (``attestation.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vidgen_nodes.custody.attestation import ATTESTATION_BYTES, Attestation, sample
from vidgen_nodes.custody.keys import Session
from vidgen_nodes.custody.leaf import FRAME
from vidgen_nodes.custody.openings import Opening, OpeningStore, openings_path
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.errors import InputError, VerificationError

ALL = -1


@dataclass(frozen=True)
class Choice:
    """Which of a frame's cells are opened."""

    cells: int = ALL  # so many, chosen by the nonce; 0: none, the signed statement alone
    nonce: str = ""  # of whoever asks, so that nobody else chose the sample
    split: bool = False  # into files of at most 2,048 bytes each


def make_attestations(ledger: Path, index: int, session: Session, now_s: int, choice: Choice) -> list[bytes]:
    """The files of one frame; several only with ``choice.split``.

    Args:
        ledger: the file; its openings lie beside it.
        index: leaf of the frame.
        session: signs.
        now_s: Unix seconds.
        choice: what is opened.

    Raises:
        InputError: no such frame, or it shows no obstacle.
        VerificationError: the openings are gone or changed, or a cell does not keep to the constraint.
    """
    with LedgerReader(ledger) as reader:
        leaf_bytes, commitment, map_digest = _frame(reader, index)
    with OpeningStore(openings_path(ledger)) as store:
        opening, secret = store.get(commitment), store.secret
    positions = tuple(range(len(opening.cells)))
    cells, siblings = opening.shown(positions, secret)
    whole = Attestation(
        leaf_bytes,
        index,
        opening.obstacles,
        positions,
        tuple(cells),
        tuple(siblings),
        "",
        now_s,
        session.chain,
    )
    if opening.map_digest != map_digest or opening.obstacles.digest(whole.tree_root) != commitment:
        raise VerificationError(
            f"leaf {index}: the openings beside the ledger are not what the leaf commits to"
        )
    for cell in cells:
        if fault := cell.fault(opening.obstacles):
            raise VerificationError(f"leaf {index}: the constraint does not hold: {fault}")
    maker = _Maker(whole, opening, secret, session)
    if choice.cells != ALL:
        nonce = choice.nonce if choice.cells else ""
        chosen = sample(len(cells), choice.cells, choice.nonce, leaf_bytes) if choice.cells else ()
        return [maker.make(chosen, nonce)]
    return maker.split() if choice.split else [maker.make(positions)]


def _frame(reader: LedgerReader, index: int) -> tuple[bytes, bytes, bytes]:
    size = reader.size
    if not 0 <= index < size:
        raise InputError("no_such_leaf", f"leaf {index} does not exist; the ledger has {size}")
    (row,) = reader.rows(index, index + 1)
    leaf = decode(row.leaf, f"leaf {index}")
    if row.kind != FRAME or not isinstance(leaf, dict):
        raise InputError("no_frame", f"leaf {index} holds no frame; give the leaf_index of its provenance")
    commitment, digest = leaf.get("attestation"), leaf.get("map")
    if not isinstance(commitment, bytes) or not isinstance(digest, bytes):
        raise InputError(
            "no_obstacles",
            f"leaf {index} commits to no obstacle: the frame shows none, so there is nothing to attest",
        )
    return row.leaf, commitment, digest


class _Maker:
    def __init__(self, whole: Attestation, opening: Opening, secret: bytes, session: Session) -> None:
        self._whole, self._opening, self._secret, self._session = whole, opening, secret, session

    def make(self, positions: tuple[int, ...], nonce: str = "") -> bytes:
        cells, siblings = self._opening.shown(positions, self._secret)
        part = replace(
            self._whole, opened=positions, cells=tuple(cells), siblings=tuple(siblings), nonce=nonce
        )
        return part.signed(self._session.key)

    def split(self) -> list[bytes]:
        """All cells in runs that fit; neighbours in the list are neighbours in the tree, and share their paths."""
        files: list[bytes] = []
        first, count = 0, len(self._whole.opened)
        while first < count:
            size = 1
            made = self.make((first,))
            while first + size < count:
                more = self.make(tuple(range(first, first + size + 1)))
                if len(more) > ATTESTATION_BYTES:
                    break
                made, size = more, size + 1
            files.append(made)
            first += size
        return files
