# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Did a person look at every frame of a clip and accept it?

Guarantees: a frame passes only if the last verdict on it is an acceptance; a verdict counts for frames before it
alone, and one whose signature does not hold counts for nothing. Where the policy wants signed verdicts, unsigned ones
count for nothing either. Leaves out making verdicts (``custody/frame_review.py``).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidgen_nodes.custody.dsse import Envelope
from vidgen_nodes.custody.frame_review import (
    CAUSE,
    PREDICATE,
    FrameReview,
    check_signature,
    reviewed_frames,
)
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.statement import read_statement
from vidgen_nodes.errors import InputError, VerificationError
from vidgen_nodes.export.frames import RecordedFrame

_DECIDES = ("accept", "reject")


@dataclass(frozen=True)
class Policy:
    """What lets a clip go."""

    needs_review: bool = True
    reviewers: Reviewers | None = None  # whose signed word counts; None: anybody's, by the key that it names
    signed_only: bool = False


@dataclass(frozen=True)
class Verdict:
    """One verdict of a ledger that counts."""

    leaf_index: int  # where it stands
    review: FrameReview
    signer: str = ""  # person, or name of the key; empty: it is not signed
    made_s: int = 0  # Unix seconds by the reviewer's clock; 0: not said
    statement: bytes = b""  # envelope

    def covers(self, index: int) -> bool:
        """Whether it speaks of that leaf."""
        return self.review.leaf_index <= index <= self.review.last_leaf and index < self.leaf_index

    def as_json(self) -> dict[str, Any]:
        """Plain values, for statements."""
        return {
            "review_leaf": self.leaf_index,
            **self.review.as_dict(),
            "signer": self.signer,
            "made_s": self.made_s,
            "statement": base64.b64encode(self.statement).decode(),
        }


def verdicts_of(reader: LedgerReader, policy: Policy) -> list[Verdict]:
    """Every verdict of a ledger that counts under a policy, in order."""
    found = []
    for index, leaf in reader.segments():
        said = leaf.get("review")
        if leaf.get("cause") != CAUSE or not isinstance(said, dict):
            continue
        try:
            verdict = _verdict(reader, index, FrameReview.of(said), leaf.get("statement"), policy)
        except (InputError, VerificationError):
            continue  # what does not hold lets nothing go; `vidgen verify` says why
        if verdict.signer or not policy.signed_only:
            found.append(verdict)
    return found


def approvals(frames: Sequence[RecordedFrame], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts that let these frames go.

    Raises:
        InputError: a frame that nobody accepted, or that somebody rejected afterwards; names the first.
    """
    counted: dict[int, Verdict] = {}
    missing: list[int] = []
    for frame in frames:
        index = frame.pointer.leaf_index
        last = next((v for v in reversed(verdicts) if v.covers(index) and v.review.verdict in _DECIDES), None)
        if last is None:
            missing.append(index)
        elif last.review.verdict != "accept":
            raise InputError(
                "rejected",
                f"leaf {index}: {last.review.reviewer} rejected it (leaf {last.leaf_index}); leave it out, or have "
                "it reviewed again",
            )
        else:
            counted[last.leaf_index] = last
    if missing:
        raise InputError(
            "not_reviewed",
            f"{len(missing)} of {len(frames)} frames are accepted by no review that counts, the first is leaf "
            f"{missing[0]}; nothing leaves without one (vidgen review)",
        )
    return list(counted.values())


def _verdict(
    reader: LedgerReader, index: int, review: FrameReview, statement: object, policy: Policy
) -> Verdict:
    if not isinstance(statement, bytes):
        return Verdict(index, review)
    data = reader.record(statement)
    if not isinstance(data, bytes):
        raise VerificationError(f"leaf {index}: the signed verdict is of another form")
    signer = check_signature(review, data, reviewed_frames(reader, review), policy.reviewers)
    made_s = read_statement(Envelope.decode(data), PREDICATE).predicate.get("made_s", 0)
    return Verdict(index, review, signer, made_s if type(made_s) is int else 0, data)
