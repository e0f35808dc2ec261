# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fixes and IMU samples carry the errors that their covariances state, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer
from scipy.spatial.transform import Rotation

from vidgen_nodes.sim import site
from vidgen_nodes.sim.navigation import (
    ACCELERATION_SIGMA_MPS2,
    ATTITUDE_SIGMA_DEG,
    GYRO_SIGMA_RADPS,
    InertialUnit,
    Receiver,
)
from vidgen_nodes.sim.trajectory import fly


def test_fix_errors_have_the_stated_size() -> None:
    receiver = Receiver(seed=2)
    antenna_m = fly(3.0).antenna_m
    errors_m = np.array([_enu(receiver.fix(antenna_m, index)) - antenna_m for index in range(800)])
    stated_m = np.sqrt(np.diag(receiver.fix(antenna_m, 0).covariance_m2.reshape(3, 3)))
    np.testing.assert_allclose(errors_m.std(axis=0), stated_m, rtol=0.1)
    assert np.abs(errors_m.mean(axis=0)).max() < 0.003
    assert stated_m[0] < 0.02


def test_fix_is_rtk_fixed_and_ellipsoidal() -> None:
    fix = Receiver(seed=2).fix(np.array([0.0, 0.0, 0.0]), 0)
    assert (fix.status, fix.covariance_type) == (2, 2)
    assert fix.altitude_m == pytest.approx(site.DATUM_ALTITUDE_M, abs=0.1)
    assert fix.latitude_deg == pytest.approx(site.DATUM_LATITUDE_DEG, abs=1e-6)


def test_antenna_is_above_the_drone() -> None:
    truth = fly(0.0)
    assert truth.antenna_m[2] - truth.map_T_base.translation_m[2] == pytest.approx(0.21, abs=0.03)


def test_attitude_error_is_small_and_slow() -> None:
    unit = InertialUnit(seed=2)
    errors_deg = np.degrees([unit.attitude_error_rad(t) for t in np.arange(0.0, 600.0, 0.5)])
    np.testing.assert_allclose(np.sqrt((errors_deg**2).mean(axis=0)), ATTITUDE_SIGMA_DEG, rtol=0.25)
    assert np.abs(np.diff(errors_deg, axis=0)).max() < 0.1  # in half a second
    assert np.abs(errors_deg).max() < 0.5


def test_imu_reports_truth_turned_by_the_drift() -> None:
    unit = InertialUnit(seed=2)
    truth = fly(8.0)
    reported = Rotation.from_quat(unit.read(truth, 1600).orientation_xyzw)
    error = (reported * Rotation.from_quat(truth.map_T_base.quaternion_xyzw).inv()).as_rotvec()
    np.testing.assert_allclose(error, unit.attitude_error_rad(8.0), atol=1e-12)


def test_imu_noise_is_white_with_a_small_bias() -> None:
    unit = InertialUnit(seed=2)
    truth = fly(8.0)
    samples = [unit.read(truth, index) for index in range(1500)]
    rates = np.array([sample.angular_velocity_radps for sample in samples]) - truth.angular_velocity_radps
    forces = np.array([sample.acceleration_mps2 for sample in samples]) - truth.specific_force_mps2
    np.testing.assert_allclose(rates.std(axis=0), GYRO_SIGMA_RADPS, rtol=0.08)
    np.testing.assert_allclose(forces.std(axis=0), ACCELERATION_SIGMA_MPS2, rtol=0.08)
    assert 0.0 < np.abs(rates.mean(axis=0)).max() < 0.003
    assert 0.0 < np.abs(forces.mean(axis=0)).max() < 0.1
    assert abs(np.corrcoef(rates[1:, 0], rates[:-1, 0])[0, 1]) < 0.1


def test_samples_depend_on_their_index_only() -> None:
    truth = fly(1.0)
    unit, receiver = InertialUnit(seed=9), Receiver(seed=9)
    fifth, fix = unit.read(truth, 5), receiver.fix(truth.antenna_m, 5)
    for index in (7, 2):
        unit.read(truth, index)
        receiver.fix(truth.antenna_m, index)
    np.testing.assert_array_equal(unit.read(truth, 5).acceleration_mps2, fifth.acceleration_mps2)
    again = Receiver(seed=9).fix(truth.antenna_m, 5)
    assert (again.latitude_deg, again.altitude_m) == (fix.latitude_deg, fix.altitude_m)
    assert Receiver(seed=8).fix(truth.antenna_m, 5).latitude_deg != fix.latitude_deg


def _enu(fix):
    """East, north, up about the datum by another way than the simulator's: geocentric and the rotation by hand."""
    geocentric = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    datum = np.array(
        geocentric.transform(site.DATUM_LONGITUDE_DEG, site.DATUM_LATITUDE_DEG, site.DATUM_ALTITUDE_M)
    )
    there = np.array(geocentric.transform(fix.longitude_deg, fix.latitude_deg, fix.altitude_m))
    lat, lon = np.radians([site.DATUM_LATITUDE_DEG, site.DATUM_LONGITUDE_DEG])
    axes = np.array(
        [
            [-np.sin(lon), np.cos(lon), 0.0],
            [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)],
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)],
        ]
    )
    return axes @ (there - datum)
