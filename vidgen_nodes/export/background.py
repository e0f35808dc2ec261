# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of the camera's picture under an overlay in a file that leaves.

Guarantees (fail closed): where there is no anonymiser, or it raises, is late or gives back another picture, the whole
background becomes a mosaic, and the record of the frame says why; overlay and label are drawn afterwards and stay.
Leaves out finding persons: that is the anonymiser's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np

from vidgen_nodes.packets import ByteArray, FloatArray, ThermalFrame

MOSAIC_CELLS = 20  # across the width: a person who fills the picture is a dozen cells high
LATE_S = 2.0


@dataclass(frozen=True)
class PrivacyRecord:
    """What was done to one background."""

    method: str  # whole_mosaic | regions | ... as the anonymiser names it
    detector: str = ""  # name and version, or hash of its weights
    regions_px: tuple[tuple[int, int, int, int], ...] = ()  # left, top, right, bottom of what was mosaicked
    fallback: str = ""  # why the whole background was mosaicked; empty: it was not
    extra: dict[str, Any] = field(default_factory=dict)  # plain JSON values

    def as_json(self) -> dict[str, Any]:
        """Plain values, for statements."""
        listed = [list(region) for region in self.regions_px]
        said = {
            "method": self.method,
            "detector": self.detector,
            "regions_px": listed,
            "fallback": self.fallback,
        }
        return {**self.extra, **said}


class Anonymiser(Protocol):
    """Makes persons unrecognisable in a picture that leaves."""

    def anonymise(
        self, thermal: ThermalFrame, rgb: ByteArray, local_px_per_m: FloatArray | None = None
    ) -> tuple[ByteArray, PrivacyRecord]:
        """Change one picture.

        Args:
            thermal: the frame, for detectors that want its counts.
            rgb: (H, W, 3) what will be shown of it; not to be written to.
            local_px_per_m: how large persons are where (``privacy/local_scale.py``); None: nobody knows.

        Returns:
            A picture of the same size, and what was done.
        """


def safe_background(
    anonymiser: Anonymiser | None,
    thermal: ThermalFrame,
    rgb: ByteArray,
    clock_s: Callable[[], float] = time.monotonic,
    local_px_per_m: FloatArray | None = None,
) -> tuple[ByteArray, PrivacyRecord]:
    """The background that may leave.

    Args:
        anonymiser: None: there is none.
        thermal: the frame.
        rgb: (H, W, 3) what would be shown of it.
        clock_s: to tell whether the anonymiser is late.
        local_px_per_m: how large persons are where; None: nobody knows.
    """
    if anonymiser is None:
        return mosaic(rgb), PrivacyRecord("whole_mosaic", fallback="no anonymiser is installed")
    started_s = clock_s()
    try:
        made, record = anonymiser.anonymise(thermal, rgb, local_px_per_m)
    except Exception as err:  # noqa: BLE001  # whatever is wrong with it, no face may leave
        return mosaic(rgb), PrivacyRecord(
            "whole_mosaic", fallback=f"anonymiser failed: {type(err).__name__}: {err}"
        )
    if clock_s() - started_s > LATE_S:
        return mosaic(rgb), PrivacyRecord("whole_mosaic", record.detector, fallback="anonymiser was late")
    if made.shape != rgb.shape or made.dtype != np.uint8:
        return mosaic(rgb), PrivacyRecord(
            "whole_mosaic", record.detector, fallback="anonymiser gave no such picture"
        )
    return made, record


def mosaic(rgb: ByteArray, cells: int = MOSAIC_CELLS) -> ByteArray:
    """The picture as squares of one colour each, newly allocated.

    Args:
        rgb: (H, W, 3).
        cells: squares across the width.
    """
    height, width = rgb.shape[:2]
    coarse = (min(cells, width), max(1, round(min(cells, width) * height / width)))
    small = cv2.resize(rgb, coarse, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
