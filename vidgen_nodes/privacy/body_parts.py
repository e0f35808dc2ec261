# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What of a picture becomes a mosaic because warm bodies are there, and how coarse that mosaic is.

A body of a person's size is one rectangle; a larger warm area (people beside each other, a warm roof) is covered by
small tiles along its shape, not by one rectangle around it. A cell of the mosaic is 0.4 m: wider than a head, and a
person is at most 8 cells high. Guarantees: every pixel that ``warm_bodies`` marks lies in a part. Leaves out at which
scales to look (``local_scale.py``), and the mosaic (``mosaic.py``).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import BoolArray, ThermalFrame
from vidgen_nodes.privacy.mosaic import MOST_CELLS
from vidgen_nodes.privacy.warm_bodies import warm_bodies

CELL_M: Final = 0.4
PERSON_M: Final = CELL_M * (MOST_CELLS - 1)  # somebody who lies, with room; crosses MOST_CELLS cells at most
_TILE_M: Final = 0.6


class Part(NamedTuple):
    """One rectangle of a picture to be made unrecognisable."""

    box: Rectangle  # left, top, right, bottom, the last two excluded; may reach over the border
    cell_px: int  # at least so coarse

    def moved(self, right_px: float, down_px: float) -> Part:
        """The same, elsewhere."""
        across, down = round(right_px), round(down_px)
        left, top, right, bottom = self.box
        return Part((left + across, top + down, right + across, bottom + down), self.cell_px)


def detected_part(box: Rectangle) -> Part:
    """What a detector found, as a mosaic of at most 8 x 8 cells."""
    return Part(box, max(1, math.ceil(max(box[2] - box[0], box[3] - box[1]) / (MOST_CELLS - 1))))


def body_parts(frame: ThermalFrame, px_per_m: float, polarity: str, places: Rectangle) -> list[Part]:
    """The parts around warm bodies of one scale.

    Args:
        frame: any encoding that ``thermal_node`` accepts.
        px_per_m: pixels to a metre where persons may be.
        polarity: see ``warm_bodies``.
        places: left, top, right, bottom of where to look.
    """
    found = warm_bodies(frame, px_per_m, polarity, places)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    cell_px = max(2, math.ceil(CELL_M * px_per_m))
    parts: list[Part] = []
    for label, (x, y, width, height, _) in enumerate(stats[1:count].tolist(), 1):
        boxes = [(x, y, x + width, y + height)]
        if max(width, height) > PERSON_M * px_per_m:
            tile_px = max(2, round(_TILE_M * px_per_m))
            boxes = _tiles(labels[y : y + height, x : x + width] == label, (x, y), tile_px)
        parts += [Part(_shifted(box, places), cell_px) for box in boxes]
    return parts


def _tiles(inside: BoolArray, corner: tuple[int, int], tile_px: int) -> list[Rectangle]:
    """Squares that cover a shape; neighbours in a row are one rectangle."""
    height, width = inside.shape
    boxes: list[Rectangle] = []
    for top in range(0, height, tile_px):
        bottom = min(height, top + tile_px)
        row: BoolArray = np.asarray(inside[top:bottom].any(axis=0))
        left = 0
        while left < width:
            right = min(width, left + tile_px)
            if row[left:right].any():
                boxes.append((corner[0] + left, corner[1] + top, corner[0] + right, corner[1] + bottom))
            left = right
    return _in_rows(boxes)


def _in_rows(boxes: list[Rectangle]) -> list[Rectangle]:
    joined: list[Rectangle] = []
    for box in boxes:
        last = joined[-1] if joined else None
        if last is not None and last[1] == box[1] and last[2] == box[0]:
            joined[-1] = (last[0], last[1], box[2], last[3])
        else:
            joined.append(box)
    return joined


def _shifted(box: Rectangle, places: Rectangle) -> Rectangle:
    left, top = places[:2]
    return (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
