# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen attest``: states that a frame's obstacles keep to the constraint, and opens the cells that show it.

``attest LEDGER LEAF --out FILE`` makes it from the ledger and the openings beside it; ``attest verify FILE --root KEY``
checks it with Python, cbor2 and cryptography alone. Exit status: 0 it holds; 1 it does not, and which part; 2 the
request was wrong, or the frame shows no obstacle.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from vidgen_nodes.cli.main import OK
from vidgen_nodes.custody.attestation import AttestationReport, check_together, verify_attestation
from vidgen_nodes.custody.keys import KeyRing, parse_public
from vidgen_nodes.custody.merkle import leaf_hash
from vidgen_nodes.custody.proof import verify_proof
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.summary import json_line

_VERIFY = "verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("words", nargs="+", metavar="LEDGER LEAF | verify FILE...")
    parser.add_argument("--out", type=Path, help="file to write; with --split FILE.1, FILE.2 ...")
    parser.add_argument(
        "--cells",
        type=int,
        default=-1,
        metavar="N",
        help="open N cells that follow from --nonce (default: all)",
    )
    parser.add_argument(
        "--nonce", default="", help="text of whoever asks for a sample; verify: must be in the file"
    )
    parser.add_argument("--split", action="store_true", help="files of at most 2,048 bytes each")
    parser.add_argument("--keys", type=Path, help="folder of the keys")
    parser.add_argument("--unit-key", default="", help="pkcs11: URI of the unit key; default: a file")
    parser.add_argument("--root", default="", help="verify: public root key: file, text or 64 hex digits")
    parser.add_argument("--tau", type=float, default=0.0, help="verify: refuse a threshold below this")
    parser.add_argument(
        "--proof", type=Path, help="verify: proof file of the same leaf, so that it is in the log"
    )
    parser.add_argument("--statement", type=Path, help="verify: write the signed statement (DSSE) here")


def run(args: argparse.Namespace) -> int:
    """Make or verify."""
    if args.words[0] == _VERIFY:
        return _verify(args, [Path(word) for word in args.words[1:]])
    if len(args.words) != 2 or not args.words[1].isdigit() or args.out is None:
        raise ConfigError("attest: expected LEDGER LEAF --out FILE, or: verify FILE --root KEY")
    return _make(args, Path(args.words[0]), int(args.words[1]))


def _make(args: argparse.Namespace, path: Path, index: int) -> int:
    from vidgen_nodes.custody.attestation_maker import ALL, Choice, make_attestations

    ledger = path / "ledger.db" if path.is_dir() else path
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: no such ledger; give the ledger.db of a run")
    if args.cells < ALL or (args.cells > 0) != bool(args.nonce):
        raise ConfigError("attest: a sample needs both --cells N and the --nonce of whoever asks for it")
    now_s = int(time.time())
    session = KeyRing.open(args.keys, now_s, args.unit_key).new_session(now_s)
    choice = Choice(args.cells, args.nonce, args.split)
    files = make_attestations(ledger, index, session, now_s, choice)
    names = [args.out] if len(files) == 1 else [Path(f"{args.out}.{n + 1}") for n in range(len(files))]
    for name, data in zip(names, files, strict=True):
        _write(name, data)
    sizes = [len(data) for data in files]
    content = {"leaf_index": index, "files": [str(name) for name in names], "bytes": sizes}
    told = ", ".join(f"{name}: {size} bytes" for name, size in zip(names, sizes, strict=True))
    print(json_line(content) if args.json else f"{told}; attests leaf {index}")
    return OK


def _verify(args: argparse.Namespace, paths: list[Path]) -> int:
    if not paths or not args.root:
        raise ConfigError("attest verify: expected FILE --root KEY; an attestation cannot vouch for itself")
    root = parse_public(args.root)
    reports = []
    for path in paths:
        try:
            reports.append(verify_attestation(_read(path), root, args.tau))
        except VerificationError as err:
            raise VerificationError(f"{path}: {err}") from err
        if args.nonce and reports[-1].attestation.nonce != args.nonce:
            raise VerificationError(f"{path}: answers another nonce than the one asked")
    complete = check_together(reports)
    logged = _check_logged(args.proof, root, reports[0]) if args.proof else None
    if args.statement:
        _write(args.statement, reports[0].envelope.encode())
    content = _content(reports, complete=complete, logged=logged)
    print(json_line(content)) if args.json else _say(content)
    return OK


def _check_logged(path: Path, root: bytes, report: AttestationReport) -> str:
    proof = verify_proof(_read(path), root)
    if (proof.leaf_bytes, proof.leaf_index) != (report.attestation.leaf, report.attestation.leaf_index):
        raise VerificationError(f"{path}: proves another leaf than the one attested")
    return proof.head.origin


def _content(reports: list[AttestationReport], *, complete: bool, logged: str | None) -> dict[str, Any]:
    first = reports[0].attestation
    opened = sorted({c for r in reports for c in r.attestation.cells}, key=lambda cell: cell.index)
    _, cols = first.obstacles.shape
    return {
        "verified": True,
        "leaf_index": first.leaf_index,
        "leaf_hash": leaf_hash(first.leaf).hex(),
        "stamp_ns": reports[0].leaf.get("stamp_ns"),
        "map_root": first.obstacles.map_root(first.tree_root).hex(),
        "map_stamp_ns": first.obstacles.stamp_ns,
        "tau": first.obstacles.tau,
        "least_observations": first.obstacles.least_observations,
        "obstacle_cells": len(first.obstacles.cells),
        "complete": complete,
        "opened": [
            {
                "row": c.index // cols,
                "col": c.index % cols,
                "uncertainty": c.uncertainty,
                "observations": c.observations,
            }
            for c in opened
        ],
        "unit": first.chain.unit.name,
        "log": logged,
    }


def _say(content: dict[str, Any]) -> None:
    print(
        f"holds: leaf {content['leaf_index']}, {content['obstacle_cells']} cells with obstacles, "
        f"U >= {content['tau']:g} and n >= {content['least_observations']}"
    )
    for cell in content["opened"]:
        print(
            f"  cell ({cell['row']},{cell['col']})  U = {cell['uncertainty']:.4f}  n = {cell['observations']}"
        )
    if not content["complete"]:
        print(
            f"{len(content['opened'])} cells were opened; for the others the unit {content['unit']} only says so"
        )
    if content["log"] is None:
        print("that the leaf is in a log was not checked: give its proof with --proof", file=sys.stderr)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err.strerror}") from err


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err
