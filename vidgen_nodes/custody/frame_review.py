# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A person's verdict on a recorded frame or a run of them, for the audit of artefacts.

Guarantees: a verdict is checked against the frame that it names before it becomes a leaf; a later one on the same
frame is another leaf, and both stay. A signature binds it to the hashes of the frames' leaves, so it can be moved to no
other frame. Leaves out what the person saw: the hash of the picture that was shown is theirs to state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vidgen_nodes.custody.dsse import Envelope, signers, verify
from vidgen_nodes.custody.leaf import FRAME
from vidgen_nodes.custody.merkle import tree_root
from vidgen_nodes.custody.note import SigningKey
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.reviewers import FRAMES, Reviewers
from vidgen_nodes.custody.statement import Statement, read_statement, sign_statement
from vidgen_nodes.errors import InputError, VerificationError

PREDICATE = "urn:vidgen:frame-review:1"
CAUSE = "review"  # of the segment that holds a verdict
VERDICTS = ("accept", "reject", "note")
_MOST_TEXT = 4000
_MOST_SECONDS = 86400.0


@dataclass(frozen=True)
class FrameReview:
    """One verdict, as the leaf holds it."""

    leaf_index: int
    reviewer: str
    verdict: str  # accept | reject | note
    comment: str = ""
    seconds_viewed: float = 0.0  # in eighths of a second, which survive any float
    last_leaf: int = -1  # of a run of frames judged together; -1: only leaf_index

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS or not self.reviewer.strip():
            raise InputError(
                "review",
                f"got verdict {self.verdict!r:.40} by {self.reviewer!r:.40}; expected a name and one of "
                f"{', '.join(VERDICTS)}",
            )
        if len(self.comment) > _MOST_TEXT or len(self.reviewer) > _MOST_TEXT:
            raise InputError("review", f"got a text over {_MOST_TEXT} characters; shorten it")
        if not (math.isfinite(self.seconds_viewed) and 0 <= self.seconds_viewed <= _MOST_SECONDS):
            raise InputError("review", f"got {self.seconds_viewed} s viewed, expected 0 to {_MOST_SECONDS:g}")
        last = self.leaf_index if self.last_leaf < 0 else self.last_leaf
        if not 0 <= self.leaf_index <= last:
            raise InputError("review", f"got leaves {self.leaf_index} to {last}, expected ascending ones")
        object.__setattr__(self, "last_leaf", last)
        object.__setattr__(self, "seconds_viewed", round(8 * self.seconds_viewed) / 8)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> FrameReview:
        """From what a leaf or a request says.

        Raises:
            InputError: it is no verdict.
        """
        try:
            return cls(
                int(fields["leaf_index"]),
                str(fields["reviewer"]),
                str(fields["verdict"]),
                str(fields.get("comment", "")),
                float(fields.get("seconds_viewed", 0.0)),
                int(fields.get("last_leaf", -1)),
            )
        except (KeyError, TypeError, ValueError) as err:
            raise InputError("review", f"is no verdict: {err!r:.80}") from err

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as the leaf holds them."""
        return asdict(self)

    def sign(
        self, frames: ReviewedFrames, name: str, key: SigningKey, *, shown: bytes = b"", made_s: int = 0
    ) -> Envelope:
        """The verdict in an envelope.

        Args:
            frames: that are judged.
            name: of the key.
            key: of the reviewer.
            shown: SHA-256 of the file of the (first) picture that was looked at; empty: not known.
            made_s: Unix seconds by the reviewer's clock; 0: not said.
        """
        predicate = {**self.as_dict(), "shown_sha256": shown.hex(), "made_s": made_s}
        return sign_statement(Statement(frames.subjects, PREDICATE, predicate), name, key)


@dataclass(frozen=True)
class ReviewedFrames:
    """What a verdict is about: one frame, or all frames between two leaves."""

    first: int
    last: int
    leaves_root: bytes  # Merkle root (RFC 9162) over the leaf hashes from first to last
    frame_sha256: bytes  # of the first
    stamp_ns: int  # of the first

    @property
    def subjects(self) -> dict[str, bytes]:
        """By SHA-256."""
        return {"leaves": self.leaves_root, "frame": self.frame_sha256}


def reviewed_frames(reader: LedgerReader, review: FrameReview) -> ReviewedFrames:
    """The frames that a verdict names.

    Raises:
        InputError: there is no such leaf, or it holds no frame.
        VerificationError: the ledger cannot be read.
    """
    first, last, size = review.leaf_index, review.last_leaf, reader.size
    if last >= size:
        raise InputError("no_such_leaf", f"leaf {last} does not exist; the ledger has {size}")
    ends = [_frame_at(reader, index) for index in (first, last)]
    frame, stamp_ns = ends[0].get("frame"), ends[0].get("stamp_ns")
    if not ends[1] or not isinstance(frame, bytes) or not isinstance(stamp_ns, int):
        index = last if ends[0] else first
        raise InputError("no_frame", f"leaf {index} holds no frame; give the leaf_index of its provenance")
    return ReviewedFrames(first, last, tree_root(reader.leaf_hashes(first, last + 1)), frame, stamp_ns)


def _frame_at(reader: LedgerReader, index: int) -> dict[str, object]:
    (row,) = reader.rows(index, index + 1)
    leaf = decode(row.leaf, f"leaf {index}") if row.kind == FRAME else None
    return leaf if isinstance(leaf, dict) else {}


def check_signature(
    review: FrameReview, data: bytes, frames: ReviewedFrames, reviewers: Reviewers | None
) -> str:
    """Who signed a verdict.

    Args:
        review: as the leaf or the request says it.
        data: the envelope.
        frames: that it is about.
        reviewers: whose word counts; None: anybody's, by the key that the envelope names.

    Returns:
        The person's name, or the key's where nobody's word was asked for.

    Raises:
        VerificationError: the envelope says something else, is of another frame or by nobody who counts.
    """
    envelope = Envelope.decode(data)
    keys = signers(envelope) if reviewers is None else verify(envelope, reviewers.keys(FRAMES))
    statement = read_statement(envelope, PREDICATE)
    if statement.subjects != frames.subjects:
        raise VerificationError(f"the signed verdict is on another frame than leaf {frames.first}")
    said = {name: statement.predicate.get(name) for name in review.as_dict()}
    if said != review.as_dict():
        other = sorted(name for name, value in review.as_dict().items() if said[name] != value)
        raise VerificationError(f"the signed verdict has another {', '.join(other)}")
    return keys[0].name if reviewers is None else reviewers.person(keys[0])


def segment_of(review: FrameReview, statement: bytes) -> dict[str, Any]:
    """What ``Ledger.append_segment`` takes besides its cause."""
    return {"review": review.as_dict(), **({"statement": statement} if statement else {})}
