# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.graph import Overrides, merge_overrides, parse_settings, resolve_params
from vidgen_nodes.params import NodeParams


def add_config(parser: argparse.ArgumentParser, *, preset: str = "") -> None:
    """``--preset``, ``--config`` and ``--set``."""
    shown = preset or "none"
    parser.add_argument("--preset", default=preset, help=f"config/presets/NAME.yaml (default: {shown})")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], help="parameter YAML; may be repeated"
    )
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NODE.PARAM=VALUE",
        help="one parameter",
    )


def add_run_dir(parser: argparse.ArgumentParser) -> None:
    """``--run-dir``."""
    parser.add_argument(
        "--run-dir", type=Path, help="where ledger, parameters and logs go (default: vidgen_out/COMMAND-TIME)"
    )


def add_remap(parser: argparse.ArgumentParser) -> None:
    """``--remap`` of recorded topics."""
    parser.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="/RECORDED:=OURS",
        help="which recorded topic is which input, e.g. /cam0/image:=thermal/image_raw",
    )


def resolved(args: argparse.Namespace, overrides: Overrides) -> NodeParams:
    """Parameters for a command: what the command needs wins over files, what the user sets wins over all.

    Raises:
        ConfigError: see ``graph.resolve_params``.
    """
    for path in args.config:
        if not path.is_file():
            raise ConfigError(f"--config {path}: no such file")
    return resolve_params(args.preset, args.config, merge_overrides(overrides, parse_settings(args.settings)))


def make_run_dir(args: argparse.Namespace) -> Path:
    """A new directory for this run.

    Raises:
        ConfigError: it cannot be made, or holds a ledger of another run.
    """
    path: Path = args.run_dir or _dated(args.command)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise ConfigError(f"--run-dir {path}: cannot be made: {err.strerror}") from err
    if (path / "ledger.db").exists():
        raise ConfigError(f"--run-dir {path}: holds the ledger of another run; give an empty directory")
    return path.resolve()


def make_empty(out: Path) -> None:
    """A directory for results; new or empty, so that nothing old stays among the new.

    Raises:
        ConfigError: it cannot be made, or holds something.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        used = any(out.iterdir())
    except OSError as err:
        raise ConfigError(f"--out {out}: cannot be used: {err.strerror}") from err
    if used:
        raise ConfigError(
            f"--out {out}: is not empty; give a new directory, so that nothing old stays among the new"
        )


def number_over(low: float) -> Callable[[str], float]:
    """An argparse type: a finite number above ``low``."""

    def number(text: str) -> float:
        value = float(text)
        if not low < value < float("inf"):
            raise argparse.ArgumentTypeError(f"got {text}, expected a number above {low:g}")
        return value

    return number


def _dated(command: str) -> Path:
    now = datetime.now(timezone.utc)
    return Path("vidgen_out") / f"{command}-{now:%Y%m%dT%H%M%S}-{now.microsecond // 1000:03d}Z"
