# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The growth curves of ``bench/generation.json`` as one picture: both axes logarithmic, linear growth dashed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 400, 56, 196, 16, 40
_COLOURS = ("#b3261e", "#1f6feb", "#2e7d32", "#8e44ad", "#c77700")


def growth_svg(curves: Mapping[str, Mapping[float, float]]) -> str:
    """An SVG of curves: how many there are of something, against milliseconds, both relative to the first point.

    Args:
        curves: by name; count and milliseconds.
    """
    shown = {
        name: [(n / min(c), ms / c[min(c)]) for n, ms in sorted(c.items())] for name, c in curves.items()
    }
    most = 2.0 ** math.ceil(math.log2(max(max(x, y) for points in shown.values() for x, y in points)))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
            f'font-size="12"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
        )
    ]
    for power in range(int(math.log2(most)) + 1):
        x, y = _place(2.0**power, most), _place(2.0**power, most, upright=True)
        parts += [
            f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            f'<text x="{x:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{2**power}×</text>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{2**power}×</text>',
        ]
    parts.append(_line([(1.0, 1.0), (most, most)], most, "#888", "4 4"))
    for index, (name, points) in enumerate(shown.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        y = _TOP + 16 + 20 * index
        parts += [
            _line(points, most, colour, "none"),
            f'<text x="{_WIDTH - _RIGHT + 10}" y="{y}" fill="{colour}">{name}</text>',
        ]
    middle = _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">how many, over the fewest</text>'
    )
    parts.append(
        f'<text x="{_WIDTH - _RIGHT + 10}" y="{_HEIGHT - _BOTTOM}" fill="#888">dashed: linear</text></svg>\n'
    )
    return "".join(parts)


def _place(value: float, most: float, *, upright: bool = False) -> float:
    share = math.log2(value) / math.log2(most)
    if upright:
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _line(points: list[Any], most: float, colour: str, dashes: str) -> str:
    places = " ".join(
        f"{_place(x, most):.1f},{_place(max(y, 0.5), most, upright=True):.1f}" for x, y in points
    )
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
