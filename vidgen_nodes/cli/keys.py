# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen keys``: shows the public keys of this unit, makes them on first use, and certifies a unit's key.

To keep the root key offline: ``keys certify`` where it is, then carry ``unit.cert``, ``root.pub`` and the two
``*.x509.pem`` beside them, which C2PA wants, to the unit.
"""

from __future__ import annotations

import argparse
import time
from datetime import datetime, timezone
from pathlib import Path

from vidgen_nodes.cli.main import OK
from vidgen_nodes.custody.keys import ROOT_NAME, FileKey, KeyRing, certify_unit, default_folder, parse_public
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.x509 import ROOT_FILE, UNIT_FILE, certify_unit_x509, write_pem
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.summary import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("action", nargs="?", default="show", choices=("show", "certify"))
    parser.add_argument(
        "public", nargs="?", default="", help="certify: public key of the unit, 64 hex digits"
    )
    parser.add_argument("--keys", type=Path, help=f"folder of the keys (default: {default_folder()})")
    parser.add_argument("--unit-key", default="", help="pkcs11: URI of the unit key; default: a file")
    parser.add_argument(
        "--out",
        type=Path,
        help="certify: certificate to write; root.pub and the X.509 certificates are put beside it",
    )


def run(args: argparse.Namespace) -> int:
    """Show or certify."""
    folder = args.keys or default_folder()
    return _certify(args, folder) if args.action == "certify" else _show(args, folder)


def _show(args: argparse.Namespace, folder: Path) -> int:
    ring = KeyRing.open(folder, int(time.time()), args.unit_key)
    unit = ring.unit_certificate
    until = datetime.fromtimestamp(unit.not_after_s, timezone.utc).date().isoformat()
    content = {
        "folder": str(folder),
        "root": str(ring.root),
        "root_key_here": (folder / "root.key").exists(),
        "unit": unit.name,
        "unit_public": unit.public.hex(),
        "unit_valid_until": until,
    }
    if args.json:
        print(json_line(content))
        return OK
    print(f"root {ring.root}")
    print(f"unit {unit.name}, certified until {until}")
    if content["root_key_here"]:
        print(f"the root key lies in {folder}: move root.key to a safe place once the unit is certified")
    return OK


def _certify(args: argparse.Namespace, folder: Path) -> int:
    if not args.public or args.out is None:
        raise ConfigError("keys certify: expected the unit's public key and --out FILE")
    root = FileKey.load(folder / "root.key")
    public = parse_public(args.public)
    certificate = certify_unit(root, public, int(time.time()))
    verifier = VerifierKey(ROOT_NAME, NOTE, root.public)
    try:
        args.out.write_bytes(certificate.encode())
        args.out.with_name("root.pub").write_text(f"{verifier}\n", encoding="utf-8")
    except OSError as err:
        raise ConfigError(f"--out {args.out}: cannot be written: {err.strerror}") from err
    pems = certify_unit_x509(root, public, datetime.now(timezone.utc))
    for name, pem in zip((ROOT_FILE, UNIT_FILE), pems, strict=True):
        write_pem(args.out.with_name(name), pem)
    print(
        json_line({"unit": certificate.name, "out": str(args.out)})
        if args.json
        else f"{args.out}: unit {certificate.name}"
    )
    return OK
