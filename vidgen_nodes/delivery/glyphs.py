# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The words of the visible mark as pictures that ship with the package (``tools/draw_marks.py`` made them).

Guarantees: no font file, installed or missing, changes or drops the mark. Drawn from Noto Sans CJK Bold (SIL Open
Font License 1.1). Leaves out where the words stand (``label.py``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import ByteArray

_FOLDER = "marks"
_LETTER_SHARE = 0.6  # lower than this share of the highest letter is punctuation


@dataclass(frozen=True)
class Word:
    """One word of a mark."""

    text: str
    coverage: ByteArray  # (h, w), 255 = ink
    letters: tuple[tuple[int, int, int, int], ...]  # left, top, right, bottom of each in coverage, px

    def height_px(self, letter_px: int) -> int:
        """How high the word must be drawn for its smallest letter to have that height; punctuation apart."""
        heights = [bottom - top for _, top, _, bottom in self.letters]
        smallest = min(height for height in heights if height > _LETTER_SHARE * max(heights))
        return -(-letter_px * int(self.coverage.shape[0]) // smallest)


@lru_cache(maxsize=16)
def load_word(name: str) -> Word:
    """A word that ships with the package.

    Raises:
        ConfigError: the installation lacks it; nothing may be shown without its mark.
    """
    folder = resources.files("vidgen_nodes.delivery") / _FOLDER
    try:
        entry = json.loads((folder / "marks.json").read_text(encoding="utf-8"))["words"][name]
        data = (folder / f"{name}.png").read_bytes()
        coverage = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, KeyError, ValueError) as err:
        raise ConfigError(
            f"the mark {name!r} is missing from this installation: {err}; install again"
        ) from err
    if coverage is None:
        raise ConfigError(f"the mark {name!r} of this installation is no picture; install again")
    left_top_right_bottom = tuple((box[0], box[1], box[2], box[3]) for box in entry["letters"])
    return Word(entry["text"], coverage.astype(np.uint8), left_top_right_bottom)
