# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen review``: validates a scenario before it is drawn, and judges recorded frames.

``review key NAME --out FILE`` makes a reviewer's key; ``review scenario FILE --key FILE --out REVIEW`` shows every
number and signs a verdict; ``review frames LEDGER`` shows frame after frame and adds verdicts to the ledger; ``review
list LEDGER`` shows them. Exit status: 0 it worked; 1 rejected, or something does not hold; 2 the request was wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.cli.options import add_config, add_remap
from vidgen_nodes.custody.dsse import key_id
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import NOTE, SigningKey, VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.review_report import ReviewReport, read_reviews
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.summary import json_line

_PKCS11 = "pkcs11:"
_MOST_SHOWN = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("action", choices=("key", "scenario", "frames", "list"))
    parser.add_argument(
        "subject", help="key: a name; scenario: its YAML; frames, list: ledger.db or its directory"
    )
    parser.add_argument(
        "--out", type=Path, help="key: file to write; scenario: review to write; frames: pictures"
    )
    parser.add_argument("--key", default="", help="the reviewer's key: file, or pkcs11: URI")
    parser.add_argument("--name", default="", help="name of the key, as the reviewers file has it")
    parser.add_argument("--verdict", default="", help="accept, reject or note, without being asked")
    parser.add_argument("--comment", default="", help="goes with --verdict")
    parser.add_argument("--from", dest="first", type=int, default=0, help="frames: first leaf")
    parser.add_argument("--to", dest="last", type=int, help="frames: last leaf (default: the last)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="frames: only every Nth")
    parser.add_argument("--together", action="store_true", help="frames: one verdict on all of them")
    parser.add_argument("--bag", type=Path, help="frames: the recording; shows the camera under the overlay")
    parser.add_argument("--live", action="store_true", help="frames: hand verdicts to the running generator")
    parser.add_argument(
        "--keys", type=Path, help="frames: folder of the unit's keys, to sign the ledger's new head"
    )
    parser.add_argument("--unit-key", default="", help="frames: pkcs11: URI of the unit key")
    parser.add_argument("--reviewers", type=Path, help="list: whose word counts (YAML)")
    add_remap(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Do one of these."""
    if args.action == "scenario":
        from vidgen_nodes.cli.review_scenario import review_scenario

        return review_scenario(args)
    if args.action == "frames":
        from vidgen_nodes.cli.review_frames import review_frames

        return review_frames(args)
    return _key(args) if args.action == "key" else _list(args)


def reviewer_key(args: argparse.Namespace) -> SigningKey | None:
    """The key that ``--key`` names; None: none was given.

    Raises:
        ConfigError: it cannot be used, or goes by no name.
    """
    if not args.key:
        return None
    if not args.name:
        raise ConfigError("--name: give the name of the key, as the reviewers file has it")
    if not args.key.startswith(_PKCS11):
        return FileKey.load(Path(args.key))
    from vidgen_nodes.custody.pkcs11_key import Pkcs11Key

    return Pkcs11Key.open(args.key)


def ledger_of(args: argparse.Namespace) -> Path:
    """The ledger that was named.

    Raises:
        ConfigError: there is none.
    """
    path = Path(args.subject)
    path = path / "ledger.db" if path.is_dir() else path
    if not path.is_file():
        raise ConfigError(f"{path}: no such ledger; give the ledger.db of a run")
    return path


def _key(args: argparse.Namespace) -> int:
    if args.out is None:
        raise ConfigError("review key: expected NAME --out FILE")
    key = FileKey.generate()
    try:
        public = key_id(args.subject, key.public)
        VerifierKey.parse(public)
    except VerificationError as err:
        raise ConfigError(f"review key: the name must be one word without '+': {err}") from err
    key.save(args.out)
    content = {
        "name": args.subject,
        "key": str(VerifierKey(args.subject, NOTE, key.public)),
        "out": str(args.out),
    }
    print(json_line(content) if args.json else f"{content['key']}\nput this line into the reviewers file")
    return OK


def _list(args: argparse.Namespace) -> int:
    reviewers = Reviewers.load(args.reviewers) if args.reviewers else None
    with LedgerReader(ledger_of(args)) as reader:
        report = read_reviews(reader, reviewers)
    if args.json:
        print(json_line({**report.as_dict(), "faults": [str(fault) for fault in report.faults]}))
    else:
        say_reviews(report)
    for fault in report.faults:
        print(f"fault: {fault}", file=sys.stderr)
    return BAD_RESULT if report.faults else OK


def say_reviews(report: ReviewReport) -> None:
    """Print what was validated and judged, by whom."""
    for scenario in report.scenarios:
        by = f"{scenario.person}{'' if scenario.trusted else ' (a key that nobody vouched for)'}"
        print(
            f"scenario {scenario.name}: validated by {by}, {scenario.seconds_viewed:g} s; {scenario.frames} frames"
        )
    for row in report.verdicts[:_MOST_SHOWN]:
        leaves = (
            f"{row.review.leaf_index}" if row.single else f"{row.review.leaf_index} to {row.review.last_leaf}"
        )
        signed = f"signed by {row.person}" if row.person else "not signed"
        signed += "" if row.trusted or not row.person else " (a key that nobody vouched for)"
        comment = f"  {row.review.comment}" if row.review.comment else ""
        print(
            f"leaf {row.leaf}: {row.review.verdict} of {leaves} by {row.review.reviewer}, "
            f"{row.review.seconds_viewed:g} s, {signed}{comment}"
        )
    if len(report.verdicts) > _MOST_SHOWN:
        print(f"... and {len(report.verdicts) - _MOST_SHOWN} more; --json has them all")
