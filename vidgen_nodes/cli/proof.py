# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen proof``: makes the proof of one record, and checks one with the public root key alone.

``proof verify`` needs Python, cbor2 and cryptography; no ROS, no model, no network. Exit status: 0 it holds;
1 it does not, and which part; 2 the request was wrong.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vidgen_nodes.cli.main import OK
from vidgen_nodes.custody.keys import parse_public
from vidgen_nodes.custody.note import VerifierKey
from vidgen_nodes.custody.proof import ProofReport, verify_proof
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.summary import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "action", choices=("make", "verify"), help="make FILE from a ledger, or verify a FILE"
    )
    parser.add_argument(
        "path", type=Path, help="make: ledger.db or the directory of a run; verify: the proof"
    )
    parser.add_argument(
        "index", type=int, nargs="?", help="make: which leaf, from 0 (leaf_index in provenance)"
    )
    parser.add_argument("--out", type=Path, help="make: the file to write")
    parser.add_argument("--root", default="", help="verify: public root key: file, text or 64 hex digits")
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help="verify: key of a witness that must have cosigned; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Make or verify."""
    return _make(args) if args.action == "make" else _verify(args)


def _make(args: argparse.Namespace) -> int:
    from vidgen_nodes.custody.proof_maker import make_proof

    if args.index is None or args.out is None:
        raise ConfigError("proof make: expected LEDGER INDEX --out FILE")
    ledger = args.path / "ledger.db" if args.path.is_dir() else args.path
    data = make_proof(ledger, args.index)
    try:
        args.out.write_bytes(data)
    except OSError as err:
        raise ConfigError(f"--out {args.out}: cannot be written: {err.strerror}") from err
    content = {"leaf_index": args.index, "bytes": len(data), "out": str(args.out)}
    print(json_line(content) if args.json else f"{args.out}: {len(data)} bytes, proof of leaf {args.index}")
    return OK


def _verify(args: argparse.Namespace) -> int:
    if not args.root:
        raise ConfigError(
            "proof verify: give the public root key with --root; a proof cannot vouch for itself"
        )
    root = parse_public(args.root)
    try:
        witnesses = [VerifierKey.parse(_text(key)) for key in args.witness]
        data = args.path.read_bytes()
    except OSError as err:
        raise ConfigError(f"{args.path}: cannot be read: {err.strerror}") from err
    except VerificationError as err:
        raise ConfigError(f"--witness: {err}") from err
    report = verify_proof(data, root, witnesses)
    if args.json:
        print(json_line(_content(report, len(data))))
    else:
        _say(report)
    return OK


def _text(key: str) -> str:
    path = Path(key)
    return path.read_text(encoding="utf-8") if len(key) < 255 and path.is_file() else key


def _content(report: ProofReport, size: int) -> dict[str, Any]:
    return {
        "verified": True,
        "bytes": size,
        "leaf_index": report.leaf_index,
        "tree_size": report.head.size,
        "root": report.head.root.hex(),
        "log": report.head.origin,
        "unit": report.chain.unit.name,
        "leaf": _plain(report.leaf),
        "cosigned": [{"by": c.name, "at": _time(c.time_s), "checked": c.trusted} for c in report.cosigned],
    }


def _say(report: ProofReport) -> None:
    print(f"holds: leaf {report.leaf_index} of {report.head.size} in the log {report.head.origin}")
    print(f"signed by unit {report.chain.unit.name}, session {report.chain.session.name}")
    for cosigned in report.cosigned:
        checked = "" if cosigned.trusted else " (not checked: no key of that witness was given)"
        print(f"cosigned by {cosigned.name} at {_time(cosigned.time_s)}{checked}")
    if not report.cosigned:
        print("cosigned by nobody: the unit could have shown others another log", file=sys.stderr)
    for name, value in report.leaf.items():
        print(f"  {name:14} {_plain(value)}")


def _time(time_s: int) -> str:
    try:
        return datetime.fromtimestamp(time_s, timezone.utc).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{time_s} s"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
