# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one way loops are compiled here: by numba, kept on disk from the first use on a machine.

Guarantees: no threads and no reordered arithmetic, so the same input gives the same bytes. Importing it
takes most of a second, so only what needs a compiled loop imports it, and late.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numba

_F = TypeVar("_F")


def compiled(function: _F) -> _F:
    """A function of numbers and arrays, compiled on its first call."""
    made: Any = numba.njit(cache=True, error_model="numpy")(function)
    return made  # type: ignore[no-any-return]
