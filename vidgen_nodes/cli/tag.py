# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen tag read``: which records the pictures of a file belong to, read off their pixels.

Exit status: 0 every picture says; 1 one does not; 2 there is no such file. A tag is a pointer: ``vidgen proof`` and
``vidgen export verify`` tell whether to believe it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vidgen_nodes.cli.main import BAD_RESULT, OK
from vidgen_nodes.delivery.tag_strip import read_strip
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.export.check import pictures_of
from vidgen_nodes.summary import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("action", choices=("read",))
    parser.add_argument("path", type=Path, help="a picture (PNG, JPEG) or a video")


def run(args: argparse.Namespace) -> int:
    """Read; one line a picture."""
    if not args.path.is_file():
        raise ConfigError(f"{args.path}: no such file")
    found = [read_strip(picture) for picture in pictures_of(args.path)]
    rows = [
        None
        if tag is None
        else {"leaf": tag.leaf_index, "tree_size": tag.tree_size, "hash": tag.prefix.hex()}
        for tag in found
    ]
    read = sum(1 for row in rows if row is not None)
    if args.json:
        print(json_line({"pictures": len(rows), "read": read, "tags": rows}))
        return OK if read == len(rows) else BAD_RESULT
    for number, row in enumerate(rows):
        said = "no tag" if row is None else f"leaf {row['leaf']} of {row['tree_size']}, hash {row['hash']}..."
        print(f"picture {number}: {said}")
    return OK if read == len(rows) else BAD_RESULT
