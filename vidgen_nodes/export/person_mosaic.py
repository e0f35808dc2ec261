# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The anonymiser of exports: every person becomes a mosaic of at most 8 x 8 cells, as large as the range says.

Guarantees: a picture comes back only after everything that looks for persons has looked at exactly this frame, in
time; else an error, upon which ``safe_background`` mosaics the whole picture. One that hangs hangs nobody: what
was asked of it later is refused at once. The record names the picture that came of it by its hash. Leaves out
persons whom nothing finds; how many that are is measured (``bench/persons.py``), never "all".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Final

import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.errors import InputError
from vidgen_nodes.export.background import PrivacyRecord
from vidgen_nodes.packets import ByteArray, FloatArray, ThermalFrame
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.privacy.detector import load_detectors
from vidgen_nodes.privacy.mosaic import MOST_CELLS, coarsen
from vidgen_nodes.privacy.persons import Found, PersonFinder

METHOD: Final = "persons"
IN_TIME_S: Final = 1.8  # a frame; less than what safe_background waits for


class PersonMosaic:
    """Takes the frames of one clip in order."""

    def __init__(
        self,
        find: Callable[[ThermalFrame, FloatArray | None], Found],
        identity: str,
        in_time_s: float = IN_TIME_S,
    ) -> None:
        self._find = find
        self._identity = identity
        self._in_time_s = in_time_s
        self._looking: threading.Thread | None = None

    @classmethod
    def of(cls, params: GeneratorParams) -> PersonMosaic:
        """As the policy of a run asks for it.

        Raises:
            MissingPackageError: a detector that should be here is not: nothing but whole mosaics may leave.
        """
        finder = PersonFinder(load_detectors(), params.person_polarity)
        return cls(finder.find, finder.identity)

    def anonymise(
        self, thermal: ThermalFrame, rgb: ByteArray, local_px_per_m: FloatArray | None = None
    ) -> tuple[ByteArray, PrivacyRecord]:
        """Mosaic the persons of one picture. See ``background.Anonymiser``.

        Raises:
            InputError: ``detector_late``.
        """
        found = self._found_in_time(thermal, local_px_per_m)
        height, width = rgb.shape[:2]
        parts = [
            ((max(0, a), max(0, b), min(width, c), min(height, d)), cell_px)
            for (a, b, c, d), cell_px in found.parts
            if min(width, c) > max(0, a) and min(height, d) > max(0, b)
        ]
        picture = np.array(rgb, np.uint8)
        coarsen(picture, parts)
        extra = {
            "held": found.held,
            "cells": MOST_CELLS,
            "px_per_m": _range_of(local_px_per_m),
            "share": round(_share(parts, height, width), 4),
            "stamp_ns": thermal.stamp_ns,
            "background_sha256": hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest(),
        }
        regions = tuple(dict.fromkeys(box for box, _ in parts))
        return picture, PrivacyRecord(METHOD, self._identity, regions, extra=extra)

    def _found_in_time(self, thermal: ThermalFrame, local_px_per_m: FloatArray | None) -> Found:
        if self._looking is not None and self._looking.is_alive():
            raise InputError("detector_late", "the detectors are still at an earlier frame")
        answer: list[Found | Exception] = []

        def look() -> None:
            try:
                answer.append(self._find(thermal, local_px_per_m))
            except Exception as err:  # noqa: BLE001  # raised again below, on the thread that asked
                answer.append(err)

        # A thread of its own each time, and none that the end of the program would wait for.
        self._looking = threading.Thread(target=look, name="persons", daemon=True)
        self._looking.start()
        self._looking.join(self._in_time_s)
        if not answer:
            raise InputError(
                "detector_late", f"the detectors took more than {self._in_time_s:g} s for the frame"
            )
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]


def _range_of(local_px_per_m: FloatArray | None) -> list[float] | None:
    """Coarsest and finest resolution on persons that the recording gave; None: it gave none somewhere."""
    if local_px_per_m is None or not np.isfinite(local_px_per_m).all():
        return None
    return [round(float(local_px_per_m.min()), 1), round(float(local_px_per_m.max()), 1)]


def _share(parts: list[tuple[Rectangle, int]], height: int, width: int) -> float:
    """Of the picture that became a mosaic."""
    mask = np.zeros((height, width), np.bool_)
    for (left, top, right, bottom), _ in parts:
        mask[top:bottom, left:right] = True
    return float(mask.mean())
