# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""GridMap's layout, without its package: column-major, x and y falling, a ring that begins anywhere."""

from __future__ import annotations

from types import SimpleNamespace as Message
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import LidarParams
from vidgen_nodes.ros.grid_map import elevation_scan, layer
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

SOURCE = SourceRef("/elevation_map", "grid_map_msgs/msg/GridMap", 1, bytes(32))
RESOLUTION_M = 0.25


def grid_map(
    heights: np.ndarray, start: tuple[int, int] = (0, 0), middle: tuple[float, float] = (10.0, -5.0),
    *, row_major: bool = False, stamp_s: int = 5,
) -> Any:  # fmt: skip
    """The message of heights (rows from large x to small, columns from large y to small)."""
    rows, cols = heights.shape
    ring = np.roll(heights, start, axis=(0, 1)).astype(np.float32)
    named = [("column_index", cols), ("row_index", rows)]
    dims = [
        Message(label=label, size=size, stride=0) for label, size in (named[::-1] if row_major else named)
    ]
    flat = ring.ravel(order="C" if row_major else "F")
    array = Message(layout=Message(dim=dims, data_offset=0), data=flat)
    other = Message(layout=Message(dim=dims, data_offset=0), data=np.zeros_like(flat))
    pose = Message(
        position=Message(x=middle[0], y=middle[1], z=0.0), orientation=Message(x=0.0, y=0.0, z=0.0, w=1.0)
    )
    return Message(
        header=Message(stamp=Message(sec=stamp_s, nanosec=0), frame_id="map"),
        info=Message(resolution=RESOLUTION_M, length_x=rows * RESOLUTION_M, length_y=cols * RESOLUTION_M, pose=pose),
        layers=["variance", "elevation"],
        data=[other, array],
        outer_start_index=start[0],
        inner_start_index=start[1],
    )  # fmt: skip


@given(st.integers(1, 9), st.integers(1, 9), st.data(), st.booleans())
def test_a_ring_is_unrolled_whatever_the_order(rows: int, cols: int, data: Any, row_major: bool) -> None:
    start = (data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, cols - 1)))
    heights = np.arange(rows * cols, dtype=np.float32).reshape(rows, cols)
    message = grid_map(heights, start, row_major=row_major)
    np.testing.assert_array_equal(layer(message, "elevation"), heights)


def test_the_first_value_in_memory_lies_at_the_largest_x_and_y_and_the_second_one_row_on() -> None:
    """By hand: 3 rows along x, 2 columns along y, middle (10, -5), cells of 0.25 m."""
    scan, pose = elevation_scan(grid_map(np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])), SOURCE)
    points = Rotation.from_quat(pose.quaternion_xyzw).apply(scan.points_m) + pose.translation_m
    found = {round(float(z)): (round(float(x), 3), round(float(y), 3)) for x, y, z in points}
    assert found[1] == (10.25, -4.875)
    assert found[2] == (10.0, -4.875)
    assert found[4] == (10.25, -5.125)
    assert found[6] == (9.75, -5.125)


def test_a_moved_map_lands_on_the_cells_of_ours() -> None:
    """A tilted plane with a hole in it, in a ring that begins in the middle, through the mapper."""
    rows, cols = 48, 40
    x = 10.0 + (0.5 * rows - 0.5 - np.arange(rows))[:, None] * RESOLUTION_M
    y = -5.0 + (0.5 * cols - 0.5 - np.arange(cols))[None, :] * RESOLUTION_M
    heights = 0.2 * x - 0.1 * y
    heights[:4, :4] = np.nan
    mapper = UncertaintyMapper(LidarParams(map_size_m=16.0, map_center_m=(10.0, -5.0)))
    for k in range(3):
        scan, pose = elevation_scan(grid_map(heights, (17, 31), stamp_s=5 + k), SOURCE)
        umap = mapper.add_scan(scan, pose)
    assert scan.refused == {"nan": 16}
    grid = umap.grid
    row, col = np.nonzero(np.isfinite(umap.elevation_m))
    east_m = grid.origin_east_m + (col + 0.5) * grid.resolution_m
    north_m = grid.origin_north_m + (row + 0.5) * grid.resolution_m
    assert len(row) >= 24 * 20 - 9
    inner = (abs(east_m - 10.0) < 5.5) & (abs(north_m + 5.0) < 4.5)
    np.testing.assert_allclose(
        umap.elevation_m[row, col][inner], (0.2 * east_m - 0.1 * north_m)[inner], atol=0.06
    )
    assert east_m.max() > 15.5
    assert east_m.min() < 4.5


def broken(message: Any, **changes: Any) -> Any:
    for path, value in changes.items():
        *parents, name = path.split("__")
        target = message
        for parent in parents:
            target = target[int(parent)] if parent.isdigit() else getattr(target, parent)
        setattr(target, name, value)
    return message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"header__frame_id": "odom"}, "wrong_frame"),
        ({"header__stamp__sec": 0}, "no_stamp"),
        ({"layers": ["variance", "height"]}, "missing_layer"),
        ({"layers": ["elevation"]}, "missing_layer"),
        ({"data__1__layout__dim": []}, "bad_layout"),
        ({"data__1__data": np.zeros(5, np.float32)}, "map_size"),
        ({"data__1__data": np.full(6, np.nan, np.float32)}, "no_valid_points"),
        ({"outer_start_index": 3}, "bad_layout"),
        ({"inner_start_index": 2}, "bad_layout"),
        ({"info__length_x": 0.5}, "map_size"),
        ({"info__resolution": 0.0}, "map_size"),
        ({"info__resolution": float("nan")}, "map_size"),
        ({"info__pose__orientation__z": 0.1}, "turned"),
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as refusal:
        elevation_scan(broken(grid_map(np.ones((3, 2))), **changes), SOURCE)
    assert refusal.value.reason == reason


def test_labels_that_say_nothing_are_refused() -> None:
    message = grid_map(np.ones((3, 3)))
    message.data[1].layout.dim[0].label = ""
    with pytest.raises(InputError, match="rows from columns"):
        layer(message, "elevation")
