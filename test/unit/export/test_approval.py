# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The last verdict on a frame decides, and only verdicts that came after the frame count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.frame_review import FrameReview
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import InputError
from vidgen_nodes.export.approval import Verdict, approvals
from vidgen_nodes.export.frames import RecordedFrame

FRAMES = [
    RecordedFrame(FramePointer(i, i + 1, bytes(32)), {"stamp_ns": i, "label": "SYN"}) for i in range(1, 9)
]

verdicts = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["accept", "reject", "note"])),
    max_size=8,
)


def said(rows: list[tuple[int, int, str]], start: int = 20) -> list[Verdict]:
    return [
        Verdict(start + place, FrameReview(min(a, b), "kim", word, last_leaf=max(a, b)))
        for place, (a, b, word) in enumerate(rows)
    ]


@given(rows=verdicts)
def test_a_clip_goes_only_if_the_last_word_on_every_frame_is_accept(rows: list[tuple[int, int, str]]) -> None:
    last = {}
    for a, b, word in rows:
        if word != "note":
            last.update(dict.fromkeys(range(min(a, b), max(a, b) + 1), word))
    if all(last.get(frame.pointer.leaf_index) == "accept" for frame in FRAMES):
        counted = approvals(FRAMES, said(rows))
        assert counted
        assert all(item.review.verdict == "accept" for item in counted)
    else:
        with pytest.raises(InputError) as caught:
            approvals(FRAMES, said(rows))
        assert caught.value.reason in ("rejected", "not_reviewed")


def test_a_verdict_says_nothing_of_frames_that_came_after_it() -> None:
    with pytest.raises(InputError, match="the first is leaf 5") as caught:
        approvals(FRAMES, said([(0, 12, "accept")], start=5))
    assert caught.value.reason == "not_reviewed"
