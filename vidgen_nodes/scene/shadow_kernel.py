# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What stands over points of the plan, and what of the air over a measured surface a point sees, in compiled loops.

Guarantees: a line of sight is followed through every cell that it passes, however short the way in it. Leaves out
which cells are known and what is solid in them (``scene.leak_rule``).
"""

from __future__ import annotations

import numpy as np

from vidgen_nodes.compiled import compiled
from vidgen_nodes.packets import BoolArray, FloatArray


@compiled
def lowest_in_sight(
    solid_m: FloatArray,
    known: BoolArray,
    edge_m: float,
    mouth_m: FloatArray,
    columns_m: FloatArray,
    slack_m: float,
) -> FloatArray:
    """Lowest height (n,) over points of the plan that a mouth sees; inf where the line passes what is not known.

    Args:
        solid_m: (rows, cols) cells are solid from below up to this height.
        known: (rows, cols) cells in which that was measured.
        edge_m: of a cell; cell (0, 0) begins at 0.
        mouth_m: (3,), over a cell of the grid.
        columns_m: (n, 2) east and north of the points; those off the grid are not seen.
        slack_m: so much lower may what shades be: the map's noise.

    Cell by cell (Amanatides and Woo 1987). What shades, shades from where the line enters its cell.
    """
    rows, cols = solid_m.shape
    found = np.full(len(columns_m), np.inf)
    for n in range(len(columns_m)):
        dx, dy = columns_m[n, 0] - mouth_m[0], columns_m[n, 1] - mouth_m[1]
        reach_m = np.sqrt(dx * dx + dy * dy)
        col, row = int(np.floor(mouth_m[0] / edge_m)), int(np.floor(mouth_m[1] / edge_m))
        last_col, last_row = int(np.floor(columns_m[n, 0] / edge_m)), int(np.floor(columns_m[n, 1] / edge_m))
        slope, near, first = -np.inf, 0.0, True
        open_way = 0 <= last_col < cols and 0 <= last_row < rows
        for _ in range(2 * (rows + cols) + 4):
            if not open_way or not (0 <= col < cols and 0 <= row < rows) or not known[row, col]:
                open_way = False
                break
            leave_x = (((col + 1) if dx > 0.0 else col) * edge_m - mouth_m[0]) / dx if dx != 0.0 else np.inf
            leave_y = (((row + 1) if dy > 0.0 else row) * edge_m - mouth_m[1]) / dy if dy != 0.0 else np.inf
            is_last = col == last_col and row == last_row
            far = 1.0 if is_last else min(leave_x, leave_y, 1.0)
            over_m = solid_m[row, col] - slack_m - mouth_m[2]
            if over_m <= 0.0:
                slope = max(slope, over_m / max(far * reach_m, 1e-6))
            elif not first:
                slope = max(slope, over_m / max(near * reach_m, 1e-6))
            if is_last:
                break
            if leave_x >= 1.0 and leave_y >= 1.0:
                # Rounding: the target lies on the border that ends this cell.
                col, row = last_col, last_row
            elif leave_x < leave_y:
                col += 1 if dx > 0.0 else -1
            else:
                row += 1 if dy > 0.0 else -1
            near, first = far, False
        else:
            open_way = False
        if open_way:
            lowest = mouth_m[2] + slope * reach_m if reach_m > 0.0 else -np.inf
            found[n] = max(lowest, solid_m[last_row, last_col])
    return found


@compiled
def lowest_on_ways(
    solid_m: FloatArray,
    known: BoolArray,
    edge_m: float,
    ways_m: FloatArray,
    steps: FloatArray,
    slack_m: float,
) -> FloatArray:
    """Lowest height (n,) at which the ends of bent ways could lie so that nothing shades them; inf as above.

    Args:
        solid_m: (rows, cols) cells are solid from below up to this height.
        known: (rows, cols) cells in which that was measured.
        edge_m: of a cell; cell (0, 0) begins at 0.
        ways_m: (n, k, 3) nodes of ways, straight between; each begins at the mouth, over a cell of the grid.
        steps: (n, k) how far a node rises when the end rises by one: 0 at the mouth, 1 at the end.
        slack_m: so much lower may what shades be: the map's noise.

    For straight ways whose nodes rise by their share of it this is :func:`lowest_in_sight`.
    """
    found = np.full(len(ways_m), np.inf)
    last = ways_m.shape[1] - 1
    for n in range(len(ways_m)):
        rise, at_mouth = -np.inf, True
        for k in range(last):
            piece_rise, at_mouth = _rise_over(solid_m, known, edge_m, ways_m, steps, slack_m, n, k, at_mouth)
            rise = max(rise, piece_rise)
            if rise == np.inf:
                break
        if rise < np.inf:
            col, row = int(np.floor(ways_m[n, last, 0] / edge_m)), int(np.floor(ways_m[n, last, 1] / edge_m))
            found[n] = max(ways_m[n, last, 2] + rise, solid_m[row, col])
    return found


@compiled
def _rise_over(
    solid_m: FloatArray,
    known: BoolArray,
    edge_m: float,
    ways_m: FloatArray,
    steps: FloatArray,
    slack_m: float,
    n: int,
    k: int,
    at_mouth: bool,
) -> tuple[float, bool]:
    """How far the end of a way must rise so that nothing shades its piece ``k``, and whether it is still at the mouth.

    Inf where the piece passes what is not known. What is solid over the mouth in its own cell shades nothing there.
    """
    rows, cols = solid_m.shape
    x, y, z = ways_m[n, k, 0], ways_m[n, k, 1], ways_m[n, k, 2]
    dx, dy, dz = ways_m[n, k + 1, 0] - x, ways_m[n, k + 1, 1] - y, ways_m[n, k + 1, 2] - z
    col, row = int(np.floor(x / edge_m)), int(np.floor(y / edge_m))
    last_col = int(np.floor(ways_m[n, k + 1, 0] / edge_m))
    last_row = int(np.floor(ways_m[n, k + 1, 1] / edge_m))
    mouth_col, mouth_row = int(np.floor(ways_m[n, 0, 0] / edge_m)), int(np.floor(ways_m[n, 0, 1] / edge_m))
    rise, near = -np.inf, 0.0
    for _ in range(2 * (rows + cols) + 4):
        if not (0 <= col < cols and 0 <= row < rows) or not known[row, col]:
            return np.inf, at_mouth
        leave_x = (((col + 1) if dx > 0.0 else col) * edge_m - x) / dx if dx != 0.0 else np.inf
        leave_y = (((row + 1) if dy > 0.0 else row) * edge_m - y) / dy if dy != 0.0 else np.inf
        is_last = col == last_col and row == last_row
        far = 1.0 if is_last else min(leave_x, leave_y, 1.0)
        over_m = solid_m[row, col] - slack_m
        at_mouth = at_mouth and col == mouth_col and row == mouth_row
        for at in (near, far):
            step = steps[n, k] + at * (steps[n, k + 1] - steps[n, k])
            if step > 1e-6 and not (at_mouth and over_m > ways_m[n, 0, 2]):
                rise = max(rise, (over_m - z - at * dz) / step)
        if is_last:
            return rise, at_mouth
        if leave_x >= 1.0 and leave_y >= 1.0:
            col, row = last_col, last_row  # rounding: the end lies on the border that ends this cell
        elif leave_x < leave_y:
            col += 1 if dx > 0.0 else -1
        else:
            row += 1 if dy > 0.0 else -1
        near = far
    return np.inf, at_mouth


@compiled
def highest_over(triangles_m: FloatArray, points_m: FloatArray) -> FloatArray:
    """Height (n,) of the highest triangle (m, 3, 3) at each point (n, 2) of the plan; -inf: there is none."""
    found = np.full(len(points_m), -np.inf)
    for t in range(len(triangles_m)):
        ax, ay, az = triangles_m[t, 0, 0], triangles_m[t, 0, 1], triangles_m[t, 0, 2]
        bx, by, bz = triangles_m[t, 1, 0] - ax, triangles_m[t, 1, 1] - ay, triangles_m[t, 1, 2] - az
        cx, cy, cz = triangles_m[t, 2, 0] - ax, triangles_m[t, 2, 1] - ay, triangles_m[t, 2, 2] - az
        area = bx * cy - by * cx
        if abs(area) < 1e-9:
            continue  # upright: it covers no area
        for n in range(len(points_m)):
            px, py = points_m[n, 0] - ax, points_m[n, 1] - ay
            u, v = (px * cy - py * cx) / area, (bx * py - by * px) / area
            if u >= 0.0 and v >= 0.0 and u + v <= 1.0:
                found[n] = max(found[n], az + u * bz + v * cz)
    return found
