# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen export``: a clip of reviewed frames, labelled and signed; ``vidgen export verify`` checks one.

``export LEDGER --from S --to S --out clip.mp4 [--bag BAG]``; ``export verify clip.mp4 --root KEY``. Without ``--bag``
the overlays that were saved beside the ledger stand on black. Exit status: 0 it worked; 1 something does not hold,
and what; 2 the request was wrong, or the frames are not reviewed.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from vidgen_nodes.cli.credentials import credentials_of
from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.cli.options import add_config, add_remap, resolved
from vidgen_nodes.custody.keys import parse_public
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.signer import keys_of
from vidgen_nodes.delivery.video import has_h264
from vidgen_nodes.errors import ConfigError, MissingPackageError
from vidgen_nodes.export.approval import Policy
from vidgen_nodes.export.background import Anonymiser
from vidgen_nodes.export.check import ClipCheck, check_clip, summary
from vidgen_nodes.export.clip import ClipRequest, export_clip
from vidgen_nodes.export.person_mosaic import PersonMosaic
from vidgen_nodes.export.pictures import Source
from vidgen_nodes.export.raw_background import open_raw
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros.replay import parse_remaps
from vidgen_nodes.summary import json_line

_VERIFY = "verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="LEDGER | verify CLIP")
    parser.add_argument("--from", dest="from_s", type=float, default=0.0, help="s after the first frame")
    parser.add_argument("--to", dest="to_s", type=float, default=math.inf, help="s after the first frame")
    parser.add_argument(
        "--out", type=Path, help="the clip, a new .mp4; statement and proof are put beside it"
    )
    parser.add_argument("--bag", type=Path, help="the recording: shows the camera under the overlays")
    parser.add_argument("--root", default="", help="verify: public root key: file, text or 64 hex digits")
    parser.add_argument(
        "--proof", action="append", default=[], type=Path, help="verify: a proof; may be repeated"
    )
    parser.add_argument(
        "--raw-for", default="", metavar="WHO", help="persons not mosaicked: who asks; logged"
    )
    parser.add_argument("--because", default="", metavar="WHY", help="... and why")
    add_remap(parser)
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Export or verify."""
    if str(args.paths[0]) == _VERIFY and len(args.paths) == 2:
        return _verify(args, args.paths[1])
    if len(args.paths) != 1 or args.out is None:
        raise ConfigError(
            "export: expected LEDGER --from S --to S --out CLIP.mp4, or: verify CLIP.mp4 --root KEY"
        )
    return _export(args, args.paths[0])


def _policy(params: NodeParams) -> Policy:
    own = params.generator
    reviewers = Reviewers.load(Path(own.reviewers_file)) if own.reviewers_file else None
    return Policy(params.custody.export_needs_review, reviewers, own.require_signed_reviews)


def _anonymiser(args: argparse.Namespace, ledger: Path, params: NodeParams) -> Anonymiser | None:
    """What keeps persons unrecognisable; None, upon which all of the background is a mosaic, if it cannot be had."""
    if args.bag is None:
        return None
    if args.raw_for or args.because:
        return open_raw(ledger, args.raw_for, args.because)
    try:
        return PersonMosaic.of(params.generator)
    except MissingPackageError as err:
        print(f"note: persons cannot be looked for ({err}): backgrounds become mosaics", file=sys.stderr)
        return None


def _export(args: argparse.Namespace, path: Path) -> int:
    ledger = path / "ledger.db" if path.is_dir() else path
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: no such ledger; give the ledger.db of a run")
    params = resolved(args, {})
    ring = keys_of(params.custody)
    console = Console(stderr=True)
    with Progress(console=console, disable=args.json or not console.is_terminal) as progress:
        task = progress.add_task("exporting", total=None)
        request = ClipRequest(
            source=Source(ledger, args.bag, parse_remaps(args.remap), _anonymiser(args, ledger, params)),
            out=args.out,
            from_s=args.from_s,
            to_s=args.to_s,
            producer=params.ar.content_producer,
            policy=_policy(params),
            progress=lambda: progress.advance(task),
        )
        report = export_clip(request, ring, credentials_of(ring))
    content = {
        "frames": report.frames,
        "out": str(args.out),
        "sha256": report.sha256,
        "statement": str(report.statement),
        "privacy": str(report.privacy),
        "proof": str(report.proof) if report.proof else None,
        "reviews": report.reviews,
        "whole_mosaics": report.mosaicked,
        "codec": "h264" if has_h264() else "mpeg4",
    }
    if report.proof is None:
        print("note: a run is writing the ledger, so the export is not recorded in it", file=sys.stderr)
    if report.mosaicked:
        print(
            f"note: {report.mosaicked} backgrounds are mosaicked as a whole; {report.privacy.name} says why",
            file=sys.stderr,
        )
    _print(args, content)
    return OK


def _verify(args: argparse.Namespace, clip: Path) -> int:
    if not args.root:
        raise ConfigError(
            "export verify: give the public root key with --root; a clip cannot vouch for itself"
        )
    if not clip.is_file():
        raise ConfigError(f"{clip}: no such clip")
    check = check_clip(clip, parse_public(args.root), args.proof)
    for text in check.missing:
        print(f"note: {text}", file=sys.stderr)
    for text in check.faults:
        print(f"fault: {text}", file=sys.stderr)
    content = {
        "verified": check.ok,
        "faults": check.faults,
        "not_checked": check.missing,
        "pictures": check.pictures,
        "tags_read": check.tags_read,
        "unit": check.unit,
        "log": check.log,
        "claims": summary(check),
    }
    if args.json:
        print(json_line(content))
    else:
        _say(check)
    return OK if check.ok else BAD_RESULT


def _print(args: argparse.Namespace, content: dict[str, Any]) -> None:
    print(json_line(content) if args.json else "\n".join(f"{k}: {v}" for k, v in content.items()))


def _say(check: ClipCheck) -> None:
    claims = check.claims
    for line in _lines(claims) if claims else ():
        print(line)
    print(f"tags: {check.tags_read} of {check.pictures} pictures name their record")
    print(f"{len(check.faults)} faults: DOES NOT VERIFY" if check.faults else "verifies")


def _lines(claims: dict[str, Any]) -> list[str]:
    drawn, label, frames = claims["synthetic"], claims["label"], claims["frames"]
    share = f"{drawn['frames_drawn']} of {drawn['frames']} frames are drawn in"
    lines = [
        f"mission {claims['mission']}, origin {claims['origin']}, leaves {frames[0][0]} to {frames[-1][0]}",
        f"synthetic: {share}; {label['code']} ({label['text']})",
    ]
    lines += [
        f"sensor: {s['topic']} ({s['type']}): {s['messages']} messages {s['sha256']}"
        for s in claims["sensors"]
    ]
    lines += [f"recording: {item['name']} {item['sha256']}" for item in claims["recording"]]
    lines += [f"SOP: {item['name']} {item['sha256']}" for item in claims["sop"]]
    lines += [f"building: {item['name']} {item['sha256']}" for item in claims["building"]]
    lines += [
        f"physics: {p['element']}: {p['source']}, version {p['version']}, numbers {p['parameters_sha256']}"
        for p in claims["physics"]
    ]
    lines += [
        f"SOP validated: {r['verdict']} by {r['reviewer']} at {r['made_s']} s, {r['seconds_viewed']:g} s viewed"
        for r in claims["sop_reviews"]
    ]
    lines += [
        f"frames reviewed: {r['verdict']} by {r['reviewer']}, leaves {r['leaf_index']} to {r['last_leaf']}, "
        f"{r['seconds_viewed']:g} s viewed, leaf {r['review_leaf']}, "
        + (f"signed by {r['signer']} at {r['made_s']} s" if r["signer"] else "not signed")
        for r in claims["reviews"]
    ]
    for item in claims["validated"]:
        session = item.get("session_s")
        by = ", ".join(f"{line['by']} at {line['time_s']} s" for line in item.get("cosigned", [])) or "nobody"
        lines.append(
            f"review: verdict in leaf {item['review_leaf']}; signed in session {session}; witnessed by {by}"
        )
    return lines
