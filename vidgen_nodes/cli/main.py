# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``vidgen``: parses, runs one command, turns its errors into an exit status.

Exit status: 0 it worked; 1 it ran and the result is bad; 2 the request was wrong. Results go to stdout,
everything else to stderr; with ``--json`` the last line of stdout is the result for machines.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Any

import vidgen_nodes
from vidgen_nodes.errors import BagError, ConfigError, InputError, MissingPackageError, VidgenError
from vidgen_nodes.ros.transport import use_one_thread
from vidgen_nodes.summary import json_line

OK = 0
BAD_RESULT = 1
WRONG_REQUEST = 2

# Command: one line of help. Each is a module of this package with add_arguments(parser) and run(args).
COMMANDS = {
    "demo": "the whole graph on the built-in simulated flight, then a summary",
    "up": "the graph as supervised processes, until Ctrl-C",
    "replay": "the live graph fed from a recording",
    "render": "the same pipeline offline: frames, ledger, video",
    "verify": "check a ledger; with its recording, derive the frames again",
    "explain": "which cells, elements, rule and numbers put a pixel there",
    "scene": "pictures of fire on a wall, debris on a roof, smoke in a room: thermal and visible",
    "proof": "make the proof of one record, or check one with the public root key alone",
    "export": "a clip of reviewed frames, labelled and signed; or check one",
    "tag": "read the records that the pictures of a file name",
    "attest": "state that a frame's obstacles keep to the constraint, and open the cells; or check it",
    "review": "validate a scenario, or judge recorded frames",
    "custody": "sign, export, check or prune a ledger",
    "keys": "show the public keys of this unit; certify a unit",
    "witness": "cosign tree heads of other hosts, until Ctrl-C",
    "rules": "check a failure grammar (not in this version)",
    "doctor": "what is missing or misconfigured, and how to fix it",
    "bench": "measure",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    use_one_thread()
    args = _parser(sys.argv[1:] if arguments is None else arguments).parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        stream=sys.stderr,
        format="%(levelname)s: %(message)s",
    )
    logging.captureWarnings(True)
    try:
        return int(args.run(args))
    except VidgenError as err:
        return _refused(args, err)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return BAD_RESULT
    except BrokenPipeError:  # the reader of our output has gone, e.g. `vidgen ... | head`
        sys.stderr.close()
        return BAD_RESULT


def _refused(args: argparse.Namespace, err: VidgenError) -> int:
    wrong = isinstance(err, (ConfigError, BagError, InputError, MissingPackageError))
    status = WRONG_REQUEST if wrong else BAD_RESULT
    print(f"vidgen {args.command}: {err}", file=sys.stderr)
    if args.json:
        print(json_line({"error": str(err), "kind": type(err).__name__, "exit": status}), flush=True)
    return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vidgen", description=vidgen_nodes.__doc__)
    parser.add_argument("--version", action="version", version=f"vidgen {vidgen_nodes.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = next((word for word in arguments if not word.startswith("-")), "")
    for name, text in COMMANDS.items():
        sub: Any = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print one machine-readable line at the end")
        sub.add_argument("--verbose", action="store_true", help="say more on stderr")
        if name == asked:  # the others may need packages that this machine lacks
            module = importlib.import_module(f"vidgen_nodes.cli.{name}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser
