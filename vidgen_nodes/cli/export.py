# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen export``: a clip of reviewed frames, labelled and signed; ``vidgen export verify`` checks one.

``export LEDGER --from S --to S --out clip.mp4 [--bag BAG]``; ``export verify clip.mp4 --root KEY [--reviewers FILE]``.
Without ``--bag`` the overlays that were saved beside the ledger stand on black. Exit status: 0 it worked; 1 something
does not hold, and what; 2 the request was wrong, or the frames are not reviewed.
"""

from __future__ import annotations

import argparse
import math
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.cli.options import add_config, add_remap
from vidgen_nodes.custody.keys import parse_public
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.export.check import ClipCheck, check_clip, summary
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
        "--reviewers",
        type=Path,
        help="verify: YAML of who was allowed to review; without it that is not checked",
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
    from vidgen_nodes.cli.export_clip import make_clip  # an auditor has neither model nor recording

    return make_clip(args, args.paths[0])


def _verify(args: argparse.Namespace, clip: Path) -> int:
    if not args.root:
        raise ConfigError(
            "export verify: give the public root key with --root; a clip cannot vouch for itself"
        )
    if not clip.is_file():
        raise ConfigError(f"{clip}: no such clip")
    reviewers = Reviewers.load(args.reviewers) if args.reviewers else None
    check = check_clip(clip, parse_public(args.root), args.proof, reviewers)
    for text in check.missing:
        print(f"note: {text}", file=sys.stderr)
    for text in check.faults:
        print(f"fault: {text}", file=sys.stderr)
    content = {
        "verified": check.ok,
        "faults": check.faults,
        "not_checked": check.missing,
        "reviewers": check.reviewers,
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


def _say(check: ClipCheck) -> None:
    claims = check.claims
    for line in _lines(claims) if claims else ():
        print(line)
    for text in check.reviewers:
        print(text)
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
        f"SOP validated: {r['verdict']} by {r['reviewer']} at {_time(r['made_s'])}, {r['seconds_viewed']:g} s viewed"
        for r in claims["sop_reviews"]
    ]
    lines += [
        f"frames reviewed: {r['verdict']} by {r['reviewer']}, leaves {r['leaf_index']} to {r['last_leaf']}, "
        f"{r['seconds_viewed']:g} s viewed, leaf {r['review_leaf']}, "
        + (f"signed by {r['signer']} at {_time(r['made_s'])}" if r["signer"] else "not signed")
        for r in claims["reviews"]
    ]
    for item in claims["validated"]:
        start, end = item.get("session_s") or (None, None)
        by = ", ".join(f"{line['by']} at {_time(line['time_s'])}" for line in item.get("cosigned", []))
        lines.append(
            f"review: verdict in leaf {item['review_leaf']}; signed between {_time(start)} and {_time(end)}; "
            f"witnessed by {by or 'nobody'}"
        )
    if "exported_s" in claims:
        lines.append(f"exported at {_time(claims['exported_s'])} by the clock of the unit")
    return lines


def _time(unix_s: object) -> str:
    """UTC, as ISO 8601 writes it."""
    if type(unix_s) is not int or unix_s <= 0:
        return "a time not said"
    try:
        return datetime.fromtimestamp(unix_s, timezone.utc).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{unix_s} s"
