# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One line for each way in which what is published does not fit; and no line for what does."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.graph import resolve_params
from vidgen_nodes.params import NodeParams, RtkParams
from vidgen_nodes.ros.fitness import DOUBTFUL, FITS, WRONG, Verdict, judge
from vidgen_nodes.ros.samples import Stream, from_recording

T0 = 1_700_000_000_000_000_000
INPUTS = {
    "thermal/image_raw": "/thermal/image_raw", "thermal/camera_info": "/thermal/camera_info",
    "fix": "/fix", "imu/data": "/imu/data", "points": "/points",
}  # fmt: skip
DATA = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


def header(stamp_ns: int) -> SimpleNamespace:
    seconds, rest = divmod(stamp_ns, 1_000_000_000)
    return SimpleNamespace(stamp=SimpleNamespace(sec=seconds, nanosec=rest), frame_id="f")


def stream(topic: str, type_name: str, messages: list[Any], late_ns: int = 5_000_000) -> Stream:
    arrived = [
        ((m.header.stamp.sec * 1_000_000_000 + m.header.stamp.nanosec) if hasattr(m, "header") else T0)
        + late_ns
        for m in messages
    ]
    return Stream(
        topic, type_name, len(messages), [(at, m, b"") for at, m in zip(arrived, messages, strict=True)]
    )


def fixes(altitudes: list[float], status: int = 0) -> list[Any]:
    return [
        SimpleNamespace(
            header=header(T0 + i * 100_000_000), status=SimpleNamespace(status=status), latitude=47.4, longitude=8.5,
            altitude=altitude, position_covariance=[0.0] * 9, position_covariance_type=0,
        )
        for i, altitude in enumerate(altitudes)
    ]  # fmt: skip


def imus(up_mps2: float = 9.8, count: int = 200) -> list[Any]:
    zero = SimpleNamespace(x=0.0, y=0.0, z=0.0)
    return [
        SimpleNamespace(
            header=header(T0 + i * 10_000_000), orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0),
            orientation_covariance=[0.0] * 9, angular_velocity=zero, angular_velocity_covariance=[0.0] * 9,
            linear_acceleration=SimpleNamespace(x=0.0, y=0.0, z=up_mps2), linear_acceleration_covariance=[0.0] * 9,
        )
        for i in range(count)
    ]  # fmt: skip


def image(encoding: str = "mono16") -> Any:
    pixels = np.full((8, 8), 30000, np.uint16) if encoding == "mono16" else np.full((8, 24), 80, np.uint8)
    return SimpleNamespace(
        header=header(T0), encoding=encoding, width=8, height=8, step=pixels.strides[0], is_bigendian=0,
        data=np.frombuffer(pixels.tobytes(), np.uint8),
    )  # fmt: skip


def cloud(first_s: float, span_s: float = 0.1, stamp_ns: int = T0) -> Any:
    """As a Hesai driver packs it."""
    dtype = np.dtype(
        {"names": ["x", "y", "z", "intensity", "ring", "timestamp"], "formats": ["<f4"] * 4 + ["<u2", "<f8"],
         "offsets": [0, 4, 8, 12, 16, 18], "itemsize": 26}
    )  # fmt: skip
    points = np.zeros(500, dtype)
    points["x"] = 5.0
    points["timestamp"] = first_s + np.linspace(0.0, span_s, 500)
    codes = {"f4": 7, "u2": 4, "f8": 8}
    fields = [
        SimpleNamespace(name=name, offset=offset, datatype=codes[kind.str[1:]], count=1)
        for name, (kind, offset) in dtype.fields.items()
    ]
    return SimpleNamespace(
        header=header(stamp_ns), width=500, height=1, fields=fields, is_bigendian=False, point_step=26,
        row_step=13000, data=np.frombuffer(points.tobytes(), np.uint8),
    )  # fmt: skip


def healthy() -> dict[str, Stream]:
    made = [
        stream("/fix", "sensor_msgs/msg/NavSatFix", fixes([500.0] * 10)),
        stream("/imu/data", "sensor_msgs/msg/Imu", imus()),
        stream("/thermal/image_raw", "sensor_msgs/msg/Image", [image()]),
        stream("/thermal/camera_info", "sensor_msgs/msg/CameraInfo", [SimpleNamespace(header=header(T0))]),
        stream("/points", "sensor_msgs/msg/PointCloud2", [cloud(T0 * 1e-9)]),
    ]
    return {item.topic: item for item in made}


def lines(
    streams: Mapping[str, Stream], params: NodeParams | None = None, inputs: Mapping[str, str] = INPUTS
) -> list[Verdict]:
    return [line for line in judge(streams, params or NodeParams(), inputs) if line.level != FITS]


def only(verdicts: list[Verdict], *words: str) -> Verdict:
    """The one line that there is; it holds all the words, and is one line."""
    assert len(verdicts) == 1, verdicts
    (line,) = verdicts
    for word in words:
        assert word in line.what, line.what
    assert "\n" not in line.what
    return line


def with_rtk(**changes: Any) -> NodeParams:
    return dataclasses.replace(NodeParams(), rtk=RtkParams(**changes))


def test_what_fits_gives_no_complaint() -> None:
    assert lines(healthy()) == []
    said = [line.what for line in judge(healthy(), NodeParams(), INPUTS)]
    assert any("hesai layout, per-point times: synchronised" in what for what in said)


def test_the_preset_of_another_stack_is_told_with_the_right_one() -> None:
    assert (
        only(
            lines(healthy(), resolve_params("px4"))[:1], "nothing is on /fmu/out/", "generic are there"
        ).level
        == WRONG
    )
    assert "--preset generic" in lines(healthy(), resolve_params("mavros"))[0].fix


def test_px4_topics_are_recognised_by_any_version() -> None:
    streams = {
        f"/fmu/out/{topic}": Stream(f"/fmu/out/{topic}", f"px4_msgs/msg/{name}", 9)
        for topic, name in (
            ("vehicle_gps_position", "SensorGps"), ("sensor_combined", "SensorCombined"),
            ("vehicle_attitude_v1", "VehicleAttitude"),
        )
    }  # fmt: skip
    line = lines({**streams, "/thermal/image_raw": healthy()["/thermal/image_raw"]})[0]
    assert line.level == WRONG
    assert line.fix == "use --preset px4 instead"
    assert not [line for line in lines(streams, resolve_params("px4")) if "stack" in line.what]


def test_a_receiver_on_a_port_stands_in_for_the_topic_of_positions() -> None:
    streams = healthy()
    del streams["/fix"]
    assert (
        "nothing is on fix"
        in only(lines(streams, inputs={k: v for k, v in INPUTS.items() if k != "fix"})).what
    )
    assert lines(streams, with_rtk(nmea_source="/dev/ttyUSB0@115200")) == []


def test_a_topic_of_another_type_counts_as_absent() -> None:
    streams = healthy()
    streams["/imu/data"].type_name = "geometry_msgs/msg/Imu"
    assert "nothing is on /imu/data, which the stack generic reads" in lines(streams)[0].what


def psdk(fused: float = 498.0, rtk: float = 450.0) -> dict[str, Stream]:
    root, inputs = "/wrapper/psdk_ros2", healthy()
    made = [
        stream(f"{root}/rtk_position_info", "std_msgs/msg/UInt8", [SimpleNamespace(data=50)], late_ns=0),
        stream(f"{root}/rtk_position", "sensor_msgs/msg/NavSatFix", fixes([rtk] * 4)),
        stream(f"{root}/gps_position_fused", "sensor_msgs/msg/NavSatFix", fixes([fused] * 30)),
        stream(f"{root}/imu", "sensor_msgs/msg/Imu", imus()),
        inputs["/thermal/image_raw"], inputs["/thermal/camera_info"],
    ]  # fmt: skip
    return {item.topic: item for item in made}


def test_the_two_heights_of_dji_are_told_with_the_undulation_between_them() -> None:
    params = dataclasses.replace(resolve_params("psdk_ros2"), thermal=NodeParams().thermal)
    told = [line for line in lines(psdk(), params) if "two datums" in line.what]
    assert "48.0 m above rtk_position" in told[0].what
    known = dataclasses.replace(params, rtk=dataclasses.replace(params.rtk, geoid_undulation_m=48.0))
    assert lines(psdk(), known) == []


def test_a_sea_height_where_an_ellipsoidal_one_is_declared_is_wrong() -> None:
    params = with_rtk(stack="psdk_ros2", height_datum="ellipsoidal")
    told = [line for line in lines(psdk(), params) if "heights of two datums meet" in line.what]
    assert len(told) == 1
    assert told[0].level == WRONG
    assert "geoid_undulation_m" in told[0].fix


@pytest.mark.parametrize(
    ("below_m", "complains"), [(48.0, True), (3.0, False), (300.0, False), (-48.0, False)]
)
def test_positions_a_geoid_below_the_datum_are_doubted(below_m: float, complains: bool) -> None:
    params = with_rtk(datum_latitude_deg=47.4, datum_longitude_deg=8.5, datum_altitude_m=500.0 + below_m)
    told = lines(healthy(), params)
    assert bool(told) == complains
    if complains:
        assert only(told, "48 m below the datum").level == DOUBTFUL


def test_a_receiver_that_measures_no_height_is_wrong() -> None:
    streams = healthy()
    streams["/fix"] = stream("/fix", "sensor_msgs/msg/NavSatFix", fixes([0.0] * 10))
    assert only(lines(streams), "every height is 0").level == WRONG


def test_a_lidar_on_its_own_clock_is_told() -> None:
    streams = healthy()
    streams["/points"] = stream("/points", "sensor_msgs/msg/PointCloud2", [cloud(12.0)])
    assert "PTP" in only(lines(streams), "/points", "own clock", "days behind its stamps (hesai)").fix


def test_a_lidar_whose_stamps_count_from_its_start_is_told() -> None:
    streams = healthy()
    message = cloud(12.0, stamp_ns=12_000_000_000)
    streams["/points"] = stream("/points", "sensor_msgs/msg/PointCloud2", [message], late_ns=T0)
    line = only(
        lines(streams),
        "/points",
        "days behind those of the other inputs",
        "LiDAR's clock is not synchronised",
    )
    assert "PTP" in line.fix


def test_a_lidar_with_one_time_for_all_points_is_told() -> None:
    streams = healthy()
    streams["/points"] = stream("/points", "sensor_msgs/msg/PointCloud2", [cloud(T0 * 1e-9, span_s=0.0)])
    only(lines(streams), "one time (hesai)", "motion is not compensated")


def test_a_camera_without_temperature_is_told() -> None:
    streams = healthy()
    streams["/thermal/image_raw"] = stream("/thermal/image_raw", "sensor_msgs/msg/Image", [image("rgb8")])
    assert only(lines(streams), "/thermal/image_raw is not radiometric", "rgb8").level == DOUBTFUL


def test_video_in_an_image_message_is_refused() -> None:
    streams = healthy()
    message = image()
    message.encoding, message.width = "h264", 0
    streams["/thermal/image_raw"] = stream("/thermal/image_raw", "sensor_msgs/msg/Image", [message])
    assert only(lines(streams), "refused (encoding)", "h264").level == WRONG


def test_a_camera_without_calibration_is_told() -> None:
    streams = healthy()
    del streams["/thermal/camera_info"]
    only(lines(streams), "no camera_info")


@pytest.mark.parametrize(
    ("up_mps2", "words"), [(0.0, "gravity was taken out"), (1.0, "in g"), (-9.8, "FRD axes")]
)
def test_accelerations_that_are_not_ours_are_wrong(up_mps2: float, words: str) -> None:
    streams = healthy()
    streams["/imu/data"] = stream("/imu/data", "sensor_msgs/msg/Imu", imus(up_mps2))
    assert only(lines(streams), "IMU", words).level == WRONG


def test_messages_that_are_refused_are_told_with_the_reason_and_how_many() -> None:
    streams = healthy()
    broken = fixes([500.0] * 10)
    for message in broken[:4]:
        message.latitude = 95.0
    streams["/fix"] = stream("/fix", "sensor_msgs/msg/NavSatFix", broken)
    assert only(lines(streams), "/fix: 4 of 10 messages are refused (position_range)").level == DOUBTFUL


@pytest.mark.parametrize(
    ("bag", "words"),
    [
        ("uf_gps_bag", ("66.0 days behind", "every height is 0", "no thermal image")),
        ("nebula_vlp16/1673400471837873222", ("VelodyneScan, which is not read", "no pose")),
        ("real_composite", ("mono8 is gain-controlled",)),
    ],
)
def test_what_is_wrong_with_real_recordings(bag: str, words: tuple[str, ...]) -> None:
    from vidgen_nodes.ros.replay import read_recording

    path = DATA / "rosbag2" / bag
    if not path.exists():
        pytest.skip(f"no recording at {path}; set VIDGEN_SHARED_DATA")
    told = lines(from_recording(path), inputs=read_recording(path, need_anchor=False).inputs)
    for word in words:
        assert any(word in line.what for line in told), (word, told)
