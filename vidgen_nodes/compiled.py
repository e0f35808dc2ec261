# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one way loops are compiled here: by numba, kept beside the source from the first use on a machine.

Guarantees: no threads and no reordered arithmetic, so the same input gives the same bytes; other threads run
meanwhile. Importing it takes most of a second, so only what needs a compiled loop imports it, and late.
``make setup`` compiles what the nodes use (``tools/compile_kernels.py``); an install that may not write beside its
sources needs ``NUMBA_CACHE_DIR``, or every process compiles anew.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numba

_F = TypeVar("_F")


def compiled(function: _F) -> _F:
    """A function of numbers and arrays, compiled on its first call."""
    made: Any
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder to keep it in
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return made  # type: ignore[no-any-return]
