# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what was read of a model can be a building: how wide it is, and how high its walls are.

Guarantees: a unit of length that cannot be is refused, and a few elements that lie far away from all others (at
the origin of a model that stands at its grid coordinates, say) are left out, counted and named. Leaves out where
the model stands (``scene.georeference``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import BoolArray, FloatArray
from vidgen_nodes.scene.surface import Surface

WIDEST_M = 5_000.0
_WALL_HEIGHTS_M = (0.25, 60.0)  # the median wall of a building lies between
_FEW = 0.1  # of the elements may lie far away; more of them are another model
_NAMED = 3


def sized(
    where: str, surfaces: list[Surface], metres_per_unit: float
) -> tuple[list[Surface], tuple[str, ...]]:
    """The surfaces that lie together, and a note on those that do not.

    Args:
        where: name of the model, for messages.
        surfaces: of the whole model, one at least.
        metres_per_unit: what its unit of length was taken for.

    Raises:
        ConfigError: too wide, or walls that are too high or too low: mostly a unit declared wrong.
    """
    hint = f"the unit of length was taken as {metres_per_unit:g} m; correct it by metres_per_unit in a building YAML"
    boxes_m = _boxes_m(surfaces)
    near = _near(boxes_m)
    paths = sorted({item.path for item, is_near in zip(surfaces, near, strict=True) if not is_near})
    if len(paths) > _FEW * len({item.path for item in surfaces}):
        near, paths = np.ones(len(surfaces), np.bool_), []
    width_m = float((boxes_m[near, 1].max(axis=0) - boxes_m[near, 0].min(axis=0)).max())
    if width_m > WIDEST_M:
        raise ConfigError(
            f"{where}: the model is {width_m:.0f} m wide, expected at most {WIDEST_M:g} m; {hint}"
        )
    kept = [item for item, is_near in zip(surfaces, near, strict=True) if is_near]
    _check_walls(where, kept, hint)
    if not paths:
        return kept, ()
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    named = ", ".join(paths[:_NAMED]) + more
    return kept, (
        f"{len(paths)} elements lie over {WIDEST_M:g} m away from the others and were left out: {named}",
    )


def _boxes_m(surfaces: list[Surface]) -> FloatArray:
    """Lowest and highest corner (n, 2, 3) of each surface."""
    return np.array([(item.corners_m.min(axis=0), item.corners_m.max(axis=0)) for item in surfaces])


def _near(boxes_m: FloatArray) -> BoolArray:
    """Which boxes (n, 2, 3) lie within reach of the middle one."""
    middles_m = boxes_m.mean(axis=1)
    centre_m: npt.NDArray[np.float64] = np.median(middles_m, axis=0)
    near: BoolArray = np.abs(middles_m - centre_m).max(axis=1) <= WIDEST_M
    return near


def _check_walls(where: str, surfaces: list[Surface], hint: str) -> None:
    heights: dict[str, tuple[float, float]] = {}
    for item in surfaces:
        if item.kind == "wall":
            z = item.corners_m[:, 2]
            before = heights.get(item.path, (np.inf, -np.inf))
            heights[item.path] = min(before[0], float(z.min())), max(before[1], float(z.max()))
    if not heights:
        return
    median_m = float(np.median([top - bottom for bottom, top in heights.values()]))
    low_m, high_m = _WALL_HEIGHTS_M
    if not low_m <= median_m <= high_m:
        raise ConfigError(
            f"{where}: half of the walls are higher than {median_m:g} m, expected {low_m:g} to {high_m:g} m; {hint}"
        )
