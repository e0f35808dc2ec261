# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The anonymiser of exports: every person becomes a mosaic of at most 8 x 8 cells.

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

from vidgen_nodes.errors import InputError
from vidgen_nodes.export.background import PrivacyRecord
from vidgen_nodes.packets import ByteArray, ThermalFrame
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.privacy.detector import load_detectors
from vidgen_nodes.privacy.mosaic import MOST_CELLS, joined, mosaic
from vidgen_nodes.privacy.persons import Found, PersonFinder

METHOD: Final = "persons"
IN_TIME_S: Final = 1.8  # a frame; less than what safe_background waits for


class PersonMosaic:
    """Takes the frames of one clip in order."""

    def __init__(
        self, find: Callable[[ThermalFrame], Found], identity: str, in_time_s: float = IN_TIME_S
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

    def anonymise(self, thermal: ThermalFrame, rgb: ByteArray) -> tuple[ByteArray, PrivacyRecord]:
        """Mosaic the persons of one picture. See ``background.Anonymiser``.

        Raises:
            InputError: ``detector_late``.
        """
        found = self._found_in_time(thermal)
        height, width = rgb.shape[:2]
        parts = joined(
            (max(0, a), max(0, b), min(width, c), min(height, d))
            for a, b, c, d in found.parts
            if min(width, c) > max(0, a) and min(height, d) > max(0, b)
        )
        picture = np.array(rgb, np.uint8)
        mosaic(picture, parts)
        digest = hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest()
        extra = {
            "held": found.held,
            "cells": MOST_CELLS,
            "stamp_ns": thermal.stamp_ns,
            "background_sha256": digest,
        }
        return picture, PrivacyRecord(METHOD, self._identity, tuple(parts), extra=extra)

    def _found_in_time(self, thermal: ThermalFrame) -> Found:
        if self._looking is not None and self._looking.is_alive():
            raise InputError("detector_late", "the detectors are still at an earlier frame")
        answer: list[Found | Exception] = []

        def look() -> None:
            try:
                answer.append(self._find(thermal))
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
