# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where persons may be in a thermal picture that leaves: warm bodies and detectors together, kept for a while.

Guarantees: what was found stays for the hold time after it was last found, by the stamps of the frames; a pure
function of the frames in their order. A detector that raises is an error here, not a picture without persons.
Leaves out who nobody finds: how many that are is measured by ``bench/persons.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import ByteArray, ThermalFrame
from vidgen_nodes.privacy.detector import Detector
from vidgen_nodes.privacy.mosaic import enlarged
from vidgen_nodes.privacy.resolution import scales_between
from vidgen_nodes.privacy.warm_bodies import warm_boxes

HOLD_NS: Final = 1_000_000_000
COARSEST_PX_PER_M, FINEST_PX_PER_M = 6.0, 160.0  # where the range is not known
_ROOM: Final = 1.5


@dataclass(frozen=True, slots=True)
class Found:
    """Persons of one frame."""

    parts: tuple[Rectangle, ...]  # with room around them; may overlap and reach over the border
    held: int  # of those, found in earlier frames only


class PersonFinder:
    """Looks at frames one after the other."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        polarity: str = "warm",
        scales_px_per_m: tuple[float, ...] | None = None,
        hold_ns: int = HOLD_NS,
    ) -> None:
        """Prepare.

        Args:
            detectors: see ``detector.load_detectors``.
            polarity: see ``warm_bodies``.
            scales_px_per_m: at which warm bodies are looked for; None: at every usual one.
            hold_ns: how long a person who is not found any more stays.
        """
        self._detectors = tuple(detectors)
        self._polarity = polarity
        self._scales = scales_px_per_m or every_scale()
        self._hold_ns = hold_ns
        self._seen: list[tuple[int, tuple[Rectangle, ...]]] = []

    @property
    def identity(self) -> str:
        """What looks, for records."""
        return "+".join(["warm_bodies", *(item.identity for item in self._detectors)])

    def find(self, frame: ThermalFrame) -> Found:
        """Persons of a frame, and those of the frames before that are held."""
        new = self._new(frame)
        self._seen = [
            (stamp_ns, parts)
            for stamp_ns, parts in self._seen
            if 0 <= frame.stamp_ns - stamp_ns <= self._hold_ns
        ]
        held = tuple(dict.fromkeys(part for _, parts in self._seen for part in parts if part not in new))
        self._seen.append((frame.stamp_ns, new))
        return Found((*new, *held), len(held))

    def _new(self, frame: ThermalFrame) -> tuple[Rectangle, ...]:
        found: list[Rectangle] = []
        for scale in self._scales:
            found += warm_boxes(frame, scale, self._polarity)
        grey = stretched(frame)
        for detector in self._detectors:
            found += [enlarged(part, _ROOM) for part in detector.find(grey)]
        return tuple(dict.fromkeys(found))


def every_scale() -> tuple[float, ...]:
    """Where nobody knows how near persons are."""
    middle = (COARSEST_PX_PER_M * FINEST_PX_PER_M) ** 0.5
    return (*scales_between(COARSEST_PX_PER_M, middle), *scales_between(middle, FINEST_PX_PER_M))


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
