# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from vidgen.msg import ThermalFrame

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.nodes.thermal_node import ThermalNode
from vidgen_nodes.ros import convert, fill

FRAME = "thermal_optical_frame"


def image(node: Any, pixels: Any = None, encoding: str = "mono16") -> Any:
    if pixels is None:
        pixels = np.random.default_rng(1).integers(0, 65536, (512, 640)).astype(np.uint16)
    return fill.image(node.get_clock().now().nanoseconds, FRAME, encoding, pixels)


def camera_info(stamp_ns: int) -> CameraInfo:
    message = CameraInfo(width=640, height=512, distortion_model="plumb_bob")
    fill.set_header(message.header, stamp_ns, FRAME)
    message.k = np.array([600.0, 0, 320, 0, 600.0, 256, 0, 0, 1])
    message.d = [0.0] * 5
    return message


def values(bench: Any, peer: Any) -> dict[str, Any]:
    """Subscribe to diagnostics; the dictionary is kept up to date."""
    newest: dict[str, Any] = {}

    def keep(message: Any) -> None:
        for status in message.status:
            newest.update({item.key: item.value for item in status.values}, message=status.message)

    peer.create_subscription(DiagnosticArray, "/diagnostics", keep, 10)
    return newest


def test_image_becomes_a_frame_that_names_its_bytes(bench: Any) -> None:
    bench.start(ThermalNode)
    peer = bench.peer()
    frames: list[Any] = []
    peer.create_subscription(ThermalFrame, "thermal/frame", frames.append, 10)
    images = peer.create_publisher(Image, "thermal/image_raw", 5)
    infos = peer.create_publisher(CameraInfo, "thermal/camera_info", 5)
    bench.until(lambda: images.get_subscription_count() and infos.get_subscription_count(), "discovery")
    bench.until(lambda: peer.count_publishers("/vidgen/thermal/frame"), "discovery of the output")
    sent: dict[int, bytes] = {}

    def send() -> None:
        message = image(peer)
        raw = bytes(serialize_message(message))
        sent[convert.stamp_ns(message.header.stamp)] = raw
        infos.publish(camera_info(convert.stamp_ns(message.header.stamp) - 50_000_000))
        images.publish(raw)

    bench.until(lambda: len(frames) >= 3 and frames[-1].calibrated, "three frames", send)
    for frame in frames:
        raw = sent[convert.stamp_ns(frame.header.stamp)]
        (source,) = [s for s in frame.sources if s.topic == "/vidgen/thermal/image_raw"]
        assert source.sha256.tobytes() == convert.serialized_digest(raw)
        assert bytes(frame.image.data) in raw
        assert source.type == "sensor_msgs/msg/Image"


def test_refused_image_is_counted_told_and_survived(bench: Any) -> None:
    bench.start(ThermalNode)
    peer = bench.peer()
    newest, frames = values(bench, peer), []
    peer.create_subscription(ThermalFrame, "thermal/frame", frames.append, 10)
    images = peer.create_publisher(Image, "thermal/image_raw", 5)
    bench.until(images.get_subscription_count, "discovery")
    cut_off = image(peer)
    cut_off.height = 511
    images.publish(cut_off)
    images.publish(b"\x00\x01\x00\x00 no image at all")
    bench.until(
        lambda: (
            newest.get("/vidgen/thermal/image_raw refused data_size") == "1"
            and newest.get("/vidgen/thermal/image_raw refused not_parsed") == "1"
        ),
        "both refusals in diagnostics",
    )
    bench.until(lambda: frames, "a good frame after bad ones", lambda: images.publish(image(peer)))


def test_temperature_goes_out_while_somebody_listens_and_only_of_a_radiometric_camera(bench: Any) -> None:
    node = bench.start(ThermalNode, temperature_rate_hz=60.0)
    peer = bench.peer()
    newest, pictures, frames = values(bench, peer), [], []
    peer.create_subscription(ThermalFrame, "thermal/frame", frames.append, 10)
    images = peer.create_publisher(Image, "thermal/image_raw", 5)
    bench.until(images.get_subscription_count, "discovery")
    kelvin = np.full((512, 640), 30000, np.uint16)
    kelvin[100] = 65535
    bench.until(lambda: frames, "a frame", lambda: images.publish(image(peer, kelvin)))
    assert not node._temperatures.is_wanted
    peer.create_subscription(Image, "thermal/temperature", pictures.append, 2)
    bench.until(lambda: pictures, "a temperature picture", lambda: images.publish(image(peer, kelvin)))
    found = np.frombuffer(pictures[-1].data, np.float32).reshape(512, 640)
    assert pictures[-1].encoding == "32FC1"
    assert pictures[-1].header.frame_id == FRAME
    assert found[0, 0] == pytest.approx(300.0, abs=1e-3)
    assert np.isposinf(found[100]).all()
    bench.until(lambda: newest.get("radiometric") == "yes", "radiometric in diagnostics")

    grey = np.full((512, 640), 90, np.uint8)
    before, made = len(frames), len(pictures)
    send = lambda: images.publish(image(peer, grey, "mono8"))  # noqa: E731
    bench.until(lambda: sum(not f.radiometric for f in frames[before:]) > 3, "grey frames", send)
    bench.until(lambda: "mono8 is gain-controlled" in newest.get("radiometric", ""), "the sentence", send)
    assert all(np.frombuffer(p.data, np.float32).min() > 290.0 for p in pictures[made:])


def test_corrected_counts_travel_in_the_frame(bench: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "flat.npz", offset=np.full((512, 640), -50.0))
    bench.start(ThermalNode, correction_file=str(tmp_path / "flat.npz"))
    peer = bench.peer()
    frames: list[Any] = []
    peer.create_subscription(ThermalFrame, "thermal/frame", frames.append, 10)
    images = peer.create_publisher(Image, "thermal/image_raw", 5)
    bench.until(images.get_subscription_count, "discovery")
    pixels = np.full((512, 640), 30000, np.uint16)
    bench.until(lambda: frames, "a frame", lambda: images.publish(image(peer, pixels)))
    assert (convert.image_pixels(frames[0].image) == 29950).all()
    assert convert.stamp_ns(frames[0].image.header.stamp) == convert.stamp_ns(frames[0].header.stamp)


@pytest.mark.parametrize("name", ["calibration_file", "correction_file"])
def test_a_file_that_is_missing_ends_the_node_with_its_name(bench: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} .*nowhere"):
        bench.start(ThermalNode, **{name: str(tmp_path / "nowhere.npz")})


def test_missing_camera_is_named_within_five_seconds(bench: Any) -> None:
    bench.start(ThermalNode)
    newest = values(bench, bench.peer())
    bench.until(
        lambda: "nobody publishes /vidgen/thermal/image_raw" in newest.get("message", ""), "the sentence"
    )


def test_incompatible_qos_is_named(bench: Any) -> None:
    bench.start(ThermalNode, input_reliability="reliable")
    peer = bench.peer()
    newest = values(bench, peer)
    peer.create_publisher(
        Image, "thermal/image_raw", QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    )
    bench.until(lambda: "QoS does not fit (RELIABILITY)" in newest.get("message", ""), "the sentence")


def test_stamps_of_another_clock_are_named(bench: Any) -> None:
    bench.start(ThermalNode)
    peer = bench.peer()
    newest = values(bench, peer)
    images = peer.create_publisher(Image, "thermal/image_raw", 5)
    bench.until(images.get_subscription_count, "discovery")
    stamp_ns = [1_000_000_000]

    def send() -> None:
        stamp_ns[0] += 20_000_000
        message = image(peer)
        message.header.stamp = fill.time(stamp_ns[0])
        images.publish(message)

    bench.until(lambda: "behind this node's clock" in newest.get("message", ""), "the sentence", send)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"frozen_frame": 3}, "unknown parameter 'frozen_frame'"),
        ({"frozen_frames": 5000}, "frozen_frames"),
        ({"frozen_frames": "many"}, "frozen_frames"),
        ({"radiometry": "maybe"}, "expected one of auto, linear, none"),
        ({"input_reliability": "perfect"}, "expected one of best_effort, reliable"),
    ],
)
def test_wrong_parameter_is_refused_with_its_name(bench: Any, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        bench.start(ThermalNode, **parameters)


def test_whole_number_serves_as_a_float_parameter(bench: Any) -> None:
    node = bench.start(ThermalNode, camera_info_delay_ms=40)
    assert node.params.camera_info_delay_ms == 40.0
    descriptor = node.describe_parameter("camera_info_delay_ms")
    assert descriptor.read_only
    assert "[ms]" in descriptor.description
    assert descriptor.floating_point_range[0].to_value == 1000.0
