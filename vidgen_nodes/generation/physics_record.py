# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which numbers drew an element, with unit and source, in a form that hashes.

Guarantees that a number read through ``Reading`` is in the record: the generator takes scenario and
parameters only through it. Leaves out storing the record: that is the ledger's work.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import cbor2

Parameters = dict[str, Any]  # name: [value, unit, source], nested by kind of thing


class Reading:
    """Reads attributes of one object and remembers each with its unit."""

    def __init__(self, origin: object, source: str) -> None:
        self._origin = origin
        self._source = source
        self.record: Parameters = {}

    def get(self, name: str, unit: str) -> Any:
        """The value of attribute ``name``, which from now on is part of the record."""
        value = getattr(self._origin, name)
        self.record[name] = entry(value, unit, self._source)
        return value

    def item(self, name: str) -> Any:
        """Attribute ``name``, which holds numbers of its own: whoever reads those logs them."""
        return getattr(self._origin, name)


def entry(value: object, unit: str, source: str) -> list[object]:
    """One number of a record.

    Raises:
        ValueError: not finite; a caller's fault, because borders refuse such values.
    """
    if isinstance(value, tuple):
        value = [number + 0.0 if isinstance(number, float) else number for number in value]
    elif isinstance(value, float):
        value += 0.0  # minus zero has no canonical form of its own
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError(f"got {value!r} {unit} from {source}, expected finite numbers")
    return [value, unit, source]


def parameters_sha256(parameters: Parameters) -> bytes:
    """SHA-256 of the canonical CBOR (RFC 8949, 4.2.3) of one element's parameters."""
    return hashlib.sha256(cbor2.dumps(parameters, canonical=True)).digest()
