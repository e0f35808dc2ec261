# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen explain LEDGER FRAME X Y``: what put a pixel there, told from the ledger alone.

Names the cells, the elements of the building, the rule that opened the gate and the numbers that drew the fire; or
says why nothing is drawn. With the picture beside the ledger, it also says what the pixel holds; with the files of
another engine at hand, what that engine computed along the ray.
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
    parser.add_argument(
        "--fields",
        type=Path,
        default=Path(),
        help="folder from which the scenario named its imported files (default: here, then beside the ledger)",
    )


def run(args: argparse.Namespace) -> int:
    """Explain one pixel; 0 whether or not anything is drawn there."""
    ledger = args.ledger / "ledger.db" if args.ledger.is_dir() else args.ledger
    if not ledger.is_file():
        raise ConfigError(f"{ledger}: no such ledger; give the ledger.db of a run")
    with LedgerReader(ledger) as reader:
        index, leaf = find_frame(reader, args.frame)
        folders = tuple(dict.fromkeys((args.fields, ledger.parent)))
        told = explain_pixel(reader, index, leaf, args.x, args.y, folders)
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
    yield from (f"note: {note}" for note in told.notes)
    shown: list[object] = []
    for element in told.elements:
        yield ""
        yield from _element(element, shown)
    if told.columns:
        yield ""
        yield "the gate let it be drawn there; open columns on the ray, from the nearest:"
    for column in told.columns:
        where: Any = column["cell"]
        yield (
            f"  cell ({where[0]},{where[1]}) {column['floor_m']:.2f} to {column['ceiling_m']:.2f} m, "
            f"{column['from_m']:.2f} to {column['to_m']:.2f} m away: {column['why']}"
        )
    if told.parameters:
        yield "  by parameters " + ", ".join(f"{name} {value}" for name, value in told.parameters.items())
    if told.surface is not None:
        surface = told.surface
        yield f"the ray ends at {surface['element']}, {surface['distance_m']:.2f} m away: {surface.get('bim', '')}"
    yield ""
    for ref in told.physics:
        yield (
            f"physics of {ref['element']}: {ref['source']} (version {ref['version']}, seed {ref['seed']}), "
            f"parameters {ref['parameters_sha256']}"
        )
    for name, digest in told.records.items():
        yield f"record {name}: {digest}"


def _element(element: Mapping[str, Any], shown: list[object]) -> Iterator[str]:
    """One element; numbers that an earlier one in ``shown`` has are not repeated."""
    yield f"{element['kind']} of {element['name']}, {element['distance_m']:.2f} m away" + (
        f", lit by {element['ignition']}" if element["ignition"] else ""
    )
    if element["why"]:
        yield f"  why: {element['why']}"
    for cell in element["cells"]:
        yield f"  {_of_cell(cell)}"
    if element["state"] in shown:
        yield "  numbers: as above"
        return
    shown.append(element["state"])
    by_source: dict[str, list[str]] = {}
    for name, value, unit, source in _numbers(element["state"]):
        written = f"{value:.6g}" if isinstance(value, float) else str(value)
        by_source.setdefault(source, []).append(f"{name} {written} {unit if unit != '1' else ''}".rstrip())
    for source, numbers in by_source.items():
        yield f"  {source or 'recorded'}: {', '.join(numbers)}"


def _of_cell(cell: Mapping[str, Any]) -> str:
    if "release_s" in cell:
        return _release(cell)
    return _piece(cell) if "position_m" in cell else _known(cell)


def _known(cell: Mapping[str, Any]) -> str:
    row, column = cell["cell"]
    return (
        f"over cell ({row},{column}), which the LiDAR knows: U={cell['uncertainty']:.2f} by "
        f"n={cell['observations']} returns, the newest {cell['age_ms']:.0f} ms old"
    )


def _piece(cell: Mapping[str, Any]) -> str:
    east, north, up = cell["position_m"]
    return (
        f"piece at ({east:.2f}, {north:.2f}, {up:.2f}) m, {cell['off_the_ray_m']:.2f} m off the ray, "
        f"burns since {cell['arrival_s_of_fire']:.1f} s of fire: {cell['bim']}"
    )


def _release(cell: Mapping[str, Any]) -> str:
    row, column = cell["cell"]
    pieces = "1 piece" if cell["pieces"] == 1 else f"{cell['pieces']} pieces"
    when = f"{cell['release_s']:.1f} s after" if cell["release_s"] >= 0.0 else "before"
    where = f", {cell['cells_away_m']:.1f} m beside it" if cell["cells_away_m"] else ""
    return (
        f"{pieces} came loose over cell ({row},{column}){where}, {when} the scenario's start: "
        f"U={cell['uncertainty']:.2f} there by n={cell['observations']} returns"
    )


def _numbers(state: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any, str, str]]:
    """Name, value, unit and source of every number of a record; groups within it are part of the name."""
    for name, item in state.items():
        if isinstance(item, Mapping):
            yield from _numbers(item, f"{within}{name}.")
        elif isinstance(item, (list, tuple)) and len(item) == 3 and item[0] not in ("", None):
            value, unit, source = item
            if isinstance(value, list):
                if any(isinstance(part, list) for part in value):
                    continue  # a table; the record has it
                value = f"({', '.join(f'{part:.6g}' if isinstance(part, float) else str(part) for part in value)})"
            yield f"{within}{name}", value, str(unit), str(source)


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
