# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen review frames``: recorded frames one after the other, a verdict on each (or on all), added to the ledger.

With ``--bag`` the camera's picture with the overlay made again, which must be the recorded one, goes labelled into
``--out``; without it the overlays that were saved beside the ledger are named. The seconds viewed run from the name of
the picture on the screen to the verdict. Verdicts are added as they come, by the ledger's own writer: here if nobody
writes it, through the generator with ``--live`` (where no picture was saved, the person judges what a viewer showed).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2

from vidgen_nodes.cli.main import OK
from vidgen_nodes.cli.options import resolved
from vidgen_nodes.cli.review import ledger_of, reviewer_key
from vidgen_nodes.cli.review_scenario import ask, comment_on
from vidgen_nodes.custody.frame_review import (
    CAUSE,
    VERDICTS,
    FrameReview,
    check_signature,
    reviewed_frames,
    segment_of,
)
from vidgen_nodes.custody.identity import software_identity
from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.leaf import FRAME
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.lock import take_lock
from vidgen_nodes.custody.note import SigningKey
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.signer import sign_ledger, signing_of
from vidgen_nodes.delivery.ar import composite
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.tag_strip import FramePointer, read_strip
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.export.frames import RecordedFrame
from vidgen_nodes.packets import Bundle, Frame
from vidgen_nodes.ros.derivation import Task, derive_frames
from vidgen_nodes.ros.replay import parse_remaps
from vidgen_nodes.summary import json_line

Add = Callable[[FrameReview, bytes], int]
_ANSWERS = (
    {name[0]: name for name in VERDICTS} | {name: name for name in VERDICTS} | {"s": "skip", "q": "quit"}
)


class _Quit(Exception):  # noqa: N818  # no error: the reviewer has seen enough
    pass


def review_frames(args: argparse.Namespace) -> int:
    """Show, ask, add."""
    key, ledger = reviewer_key(args), ledger_of(args)
    if args.verdict and args.verdict not in VERDICTS:
        raise ConfigError(f"--verdict {args.verdict}: expected one of {', '.join(VERDICTS)}")
    if not (args.name or key):
        raise ConfigError("--name: say who reviews")
    frames = _chosen(ledger, args)
    added: list[int] = []
    with _live() if args.live else _offline(ledger, args, key) as add:
        session = _Session(ledger, args, key, add, frames, added)
        with suppress(_Quit):
            _show(ledger, args, frames, session)
        session.finish()
    if added and not args.live:
        signing = signing_of(resolved(args, {}).custody)  # witnesses and time authority, as the run has them
        sign_ledger(ledger, KeyRing.open(args.keys, int(time.time()), args.unit_key), signing)
    content = {"ledger": str(ledger), "frames": len(frames), "verdicts": len(added), "leaves": added}
    print(json_line(content) if args.json else f"{len(added)} verdicts added")
    return OK


def _chosen(ledger: Path, args: argparse.Namespace) -> list[RecordedFrame]:
    with LedgerReader(ledger) as reader:
        last = reader.size - 1 if args.last is None else args.last
        frames = [
            RecordedFrame(FramePointer(row.index, row.index + 1, row.leaf_hash), leaf)
            for row in reader.rows(args.first, last + 1)
            if row.kind == FRAME and isinstance(leaf := decode(row.leaf, f"leaf {row.index}"), dict)
        ]
    if not frames or args.every < 1:
        raise ConfigError(
            f"review frames: no frame from leaf {args.first} to leaf {last}, every {args.every}"
        )
    if args.together and args.every > 1:
        raise ConfigError("review frames: --together is a verdict on all frames of a run; leave out --every")
    return frames[:: args.every]


class _Session:
    """What one person says in one sitting."""

    def __init__(
        self,
        ledger: Path,
        args: argparse.Namespace,
        key: SigningKey | None,
        add: Add,
        frames: Sequence[RecordedFrame],
        added: list[int],
    ) -> None:
        self._ledger, self._args, self._key, self._add = ledger, args, key, add
        self._frames, self._added = frames, added
        self._started_s = 0.0
        self._first: bytes | None = None  # SHA-256 of the picture that was shown first
        self._seen = 0

    def show(self, frame: RecordedFrame, picture: Path | None) -> None:
        """Name a picture and take the verdict on it; with ``--together`` only name it. None: a viewer shows it."""
        index = frame.pointer.leaf_index
        if self._first is None or not self._args.together:
            self._first = b"" if picture is None else hashlib.sha256(picture.read_bytes()).digest()
            self._started_s = time.monotonic()
        self._seen += 1
        causes = ", ".join(frame.leaf.get("causes") or ()) or "nothing held back"
        where = picture or "no picture saved: judge what the viewer showed"
        print(f"leaf {index}  {frame.stamp_ns} ns  {causes}  {where}", file=sys.stderr)
        if not self._args.together:
            self._judge(index, index)

    def finish(self) -> None:
        """Take the verdict on all of them, where one was asked."""
        if self._args.together and self._seen == len(self._frames):
            self._judge(self._frames[0].pointer.leaf_index, self._frames[-1].pointer.leaf_index)

    def _judge(self, first: int, last: int) -> None:
        verdict, comment = self._args.verdict, self._args.comment
        if not verdict:
            verdict = ask("  accept, reject, note, skip or quit? ", _ANSWERS)
            if verdict == "quit":
                raise _Quit
            if verdict == "skip":
                return
            comment = comment_on()
        viewed_s = 0.0 if self._args.verdict else time.monotonic() - self._started_s
        review = FrameReview(first, self._args.name, verdict, comment, viewed_s, last)
        self._added.append(self._add(review, self._signed(review)))

    def _signed(self, review: FrameReview) -> bytes:
        if self._key is None:
            return b""
        with LedgerReader(self._ledger) as reader:
            frames = reviewed_frames(reader, review)
        name, shown = self._args.name, self._first or b""
        made = review.sign(frames, name, self._key, shown=shown, made_s=int(time.time()))
        return made.encode()


def _show(ledger: Path, args: argparse.Namespace, frames: list[RecordedFrame], session: _Session) -> None:
    if args.bag is None:
        for frame in frames:
            picture = ledger.parent / "frames" / f"{frame.stamp_ns}.png"
            if not picture.is_file():
                raise ConfigError(
                    f"{picture}: is not there; give the recording with --bag and a folder with --out"
                )
            if args.live and not picture.is_file():
                session.show(frame, None)
                continue
            _check_saved(picture, frame)
            session.show(frame, picture)
        return
    if args.out is None:
        raise ConfigError("review frames: give a folder for the pictures with --out")
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = {frame.stamp_ns: frame for frame in frames}
    origin = Origin()

    def take(bundle: Bundle, made: Frame) -> None:
        frame = wanted.pop(bundle.stamp_ns, None)
        if frame is None:
            return
        index = frame.pointer.leaf_index
        if made.record.frame_sha256 != frame.leaf["frame"]:
            raise VerificationError(f"leaf {index}: the overlay made again is not the recorded one")
        picture = args.out / f"{index:08d}.png"
        picture.write_bytes(png(composite(bundle.thermal, made.overlay, frame.pointer, frame.code), origin))
        session.show(frame, picture)

    task = Task(ledger, args.bag, parse_remaps(args.remap))
    derive_frames(task, frames[0].stamp_ns, frames[-1].stamp_ns + 1, take)
    if wanted:
        raise VerificationError(f"{args.bag}: holds no thermal frame at {min(wanted)} ns; is it of this run?")


def _check_saved(picture: Path, frame: RecordedFrame) -> None:
    """The tag in the picture must name the leaf: a verdict on another picture would be on another frame."""
    pixels = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
    found = None if pixels is None else read_strip(pixels)
    if found is None or found.prefix != frame.pointer.prefix:
        raise VerificationError(f"{picture}: does not carry the tag of leaf {frame.pointer.leaf_index}")


@contextmanager
def _live() -> Iterator[Add]:
    from vidgen_nodes.ros import transport

    transport.prepare_process()
    from vidgen_nodes.ros.review_client import reviewing

    with reviewing() as client:
        yield lambda review, statement: client.add(review.as_dict(), statement)


@contextmanager
def _offline(ledger: Path, args: argparse.Namespace, key: SigningKey | None) -> Iterator[Add]:
    own = resolved(args, {}).generator
    if own.require_signed_reviews and key is None:
        raise ConfigError("generator.require_signed_reviews is set: sign with --key and --name")
    reviewers = Reviewers.load(Path(own.reviewers_file)) if own.reviewers_file else None
    os.close(take_lock(ledger))  # a running generator is noticed before anybody looked at a picture
    opened: list[Ledger] = []

    def add(review: FrameReview, statement: bytes) -> int:
        with LedgerReader(ledger) as reader:
            frames = reviewed_frames(reader, review)
        if statement:
            check_signature(review, statement, frames, reviewers)
        content: dict[str, Any] = segment_of(review, statement)
        if opened:
            opened[0].append_segment(CAUSE, content)
        else:
            segment = {"cause": CAUSE, "software": software_identity(), **content}
            opened.append(Ledger.open(ledger, segment=segment))
        return opened[0].size - 1

    try:
        yield add
    finally:
        for writer in opened:
            writer.close()
