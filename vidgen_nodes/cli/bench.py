# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench``: finds the benchmarks of the checkout and runs one of them.

The benchmarks compare with other designs and are not installed with the package.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from types import ModuleType

import vidgen_nodes
from vidgen_nodes.errors import MissingPackageError

_CHECKOUT = Path(vidgen_nodes.__file__).resolve().parent.parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which benchmark; what follows is its own."""
    parser.add_argument("what", nargs="?", default="pipeline", help="which benchmark (default: pipeline)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of one run")


def run(args: argparse.Namespace) -> int:
    """Run ``bench/<what>.py``.

    Raises:
        MissingPackageError: there is no such benchmark here.
    """
    return int(_module(args.what).run(args))


def _module(what: str) -> ModuleType:
    names = sorted(
        p.stem for p in (_CHECKOUT / "bench").glob("*.py") if "def run(" in p.read_text(encoding="utf-8")
    )
    if what not in names:
        known = ", ".join(names) or "none here; run it from a checkout of the repository"
        raise MissingPackageError(f"benchmark {what!r}: not found; known: {known}")
    sys.path.insert(0, str(_CHECKOUT))
    return importlib.import_module(f"bench.{what}")
