# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Packets through messages and back: not one bit may change, or live and offline would differ."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from vidgen.msg import GimbalState, NavState, SensorBundle, UncertaintyMap

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    Bundle,
    CameraCalibration,
    Cause,
    Frame,
    GateReport,
    GimbalAttitude,
    Grid,
    Hazard,
    LeakCause,
    Mark,
    Origin,
    Overlay,
    PhysicsRef,
    Pose,
    Record,
    RtkStatus,
    SourceRef,
    ThermalFrame,
)
from vidgen_nodes.packets import NavState as NavPacket
from vidgen_nodes.packets import UncertaintyMap as MapPacket
from vidgen_nodes.ros import fill, unpack, wire

RNG = np.random.default_rng(7)
STAMP_NS = 1_780_000_000_123_456_789


def source(topic: str = "/vidgen/fix") -> SourceRef:
    return SourceRef(topic, "sensor_msgs/msg/NavSatFix", STAMP_NS - 5, RNG.bytes(32))


def pose() -> Pose:
    q = RNG.normal(size=4)
    return Pose(RNG.normal(size=3) * 50.0, q / np.linalg.norm(q))


def uncertainty_map() -> MapPacket:
    grid = Grid(-16.0, -15.5, 0.5, 63, 64)
    floats = [RNG.normal(size=grid.shape).astype(np.float32) for _ in range(8)]
    floats[0][3, 4] = np.nan
    counts = RNG.integers(0, 65536, grid.shape).astype(np.uint16)
    observed = RNG.integers(0, STAMP_NS, grid.shape)
    flags = RNG.integers(0, 16, grid.shape).astype(np.uint8)
    return MapPacket(
        STAMP_NS, grid, *floats, counts, observed, flags, RNG.bytes(32), (source("/vidgen/points"),)
    )


def thermal(calibrated: bool = True) -> ThermalFrame:
    matrix = np.array([[65.1, 0.0, 31.4], [0.0, 65.6, 23.8], [0.0, 0.0, 1.0]])
    calibration = CameraCalibration(
        STAMP_NS - 9, "cam", 64, 48, matrix, "plumb_bob", RNG.normal(size=5) * 0.01
    )
    pixels = RNG.integers(0, 65536, (48, 64)).astype(np.uint16)
    return ThermalFrame(
        STAMP_NS, "cam", "mono16", pixels, 41, calibration if calibrated else None, True, 0.01, -3.3, 1 / 3, False,
        (source("/vidgen/thermal/image_raw"),),
    )  # fmt: skip


def bundle(umap: MapPacket | None, **changes: Any) -> Bundle:
    made = Bundle(
        STAMP_NS, 40, 2, thermal(), pose(), RNG.normal(size=(6, 6)), STAMP_NS - 10, RtkStatus.FLOAT, umap, 2 / 3,
        (Cause.RTK_LOST,), (source(), source("/vidgen/imu/data")), {"map": 3, "fix": 1},
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def same(a: Any, b: Any) -> bool:
    """Equal to the last bit, arrays and NaN included."""
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(
            same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a)
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and bool(a == b)


def over_the_wire(message: Any, message_type: Any) -> Any:
    return deserialize_message(serialize_message(message), message_type)


def both_readings(raw: bytes, message_type: Any) -> list[Any]:
    """As our nodes read it, and as any other ROS node does."""
    return [wire.decode(raw, f"vidgen/msg/{message_type.__name__}"), deserialize_message(raw, message_type)]


def bundle_bytes(packet: Bundle) -> bytes:
    """Through both messages on the way: the thermal frame's, then the bundle around it."""
    frame = packet.thermal
    image = serialize_message(fill.image(frame.stamp_ns, frame.frame_id, frame.encoding, frame.pixels))
    thermal_bytes = wire.thermal_frame(frame, wire.decode(image, "sensor_msgs/msg/Image"))
    return wire.bundle(packet, wire.decode(thermal_bytes, "vidgen/msg/ThermalFrame"))


def test_navigation_state_comes_back_to_the_last_bit() -> None:
    state = NavPacket(
        STAMP_NS, pose(), RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=(6, 6)),
        RtkStatus.FIXED, STAMP_NS - 7, (source(), source("/vidgen/imu/data")),
    )  # fmt: skip
    for message in both_readings(wire.nav_state(state), NavState):
        assert same(unpack.nav_state(message), state)


def test_a_gimbals_attitude_comes_back_to_the_last_bit_and_a_broken_one_is_refused() -> None:
    turn = np.array((0.1, -0.2, 0.3, math.sqrt(1.0 - 0.14)))
    attitude = GimbalAttitude(STAMP_NS, turn, "map", source("/vidgen/gimbal"))
    for message in both_readings(wire.gimbal_state(attitude), GimbalState):
        assert same(unpack.gimbal_state(message), attitude)
    broken = dataclasses.replace(attitude, quaternion_xyzw=0.5 * turn)
    for message in both_readings(wire.gimbal_state(broken), GimbalState):
        with pytest.raises(InputError, match="length"):
            unpack.gimbal_state(message)


def test_twist_is_the_velocity_seen_from_the_drone() -> None:
    quarter_turn = Pose(np.zeros(3), np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)]))  # faces north
    state = NavPacket(
        STAMP_NS,
        quarter_turn,
        np.array([0.0, 5.0, 0.0]),
        np.zeros(3),
        np.zeros(3),
        np.eye(6),
        RtkStatus.NONE,
        0,
        (),
    )
    twist = fill.odometry(state).twist.twist.linear
    assert (twist.x, twist.y, twist.z) == pytest.approx((5.0, 0.0, 0.0))


def test_map_comes_back_to_the_last_bit() -> None:
    umap = uncertainty_map()
    back = unpack.uncertainty_map(over_the_wire(fill.uncertainty_map(umap), UncertaintyMap))
    assert same(back, umap)


def test_map_with_a_short_layer_is_refused() -> None:
    message = over_the_wire(fill.uncertainty_map(uncertainty_map()), UncertaintyMap)
    message.width = 65
    with pytest.raises(InputError) as caught:
        unpack.uncertainty_map(message)
    assert caught.value.reason == "map_size"


@pytest.mark.parametrize("with_map", [True, False])
def test_bundle_comes_back_to_the_last_bit(with_map: bool) -> None:
    umap = uncertainty_map() if with_map else None
    packet = bundle(umap)
    for message in both_readings(bundle_bytes(packet), SensorBundle):
        assert same(unpack.bundle(message, umap, unpack.CalibrationCache()), packet)


def test_bundle_without_pose_and_calibration_comes_back() -> None:
    packet = bundle(None, map_T_camera=None, pose_covariance=None, sigma_px=math.nan, thermal=thermal(False))
    for message in both_readings(bundle_bytes(packet), SensorBundle):
        assert same(unpack.bundle(message, None, unpack.CalibrationCache()), packet)


def test_bundle_whose_map_is_not_known_says_so_and_has_none() -> None:
    message = both_readings(bundle_bytes(bundle(uncertainty_map(), causes=())), SensorBundle)[0]
    packet = unpack.bundle(message, None, unpack.CalibrationCache())
    assert packet.uncertainty_map is None
    assert packet.causes == (Cause.MAP_MISSING,)


def test_cause_of_another_version_is_refused_not_ignored() -> None:
    message = both_readings(bundle_bytes(bundle(None)), SensorBundle)[0]
    message.causes = ["volcano"]
    with pytest.raises(InputError, match="volcano"):
        unpack.bundle(message, None, unpack.CalibrationCache())


def test_same_calibration_is_the_same_object_and_another_is_not() -> None:
    cache, frame = unpack.CalibrationCache(), thermal()
    assert frame.calibration is not None
    first = cache.get(fill.camera_info(frame.calibration))
    assert cache.get(fill.camera_info(frame.calibration)) is first
    changed = dataclasses.replace(
        frame.calibration, matrix_px=frame.calibration.matrix_px * [[2.0], [2.0], [1.0]]
    )
    assert cache.get(fill.camera_info(changed)) is not first


def frame() -> Frame:
    rgba = RNG.integers(0, 256, (48, 64, 4)).astype(np.uint8)
    overlay = Overlay(STAMP_NS, "cam", rgba, rgba[:, :, 3].copy(), None)
    physics = (PhysicsRef("flame", "model", "1", RNG.bytes(32), 3),)
    record = Record(
        "m", 5, STAMP_NS, 6, leaf_hash=RNG.bytes(32), tree_size=7,
        root=RNG.bytes(32), frame_sha256=RNG.bytes(32), inputs_sha256=RNG.bytes(32), scenario_sha256=RNG.bytes(32),
        physics_sha256=RNG.bytes(32), software_sha256=RNG.bytes(32), config_sha256=RNG.bytes(32), map_sha256=b"",
        label_code="SYN", origin=Origin.SIM, causes=(), gate=GateReport(3, 100, 0), sigma_px=1.5, physics=physics,
    )  # fmt: skip
    hazard = Hazard("wall/flame", "flame", (1.0, 2.0, 3.0), 0.5, 2.5, 300.0, 0.8, ("rule", "cell 3 4"))
    return Frame(overlay, (hazard,), record)


def test_overlay_has_stamp_and_frame_of_the_thermal_frame_and_every_pixel() -> None:
    made = frame()
    message = fill.overlay(made.overlay)
    assert (message.encoding, message.step, message.header.frame_id) == ("rgba8", 256, "cam")
    assert same(unpack.overlay(message).rgba, made.overlay.rgba)


def test_provenance_names_every_hash_and_zeros_where_there_is_none() -> None:
    record = frame().record
    message = fill.provenance(record, "cam", 9)
    assert message.root.tobytes() == record.root
    assert message.map_sha256.tobytes() == bytes(32)
    assert message.origin == message.ORIGIN_SIM
    assert [p.element for p in message.physics] == ["flame"]


def test_why_leaks_of_steam_are_shut_is_told_among_the_marks() -> None:
    record = dataclasses.replace(
        frame().record,
        marks=(Mark.POSE_OLD,),
        gate=GateReport(3, 100, 0, (LeakCause.COVERED, LeakCause.STALE), ("a", "b")),
    )
    assert list(fill.provenance(record, "cam", 9).marks) == ["pose_old", "leak_covered", "leak_stale"]


def test_hazards_are_marked_synthetic_and_expire() -> None:
    made = frame()
    message = fill.hazard_array(made, 1_000_000_000)
    (event,) = message.hazards
    assert event.synthetic
    assert event.expires.sec == STAMP_NS // 10**9 + 1
    assert event.leaf_hash.tobytes() == made.record.leaf_hash
    assert unpack.hazards(message) == made.hazards


def test_image_is_filled_without_a_copy() -> None:
    pixels = np.zeros((48, 64), np.uint16)
    message = fill.image(1, "f", "mono16", pixels)
    pixels[0, 0] = 513
    assert bytes(message.data[:2]) == b"\x01\x02"


def test_field_that_the_message_does_not_have_is_an_error() -> None:
    with pytest.raises(TypeError, match="no field nothing"):
        fill.set_buffer(fill.image(1, "f", "mono8", np.zeros((2, 2), np.uint8)), "nothing", np.zeros(1))
