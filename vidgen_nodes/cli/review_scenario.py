# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen review scenario``: every number on the screen, then a verdict, signed.

Give the same ``--preset``, ``--config`` and ``--set`` as the run (or its ``params.yaml`` as ``--config``): the review
is bound to them. The seconds viewed are counted by the monotonic clock from the table to the verdict; with
``--verdict`` nothing was shown long enough to count, and they are 0.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.cli.options import resolved
from vidgen_nodes.cli.parameter_sheet import Row, sheet
from vidgen_nodes.cli.review import reviewer_key
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.scenario_review import ACCEPT, REJECT, Opinion, sign_review, subjects_of
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.generator import World
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import load_building
from vidgen_nodes.summary import json_line


def review_scenario(args: argparse.Namespace) -> int:
    """Show, ask, sign; 1 when the verdict is reject."""
    key = reviewer_key(args)
    if key is not None and args.out is None:
        raise ConfigError("review scenario: give the file of the review with --out")
    if args.out is not None and args.out.exists():
        raise ConfigError(f"--out {args.out}: is there already; a review is never overwritten")
    params = resolved(args, {})
    own = params.generator
    building = load_building(Path(own.building_file)) if own.building_file else None
    scenario = load_scenario(Path(args.subject), 0)
    constants = World(own, scenario, building).constants
    subjects = subjects_of(scenario, constants, run_digests(params, building))
    rows = sheet(constants, own)
    if not args.json:
        _show(scenario.name, rows)
    content = {
        "scenario": scenario.name,
        "subjects": {name: digest.hex() for name, digest in subjects.items()},
        "parameters": len(rows),
    }
    if key is None:
        if args.json:
            print(json_line({**content, "rows": [vars(row) for row in rows]}))
        else:
            print("nothing was signed: give --key, --name and --out", file=sys.stderr)
        return OK
    opinion = _opinion(args)
    envelope = sign_review(subjects, scenario.name, opinion, args.name, key)
    try:
        args.out.write_bytes(envelope.encode())
    except OSError as err:
        raise ConfigError(f"--out {args.out}: cannot be written: {err.strerror}") from err
    content |= {"verdict": opinion.verdict, "seconds_viewed": opinion.seconds_viewed, "out": str(args.out)}
    print(json_line(content) if args.json else f"{args.out}: {opinion.verdict} by {args.name}")
    return OK if opinion.verdict == ACCEPT else BAD_RESULT


def _show(name: str, rows: list[Row]) -> None:
    table = Table(title=f"scenario {name}: {len(rows)} numbers")
    for heading in ("number", "value", "unit", "allowed", "source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.value, row.unit, row.allowed, row.source)
    Console(markup=False).print(table)


def _opinion(args: argparse.Namespace) -> Opinion:
    if args.verdict:
        if args.verdict not in (ACCEPT, REJECT):
            raise ConfigError(f"--verdict {args.verdict}: expected {ACCEPT} or {REJECT}")
        return Opinion(args.verdict, args.comment, 0.0, int(time.time()))
    started_s = time.monotonic()
    verdict = ask(f"{ACCEPT} or {REJECT}? ", {"a": ACCEPT, "r": REJECT, ACCEPT: ACCEPT, REJECT: REJECT})
    comment = comment_on()
    return Opinion(verdict, comment, time.monotonic() - started_s, int(time.time()))


def comment_on() -> str:
    """A line of the reviewer's, which may be empty."""
    return _line("  comment (may be empty): ") or ""


def ask(question: str, answers: dict[str, str]) -> str:
    """One of the answers, asked until it comes.

    Raises:
        ConfigError: the input ended before.
    """
    while True:
        line = _line(question)
        if line is None:
            raise ConfigError("review: the input ended without a verdict; none was added for this")
        answer = answers.get(line.lower())
        if answer is not None:
            return answer


def _line(question: str) -> str | None:
    """What was typed; None: the input ended. Asked on stderr: the last line of stdout is for machines."""
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return line.strip() if line else None
