#!/usr/bin/env python3
# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the words of the visible mark into ``vidgen_nodes/delivery/marks/``, so that no run needs a font.

    python tools/draw_marks.py NotoSansCJK-Bold.ttc

Needs Pillow, which nothing else here does, and Noto Sans CJK (SIL Open Font License 1.1; Debian: fonts-noto-cjk).
Every word is a grey picture of coverage, cropped to its ink, letters apart from each other; ``marks.json`` says where
each letter lies in it, so that the smallest letter, not the word, decides how large the word is drawn.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

OUT = Path(__file__).resolve().parents[1] / "vidgen_nodes" / "delivery" / "marks"
WORDS = {
    "syn_zh": "合成",
    "syn_en": "SYNTHETIC OVERLAY",
    "aigc_ai": "AI",
    "aigc_zh": "合成演练画面",
    "aigc_en": "AI-GENERATED",
}
FACE = 2  # Simplified Chinese in NotoSansCJK-Bold.ttc
SIZE_PX = 120
APART_PX = 10
SPACE_PX = 34
INK = 128


def draw(word: str, font: ImageFont.FreeTypeFont) -> tuple[Image.Image, list[list[int]]]:
    """Coverage of a word, and left, top, right, bottom of each letter in it."""
    canvas = Image.new("L", (3 * SIZE_PX * len(word), 2 * SIZE_PX), 0)
    pen, boxes = SIZE_PX, []
    for letter in word:
        if letter == " ":
            pen += SPACE_PX
            continue
        alone = Image.new("L", canvas.size, 0)
        ImageDraw.Draw(alone).text((SIZE_PX, SIZE_PX // 3), letter, fill=255, font=font)
        left, top, right, bottom = alone.point(lambda value: 255 * (value >= INK)).getbbox()
        canvas.paste(alone.crop((left, 0, right, canvas.height)), (pen, 0))
        boxes.append([pen, top, pen + right - left, bottom])
        pen += right - left + APART_PX
    left, top = boxes[0][0], min(box[1] for box in boxes)
    right, bottom = boxes[-1][2], max(box[3] for box in boxes)
    moved = [[b[0] - left, b[1] - top, b[2] - left, b[3] - top] for b in boxes]
    return canvas.crop((left, top, right, bottom)), moved


def main() -> int:
    """Write the pictures and their index."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    font = ImageFont.truetype(sys.argv[1], SIZE_PX, index=FACE)
    OUT.mkdir(exist_ok=True)
    index = {}
    for name, word in WORDS.items():
        picture, boxes = draw(word, font)
        picture.save(OUT / f"{name}.png", optimize=True)
        index[name] = {"text": word, "letters": boxes}
    font_name = " ".join(font.getname())
    content = {"font": f"{font_name}, SIL Open Font License 1.1", "words": index}
    (OUT / "marks.json").write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
