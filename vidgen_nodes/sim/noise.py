# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers that depend on (seed, stream, index) and on nothing else.

Guarantees: the same three give the same numbers, in any order of calls and on every machine with
the same NumPy. Leaves out: anything statistical; the users of the numbers say what they mean.
"""

from __future__ import annotations

from typing import Final

import numpy as np

# The position is part of the key: append, never reorder, or old seeds give other flights.
_STREAMS: Final = (
    "thermal",
    "camera_info",
    "imu",
    "fix",
    "scan",
    "thermal_bank",
    "thermal_pattern",
    "scan_bank",
    "texture",
    "damage",
    "drift",
    "jitter",
    "drop",
    "reorder",
)
_INDEX_BITS: Final = 48


def draw(seed: int, stream: str, index: int = 0) -> np.random.Generator:
    """A generator of its own for one sample.

    Args:
        seed: seed of the flight, >= 0.
        stream: one of the names above.
        index: number of the sample in its stream, >= 0.

    Raises:
        ValueError: unknown stream.
    """
    word = (_STREAMS.index(stream) << _INDEX_BITS) | (index & ((1 << _INDEX_BITS) - 1))
    return np.random.Generator(np.random.Philox(key=np.array([seed & (2**64 - 1), word], dtype=np.uint64)))


class Numbers:
    """The generators of :func:`draw` for one stream, at a tenth of their cost: one is set anew for each sample."""

    def __init__(self, seed: int, stream: str) -> None:
        """As :func:`draw`."""
        self._generator = draw(seed, stream)
        self._state = self._generator.bit_generator.state
        self._first = int(self._state["state"]["key"][1])

    def at(self, index: int) -> np.random.Generator:
        """What ``draw`` gives for a sample; good until the next call."""
        self._state["state"]["key"][1] = self._first | (index & ((1 << _INDEX_BITS) - 1))
        self._generator.bit_generator.state = self._state
        return self._generator
