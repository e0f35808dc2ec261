# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The flight as a whole, and the files of ``config/`` that describe it to the nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.params import NodeParams, SimParams, load_node_params
from vidgen_nodes.scenario.timeline import load_scenario
from vidgen_nodes.scene.building import Building, load_building
from vidgen_nodes.sim import Flight, damage, radiance, rig, site
from vidgen_nodes.sim.lidar_scan import RANGE_SIGMA_M

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.fixture(scope="module")
def flight() -> Flight:
    return Flight(SimParams(seed=11, lidar_points=2000))


@pytest.fixture(scope="module")
def preset() -> NodeParams:
    return load_node_params([CONFIG / "presets" / "sim.yaml"])


@pytest.fixture(scope="module")
def building(preset: NodeParams) -> Building:
    return load_building(CONFIG / preset.generator.building_file)


def test_samples_are_the_same_in_any_order(flight: Flight) -> None:
    other = Flight(SimParams(seed=11, lidar_points=2000))
    wanted = list(flight.schedule(0.2))
    forward = [_bytes(flight, sample) for sample in wanted]
    backward = [_bytes(other, sample) for sample in reversed(wanted)][::-1]
    assert forward == backward
    assert len(set(forward)) > 0.7 * len(forward)  # camera_info repeats, nothing else does


def test_calibration_fits_the_frames(flight: Flight) -> None:
    camera = flight.calibration
    frame = flight.thermal(0.0, 0)
    assert frame.dtype == np.uint16
    assert frame.shape == (camera.height_px, camera.width_px) == (512, 640)
    assert camera.matrix_px[0, 2] != camera.width_px / 2
    assert not camera.distortion.any()


def test_frames_do_not_share_memory(flight: Flight) -> None:
    assert not np.shares_memory(flight.thermal(0.0, 0), flight.thermal(0.02, 1))


def test_preset_tells_the_true_extrinsics(preset: NodeParams) -> None:
    assert preset.sync.camera_translation_m == rig.CAMERA_TRANSLATION_M
    assert preset.sync.camera_rpy_deg == rig.CAMERA_RPY_DEG
    assert preset.lidar.lidar_translation_m == rig.LIDAR_TRANSLATION_M
    assert preset.lidar.lidar_rpy_deg == rig.LIDAR_RPY_DEG
    assert preset.rtk.antenna_m == rig.ANTENNA_M


def test_preset_tells_the_true_datum_scale_and_noise(preset: NodeParams) -> None:
    assert preset.rtk.datum_latitude_deg == site.DATUM_LATITUDE_DEG
    assert preset.rtk.datum_longitude_deg == site.DATUM_LONGITUDE_DEG
    assert preset.rtk.datum_altitude_m == site.DATUM_ALTITUDE_M
    assert preset.rtk.height_datum == "ellipsoidal"
    assert preset.thermal.scale_k_per_count == rig.SCALE_K_PER_COUNT
    assert preset.thermal.offset_k == 0.0
    assert (preset.thermal.range_low_k, preset.thermal.range_high_k) == radiance.RANGE_K
    assert preset.lidar.sensor_sigma_m == RANGE_SIGMA_M
    assert preset.generator.origin == "sim"


def test_map_window_holds_the_house(preset: NodeParams) -> None:
    half = preset.lidar.map_size_m / 2
    for low, high, middle in (
        (site.WEST_M, site.EAST_M, preset.lidar.map_center_m[0]),
        (site.SOUTH_M, site.NORTH_M, preset.lidar.map_center_m[1]),
    ):
        assert middle - half + 2.0 < low
        assert high < middle + half - 2.0


def test_building_file_is_the_house_as_built(building: Building) -> None:
    faces = {face.name: face for face in site.FACES}
    assert {surface.name for surface in building.surfaces} == set(faces)
    for surface in building.surfaces:
        face = faces[surface.name]
        np.testing.assert_allclose(surface.corners_m, face.corners_m, atol=1e-12)
        assert (surface.kind, surface.material) == (face.kind, face.material)
        assert surface.combustible is face.combustible
        centre = surface.corners_m.mean(axis=0)
        middle = [(site.WEST_M + site.EAST_M) / 2, (site.SOUTH_M + site.NORTH_M) / 2, site.ROOF_M / 2]
        assert face.normal @ (centre - middle) > 0.0  # counter-clockwise seen from outside


def test_one_wall_burns_one_is_unknown_and_the_damage_is_not_in_the_model(building: Building) -> None:
    burning = [surface.name for surface in building.surfaces if surface.combustible]
    unknown = [surface.name for surface in building.surfaces if surface.combustible is None]
    assert (burning, unknown) == (["wall_east"], ["wall_north"])
    roof = next(surface for surface in building.surfaces if surface.name == "roof_main")
    assert np.ptp(roof.corners_m[:, 2]) == 0.0
    assert damage.Damage().offset_m.min() < -0.3


def test_scenario_starts_at_the_foot_of_the_timber_wall(preset: NodeParams) -> None:
    scenario = load_scenario(CONFIG / preset.generator.scenario_file, 1)
    (ignition,) = scenario.ignitions
    east, north, up = ignition.position_m
    assert 0.0 <= east - site.EAST_M < 0.75
    assert site.SOUTH_M < north < site.NORTH_M
    assert up == 0.0
    assert ignition.peak_kw == 400.0
    assert north < site.CLAD_TO_M  # on the clad part, beside the bare one
    assert scenario.debris


def _bytes(flight: Flight, sample) -> bytes:
    make = {
        "thermal": lambda: flight.thermal(sample.truth_t_s, sample.index).tobytes(),
        "camera_info": lambda: flight.calibration.matrix_px.tobytes(),
        "imu": lambda: b"".join(
            (
                flight.imu(sample.truth_t_s, sample.index).orientation_xyzw.tobytes(),
                flight.imu(sample.truth_t_s, sample.index).acceleration_mps2.tobytes(),
            )
        ),
        "fix": lambda: repr(flight.fix(sample.truth_t_s, sample.index)).encode(),
        "scan": lambda: flight.scan(sample.truth_t_s, sample.index).data.tobytes(),
    }
    return make[sample.kind]()
