# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which scenarios and frames of a ledger were reviewed, by whom, and whether that holds.

Guarantees: every verdict is listed, later ones on the same frame beside earlier ones. Without a reviewers file it
shows that a signature is by the key it names, not whose that is. Leaves out the leaves themselves (``verify.py``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from vidgen_nodes.custody.digest import canonical, sha256
from vidgen_nodes.custody.dsse import Envelope, signers
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.frame_review import CAUSE, FrameReview, check_signature, reviewed_frames
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.reviewers import SCENARIO, Reviewers
from vidgen_nodes.custody.scenario_review import ACCEPT, PREDICATE, validated_parameters
from vidgen_nodes.custody.statement import read_statement
from vidgen_nodes.errors import InputError, VerificationError


@dataclass(frozen=True)
class VerdictRow:
    """One verdict on frames."""

    leaf: int  # that holds it
    review: FrameReview
    person: str  # who signed; empty: it is not signed
    trusted: bool  # by a key of the reviewers file

    @property
    def single(self) -> bool:
        """Whether it is on one frame."""
        return self.review.last_leaf == self.review.leaf_index


@dataclass(frozen=True)
class ScenarioRow:
    """One review under which frames were drawn."""

    name: str
    person: str
    trusted: bool
    seconds_viewed: float
    made_s: int
    frames: int


@dataclass(frozen=True)
class ReviewReport:
    """Everything that persons said."""

    scenarios: tuple[ScenarioRow, ...]
    verdicts: tuple[VerdictRow, ...]
    unreviewed: int  # frames drawn under no review of their scenario
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        rows = [
            {"leaf": row.leaf, **row.review.as_dict(), "signed_by": row.person, "trusted": row.trusted}
            for row in self.verdicts
        ]
        return {
            "scenarios": [asdict(row) for row in self.scenarios],
            "frames_without_scenario_review": self.unreviewed,
            "verdicts": rows,
            "by_verdict": dict(Counter(row.review.verdict for row in self.verdicts)),
        }


def read_reviews(reader: LedgerReader, reviewers: Reviewers | None = None) -> ReviewReport:
    """Check every review in a ledger.

    Args:
        reader: of the ledger, whose leaves are taken as they are.
        reviewers: whose word counts; None: a signature is only checked against the key that it names.

    Raises:
        VerificationError: the ledger cannot be read.
    """
    faults: list[Fault] = []
    verdicts = []
    for index, leaf in reader.segments():
        if leaf.get("cause") == CAUSE:
            try:
                verdicts.append(_verdict(reader, index, leaf, reviewers))
            except (VerificationError, InputError) as err:
                faults.append(Fault(f"leaf {index}", f"its review does not hold: {err}"))
    used: Counter[tuple[bytes, bytes, bytes]] = Counter()
    unreviewed = 0
    for _, leaf in reader.frames():
        keys = (leaf.get("review"), leaf.get("scenario"), leaf.get("config"))
        if all(isinstance(key, bytes) for key in keys):
            used[keys] += 1  # type: ignore[index]
        elif leaf.get("scenario") is not None and not leaf.get("causes"):
            unreviewed += 1
    found = [_scenario_or_fault(reader, *keys, frames, reviewers) for keys, frames in used.items()]
    scenarios = tuple(row for row in found if isinstance(row, ScenarioRow))
    faults.extend(fault for fault in found if isinstance(fault, Fault))
    return ReviewReport(scenarios, tuple(verdicts), unreviewed, tuple(faults))


def _scenario_or_fault(
    reader: LedgerReader,
    review: bytes,
    scenario: bytes,
    config: bytes,
    frames: int,
    reviewers: Reviewers | None,
) -> ScenarioRow | Fault:
    try:
        return _scenario(reader, review, scenario, config, frames, reviewers)
    except VerificationError as err:
        return Fault(f"review {review.hex()[:16]} of {frames} frames", f"does not hold: {err}")


def _verdict(
    reader: LedgerReader, index: int, leaf: dict[str, object], reviewers: Reviewers | None
) -> VerdictRow:
    said, key = leaf.get("review"), leaf.get("statement")
    if not isinstance(said, dict):
        raise VerificationError("it holds no verdict")
    review = FrameReview.of(said)
    frames = reviewed_frames(reader, review)
    if frames.last >= index:
        raise VerificationError(f"it is about leaf {frames.last}, which came later")
    if not isinstance(key, bytes):
        return VerdictRow(index, review, "", trusted=False)
    person = check_signature(review, _statement(reader, key), frames, reviewers)
    return VerdictRow(index, review, person, trusted=reviewers is not None)


def _scenario(
    reader: LedgerReader,
    review: bytes,
    scenario: bytes,
    config: bytes,
    frames: int,
    reviewers: Reviewers | None,
) -> ScenarioRow:
    envelope = Envelope.decode(_statement(reader, review))
    keys = signers(envelope)
    statement = read_statement(envelope, PREDICATE)
    drawn, parameters = reader.record(scenario), reader.record(config)
    if not isinstance(drawn, dict) or not isinstance(parameters, dict):
        raise VerificationError("the frames name no scenario or no parameters")
    bound = {
        "scenario": sha256(canonical({**drawn, "start_ns": 0})),
        "parameters": sha256(canonical(validated_parameters(parameters))),
    }
    for name, digest in bound.items():
        if statement.subjects.get(name) != digest:
            raise VerificationError(f"it validates another {name} than the frames were drawn with")
    if statement.predicate.get("verdict") != ACCEPT:
        raise VerificationError(f"its verdict is {statement.predicate.get('verdict')!r:.40}")
    trusted = reviewers is not None and keys[0] in reviewers.keys(SCENARIO)
    if reviewers is not None and not trusted:
        raise VerificationError(f"the key {keys[0].name} may not validate scenarios")
    said = statement.predicate
    person = reviewers.person(keys[0]) if reviewers is not None else keys[0].name
    viewed, made = said.get("seconds_viewed"), said.get("made_s")
    return ScenarioRow(
        str(said.get("scenario", "")),
        person,
        trusted,
        float(viewed) if isinstance(viewed, (int, float)) else 0.0,
        made if isinstance(made, int) else 0,
        frames,
    )


def _statement(reader: LedgerReader, key: bytes) -> bytes:
    data = reader.record(key)
    if not isinstance(data, bytes):
        raise VerificationError("its statement is no envelope")
    return data
