# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the ledger a run left, and prints its summary."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.summary import CustodyState, RunSummary, json_line

_MOST_FAULTS = 20


def custody_state(ledger: Path) -> CustodyState:
    """What the offline check of a ledger says; a missing ledger does not verify."""
    try:
        report = verify_ledger(ledger)
    except VerificationError as err:
        return CustodyState(0, "", False, (str(err),))
    faults = tuple(str(fault) for fault in report.faults[:_MOST_FAULTS])
    return CustodyState(report.records, report.root.hex(), report.ok and report.frames > 0, faults)


def conclude(args: argparse.Namespace, summary: RunSummary) -> int:
    """Print the summary: a table for people, one line for machines with ``--json``. Returns the exit status."""
    faults = summary.faults()
    content = summary.as_dict()
    if args.json:
        print(json_line({**content, "faults": faults} if faults else content), flush=True)
    else:
        _print_table(args.command, content)
    for fault in faults:
        print(f"vidgen {args.command}: {fault}", file=sys.stderr)
    return BAD_RESULT if faults else OK


def _print_table(title: str, content: dict[str, object]) -> None:
    table = Table(title=f"vidgen {title}", show_header=False)
    for key, value in content.items():
        if isinstance(value, dict):
            for name, item in value.items():
                table.add_row(escape(f"{key}.{name}"), escape(_said(item)))
        else:
            table.add_row(escape(key), escape(_said(value)))
    Console().print(table)


def _said(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name}={_said(item)}" for name, item in value.items()) or "none"
    if value is None:
        return "not measured"
    return str(value)
