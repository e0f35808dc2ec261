# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where persons may be in a thermal picture that leaves: warm bodies and detectors together, kept for a while.

Guarantees: what was found stays for the hold time after it was last found, by the stamps of the frames, and moves
with the picture as long as that can be followed; a pure function of the frames in their order. A detector that raises
is an error here, not a picture without persons. Leaves out who nobody finds: how many that are is measured by
``bench/persons.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vidgen_nodes.packets import BoolArray, ByteArray, FloatArray, ThermalFrame
from vidgen_nodes.privacy.body_parts import Part, body_parts, detected_part
from vidgen_nodes.privacy.detector import Detector
from vidgen_nodes.privacy.local_scale import searches
from vidgen_nodes.privacy.mosaic import enlarged
from vidgen_nodes.sync.image_shift import Template, reduced, shift_between, template

HOLD_NS: Final = 1_000_000_000
_ROOM: Final = 1.5  # around what a detector found
_ASTRAY: Final = (
    1.2  # room around what was found earlier: near things move farther than the picture as a whole
)
_COVERED: Final = 0.9  # share of a part; so much of an earlier one under new ones: it was found again


@dataclass(frozen=True, slots=True)
class Found:
    """Persons of one frame."""

    parts: tuple[Part, ...]  # with room around them; may overlap and reach over the border
    held: int  # of those, found in earlier frames only


@dataclass(slots=True)
class _Earlier:
    stamp_ns: int
    parts: tuple[Part, ...]
    right_px: float = 0.0  # how far the picture moved since
    down_px: float = 0.0


class PersonFinder:
    """Looks at frames one after the other."""

    def __init__(self, detectors: Sequence[Detector], polarity: str = "warm", hold_ns: int = HOLD_NS) -> None:
        """Prepare.

        Args:
            detectors: see ``detector.load_detectors``.
            polarity: see ``warm_bodies``.
            hold_ns: how long a person who is not found any more stays.
        """
        self._detectors = tuple(detectors)
        self._polarity = polarity
        self._hold_ns = hold_ns
        self._seen: list[_Earlier] = []
        self._before: Template | None = None

    @property
    def identity(self) -> str:
        """What looks, for records."""
        return "+".join(["warm_bodies", *(item.identity for item in self._detectors)])

    def find(self, frame: ThermalFrame, local_px_per_m: FloatArray | None = None) -> Found:
        """Persons of a frame, and those of the frames before that are held.

        Args:
            frame: the next one.
            local_px_per_m: how large persons are where (``local_scale.py``); None: nobody knows.
        """
        new = self._new(frame, local_px_per_m)
        self._seen = [item for item in self._seen if 0 <= frame.stamp_ns - item.stamp_ns <= self._hold_ns]
        self._follow(frame)
        covered = _covered(new, frame)
        held: list[Part] = []
        for item in reversed(self._seen):
            for part in item.parts:
                moved = part.moved(item.right_px, item.down_px)
                if not _is_covered(moved, covered):
                    grown = Part(enlarged(moved.box, _ASTRAY), moved.cell_px)
                    _cover(covered, grown)
                    held.append(grown)
        self._seen.append(_Earlier(frame.stamp_ns, new))
        return Found((*new, *held), len(held))

    def _new(self, frame: ThermalFrame, local: FloatArray | None) -> tuple[Part, ...]:
        height, width = frame.pixels.shape[:2]
        found: list[Part] = []
        for scale, places in searches(local, width, height):
            found += body_parts(frame, scale, self._polarity, places)
        grey = stretched(frame)
        for detector in self._detectors:
            found += [detected_part(enlarged(box, _ROOM)) for box in detector.find(grey)]
        return tuple(dict.fromkeys(found))

    def _follow(self, frame: ThermalFrame) -> None:
        """Move what was found earlier with the picture; where it cannot be followed it stays in its place."""
        picture = reduced(frame.pixels)
        moved = None if self._before is None or picture is None else shift_between(self._before, picture)
        self._before = None if picture is None else template(picture)
        if moved is not None:
            height, width = frame.pixels.shape[:2]
            for item in self._seen:
                item.right_px += moved[0] * width
                item.down_px += moved[1] * height


def _covered(parts: Iterable[Part], frame: ThermalFrame) -> BoolArray:
    mask = np.zeros(frame.pixels.shape[:2], np.bool_)
    for part in parts:
        _cover(mask, part)
    return mask


def _cover(mask: BoolArray, part: Part) -> None:
    _inside(mask, part)[...] = True


def _is_covered(part: Part, mask: BoolArray) -> bool:
    inside = _inside(mask, part)
    return not inside.size or float(np.count_nonzero(inside)) >= _COVERED * inside.size


def _inside(mask: BoolArray, part: Part) -> BoolArray:
    left, top, right, bottom = (max(0, edge) for edge in part.box)
    return mask[top:bottom, left:right]


def stretched(frame: ThermalFrame) -> ByteArray:
    """(H, W) grey levels for detectors made for ordinary pictures."""
    pixels: Any = frame.pixels
    if pixels.ndim == 3:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    values = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = np.quantile(values[::8, ::8], (0.01, 0.99))
    return np.asarray(((values - low) * (255.0 / max(high - low, 1e-6))).clip(0.0, 255.0), np.uint8)
