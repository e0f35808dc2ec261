# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far a node is with reading its building, as lines of its log.

Guarantees: a line every few seconds at most, with the share done, and none for what is read at once. Leaves out
bars (``cli.loading``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 5.0


class LoggedProgress:
    """Told the share done and what is being done, as ``scene.building.load_building`` does.

    Args:
        log: takes one line.
        name: of what is read.
        clock: seconds, ascending.
    """

    def __init__(
        self, log: Callable[[str], object], name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log, self._name, self._clock = log, name, clock
        self._last_s = clock()
        self._has_told = False

    def __call__(self, share: float, what: str) -> None:
        """Say it, if it is time to, or at the end of what was spoken of."""
        now_s = self._clock()
        if now_s - self._last_s < EVERY_S and not (share >= 1.0 and self._has_told):
            return
        self._last_s, self._has_told = now_s, share < 1.0
        self._log(f"reading {self._name}: {share:.0%}, {what}")
