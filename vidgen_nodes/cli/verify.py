# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen verify``: checks a ledger from its own bytes; with its recording, derives the frames again.

Exit status: 0 everything verifies; 1 something does not, and where; 2 there is nothing to check.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.cli.options import add_remap
from vidgen_nodes.custody.keys import parse_public
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.rederivation import Verdict
from vidgen_nodes.custody.review_report import read_reviews
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.verify import LedgerReport, verify_ledger
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.ros.rederive import BagComparison, Effort, compare_bag
from vidgen_nodes.ros.replay import parse_remaps
from vidgen_nodes.summary import json_line

_MOST_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("ledger", type=Path, help="ledger.db, or the directory of a run")
    parser.add_argument(
        "--bag", type=Path, help="the recording the frames come from: derive them again and compare"
    )
    parser.add_argument(
        "--root", default="", help="Merkle root (hex) noted elsewhere, which the log must have had"
    )
    parser.add_argument(
        "--key", default="", help="public root key (file, text or hex), to which every signed head must lead"
    )
    parser.add_argument(
        "--tolerance",
        type=int,
        default=0,
        metavar="LEVELS",
        help="with --bag: a frame that differs by so many of 255 levels at most from the recorded overlay passes",
    )
    parser.add_argument(
        "--reviewers", type=Path, help="YAML of whose reviews count; without it only their form is checked"
    )
    parser.add_argument(
        "--fields",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="with --bag: folder from which the scenario named its imported files (default: here)",
    )
    parser.add_argument("--jobs", type=int, default=0, help="processes (default: one a core)")
    add_remap(parser)


def run(args: argparse.Namespace) -> int:
    """Check; prints every fault with its place."""
    ledger = args.ledger / "ledger.db" if args.ledger.is_dir() else args.ledger
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: no such ledger; give the ledger.db of a run")
    try:
        report = verify_ledger(
            ledger,
            _root(args.root),
            parse_public(args.key) if args.key else None,
            args.jobs or os.cpu_count() or 1,
        )
    except VerificationError as err:
        return _conclude(args, {"ledger": str(ledger), "verified": False}, [str(err)], [])
    content = _content(ledger, report)
    faults = [str(fault) for fault in report.faults]
    faults += _check_reviews(args, ledger, content)
    if not report.frames and not faults:
        faults.append("it holds no frame")
    notes: list[str] = []
    if args.bag is not None:
        if not args.fields.is_dir():
            raise ConfigError(f"--fields {args.fields}: no such folder")
        try:
            comparison = _compare(args, ledger, report.frames)
        except VerificationError as err:
            faults.append(f"frames cannot be derived again: {err}")
        else:
            content["bag"] = _bag_content(args.bag, comparison)
            faults += [str(fault) for fault in comparison.faults] + _verdict_faults(comparison)
            notes += comparison.notes
    content["verified"] = not faults
    return _conclude(args, content, faults, notes)


def _check_reviews(args: argparse.Namespace, ledger: Path, content: dict[str, Any]) -> list[str]:
    reviewers = Reviewers.load(args.reviewers) if args.reviewers else None
    try:
        with LedgerReader(ledger) as reader:
            report = read_reviews(reader, reviewers)
    except VerificationError as err:
        return [f"reviews cannot be read: {err}"]
    content["reviews"] = report.as_dict()
    return [str(fault) for fault in report.faults]


def _root(text: str) -> bytes | None:
    if not text:
        return None
    try:
        root = bytes.fromhex(text)
    except ValueError as err:
        raise ConfigError(f"--root {text}: expected hexadecimal digits") from err
    if len(root) != 32:
        raise ConfigError(f"--root {text}: got {len(root)} bytes, expected 32")
    return root


def _compare(args: argparse.Namespace, ledger: Path, frames: int) -> BagComparison:
    console = Console(stderr=True)
    with Progress(console=console, disable=args.json or not console.is_terminal) as progress:
        task = progress.add_task("deriving again", total=frames)
        pictures = ledger.parent / "frames"
        effort = Effort(args.jobs, args.tolerance, pictures if pictures.is_dir() else None, args.fields)
        return compare_bag(ledger, args.bag, parse_remaps(args.remap), lambda: progress.advance(task), effort)


def _content(ledger: Path, report: LedgerReport) -> dict[str, Any]:
    return {
        "ledger": str(ledger),
        "records": report.records,
        "frames": report.frames,
        "segments": report.segments,
        "root": report.root.hex(),
        "signed": report.signed_size,
        "heads": report.heads.heads if report.heads else 0,
        "cosignatures": report.heads.cosignatures if report.heads else 0,
        "signer_trusted": report.heads is not None and report.heads.trusted,
        "pruned": report.pruned,
        "verified": report.ok,
    }


def _bag_content(bag: Path, comparison: BagComparison) -> dict[str, Any]:
    content: dict[str, Any] = {"path": str(bag), "files": comparison.files, "messages": comparison.messages}
    if comparison.rederivation is not None:
        content["rederived"] = {verdict.value: comparison.rederivation.count(verdict) for verdict in Verdict}
        content["levels"] = comparison.rederivation.levels
    if comparison.commitments is not None:
        said = comparison.commitments
        content["commitments"] = {"frames": said.frames, "checked": said.checked, "faults": len(said.faults)}
    return content


def _verdict_faults(comparison: BagComparison) -> list[str]:
    if comparison.rederivation is None:
        return []
    return [
        f"frame at {stamp_ns} ns: derived again: {verdict.value}"
        for stamp_ns, verdict in comparison.rederivation.verdicts
        if verdict not in (Verdict.IDENTICAL, Verdict.WITHIN_TOLERANCE)
    ]


def _conclude(args: argparse.Namespace, content: dict[str, Any], faults: list[str], notes: list[str]) -> int:
    for note in notes[:_MOST_SHOWN]:
        print(f"note: {note}", file=sys.stderr)
    for fault in faults[:_MOST_SHOWN]:
        print(f"fault: {fault}", file=sys.stderr)
    if len(faults) > _MOST_SHOWN:
        print(f"... and {len(faults) - _MOST_SHOWN} more faults", file=sys.stderr)
    if args.json:
        print(
            json_line({**content, "faults": faults[:_MOST_SHOWN], "fault_count": len(faults), "notes": notes})
        )
    else:
        _say(content, faults)
    return BAD_RESULT if faults else OK


def _say(content: dict[str, Any], faults: list[str]) -> None:
    if "records" in content:
        print(f"{content['records']} records, {content['frames']} frames, root {content['root']}")
        by = (
            "by the key given"
            if content["signer_trusted"]
            else "by a key that nobody vouched for (give --key)"
        )
        print(f"signed: {content['signed']} records, {content['cosignatures']} cosignatures, {by}")
    if reviews := content.get("reviews"):
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(reviews["by_verdict"].items()))
        who = sorted({row["person"] for row in reviews["scenarios"]})
        print(f"reviews: scenario by {', '.join(who) or 'nobody'}; verdicts on frames: {told or 'none'}")
    if bag := content.get("bag"):
        print(f"{bag['path']}: files {bag['files']}, {bag['messages']} messages compared")
        if "rederived" in bag:
            print(
                "derived again: " + ", ".join(f"{count} {name}" for name, count in bag["rederived"].items())
            )
    print(f"{len(faults)} faults: DOES NOT VERIFY" if faults else "verifies")
