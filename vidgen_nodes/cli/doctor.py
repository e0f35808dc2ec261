# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen doctor``: what is missing or misconfigured here, each with how to fix it.

Three kinds of lines: ``ok``, ``warn`` (it runs, with something lost), ``FAIL`` (it does not run). Exit
status 1 when anything fails. With a recording, or drivers that publish in this ROS domain, what they send is held
against the preset: topics, heights, clocks, temperatures. A running graph of ours is looked at too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vidgen_nodes.cli.checks import FAIL, OK_LINE, Finding, static_findings
from vidgen_nodes.cli.fitting import graph_fit, recording_fit
from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.summary import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    from vidgen_nodes.cli.options import add_config

    parser.add_argument("bag", type=Path, nargs="?", help="a recording to hold against the preset")
    add_config(parser)
    parser.add_argument("--sweep", action="store_true", help="remove stale shared-memory segments of ours")
    parser.add_argument(
        "--graph-seconds", type=float, default=2.0, help="how long to look for a running graph"
    )


def run(args: argparse.Namespace) -> int:
    """Check everything; 1 when something fails."""
    findings = list(static_findings(args))
    if args.bag is not None:
        findings += recording_fit(args)
    else:
        findings += [*_graph_findings(args.graph_seconds), *graph_fit(args)]
    if args.json:
        listed = [{"level": f.level, "what": f.what, "fix": f.fix} for f in findings]
        print(json_line({"findings": listed, "ok": all(f.level != FAIL for f in findings)}))
    else:
        for finding in findings:
            fix = f"  ->  {finding.fix}" if finding.fix else ""
            print(f"{finding.level:<4}  {finding.what}{fix}")
    return BAD_RESULT if any(f.level == FAIL for f in findings) else OK


def _graph_findings(seconds: float) -> list[Finding]:
    try:
        from vidgen_nodes.ros.survey import survey
    except ImportError:
        return []  # told already: no ROS
    running, troubles = survey(seconds)
    if not running:
        return [Finding(OK_LINE, "no graph is running in this ROS domain; topics were not looked at")]
    found = [Finding("warn", what, fix) for what, fix in troubles]
    return found or [Finding(OK_LINE, f"running graph: {running} nodes, every topic has fitting ends")]
