# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One thing that is wrong with evidence, with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where."""

    where: str  # "leaf 12", "record 9f86...", "file.db3, bytes 0 to 65535", "/topic at 123 ns"
    what: str
    kind: str = "altered"  # altered | missing | inserted

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
