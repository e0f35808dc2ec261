# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells carry synthetic obstacles in a frame, under which rule, on which map: one hash in the frame's leaf.

The constraint: every cell that carries an obstacle has structural uncertainty ``U >= tau`` and ``n >= least``
observations in the committed map. Guarantees: map, threshold and list of cells cannot be exchanged under a leaf.
Needs nothing but hashlib. Leaves out whether the pixels show those cells and no others: that is for re-derivation.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from vidgen_nodes.custody.multiproof import SALT_BYTES
from vidgen_nodes.errors import VerificationError

PLACE = struct.Struct("<qdddII")  # stamp_ns, origin east and north, resolution (m), rows, cols
_RULE = struct.Struct("<dII")
_MAP_TAG = b"vidgen/map-root/1\0"
_TAG = b"vidgen/obstacles/1\0"
_MOST_CELLS = 1 << 24


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What a leaf commits to under ``attestation``."""

    place: bytes  # stamp and grid of the map
    tau: float
    least_observations: int
    cells: tuple[int, ...]  # row * cols + col, ascending
    salt: bytes

    @property
    def stamp_ns(self) -> int:
        """Stamp of the map."""
        return int(PLACE.unpack(self.place)[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        rows, cols = PLACE.unpack(self.place)[4:]
        return int(rows), int(cols)

    def map_root(self, tree_root: bytes) -> bytes:
        """What names the map: stamp, grid and the root over its cells (32 bytes)."""
        return hashlib.sha256(_MAP_TAG + self.place + tree_root).digest()

    def digest(self, tree_root: bytes) -> bytes:
        """The hash in the leaf."""
        rule = _RULE.pack(self.tau, self.least_observations, len(self.cells))
        listed = struct.pack(f"<{len(self.cells)}I", *self.cells)
        return hashlib.sha256(_TAG + self.map_root(tree_root) + rule + listed + self.salt).digest()

    def as_list(self) -> list[object]:
        """Plain values, as stored and sent; cells as steps from one to the next."""
        steps = [here - before for before, here in zip((0, *self.cells), self.cells, strict=False)]
        return [self.place, self.tau, self.least_observations, steps, self.salt]

    @classmethod
    def from_list(cls, fields: object) -> Obstacles:
        """The reverse of ``as_list``.

        Raises:
            VerificationError: it is no list of obstacles.
        """
        if not isinstance(fields, list) or [type(item) for item in fields] != [
            bytes,
            float,
            int,
            list,
            bytes,
        ]:
            raise VerificationError("obstacles: expected map, tau, observations, cells and salt")
        place, tau, least, steps, salt = fields
        if (
            len(place) != PLACE.size
            or len(salt) != SALT_BYTES
            or not 0 <= least < 1 << 16
            or not 0 <= tau <= 1
        ):
            raise VerificationError("obstacles: map, rule or salt is of another form")
        if not steps or any(type(step) is not int or step < 0 for step in steps) or 0 in steps[1:]:
            raise VerificationError("obstacles: expected cells in ascending order, each once")
        cells, here = [], 0
        for step in steps:
            here += step
            cells.append(here)
        made = cls(place, tau, least, tuple(cells), salt)
        rows, cols = made.shape
        if not 0 < rows * cols <= _MOST_CELLS or here >= rows * cols:
            raise VerificationError(f"obstacles: cell {here} is not among the {rows} x {cols} of the map")
        return made


@dataclass(frozen=True, slots=True)
class OpenedCell:
    """What the map says of one cell, and the salt of its leaf."""

    index: int
    uncertainty: float
    observations: int
    salt: bytes

    def fault(self, obstacles: Obstacles) -> str:
        """Why the cell may not carry an obstacle; empty: it may."""
        if not self.uncertainty >= obstacles.tau:  # false for NaN too
            return f"cell {self.index} has U = {self.uncertainty:g}, under tau = {obstacles.tau:g}"
        if self.observations < obstacles.least_observations:
            least = obstacles.least_observations
            return f"cell {self.index} has {self.observations} observations, expected at least {least}"
        return ""
