# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The half of ``vidgen export`` that makes a clip, apart from the half that checks one: that needs far less."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from vidgen_nodes.cli.credentials import credentials_of
from vidgen_nodes.cli.main import OK
from vidgen_nodes.cli.options import resolved
from vidgen_nodes.custody.reviewers import Reviewers
from vidgen_nodes.custody.signer import keys_of, signing_of
from vidgen_nodes.delivery.video import has_h264
from vidgen_nodes.errors import ConfigError, MissingPackageError
from vidgen_nodes.export.approval import Policy
from vidgen_nodes.export.background import Anonymiser
from vidgen_nodes.export.clip import ClipRequest, export_clip
from vidgen_nodes.export.person_mosaic import PersonMosaic
from vidgen_nodes.export.pictures import Source
from vidgen_nodes.export.raw_background import open_raw
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros.replay import parse_remaps
from vidgen_nodes.summary import json_line


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


def make_clip(args: argparse.Namespace, path: Path) -> int:
    """Export the frames that the options name."""
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
            signing=signing_of(params.custody),
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
    print(json_line(content) if args.json else "\n".join(f"{k}: {v}" for k, v in content.items()))
    return OK
