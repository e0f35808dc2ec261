# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The border, on plain objects: what is duck-typed needs no ROS to be tested."""

from __future__ import annotations

import hashlib
import math
from types import SimpleNamespace as Obj
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import RtkStatus, SourceRef
from vidgen_nodes.ros import convert

SOURCE = SourceRef("/t", "pkg/msg/T", 1, bytes(32))


def header(sec: int = 5, nanosec: int = 7, frame_id: str = "thermal_optical_frame") -> Obj:
    return Obj(stamp=Obj(sec=sec, nanosec=nanosec), frame_id=frame_id)


def image(pixels: Any = None, encoding: str = "mono16", **changes: Any) -> Obj:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4) if pixels is None else pixels
    height, width = pixels.shape[:2]
    message = Obj(
        header=header(), height=height, width=width, encoding=encoding, is_bigendian=0,
        step=pixels.nbytes // height, data=pixels.tobytes(),
    )  # fmt: skip
    message.__dict__.update(changes)
    return message


def camera_info(**changes: Any) -> Obj:
    message = Obj(
        header=header(), width=640, height=512, distortion_model="plumb_bob", d=[0.1, 0.0, 0.0, 0.0, 0.0],
        k=np.array([600.0, 0, 320, 0, 601.0, 256, 0, 0, 1]),
    )  # fmt: skip
    message.__dict__.update(changes)
    return message


def fix(**changes: Any) -> Obj:
    message = Obj(
        header=header(), latitude=47.0, longitude=8.0, altitude=500.0, status=Obj(status=2),
        position_covariance=np.diag([1e-4, 1e-4, 4e-4]).reshape(9), position_covariance_type=2,
    )  # fmt: skip
    message.__dict__.update(changes)
    return message


def imu(**changes: Any) -> Obj:
    message = Obj(
        header=header(), orientation=Obj(x=0.0, y=0.0, z=0.0, w=1.0), orientation_covariance=np.full(9, 1e-4),
        angular_velocity=Obj(x=0.1, y=0.2, z=0.3), angular_velocity_covariance=np.zeros(9),
        linear_acceleration=Obj(x=0.0, y=0.0, z=9.8), linear_acceleration_covariance=np.zeros(9),
    )  # fmt: skip
    message.__dict__.update(changes)
    return message


def refusal(function: Any, *args: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*args)
    return caught.value.reason


def test_pixels_are_a_read_only_view_of_the_message() -> None:
    data = bytearray(np.arange(12, dtype=np.uint16).tobytes())
    pixels = convert.image_pixels(image(data=data))
    data[0] = 77
    assert pixels[0, 0] == 77
    assert not pixels.flags.writeable


def test_rows_with_padding_are_read_without_it() -> None:
    padded = np.zeros((3, 5), np.uint16)
    padded[:, :4] = np.arange(12).reshape(3, 4)
    message = image(padded, width=4)
    assert convert.image_pixels(message).tolist() == np.arange(12).reshape(3, 4).tolist()


def test_big_endian_pixels_are_turned() -> None:
    message = image(np.array([[1, 500]], dtype=">u2"), is_bigendian=1)
    pixels = convert.image_pixels(message)
    assert pixels.tolist() == [[1, 500]]
    assert pixels.dtype.isnative


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_colour_images_have_three_channels(encoding: str) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert convert.image_pixels(image(pixels, encoding)).tolist() == pixels.tolist()


def test_opencv_name_of_mono8_is_taken() -> None:
    packet = convert.thermal_image(image(np.zeros((2, 2), np.uint8), "8UC1"), SOURCE)
    assert (packet.encoding, packet.stamp_ns) == ("mono8", 5_000_000_007)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoding": "bayer_rggb8"}, "encoding"),
        ({"encoding": ""}, "encoding"),
        ({"width": 0}, "image_size"),
        ({"height": 0}, "image_size"),
        ({"width": 2**31}, "image_size"),
        ({"step": 7}, "step"),
        ({"step": 9}, "data_size"),
        ({"data": b""}, "data_size"),
        ({"data": bytes(25)}, "data_size"),
        ({"header": header(0, 0)}, "no_stamp"),
        ({"header": header(-1, 0)}, "no_stamp"),
    ],
)
def test_image_that_does_not_fit_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert refusal(convert.thermal_image, image(**changes), SOURCE) == reason


def test_image_without_one_finite_kelvin_is_refused() -> None:
    assert refusal(convert.image_pixels, image(np.full((2, 2), np.nan, np.float32), "32FC1")) == "nan_image"


@given(st.binary(max_size=64), st.integers(0, 70), st.integers(0, 8), st.integers(0, 8))
def test_any_image_header_gives_pixels_or_a_refusal(data: bytes, step: int, height: int, width: int) -> None:
    message = image(data=data, step=step, height=height, width=width)
    try:
        pixels = convert.image_pixels(message)
    except InputError:
        return
    assert pixels.shape == (height, width)


def test_calibration_keeps_every_number() -> None:
    packet = convert.camera_calibration(camera_info())
    assert packet.matrix_px.tolist() == [[600.0, 0, 320], [0, 601.0, 256], [0, 0, 1]]
    assert packet.distortion.tolist() == [0.1, 0, 0, 0, 0]


def test_calibration_without_model_and_coefficients_has_no_distortion() -> None:
    packet = convert.camera_calibration(camera_info(distortion_model="", d=[]))
    assert (packet.distortion_model, packet.distortion.size) == ("plumb_bob", 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"k": np.zeros(9)}, "uncalibrated"),
        ({"k": np.array([-600.0, 0, 320, 0, 601.0, 256, 0, 0, 1])}, "uncalibrated"),
        ({"k": np.array([math.nan, 0, 320, 0, 601.0, 256, 0, 0, 1])}, "not_finite"),
        ({"k": np.array([600.0, 0, 320, 0, 601.0, 256, 0, 0, 2])}, "bad_matrix"),
        ({"k": np.zeros(8)}, "wrong_size"),
        ({"d": [math.inf, 0, 0, 0]}, "not_finite"),
        ({"d": [0.1, 0.1]}, "distortion_size"),
        ({"distortion_model": "kannala"}, "distortion_model"),
        ({"width": 0}, "image_size"),
        ({"header": header(0, 0)}, "no_stamp"),
    ],
)
def test_camera_info_that_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert refusal(convert.camera_calibration, camera_info(**changes)) == reason


@pytest.mark.parametrize(
    ("status", "variance_m2", "rtk"),
    [
        (-2, 1.0, RtkStatus.NONE), (-1, 1.0, RtkStatus.NONE), (0, 1.0, RtkStatus.SINGLE), (1, 1.0, RtkStatus.SINGLE),
        (2, 1e-4, RtkStatus.FIXED), (2, 0.1, RtkStatus.FIXED), (2, 0.11, RtkStatus.FLOAT),
    ],
)  # fmt: skip
def test_rtk_status_comes_from_status_and_covariance(status: int, variance_m2: float, rtk: RtkStatus) -> None:
    message = fix(status=Obj(status=status), position_covariance=np.diag([variance_m2, 1e-4, 1.0]).reshape(9))
    assert convert.fix(message, SOURCE).rtk == rtk


def test_unknown_covariance_is_nan_not_zero() -> None:
    packet = convert.fix(fix(position_covariance=np.zeros(9), position_covariance_type=0), SOURCE)
    assert np.isnan(packet.covariance_m2).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"latitude": math.nan}, "not_finite"),
        ({"longitude": math.inf}, "not_finite"),
        ({"altitude": math.inf}, "not_finite"),
        ({"latitude": 90.5}, "position_range"),
        ({"longitude": -181.0}, "position_range"),
        ({"status": Obj(status=3)}, "status"),
        ({"position_covariance": np.full(9, np.nan)}, "covariance"),
        ({"position_covariance": np.diag([-1.0, 1, 1]).reshape(9)}, "covariance"),
        ({"header": header(0, 0)}, "no_stamp"),
    ],
)
def test_fix_that_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert refusal(convert.fix, fix(**changes), SOURCE) == reason


def test_orientation_that_is_not_measured_is_none() -> None:
    covariance = np.zeros(9)
    covariance[0] = -1
    message = imu(orientation_covariance=covariance, orientation=Obj(x=0.0, y=0.0, z=0.0, w=0.0))
    assert convert.imu_sample(message, SOURCE).map_q_base is None


def test_orientation_nearly_of_unit_length_is_made_so() -> None:
    packet = convert.imu_sample(imu(orientation=Obj(x=0.0, y=0.0, z=0.0, w=0.995)), SOURCE)
    assert packet.map_q_base is not None
    assert packet.map_q_base.tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"orientation": Obj(x=0.0, y=0.0, z=0.0, w=0.0)}, "quaternion"),
        ({"orientation": Obj(x=0.0, y=0.0, z=0.0, w=1.011)}, "quaternion"),
        ({"orientation": Obj(x=math.nan, y=0.0, z=0.0, w=1.0)}, "quaternion"),
        ({"angular_velocity": Obj(x=math.nan, y=0.0, z=0.0)}, "not_finite"),
        ({"linear_acceleration": Obj(x=0.0, y=math.inf, z=0.0)}, "not_finite"),
        ({"angular_velocity_covariance": -np.ones(9)}, "incomplete"),
        ({"header": header(0, 0)}, "no_stamp"),
    ],
)
def test_imu_sample_that_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert refusal(convert.imu_sample, imu(**changes), SOURCE) == reason


@pytest.mark.parametrize("length", range(8, 13))
def test_digest_does_not_depend_on_padding_of_the_wire(length: int) -> None:
    raw = bytes(range(1, length + 1))
    padded = raw + bytes(-length % 4)
    assert (
        convert.serialized_digest(raw) == convert.serialized_digest(padded) == hashlib.sha256(padded).digest()
    )


def test_digest_depends_on_every_byte() -> None:
    raw = bytes(range(64))
    digests = {convert.serialized_digest(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :]) for i in range(64)}
    assert len(digests | {convert.serialized_digest(raw)}) == 65


def test_cloud_without_coordinates_is_refused() -> None:
    message = Obj(
        header=header(), width=1, height=1, fields=[Obj(name="x", offset=0, datatype=7, count=1)], is_bigendian=False,
        point_step=4, row_step=4, data=bytes(4),
    )  # fmt: skip
    with pytest.raises(InputError):
        convert.point_scan(message, SOURCE, min_range_m=0.5, max_range_m=100.0)
