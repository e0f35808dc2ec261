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
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Pose, RtkStatus, SourceRef
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.ros import convert
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.sensing.thermal import ThermalIngest

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


# What may stand in each field of a message that a broken or hostile driver sends.
_WHOLE = st.integers(-(2**31), 2**32 - 1)
_NUMBER = st.floats() | st.sampled_from([0.0, -0.0, 1e-300, 1e300])
_TEXT = st.text(max_size=12)
_ROI = st.builds(
    lambda x, y, width, height: Obj(x_offset=x, y_offset=y, width=width, height=height, do_rectify=False),
    *[st.integers(0, 700) | st.integers(0, 2**32 - 1)] * 4,
)
_IMAGE_FIELDS = {
    "header": st.builds(lambda sec, nanosec, frame: header(sec, nanosec, frame), _WHOLE, _WHOLE, _TEXT),
    "height": _WHOLE | st.integers(0, 9),
    "width": _WHOLE | st.integers(0, 9),
    "encoding": _TEXT | st.sampled_from(["mono8", "8UC1", "16UC1", "32FC1", "rgb8", "bgr8", "h264"]),
    "is_bigendian": st.integers(0, 255),
    "step": st.integers(0, 2**32 - 1) | st.integers(0, 40),
    "data": st.binary(max_size=64),
}
_INFO_FIELDS = {
    "header": _IMAGE_FIELDS["header"],
    "height": _WHOLE,
    "width": _WHOLE,
    "distortion_model": _TEXT
    | st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant", "fisheye", ""]),
    "d": st.lists(_NUMBER, max_size=15),
    "k": st.lists(_NUMBER, max_size=10) | st.lists(_NUMBER, min_size=9, max_size=9),
    "r": st.lists(_NUMBER, min_size=9, max_size=9),
    "p": st.lists(_NUMBER, min_size=12, max_size=12),
    "binning_x": st.integers(0, 2**32 - 1) | st.integers(0, 8),
    "binning_y": st.integers(0, 2**32 - 1) | st.integers(0, 8),
    "roi": _ROI,
}


def changes_of(fields: dict[str, Any]) -> Any:
    return st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


@settings(max_examples=400)
@given(changes_of(_IMAGE_FIELDS))
def test_any_value_in_any_field_of_an_image_is_taken_or_refused_for_a_reason(changes: dict[str, Any]) -> None:
    message = image(**changes)
    try:
        packet = convert.thermal_image(message, SOURCE)
        frame = ThermalIngest(ThermalParams()).process(packet)
    except InputError as err:
        assert err.reason.isidentifier()  # noqa: PT017 (both outcomes are right)
        return
    assert packet.pixels.shape[:2] == (message.height, message.width)
    assert packet.stamp_ns > 0
    assert 0.0 <= frame.saturated_fraction <= 1.0


@pytest.mark.parametrize("field", sorted(_INFO_FIELDS))
@settings(max_examples=60)
@given(st.data())
def test_any_value_in_any_field_of_camera_info_is_taken_or_refused(field: str, data: st.DataObject) -> None:
    message = camera_info(binning_x=0, binning_y=0, roi=Obj(x_offset=0, y_offset=0, width=0, height=0))
    message.__dict__[field] = data.draw(_INFO_FIELDS[field])
    try:
        packet = convert.camera_calibration(message)
    except InputError as err:
        assert err.reason.isidentifier()  # noqa: PT017 (both outcomes are right)
        return
    assert np.isfinite(packet.matrix_px).all()
    assert packet.width_px >= 1
    assert packet.height_px >= 1
    pose = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
    found, _ = Camera(packet, pose).project(np.array([[0.0, 0.0, 5.0], [1.0, 1.0, 5.0]]))
    assert not np.isinf(found).any()


@pytest.mark.parametrize(
    "field", ["nanosec_image", "nanosec_info", "is_bigendian", "r", "p", "roi", "binning_x"]
)
def test_each_field_that_was_not_looked_at_before_is_now(field: str) -> None:
    late = header(5, 1_000_000_000)
    cases: dict[str, tuple[Any, Any, str]] = {
        "nanosec_image": (lambda m: convert.thermal_image(m, SOURCE), image(header=late), "bad_stamp"),
        "nanosec_info": (convert.camera_calibration, camera_info(header=late), "bad_stamp"),
        "is_bigendian": (convert.image_pixels, image(is_bigendian=2), "is_bigendian"),
        "r": (convert.camera_calibration, camera_info(r=np.full(9, np.nan)), "not_finite"),
        "p": (convert.camera_calibration, camera_info(p=np.full(12, np.inf)), "not_finite"),
        "roi": (
            convert.camera_calibration,
            camera_info(roi=Obj(x_offset=600, y_offset=0, width=100, height=100)),
            "window",
        ),
        "binning_x": (convert.camera_calibration, camera_info(binning_x=641), "window"),
    }
    function, message, reason = cases[field]
    assert refusal(function, message) == reason


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
