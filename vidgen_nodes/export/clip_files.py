# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The names by which an export and its check agree. Leaves out what the files say (``claims.py``)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CLIP: Final = "urn:vidgen:clip:1"  # type of the predicate
SIGNER: Final = "vidgen-session"  # name of the key that signs a statement
EXPORT: Final = "export"  # cause of the leaf that says what left
BESIDE: Final = ("statement.json", "privacy.json", "proof")


def beside(clip: Path, what: str) -> Path:
    """The file that goes with a clip: one of ``BESIDE``."""
    return clip.with_name(f"{clip.stem}.{what}")
