# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on frames derived again."""

from __future__ import annotations

from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.rederivation import FrameHashes, Verdict, compare_frames

RECORDED = {30: b"c", 10: b"a", 20: b"b"}


def test_the_same_hashes_are_identical():
    report = compare_frames(RECORDED, RECORDED.items())
    assert report.ok
    assert report.verdicts == ((10, Verdict.IDENTICAL), (20, Verdict.IDENTICAL), (30, Verdict.IDENTICAL))
    assert report.unrecorded == ()


def test_each_frame_gets_its_own_verdict():
    report = compare_frames(RECORDED, [(10, b"a"), (30, b"x"), (40, b"d"), (5, b"e")])
    assert dict(report.verdicts) == {
        10: Verdict.IDENTICAL,
        20: Verdict.INPUTS_MISSING,
        30: Verdict.DIFFERENT,
    }
    assert report.unrecorded == (5, 40)
    assert not report.ok
    assert [report.count(verdict) for verdict in Verdict] == [1, 0, 1, 1]


def test_a_stamp_that_comes_twice_must_be_identical_twice():
    assert dict(compare_frames(RECORDED, [(10, b"a"), (10, b"x")]).verdicts)[10] is Verdict.DIFFERENT
    assert dict(compare_frames(RECORDED, [(10, b"x"), (10, b"a")]).verdicts)[10] is Verdict.DIFFERENT


def test_nothing_recorded_is_not_a_success():
    assert not compare_frames({}, []).ok


def test_frames_that_only_came_out_now_do_not_spoil_those_recorded():
    assert compare_frames({10: b"a"}, [(10, b"a"), (20, b"b")]).ok


def test_a_frame_near_enough_is_within_tolerance_unless_it_came_out_worse_too():
    near = compare_frames(RECORDED, [(10, b"a"), (20, b"x"), (30, b"c")], {20: 2})
    assert dict(near.verdicts)[20] is Verdict.WITHIN_TOLERANCE
    assert (near.ok, near.levels) == (True, 2)
    assert near.count(Verdict.IDENTICAL) == 2
    assert not compare_frames(RECORDED, [(10, b"a"), (20, b"x"), (30, b"x")], {20: 2}).ok


def test_the_hash_of_a_frame_made_again_is_the_one_that_the_ledger_records(tmp_path, digests, make_frame):
    with Ledger.open(tmp_path / "ledger.db", segment=digests.segment("start")) as ledger:
        for number in range(3):
            frame = make_frame(number)
            recorded, again = (
                ledger.append_frame(digests, *frame),
                FrameHashes().append_frame(digests, *frame),
            )
            for name in (
                "frame_sha256",
                "stamp_ns",
                "causes",
                "gate",
                "sigma_px",
                "physics",
                "marks",
                "mission",
            ):
                assert getattr(again, name) == getattr(recorded, name)
            assert again.leaf_hash == bytes(32), "it is in no ledger"
