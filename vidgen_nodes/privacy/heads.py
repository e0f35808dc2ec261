# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Heads that are resolved finely enough to recognise somebody, in live views.

A head counts from ``px_per_m`` on: 125 px/m is "recognise" of EN 62676-4, half of "identify" (250; both from
memory). A person may stand before the wall that was measured, so the range of the wall does not tell: a head is
known by its own size in pixels, at every scale from there on, unless the operator says that nobody is so near.
Guarantees: the person stays visible. Leaves out heads as warm as what is behind them, and faces in visible light;
takes other warm things of a head's size for heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.packets import ByteArray, ThermalFrame
from vidgen_nodes.privacy.mosaic import enlarged, mosaic
from vidgen_nodes.privacy.warm_bodies import HEAD, warm_boxes

HEAD_PX_PER_M: Final = 125.0
_OCTAVE: Final = 2.0  # from scale to scale; each finds heads from 0.7 to 1.4 times its own
_HEAD_M: Final = 0.2
_ROOM: Final = 1.5  # hair, ears and chin are colder than the face


@dataclass(frozen=True, slots=True)
class HeadPolicy:
    """When a head counts."""

    px_per_m: float = HEAD_PX_PER_M  # from this resolution on
    nearest_m: float = 0.0  # nobody is nearer to the camera; 0: not known

    def asks(self, frame: ThermalFrame) -> bool:
        """Whether a head in the frame may be so large."""
        if self.nearest_m <= 0.0 or frame.calibration is None:
            return True
        return float(frame.calibration.matrix_px[:2, :2].max()) / self.nearest_m >= self.px_per_m


EVERY_HEAD: Final = HeadPolicy()


def hide_heads(rgb: ByteArray, frame: ThermalFrame, policy: HeadPolicy) -> int:
    """Turn recognisable heads of a picture into mosaics, in place; returns how many.

    Args:
        rgb: (H, W, 3) what is shown of the frame.
        frame: the frame.
        policy: which heads count.
    """
    if not policy.asks(frame):
        return 0
    heads = find_heads(frame, policy.px_per_m)
    mosaic(rgb, [enlarged(head, _ROOM) for head in heads])
    return len(heads)


def find_heads(frame: ThermalFrame, px_per_m: float = HEAD_PX_PER_M) -> tuple[Rectangle, ...]:
    """Rectangles around the heads that count, as far as they are in the picture."""
    # Where no temperature is known, nobody knows either whether white is hot.
    polarity = "warm" if frame.radiometric else "both"
    found: list[Rectangle] = []
    scale = px_per_m
    while scale * _HEAD_M <= min(frame.pixels.shape[:2]):
        found += warm_boxes(frame, scale, polarity, HEAD)
        scale *= _OCTAVE
    return tuple(found)
