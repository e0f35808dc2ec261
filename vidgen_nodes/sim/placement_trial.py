# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far from the truth the real filter and the real synchroniser place things, on a simulated flight.

A trial flies a motion, feeds its IMU and fixes to ``NavFilter`` and its frames to ``AnchoredSync``, and looks
where points of the ground fall: in the camera as it truly was, and in the camera as the bundle has it. What
goes wrong is chosen: sensor noise, jitter on the thermal stamps, a clock that is ahead, a camera that is
mounted otherwise than the parameters say, points that are known by their map cell only.

Guarantees: the same trial gives the same numbers. Leaves out pictures: frames carry no pixels worth looking at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Fix,
    FloatArray,
    ImuSample,
    NavState,
    PointScan,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import LidarParams, RtkParams, SyncParams
from vidgen_nodes.sensing.geodesy import LocalFrame
from vidgen_nodes.sensing.pose import NavFilter
from vidgen_nodes.sensing.transform import compose, interpolate_pose, rotation_matrix, turned
from vidgen_nodes.sensing.uncertainty import UncertaintyMapper
from vidgen_nodes.sim import rig, site
from vidgen_nodes.sim.navigation import FIX_SIGMA_M, InertialUnit, Receiver
from vidgen_nodes.sim.trajectory import FlightTruth
from vidgen_nodes.sync.anchored import AnchoredSync

EPOCH_NS: Final = 1_700_000_000_000_000_000
_SOURCE: Final = SourceRef("", "", 0, b"")
_IMU_HZ: Final = 200
_FIX_EVERY: Final = 20
_FIX_AFTER_S: Final = 0.003
ALIGN_S: Final = 4.0
_NEAREST_NS: Final = 100_000_000
_PIXELS: Final = np.zeros((2, 2), np.uint16)
Motion = Callable[[float], FlightTruth]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is flown and what goes wrong."""

    motion: Motion
    start_s: float = 0.0
    seconds: float = 10.0  # after the filter has settled
    seed: int = 1
    noise: bool = True  # of IMU and receiver
    jitter_s: float = 0.0  # of thermal stamps, uniform, plus or minus
    clock_ahead_s: float = 0.0  # the camera's clock
    boresight_rad: tuple[float, float, float] = (
        0.0,
        0.0,
        0.0,
    )  # the camera is turned by this, about its own axes
    cell_m: float = 0.0  # drawn points are the middles of their cells; 0: the points themselves
    rate_hz: float = 50.0
    points: int = 4  # a frame
    focal_px: float = 702.0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Per frame. Errors in px, of each point (frames, points)."""

    error_px: FloatArray  # with the bundle's pose
    nearest_px: (
        FloatArray  # with the nearest pose of a 10 Hz stream, before or after: what pairing by stamp gives
    )
    sigma_px: FloatArray  # (frames,) as stated
    image_rate_px: (
        FloatArray  # (frames, points) px per second at which the points move through the true picture
    )


def fly_trial(trial: Trial, rtk: RtkParams, sync: SyncParams) -> Outcome:
    """Fly one.

    Args:
        trial: what.
        rtk: parameters of the filter; antenna and datum are those of the simulated drone.
        sync: parameters of the synchroniser.

    Raises:
        ValueError: the filter gave no pose for a frame after it had time to settle.
    """
    states = list(nav_states(trial, rtk))
    anchored = AnchoredSync(sync)
    if trial.cell_m:
        anchored.add_map(_flat_map(round(EPOCH_NS + (trial.start_s - 1.0) * 1e9), trial.cell_m))
    source = np.random.default_rng(trial.seed)
    rows: list[tuple[FloatArray, FloatArray, float, FloatArray]] = []
    fed = 0
    for index in range(round(trial.seconds * trial.rate_hz)):
        t_s = trial.start_s + ALIGN_S + index / trial.rate_hz
        stamp_s = t_s + trial.clock_ahead_s + trial.jitter_s * source.uniform(-1.0, 1.0)
        frame = _frame(round(EPOCH_NS + stamp_s * 1e9), index, trial.focal_px)
        while fed < len(states) and states[fed].stamp_ns <= frame.stamp_ns:
            anchored.add_nav(states[fed])
            fed += 1
        rows.append(_look(trial, t_s, anchored.bundle(frame), states, source))
    return Outcome(*(np.array(column) for column in zip(*rows, strict=True)))


def _look(
    trial: Trial, t_s: float, bundle: Bundle, states: list[NavState], source: np.random.Generator
) -> tuple[FloatArray, FloatArray, float, FloatArray]:
    if bundle.map_T_camera is None:
        raise ValueError(f"no pose at {t_s:.2f} s: {[cause.value for cause in bundle.causes]}")
    mounted = _BASE_T_CAMERA
    x, y, z, w = mounted.quaternion_xyzw.tolist()
    mounted = Pose(mounted.translation_m, np.array(turned((x, y, z, w), trial.boresight_rad, 1.0)))
    camera = compose(trial.motion(t_s).map_T_base, mounted)
    pixels, points_m = _ground_points(camera, trial, source)
    drawn_m = points_m.copy()
    if trial.cell_m:
        drawn_m[:, :2] = (np.floor(points_m[:, :2] / trial.cell_m) + 0.5) * trial.cell_m
    at_ns = min(round(bundle.stamp_ns / _NEAREST_NS) * _NEAREST_NS, states[-1].stamp_ns)
    nearest = compose(_pose_at(states, at_ns), _BASE_T_CAMERA)
    soon = compose(trial.motion(t_s + 1e-4).map_T_base, mounted)
    return (
        np.linalg.norm(_project(bundle.map_T_camera, drawn_m, trial.focal_px) - pixels, axis=1),
        np.linalg.norm(_project(nearest, points_m, trial.focal_px) - pixels, axis=1),
        bundle.sigma_px,
        np.linalg.norm(_project(soon, points_m, trial.focal_px) - pixels, axis=1) / 1e-4,
    )


def _ground_points(camera: Pose, trial: Trial, source: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Pixels (N, 2) spread over the picture, from its middle, and the points of the ground (N, 3) seen there."""
    rotation = rotation_matrix(camera)
    spread = source.uniform(-0.5, 0.5, (trial.points, 2)) * (rig.WIDTH_PX, rig.HEIGHT_PX)
    looks = np.column_stack([spread / trial.focal_px, np.ones(trial.points)]) @ rotation.T
    depth_m = camera.translation_m[2] / np.maximum(-looks[:, 2], 0.05)
    return spread, camera.translation_m + looks * depth_m[:, None]


def _project(camera: Pose, points_m: FloatArray, focal_px: float) -> FloatArray:
    """(N, 2) px from the middle of the picture."""
    seen = (points_m - camera.translation_m) @ rotation_matrix(camera)
    return np.asarray(focal_px * seen[:, :2] / seen[:, 2:])


def _pose_at(states: list[NavState], stamp_ns: int) -> Pose:
    stamps = np.array([state.stamp_ns for state in states])
    after = min(max(1, int(np.searchsorted(stamps, stamp_ns))), len(states) - 1)
    return interpolate_pose(states[after - 1], states[after], stamp_ns)


def nav_states(trial: Trial, rtk: RtkParams) -> Iterator[NavState]:
    """What the filter makes of the flight's sensors."""
    nav = NavFilter(
        replace(
            rtk,
            datum_latitude_deg=site.DATUM_LATITUDE_DEG,
            datum_longitude_deg=site.DATUM_LONGITUDE_DEG,
            datum_altitude_m=site.DATUM_ALTITUDE_M,
            antenna_m=rig.ANTENNA_M,
        )
    )
    sensors = _Sensors(trial)
    first = round(trial.start_s * _IMU_HZ)
    last = round((trial.start_s + ALIGN_S + trial.seconds + 0.2) * _IMU_HZ)
    for index in range(first, last):
        if index % _FIX_EVERY == 0:
            nav.add_fix(sensors.fix(index / _IMU_HZ + _FIX_AFTER_S, index // _FIX_EVERY))
        state = nav.add_imu(sensors.imu(index / _IMU_HZ, index))
        if state is not None:
            yield state


class _Sensors:
    """IMU and receiver, with their noise or without."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._unit, self._receiver = InertialUnit(trial.seed), Receiver(trial.seed)
        self._frame = LocalFrame(site.DATUM_LATITUDE_DEG, site.DATUM_LONGITUDE_DEG, site.DATUM_ALTITUDE_M)

    def imu(self, t_s: float, index: int) -> ImuSample:
        truth = self._trial.motion(t_s)
        stamp_ns = EPOCH_NS + round(t_s * 1e9)
        if not self._trial.noise:
            return ImuSample(
                stamp_ns,
                np.array(truth.map_q_base),
                truth.angular_velocity_radps,
                truth.specific_force_mps2,
                _SOURCE,
            )
        read = self._unit.read(truth, index)
        return ImuSample(
            stamp_ns, read.orientation_xyzw, read.angular_velocity_radps, read.acceleration_mps2, _SOURCE
        )

    def fix(self, t_s: float, index: int) -> Fix:
        antenna_m = self._trial.motion(t_s).antenna_m
        stamp_ns = EPOCH_NS + round(t_s * 1e9)
        covariance_m2 = np.diag(np.square(FIX_SIGMA_M))
        if self._trial.noise:
            read = self._receiver.fix(antenna_m, index)
            place = (read.latitude_deg, read.longitude_deg, read.altitude_m)
        else:
            place = self._frame.to_geodetic(antenna_m)
        return Fix(stamp_ns, *place, covariance_m2, RtkStatus.FIXED, _SOURCE)


def _frame(stamp_ns: int, index: int, focal_px: float) -> ThermalFrame:
    matrix_px = np.array(
        ((focal_px, 0.0, rig.WIDTH_PX / 2), (0.0, focal_px, rig.HEIGHT_PX / 2), (0.0, 0.0, 1.0))
    )
    calibration = CameraCalibration(
        1, rig.THERMAL_FRAME, rig.WIDTH_PX, rig.HEIGHT_PX, matrix_px, "plumb_bob", np.zeros(5)
    )
    return ThermalFrame(
        stamp_ns, rig.THERMAL_FRAME, "mono16", _PIXELS, index, calibration, False, math.nan, math.nan, 0.0, False, ()
    )  # fmt: skip


def _flat_map(stamp_ns: int, cell_m: float) -> UncertaintyMap:
    """What the real mapper makes of level ground at height 0."""
    steps_m = np.arange(-4.0, 4.0, 0.25, dtype=np.float32)
    east_m, north_m = np.meshgrid(steps_m, steps_m)
    points_m = np.stack([east_m.ravel(), north_m.ravel(), np.zeros(east_m.size, np.float32)], axis=1)
    scan = PointScan(stamp_ns, "lidar", points_m, None, {}, _SOURCE)
    mapper = UncertaintyMapper(LidarParams(map_size_m=16.0, resolution_m=cell_m))
    return mapper.add_scan(scan, Pose(np.zeros(3), np.array((0.0, 0.0, 0.0, 1.0))))


_BASE_T_CAMERA: Final = Pose(np.array(rig.CAMERA_TRANSLATION_M), rig.base_R_optical().as_quat())
