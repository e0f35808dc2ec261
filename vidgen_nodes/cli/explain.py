# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen explain LEDGER FRAME X Y``: what put a pixel there, told from the ledger alone.

Names the cells, the elements of the building, the rule that opened the gate and the numbers that drew the fire; or
says why nothing is drawn. With the picture beside the ledger, it also says what the pixel holds.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vidgen_nodes.custody.explanation import Explanation, explain_pixel, find_frame
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.summary import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("ledger", type=Path, help="ledger.db, or the directory of a run")
    parser.add_argument("frame", help="leaf index, seq:NUMBER, or the stamp in nanoseconds")
    parser.add_argument("x", type=float, help="column of the pixel, from the left")
    parser.add_argument("y", type=float, help="row of the pixel, from the top")


def run(args: argparse.Namespace) -> int:
    """Explain one pixel; 0 whether or not anything is drawn there."""
    ledger = args.ledger / "ledger.db" if args.ledger.is_dir() else args.ledger
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: no such ledger; give the ledger.db of a run")
    with LedgerReader(ledger) as reader:
        index, leaf = find_frame(reader, args.frame)
        told = explain_pixel(reader, index, leaf, args.x, args.y)
    alpha = _alpha(ledger.parent / "frames" / f"{told.stamp_ns}.png", told)
    if args.json:
        print(json_line({**dataclasses.asdict(told), "alpha": alpha}))
    else:
        print("\n".join(_lines(told, alpha)))
    return 0


def _lines(told: Explanation, alpha: int | None) -> Iterator[str]:
    x, y = told.pixel
    yield f"leaf {told.leaf_index}, frame {told.seq}, stamp {told.stamp_ns} ns, pixel ({x:g}, {y:g})"
    yield told.why
    if alpha is not None:
        yield f"in the picture beside the ledger: {f'drawn, alpha {alpha} of 255' if alpha else 'transparent'}"
    for element in told.elements:
        yield from _element(element)
    if told.columns:
        yield "open columns on the ray, from the nearest:"
    for column in told.columns:
        where: Any = column["cell"]
        yield (
            f"  cell ({where[0]},{where[1]}) {column['floor_m']:.2f} to {column['ceiling_m']:.2f} m, "
            f"{column['from_m']:.2f} to {column['to_m']:.2f} m away: {column['why']}"
        )
    if told.surface is not None:
        surface = told.surface
        yield f"the ray ends at {surface['element']}, {surface['distance_m']:.2f} m away: {surface.get('bim', '')}"
    for ref in told.physics:
        yield (
            f"physics of {ref['element']}: {ref['source']} (version {ref['version']}, seed {ref['seed']}), "
            f"parameters {ref['parameters_sha256']}"
        )
    if told.parameters:
        yield "gate: " + ", ".join(f"{name} {value}" for name, value in told.parameters.items())
    for name, digest in told.records.items():
        yield f"record {name}: {digest}"


def _element(element: Mapping[str, Any]) -> Iterator[str]:
    yield f"{element['kind']} of {element['name']}, {element['distance_m']:.2f} m away" + (
        f", lit by {element['ignition']}" if element["ignition"] else ""
    )
    for cell in element["cells"]:
        east, north, up = cell["position_m"]
        yield (
            f"  piece at ({east:.2f}, {north:.2f}, {up:.2f}) m, {cell['off_the_ray_m']:.2f} m off the ray, "
            f"burns since {cell['arrival_s_of_fire']:.1f} s of fire: {cell['bim']}"
        )
    for name, item in element["state"].items():
        if isinstance(item, list) and len(item) == 3 and isinstance(item[0], (int, float, str)):
            yield f"  {name}: {item[0]} {item[1]} ({item[2]})".rstrip()


def _alpha(path: Path, told: Explanation) -> int | None:
    """Alpha of the pixel in the picture that ``vidgen render`` left beside the ledger; None: there is none."""
    if not path.is_file():
        return None
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    x, y = round(told.pixel[0]), round(told.pixel[1])
    if (
        picture is None
        or picture.ndim != 3
        or picture.shape[2] != 4
        or y >= picture.shape[0]
        or x >= picture.shape[1]
    ):
        return None
    return int(picture[y, x, 3])
