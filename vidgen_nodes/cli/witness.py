# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen witness``: cosigns tree heads that extend what it saw before, until Ctrl-C.

Run it on another host than the unit, by other people; that is all its worth. Needs no ROS.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from vidgen_nodes.cli.main import OK
from vidgen_nodes.custody.keys import parse_public
from vidgen_nodes.custody.witness import Witness
from vidgen_nodes.custody.witness_server import WitnessServer
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.summary import json_line

PORT = 8437


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "--state", type=Path, required=True, help="folder for its key and memory; made on first use"
    )
    parser.add_argument(
        "--root",
        action="append",
        required=True,
        metavar="KEY",
        help="public root key whose units it watches; may be repeated",
    )
    parser.add_argument("--name", default="witness.local/w1", help="under which it signs")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: all")
    parser.add_argument("--port", type=int, default=PORT, help=f"port (default: {PORT}; 0: any)")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if not args.name or any(character in args.name for character in "+ \t\n"):
        raise ConfigError(f"--name {args.name!r}: expected a name without spaces and plus signs")
    roots = [parse_public(key) for key in args.root]
    witness = Witness(args.state, args.name, roots)
    try:
        server = WitnessServer((args.host, args.port), witness)
    except (OSError, OverflowError) as err:
        witness.close()
        raise ConfigError(f"--host {args.host} --port {args.port}: cannot listen there: {err}") from err
    host, port = server.server_address[:2]
    where = f"http://{host.decode() if isinstance(host, bytes) else host}:{port}"
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    content = {"url": where, "key": str(witness.verifier)}
    print(json_line(content) if args.json else f"{where} {witness.verifier}", flush=True)
    print("set custody.witnesses of the unit to the line above; Ctrl-C ends the witness", file=sys.stderr)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        witness.close()
    return OK
