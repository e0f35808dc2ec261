# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen rules``: says that failure grammars are not in this version."""

from __future__ import annotations

import argparse
from pathlib import Path

from vidgen_nodes.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command will take."""
    parser.add_argument("file", type=Path, help="failure grammar")


def run(args: argparse.Namespace) -> int:
    """Refuse.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        f"{args.file}: failure grammars are not in this version, so nothing was checked. "
        "Fixed timelines are: see config/scenarios/ and the parameter generator.scenario_file"
    )
