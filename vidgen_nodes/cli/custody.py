# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen custody``: signs what a killed run left unsigned, hands over part of a ledger, deletes old payload.

``sign LEDGER``; ``export LEDGER --from LEAF --to LEAF --out DIR``; ``check DIR --root KEY``; ``prune LEDGER --before
LEAF``. Exit status: 0 it worked; 1 something does not hold; 2 the request was wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.keys import KeyRing, parse_public
from vidgen_nodes.custody.ledger_slice import check_slice, write_slice
from vidgen_nodes.custody.note import VerifierKey
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.retention import prune
from vidgen_nodes.custody.signer import Signing, sign_ledger
from vidgen_nodes.custody.witness_client import parse_witnesses
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.summary import json_line

_MOST_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("action", choices=("sign", "export", "check", "prune"))
    parser.add_argument("path", type=Path, help="ledger.db or the directory of a run; check: an export")
    parser.add_argument("--from", dest="first", type=int, default=0, help="export: first leaf")
    parser.add_argument("--to", dest="last", type=int, help="export: last leaf (default: the last)")
    parser.add_argument("--out", type=Path, help="export: a new directory")
    parser.add_argument("--root", default="", help="check: public root key")
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help="check: must have cosigned; sign: 'URL KEY' of who is asked",
    )
    parser.add_argument(
        "--authority", action="append", default=[], type=Path, help="check: PEM of a time authority"
    )
    parser.add_argument("--before", type=int, help="prune: payload of earlier leaves is deleted")
    parser.add_argument("--keys", type=Path, help="sign, prune: folder of the keys")
    parser.add_argument("--unit-key", default="", help="sign, prune: pkcs11: URI of the unit key")


def run(args: argparse.Namespace) -> int:
    """Do one of these."""
    content, faults = {"sign": _sign, "export": _export, "check": _check, "prune": _prune}[args.action](args)
    for fault in faults[:_MOST_SHOWN]:
        print(f"fault: {fault}", file=sys.stderr)
    if args.json:
        print(json_line({**content, "faults": faults[:_MOST_SHOWN], "fault_count": len(faults)}))
    else:
        print(", ".join(f"{name} {value}" for name, value in content.items()))
    return BAD_RESULT if faults else OK


def _ledger(args: argparse.Namespace) -> Path:
    path: Path = args.path / "ledger.db" if args.path.is_dir() else args.path
    if not path.is_file():
        raise ConfigError(f"{path}: no such ledger; give the ledger.db of a run")
    return path


def _keys(args: argparse.Namespace) -> KeyRing:
    return KeyRing.open(args.keys, int(time.time()), args.unit_key)


def _sign(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    signing = Signing(witnesses=parse_witnesses(",".join(args.witness)))
    head = sign_ledger(_ledger(args), _keys(args), signing)
    if head is None:
        raise ConfigError(f"{args.path}: holds no leaf to sign")
    content = {"signed": head.head.size, "root": head.head.root.hex(), "log": head.head.origin}
    with HeadStore(heads_path(_ledger(args))) as store:
        said = [line.name for line in store.at(head.head.size).cosignatures]
    return {**content, "cosigned": said}, []


def _export(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    ledger = _ledger(args)
    if args.out is None:
        raise ConfigError("custody export: give a new directory with --out")
    last = args.last
    if last is None:
        with LedgerReader(ledger) as reader:
            last = reader.size - 1
    report = write_slice(ledger, args.first, last, args.out)
    return {
        "leaves": report.leaves,
        "records": report.records,
        "stamps": report.stamps,
        "out": str(args.out),
    }, []


def _check(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    if not args.root:
        raise ConfigError("custody check: give the public root key with --root")
    try:
        witnesses = [VerifierKey.parse(key) for key in args.witness]
        authorities = [path.read_bytes() for path in args.authority]
    except (VerificationError, OSError) as err:
        raise ConfigError(f"custody check: {err}") from err
    report = check_slice(args.path, parse_public(args.root), witnesses, authorities)
    content = {"leaves": report.leaves, "records": report.records, "stamps": report.stamps}
    return {**content, "verified": not report.faults}, [str(fault) for fault in report.faults]


def _prune(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    ledger = _ledger(args)
    if args.before is None or args.before < 1:
        raise ConfigError("custody prune: give the first leaf whose payload stays with --before")
    keys = _keys(args)
    pruned = prune(ledger, args.before)
    sign_ledger(ledger, keys)
    return {
        "before": pruned.before,
        "records_deleted": pruned.records,
        "bytes_deleted": pruned.bytes,
        "openings_deleted": pruned.openings,
    }, []
