# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import RunDigests
from vidgen_nodes.custody.frame_review import CAUSE, FrameReview, check_signature, reviewed_frames, segment_of
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.persons import Person
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.review_report import read_reviews
from vidgen_nodes.custody.reviewers import FRAMES, SCENARIO, Reviewers
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import InputError, VerificationError

KEY, OTHER = FileKey.generate(), FileKey.generate()
ALICE = VerifierKey("alice", NOTE, KEY.public)
WHO = Reviewers((Person("Alice", frozenset({FRAMES}), (ALICE,)),))
SEEN = FrameReview(2, "Alice", "accept", "good", 3.5)


def signed(ledger: Path, review: FrameReview, key: FileKey = KEY, name: str = "alice") -> bytes:
    with LedgerReader(ledger) as reader:
        return review.sign(reviewed_frames(reader, review), name, key, made_s=7).encode()


def check(ledger: Path, review: FrameReview, data: bytes, who: Reviewers | None = WHO) -> str:
    with LedgerReader(ledger) as reader:
        return check_signature(review, data, reviewed_frames(reader, review), who)


def test_signed_verdict_is_by_a_person(written: Path) -> None:
    data = signed(written, SEEN)
    assert check(written, SEEN, data) == "Alice"
    assert check(written, SEEN, data, None) == "alice"  # the key's name: nobody said whose it is


@pytest.mark.parametrize(
    "change", [{"verdict": "reject"}, {"comment": "bad"}, {"seconds_viewed": 9.0}, {"reviewer": "Bob"}]
)
def test_signature_is_over_every_word(written: Path, change: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match=f"another {next(iter(change))}"):
        check(written, replace(SEEN, **change), signed(written, SEEN))


def test_verdict_cannot_be_moved_to_another_frame(written: Path) -> None:
    data = signed(written, SEEN)
    with pytest.raises(VerificationError, match="another frame"):
        check(written, replace(SEEN, leaf_index=3, last_leaf=3), data)
    with pytest.raises(VerificationError, match="another frame"):
        check(written, replace(SEEN, last_leaf=4), data)


def test_verdict_by_nobody_who_counts_is_refused(written: Path) -> None:
    with pytest.raises(VerificationError, match="none of the keys"):
        check(written, SEEN, signed(written, SEEN, OTHER, "bob"))
    scenario_only = Reviewers((Person("Alice", frozenset({SCENARIO}), (ALICE,)),))
    with pytest.raises(VerificationError, match="none of the keys"):
        check(written, SEEN, signed(written, SEEN), scenario_only)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"verdict": "maybe"}, "one of accept, reject, note"),
        ({"reviewer": " "}, "a name"),
        ({"seconds_viewed": math.nan}, "viewed"),
        ({"seconds_viewed": -1.0}, "viewed"),
        ({"comment": "x" * 5000}, "shorten"),
        ({"leaf_index": 5, "last_leaf": 4}, "ascending"),
        ({"leaf_index": "no"}, "no verdict"),
    ],
)
def test_nonsense_is_no_verdict(fields: dict[str, Any], said: str) -> None:
    good = {"leaf_index": 2, "reviewer": "Alice", "verdict": "note", "comment": "", "seconds_viewed": 1.0}
    with pytest.raises(InputError, match=said):
        FrameReview.of({**good, **fields})


def test_verdict_needs_a_frame(written: Path) -> None:
    with LedgerReader(written) as reader:
        for review, said in (
            (FrameReview(0, "A", "note"), "leaf 0 holds no frame"),
            (FrameReview(99, "A", "note"), "does not exist"),
            (FrameReview(2, "A", "note", last_leaf=7), "leaf 7 holds no frame"),
        ):
            with pytest.raises(InputError, match=said):
                reviewed_frames(reader, review)


@given(st.floats(0, 86400))
def test_seconds_survive_the_float_of_a_message(seconds: float) -> None:
    review = FrameReview(2, "Alice", "note", seconds_viewed=seconds)
    (sent,) = struct.unpack("<f", struct.pack("<f", review.seconds_viewed))
    assert FrameReview.of({**review.as_dict(), "seconds_viewed": sent}) == review
    assert abs(review.seconds_viewed - seconds) <= 1 / 16


@pytest.fixture
def reviewed(tmp_path: Path, digests: RunDigests, make_frame: Callable[..., Any]) -> Path:
    """Four frames, then Alice accepts 2, rejects it, and somebody accepts 1 to 4 without a signature."""
    path = tmp_path / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        for number in range(4):
            ledger.append_frame(digests, *make_frame(number))
        for review in (SEEN, replace(SEEN, verdict="reject")):
            ledger.append_segment(CAUSE, segment_of(review, signed(path, review)))
        ledger.append_segment(CAUSE, segment_of(FrameReview(1, "eve", "accept", last_leaf=4), b""))
    return path


def test_later_verdict_stands_beside_the_earlier_one(reviewed: Path) -> None:
    with LedgerReader(reviewed) as reader:
        report = read_reviews(reader, WHO)
    assert report.faults == ()
    assert [(row.review.verdict, row.person, row.trusted) for row in report.verdicts] == [
        ("accept", "Alice", True),
        ("reject", "Alice", True),
        ("accept", "", False),
    ]
    assert report.unreviewed == 4
    assert verify_ledger(reviewed).ok


def test_verdicts_that_do_not_hold_are_named(
    tmp_path: Path, digests: RunDigests, make_frame: Callable[..., Any]
) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        ledger.append_frame(digests, *make_frame(0))
        ledger.append_frame(digests, *make_frame(1))
        good = signed(path, SEEN)
        ledger.append_segment(CAUSE, segment_of(replace(SEEN, leaf_index=1, last_leaf=1), good))
        ledger.append_segment(CAUSE, segment_of(SEEN, signed(path, SEEN, OTHER, "bob")))
        ledger.append_segment(CAUSE, segment_of(SEEN, b"{}"))
        ledger.append_segment(CAUSE, {"review": {"verdict": "accept"}})
        ledger.append_segment(CAUSE, {"review": FrameReview(8, "eve", "accept").as_dict()})
        ledger.append_frame(digests, *make_frame(2))
    with LedgerReader(path) as reader:
        report = read_reviews(reader, WHO)
    assert [fault.where for fault in report.faults] == [f"leaf {n}" for n in range(3, 8)]
    assert report.verdicts == ()
