# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.custody import digest as custody_digest
from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import PointScan, Pose, SourceRef, UncertaintyMap
from vidgen_nodes.params import LidarParams
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper, map_digest

T0 = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
FLOAT_LAYERS = ("elevation_m", "variance_m2", "uncertainty", "entropy", "roughness_m", "deviation_m")
PARAMS = LidarParams(map_size_m=12.0, resolution_m=0.5)
# The LiDAR hangs 20 m up, tilted and turned, so that a wrong transform shows.
MAP_T_LIDAR = Pose(
    np.array((1.0, -2.0, 20.0)), Rotation.from_euler("ZYX", (30, 40, 10), degrees=True).as_quat()
)


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
        baseline=np.zeros((24, 24), np.float32),
    )
    np.testing.assert_allclose(umap.deviation_m[sag], -0.4, atol=0.03)
    assert (umap.uncertainty[sag] >= 0.5).all()
    assert umap.uncertainty[~sag].max() < 0.5


def test_a_centimetre_of_sag_is_not_claimed() -> None:
    umap = build(lambda x, y: np.full_like(x, -0.01), baseline=np.zeros((24, 24), np.float32))
    assert umap.uncertainty.max() < 0.3


@pytest.mark.parametrize("with_baseline", [False, True])
def test_an_edge_is_not_damage(with_baseline: bool) -> None:
    x, y = centres()
    baseline = (
        np.where((abs(x) < 2.5) & (abs(y) < 2.5), 3.0, np.nan).astype(np.float32) if with_baseline else None
    )
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
    baseline = np.where((abs(x) < 2.5) & (abs(y) < 2.5), 3.0, 0.0).astype(np.float32)
    umap = build(house, baseline=baseline)
    ring = (np.maximum(abs(x), abs(y)) > 2.0) & (np.maximum(abs(x), abs(y)) < 3.0)
    assert np.isnan(umap.deviation_m[ring]).all()
    assert np.isfinite(umap.deviation_m[~ring]).all()


def test_a_baseline_of_another_datum_is_not_used() -> None:
    mapper = UncertaintyMapper(PARAMS, np.full((24, 24), -20.0, np.float32))
    umap = mapper.add_scan(scan(surface(flat, 0), 0), MAP_T_LIDAR)
    assert "+20.00 m off" in mapper.baseline_refused
    assert np.isnan(umap.deviation_m).all()
    with pytest.raises(ConfigError):
        UncertaintyMapper(PARAMS, np.zeros((3, 3), np.float32))


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
    mapper = UncertaintyMapper(PARAMS, np.zeros((24, 24), np.float32))
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
    names = [*FLOAT_LAYERS, "observations", "observed_ns"]
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
