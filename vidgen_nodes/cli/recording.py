# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Opens the recording of a command with the topics of its preset, and says what is missing in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from vidgen_nodes.cli.options import resolved
from vidgen_nodes.graph import preset_remaps
from vidgen_nodes.ros.replay import Recording, parse_remaps, read_recording


def opened(
    args: argparse.Namespace, command: str, usable: Callable[[Recording], Recording] = lambda found: found
) -> Recording:
    """The recording ``args.bag``.

    Args:
        args: parsed ``bag``, ``--remap``, ``--preset``, ``--config``, ``--set``.
        command: names itself on stderr.
        usable: what of it the command can use.

    Raises:
        BagError: it cannot be read, or lacks what nothing can do without.
        ConfigError: wrong parameters.
    """
    recording = usable(
        read_recording(
            args.bag,
            parse_remaps(args.remap),
            nav=resolved(args, {}).rtk,
            suggested={foreign: ours for ours, foreign in preset_remaps(args.preset)},
        )
    )
    for topic in recording.missing:
        print(
            f"vidgen {command}: {args.bag} holds no {topic}; overlays stay transparent without it",
            file=sys.stderr,
        )
    for why in recording.left_out.values():
        print(f"vidgen {command}: {why}", file=sys.stderr)
    return recording
