# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.custody import digest as custody_digest
from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import CellFlag, Grid, PointScan, Pose, SourceRef, UncertaintyMap
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.change import Baseline, BaselineLayers
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper, map_digest

T0 = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
FLOAT_LAYERS = (
    "elevation_m",
    "variance_m2",
    "uncertainty",
    "entropy",
    "roughness_m",
    "deviation_m",
    "surface_variation",
    "lod95_m",
)
PARAMS = LidarParams(map_size_m=12.0, resolution_m=0.5, map_follows="nothing")
# The LiDAR hangs 20 m up, tilted and turned, so that a wrong transform shows.
MAP_T_LIDAR = Pose(
    np.array((1.0, -2.0, 20.0)), Rotation.from_euler("ZYX", (30, 40, 10), degrees=True).as_quat()
)


def sound(height_m, ground_m=None) -> Baseline:
    """A baseline known exactly: a number for all cells, or a layer."""

    def cut(grid: Grid) -> BaselineLayers:
        height = np.array(np.broadcast_to(height_m, np.shape(height_m) or grid.shape), np.float64)
        ground = np.full(grid.shape, np.nan) if ground_m is None else np.asarray(ground_m, np.float64)
        return BaselineLayers(height, np.zeros(height.shape), ground)

    return cut


def scan(points_map: np.ndarray, k: int) -> PointScan:
    rotation = Rotation.from_quat(MAP_T_LIDAR.quaternion_xyzw)
    points = rotation.inv().apply(points_map - MAP_T_LIDAR.translation_m).astype(np.float32)
    stamp = T0 + k * STEP_NS
    return PointScan(
        stamp, "lidar", points, None, {}, SourceRef("points", "PointCloud2", stamp, bytes([k % 256]))
    )


def surface(height, seed: int, count: int = 6000, sigma_m: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-6, 6, (2, count))
    z = height(x, y) + rng.normal(0, sigma_m, count)
    return np.stack((x, y, z), axis=1)


def build(
    height, scans: int = 20, params: LidarParams = PARAMS, baseline=None, sigma_m: float = 0.02
) -> UncertaintyMap:
    mapper = UncertaintyMapper(params, baseline)
    result = None
    for k in range(scans):
        result = mapper.add_scan(scan(surface(height, k, sigma_m=sigma_m), k), MAP_T_LIDAR)
    assert result is not None
    return result


def flat(x, y):
    return np.zeros_like(x)


def house(x, y):
    """A roof 3 m up, from -2.5 to 2.5 m."""
    return np.where((abs(x) < 2.5) & (abs(y) < 2.5), 3.0, 0.0)


def walls(seed: int, count: int = 2000) -> np.ndarray:
    """Returns on the four walls of that house."""
    rng = np.random.default_rng(1000 + seed)
    along, z = rng.uniform(-2.5, 2.5, count), rng.uniform(0, 3, count)
    out = 2.5 + rng.normal(0, 0.02, count)
    side = rng.integers(0, 4, count)
    x = np.choose(side, (out, -out, along, along))
    y = np.choose(side, (along, along, out, -out))
    return np.stack((x, y, z), axis=1)


def centres() -> tuple[np.ndarray, np.ndarray]:
    c = -6 + 0.25 + 0.5 * np.arange(24)
    return np.meshgrid(c, c)


def test_an_intact_plane_is_certain_and_sound() -> None:
    umap = build(flat)
    assert umap.uncertainty.max() < 0.3
    np.testing.assert_allclose(umap.elevation_m, 0, atol=0.02)
    assert umap.entropy.max() < 0.25
    assert umap.roughness_m.max() < 0.03
    assert umap.observations.min() > 5
    assert (umap.observed_ns == umap.stamp_ns).mean() > 0.9


def test_cells_are_where_they_say() -> None:
    grid = UncertaintyMapper(LidarParams(map_center_m=[10.0, -5.0], map_size_m=4.0, resolution_m=0.5)).grid
    assert (grid.origin_east_m, grid.origin_north_m, grid.shape) == (8.0, -7.0, (8, 8))
    umap = build(lambda x, y: 0.1 * x + 0.3 * y)
    x, y = centres()
    np.testing.assert_allclose(umap.elevation_m, 0.1 * x + 0.3 * y, atol=0.04)


def test_a_sloped_roof_is_not_rough() -> None:
    umap = build(lambda x, y: 0.7 * x)
    assert np.nanmax(umap.roughness_m) < 0.04
    assert umap.uncertainty.max() < 0.5


def test_the_drift_of_the_pose_is_not_roughness() -> None:
    mapper = UncertaintyMapper(PARAMS)
    for k in range(20):
        umap = mapper.add_scan(scan(surface(flat, k) + np.array((0, 0, 0.05 * np.sin(k))), k), MAP_T_LIDAR)
    assert np.nanmax(umap.roughness_m) < 0.03


def test_rubble_is_uncertain() -> None:
    rng = np.random.default_rng(5)
    lumps = rng.normal(0, 0.15, (120, 120))

    def rubble(x, y):
        rough = lumps[((y + 6) * 10).astype(int).clip(0, 119), ((x + 6) * 10).astype(int).clip(0, 119)]
        return np.where((abs(x) < 1.5) & (abs(y) < 1.5), rough, 0.0)

    umap = build(rubble)
    x, y = centres()
    inside = (abs(x) < 1.5) & (abs(y) < 1.5)
    assert (umap.uncertainty[inside] >= 0.5).mean() > 0.9
    assert umap.uncertainty[~inside].max() < 0.5


def test_a_sag_shows_against_the_baseline_alone() -> None:
    x, y = centres()
    sag = (abs(x) < 1.5) & (abs(y) < 1.5)
    umap = build(
        lambda x, y: np.where((abs(x) < 1.5) & (abs(y) < 1.5), -0.4, 0.0),
        baseline=sound(0.0),
    )
    np.testing.assert_allclose(umap.deviation_m[sag], -0.4, atol=0.03)
    assert (umap.uncertainty[sag] >= 0.5).all()
    assert umap.uncertainty[~sag].max() < 0.5


def test_a_centimetre_of_sag_is_not_claimed() -> None:
    umap = build(lambda x, y: np.full_like(x, -0.01), baseline=sound(0.0))
    assert umap.uncertainty.max() < 0.3


@pytest.mark.parametrize("with_baseline", [False, True])
def test_an_edge_is_not_damage(with_baseline: bool) -> None:
    x, y = centres()
    baseline = sound(np.where((abs(x) < 2.5) & (abs(y) < 2.5), 3.0, np.nan)) if with_baseline else None
    mapper = UncertaintyMapper(PARAMS, baseline)
    for k in range(30):
        umap = mapper.add_scan(scan(np.vstack((surface(house, k), walls(k))), k), MAP_T_LIDAR)
    late = umap.uncertainty[umap.observations >= 5]
    assert late.max() < 0.5
    inner = np.maximum(abs(x), abs(y)) < 2.0
    rim = (np.maximum(abs(x), abs(y)) < 2.5) & ~inner
    np.testing.assert_allclose(umap.elevation_m[inner], 3.0, atol=0.02)
    np.testing.assert_allclose(
        umap.elevation_m[rim], 3.0, atol=0.2
    )  # the top of the wall pulls it down a little


def test_edges_of_the_baseline_state_no_deviation() -> None:
    x, y = centres()
    baseline = sound(np.where((abs(x) < 2.5) & (abs(y) < 2.5), 3.0, 0.0))
    umap = build(house, baseline=baseline)
    ring = (np.maximum(abs(x), abs(y)) > 2.0) & (np.maximum(abs(x), abs(y)) < 3.0)
    assert np.isnan(umap.deviation_m[ring]).all()
    assert np.isfinite(umap.deviation_m[~ring]).all()


def test_a_baseline_of_another_datum_is_not_used() -> None:
    mapper = UncertaintyMapper(PARAMS, sound(-20.0))
    umap = mapper.add_scan(scan(surface(flat, 0), 0), MAP_T_LIDAR)
    assert "+20.00 m off" in mapper.baseline_refused
    assert np.isnan(umap.deviation_m).all()
    with pytest.raises(ConfigError):
        UncertaintyMapper(PARAMS, sound(np.zeros((3, 3))))


def test_what_was_never_seen_is_unknown_and_not_uncertain() -> None:
    points = surface(flat, 0)
    umap = UncertaintyMapper(PARAMS).add_scan(scan(points[points[:, 0] < 0], 0), MAP_T_LIDAR)
    unseen = umap.elevation_m[:, 12:]
    assert np.isnan(unseen).all()
    assert np.isnan(umap.uncertainty[:, 12:]).all()
    assert (umap.entropy[:, 12:] == 1.0).all()
    assert (umap.observations[:, 12:] == 0).all()
    assert (umap.observed_ns[:, 12:] == 0).all()


def test_returns_off_the_window_change_nothing() -> None:
    inside, outside = surface(flat, 0), surface(flat, 1) + np.array((12.5, 0, 0))
    one = UncertaintyMapper(PARAMS).add_scan(scan(inside, 0), MAP_T_LIDAR)
    two = UncertaintyMapper(PARAMS).add_scan(scan(np.vstack((inside, outside)), 0), MAP_T_LIDAR)
    np.testing.assert_allclose(one.elevation_m, two.elevation_m, atol=1e-5)
    nothing = UncertaintyMapper(PARAMS).add_scan(scan(outside, 0), MAP_T_LIDAR)
    assert np.isnan(nothing.uncertainty).all()


def test_ghost_points_raise_the_entropy_and_not_the_deviation() -> None:
    mapper = UncertaintyMapper(PARAMS, sound(0.0))
    for k in range(10):
        before = mapper.add_scan(scan(surface(flat, k), k), MAP_T_LIDAR)
    smoke = surface(flat, 99, count=3000) + np.array((0, 0, 2.0))
    after = mapper.add_scan(scan(np.vstack((surface(flat, 10), smoke)), 10), MAP_T_LIDAR)
    hit = after.entropy > before.entropy + 0.05
    assert hit.mean() > 0.5
    np.testing.assert_allclose(after.deviation_m, 0, atol=0.03)
    assert after.uncertainty.max() < 0.5


@pytest.mark.parametrize("height_m", [-0.4, -2.0, 2.0])
def test_a_surface_that_moved_is_believed_within_two_seconds(height_m: float) -> None:
    mapper = UncertaintyMapper(PARAMS)
    for k in range(10):
        mapper.add_scan(scan(surface(flat, k), k), MAP_T_LIDAR)
    for k in range(10, 30):
        umap = mapper.add_scan(scan(surface(flat, k) + np.array((0, 0, height_m)), k), MAP_T_LIDAR)
    np.testing.assert_allclose(umap.elevation_m, height_m, atol=0.05)


def test_a_cell_not_seen_again_keeps_its_stamp_and_grows_less_sure() -> None:
    mapper = UncertaintyMapper(PARAMS)
    first = mapper.add_scan(scan(surface(flat, 0), 0), MAP_T_LIDAR)
    points = surface(flat, 1)
    last = mapper.add_scan(scan(points[points[:, 0] < 0], 50), MAP_T_LIDAR)
    assert (last.observed_ns[:, 13:] <= T0).all()
    assert (last.variance_m2[:, 13:] > first.variance_m2[:, 13:]).all()


def test_stamps_must_rise_and_a_jump_starts_anew() -> None:
    mapper = UncertaintyMapper(PARAMS)
    mapper.add_scan(scan(surface(flat, 0), 50), MAP_T_LIDAR)
    for k, expected in ((50, "duplicate"), (45, "out_of_order")):
        with pytest.raises(InputError) as refusal:
            mapper.add_scan(scan(surface(flat, 0), k), MAP_T_LIDAR)
        assert refusal.value.reason == expected
    anew = mapper.add_scan(scan(surface(flat, 0), 0), MAP_T_LIDAR)
    assert anew.digest == UncertaintyMapper(PARAMS).add_scan(scan(surface(flat, 0), 0), MAP_T_LIDAR).digest


def test_the_same_scans_give_the_same_bytes_and_the_digest_sees_every_layer() -> None:
    umap = build(flat, 3)
    assert build(flat, 3).digest == umap.digest
    assert umap.sources[0].stamp_ns == umap.stamp_ns
    names = [*FLOAT_LAYERS, "observations", "observed_ns", "flags"]
    layers = [getattr(umap, name) for name in names]
    assert custody_digest.map_digest(umap.stamp_ns, umap.grid, *layers) == umap.digest
    for k, layer in enumerate(layers):
        changed = layer.copy()
        changed[3, 4] = changed[3, 4] + 1 if np.isfinite(changed[3, 4]) else 0
        assert map_digest(umap.stamp_ns, umap.grid, *layers[:k], changed, *layers[k + 1 :]) != umap.digest
    other = dataclasses.replace(umap.grid, origin_east_m=1.0)
    assert map_digest(umap.stamp_ns, other, *layers) != umap.digest


def test_layers_have_the_types_of_the_packet() -> None:
    umap = build(flat, 1)
    for name in FLOAT_LAYERS:
        layer = getattr(umap, name)
        assert layer.dtype == np.float32
        assert layer.shape == umap.grid.shape
    assert umap.observations.dtype == np.uint16
    assert umap.observed_ns.dtype == np.int64
    assert umap.flags.dtype == np.uint8


def test_every_term_of_the_uncertainty_is_a_layer() -> None:
    umap = build(lambda x, y: -0.08 * (x > 0), baseline=sound(0.0))
    terms = 0.4 * umap.entropy + np.nan_to_num(0.3 * umap.roughness_m / (3 * PARAMS.sensor_sigma_m))
    terms += np.nan_to_num(0.3 * abs(umap.deviation_m) / (2 * umap.lod95_m))
    np.testing.assert_allclose(umap.uncertainty, np.clip(terms, 0, 1), atol=1e-5)
    assert np.nanmax(umap.surface_variation) <= 1 / 3
    assert ((umap.flags & CellFlag.CHANGED) > 0)[:, 14:].mean() > 0.9
    assert not ((umap.flags & CellFlag.CHANGED) > 0)[:, :10].any()


def site(ground_sees: bool, roof_m: float, offset_m: float = 0.0) -> tuple[str, UncertaintyMap]:
    """A building 3 m high of 5 m on level ground, built as planned; the roof is seen at ``roof_m``."""
    x, y = centres()
    inside, ring = np.maximum(abs(x), abs(y)) < 2.5, np.maximum(abs(x), abs(y)) > 3.5
    baseline = sound(np.where(inside, 3.0, np.nan), np.where(ring, 0.0, np.nan))
    mapper = UncertaintyMapper(PARAMS, baseline)
    for k in range(20):
        points = surface(flat, k)
        on_roof = np.maximum(abs(points[:, 0]), abs(points[:, 1])) < 2.5
        points[on_roof, 2] += roof_m
        if not ground_sees:
            points = points[on_roof]
        umap = mapper.add_scan(scan(points - (0, 0, -offset_m), k), MAP_T_LIDAR)
    return mapper.baseline_refused, umap


def test_a_building_that_came_down_as_a_whole_is_seen_by_the_ground_around_it() -> None:
    refused, umap = site(ground_sees=True, roof_m=0.6)
    assert refused == ""
    x, y = centres()
    roof = np.maximum(abs(x), abs(y)) < 2.0
    np.testing.assert_allclose(umap.deviation_m[roof], -2.4, atol=0.05)
    assert (umap.uncertainty[roof] >= 0.5).all()
    assert ((umap.flags[roof] & CellFlag.CHANGED) > 0).all()


@pytest.mark.parametrize(("ground_sees", "roof_m", "offset_m"), [(True, 3.0, -2.4), (False, 0.6, 0.0)])
def test_without_agreeing_ground_a_shift_is_not_called_a_collapse(
    ground_sees: bool, roof_m: float, offset_m: float
) -> None:
    refused, umap = site(ground_sees, roof_m, offset_m)
    assert "-2.40 m off" in refused
    assert np.isnan(umap.deviation_m).all()
    assert umap.uncertainty[np.isfinite(umap.uncertainty)].max() < 0.5


def test_an_unsure_pose_claims_less() -> None:
    mapper = UncertaintyMapper(PARAMS, sound(0.0))
    for k in range(20):
        umap = mapper.add_scan(scan(surface(flat, k) - (0, 0, 0.4), k), MAP_T_LIDAR, height_sigma_m=0.3)
    assert not (umap.flags & CellFlag.CHANGED).any()
    assert umap.uncertainty.max() < 0.5


def without(points: np.ndarray, half_m: float) -> np.ndarray:
    return points[np.maximum(abs(points[:, 0]), abs(points[:, 1])) > half_m]


def test_cells_that_fall_silent_in_view_are_a_hole_and_no_damage() -> None:
    mapper = UncertaintyMapper(PARAMS, sound(0.0))
    for k in range(40):
        points = surface(flat, k)
        umap = mapper.add_scan(scan(points if k < 20 else without(points, 1.0), k), MAP_T_LIDAR)
    x, y = centres()
    inside = np.maximum(abs(x), abs(y)) < 1.0
    hole = (umap.flags & CellFlag.HOLE) > 0
    assert (hole == inside).all()
    assert umap.uncertainty[inside].max() < 0.5
    umap = mapper.add_scan(scan(surface(flat, 50), 40), MAP_T_LIDAR)
    assert not (umap.flags & CellFlag.HOLE).any()


def test_cells_out_of_view_or_never_hit_are_no_hole() -> None:
    mapper = UncertaintyMapper(PARAMS)
    for k in range(40):
        points = without(surface(flat, k), 1.0)
        umap = mapper.add_scan(scan(points if k < 20 else points[points[:, 0] < -1], k), MAP_T_LIDAR)
    assert not (umap.flags & CellFlag.HOLE).any()


def test_cells_hidden_behind_a_wall_are_no_hole() -> None:
    """The LiDAR comes down until a wall 4 m high stands between it and the strip behind."""
    mapper = UncertaintyMapper(PARAMS)
    east = Pose(np.array((20.0, 0.0, 3.0)), MAP_T_LIDAR.quaternion_xyzw)
    for k in range(40):
        points = surface(flat, k)
        on_wall = abs(points[:, 0] - 1.25) < 0.25
        points[on_wall, 2] += 4.0
        if k >= 20:
            points = points[~((points[:, 0] > -0.5) & (points[:, 0] < 1.0))]
        pose = MAP_T_LIDAR if k < 20 else east
        rotation = Rotation.from_quat(pose.quaternion_xyzw)
        seen = rotation.inv().apply(points - pose.translation_m).astype(np.float32)
        umap = mapper.add_scan(dataclasses.replace(scan(points, k), points_m=seen), pose)
    assert not (umap.flags & CellFlag.HOLE).any()


def smoke_over(points: np.ndarray, seed: int, count: int, depth_m: float) -> np.ndarray:
    rng = np.random.default_rng(5000 + seed)
    x, y = rng.uniform(-2, 2, (2, count))
    return np.vstack((points, np.stack((x, y, 1.5 + rng.uniform(0, depth_m, count)), axis=1)))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_smoke_that_stays_raises_the_entropy_and_never_the_surface(share: float) -> None:
    mapper = UncertaintyMapper(PARAMS, sound(0.0))
    for k in range(100):
        clear = surface(flat, k)
        points = clear if k < 10 else smoke_over(clear, k, int(share * 6000 * 16 / 144), 3.0)
        umap = mapper.add_scan(scan(points, k), MAP_T_LIDAR)
        if k == 9:
            before = umap
    np.testing.assert_allclose(umap.elevation_m, 0, atol=0.05)
    np.testing.assert_allclose(umap.deviation_m, 0, atol=0.03)
    ghost = (umap.flags & CellFlag.GHOST) > 0
    assert ghost.any()
    assert (umap.entropy[ghost] > before.entropy[ghost] + 0.05).all()
    assert umap.uncertainty.max() < 0.5
    assert mapper.counts["above_surface"] > 100


def test_a_thick_plume_that_hides_the_roof_for_two_seconds_is_not_the_roof() -> None:
    mapper = UncertaintyMapper(PARAMS, sound(0.0))
    for k in range(10):
        mapper.add_scan(scan(surface(flat, k), k), MAP_T_LIDAR)
    for k in range(10, 30):
        hidden = smoke_over(without(surface(flat, k), 2.0), k, 700, 3.0)
        umap = mapper.add_scan(scan(hidden, k), MAP_T_LIDAR)
    x, y = centres()
    under = np.maximum(abs(x), abs(y)) < 2.0
    np.testing.assert_allclose(umap.elevation_m[under], 0, atol=0.05)
    assert not (umap.flags[under] & CellFlag.CHANGED).any()


def test_the_window_follows_by_whole_cells_and_keeps_what_stays_inside() -> None:
    params = LidarParams(map_size_m=12.0, resolution_m=0.5, map_follows="drone")
    rolling, fixed = UncertaintyMapper(params), UncertaintyMapper(PARAMS)
    level = np.array([0.0, 0.0, 0.0, 1.0])
    moved_m = 0.0
    for k in range(30):
        at = Pose(np.array((0.2 * k, 0.1 * k, 20.0)), level)
        points = (surface(flat, k) - at.translation_m).astype(np.float32)
        frame = dataclasses.replace(scan(np.zeros((1, 3)), k), points_m=points)
        umap, still = rolling.add_scan(frame, at), fixed.add_scan(frame, at)
        rows = (umap.grid.origin_north_m - still.grid.origin_north_m) / 0.5
        cols = (umap.grid.origin_east_m - still.grid.origin_east_m) / 0.5
        assert rows == round(rows)
        assert cols == round(cols)
        moved_m = max(moved_m, cols * 0.5)
    assert moved_m >= 3.0
    row, col = round(rows), round(cols)
    for name in FLOAT_LAYERS:
        kept, whole = getattr(umap, name)[: 24 - row, : 24 - col], getattr(still, name)[row:, col:]
        np.testing.assert_allclose(kept, whole, atol=2e-4, err_msg=name)
    assert np.isnan(umap.elevation_m[:, 24 - col :]).all()


def test_the_window_moves_to_where_the_lidar_looks() -> None:
    mapper = UncertaintyMapper(LidarParams(map_size_m=12.0, resolution_m=0.5, map_follows="view"))
    low = Pose(np.array((2.0, 0.0, 5.0)), np.array([0.0, 0.0, 0.0, 1.0]))
    ahead = (surface(flat, 0) * (0.5, 0.5, 1.0) + (8.0, 0.0, 0.0) - low.translation_m).astype(np.float32)
    umap = mapper.add_scan(dataclasses.replace(scan(ahead, 0), points_m=ahead), low)
    assert umap.grid.origin_east_m == pytest.approx(2.0, abs=0.6)
    assert np.isfinite(umap.elevation_m).sum() > 100
    far = (ahead - (500.0, 0.0, 0.0)).astype(np.float32)
    assert mapper.add_scan(dataclasses.replace(scan(far, 1), points_m=far), low).grid == umap.grid


def test_every_scan_enters_though_maps_are_rarer_and_name_them_all() -> None:
    paced, every = UncertaintyMapper(dataclasses.replace(PARAMS, map_rate_hz=5.0)), UncertaintyMapper(PARAMS)
    given, newest = [], None
    for k in range(5):
        seen = scan(surface(flat, k), k)
        given.append(paced.take_scan(seen, MAP_T_LIDAR))
        newest = every.add_scan(seen, MAP_T_LIDAR)
    assert [umap is not None for umap in given] == [True, False, True, False, True]
    assert [len(umap.sources) for umap in given if umap is not None] == [1, 2, 2]
    assert newest is not None
    assert all(
        np.array_equal(getattr(given[-1], n), getattr(newest, n), equal_nan=True) for n in FLOAT_LAYERS
    )
