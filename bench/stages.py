# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""In-process goals G5-G12: synchroniser, pose, image fill and read, rendering, each beside its peer."""

from __future__ import annotations

import itertools
import math
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.plain import draw_whole_frame
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import (
    CameraCalibration,
    Grid,
    NavState,
    Pose,
    RtkStatus,
    SourceRef,
    ThermalFrame,
    UncertaintyMap,
)
from vidgen_nodes.params import SyncParams
from vidgen_nodes.sensing.pose import interpolate_pose, propagate_pose
from vidgen_nodes.sync.anchored import AnchoredSync

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Arrival:
    """A message as it reaches the synchroniser: when, from which stream, with which stamp."""

    time_s: float
    stream: str
    stamp_ns: int


def flight_streams(seconds: float, seed: int) -> list[Arrival]:
    """The streams of performance.md section 2: 50 Hz thermal, 10 Hz LiDAR and RTK, stamps with
    +-18 ms of uniform jitter, 2 % lost, arriving 5-65, 30-130 and 10-60 ms later, out of order.
    """
    rng = np.random.default_rng(seed)
    arrivals = []
    for stream, rate_hz, low_s, high_s in (
        ("thermal", 50, 0.005, 0.065),
        ("points", 10, 0.03, 0.13),
        ("fix", 10, 0.01, 0.06),
    ):
        for index in range(int(seconds * rate_hz)):
            if rng.random() < 0.02:
                continue
            stamp_s = 10.0 + index / rate_hz + rng.uniform(-0.018, 0.018)
            arrivals.append(Arrival(stamp_s + rng.uniform(low_s, high_s), stream, int(stamp_s * SECOND_NS)))
    return sorted(arrivals, key=lambda a: a.time_s)


def approximate_sync(arrivals: list[Arrival], queue: int, slop_s: float) -> dict[str, float]:
    """Feed the peer; cost per message, share of thermal frames used, delay after the newest stamp."""
    from vidgen_nodes.ros.filters import ApproximateTimeSynchronizer, SimpleFilter

    filters = {name: SimpleFilter() for name in ("thermal", "points", "fix")}
    sync = ApproximateTimeSynchronizer(list(filters.values()), queue, slop_s)
    sets: list[tuple[Any, ...]] = []
    sync.registerCallback(lambda *messages: sets.append(messages))
    from sensor_msgs.msg import Imu

    messages = []
    for arrival in arrivals:
        message = Imu()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(arrival.stamp_ns, SECOND_NS)
        messages.append(message)
    costs_us, delays_ms = [], []
    warm = len(arrivals) // 10  # the first call of anything loads and compiles
    for arrival, message in zip(arrivals, messages, strict=True):
        before, begin_ns = len(sets), time.perf_counter_ns()
        filters[arrival.stream].signalMessage(message)
        costs_us.append((time.perf_counter_ns() - begin_ns) / 1e3)
        for matched in sets[before:]:
            newest_s = max(m.header.stamp.sec + m.header.stamp.nanosec / 1e9 for m in matched)
            delays_ms.append((arrival.time_s - newest_s) * 1e3)
    thermal = sum(a.stream == "thermal" for a in arrivals)
    return {
        "us_per_message": float(np.mean(costs_us[warm:])),
        "max_us": float(np.max(costs_us[warm:])),
        "matched_share": len({id(s[0]) for s in sets}) / thermal,
        "delay_p50_ms": float(np.percentile(delays_ms, 50)) if delays_ms else math.nan,
    }


class MatchingAlone(AnchoredSync):
    """Without pose, covariance and sigma_px at the stamp, and without finding the camera's clock: the peer does
    none of them.
    """

    def observe(self) -> None:
        """Nothing."""

    def _place(self, *_: Any) -> tuple[Pose, np.ndarray, float]:
        return _NO_PLACE


_NO_PLACE = (Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])), np.zeros((6, 6)), math.nan)


def anchored_sync(arrivals: list[Arrival], rule: type[AnchoredSync] = AnchoredSync) -> dict[str, float]:
    """Feed the anchored rule with the same arrivals; nothing is ever waited for."""
    sync = rule(SyncParams(require_rtk=False))
    blank = empty_map()
    costs_us, bundles, frames = [], 0, 0
    for arrival in arrivals:
        if arrival.stream == "fix":
            packet: Any = straight_state(arrival.stamp_ns)
        elif arrival.stream == "points":
            packet = replace(blank, stamp_ns=arrival.stamp_ns)
        else:
            packet = thermal_frame(arrival.stamp_ns, frames)
            frames += 1
        begin_ns = time.perf_counter_ns()
        try:
            if arrival.stream == "fix":
                sync.add_nav(packet)
            elif arrival.stream == "points":
                sync.add_map(packet)
            else:
                sync.bundle(packet)
                bundles += 1
        except InputError:
            pass  # counted by the synchroniser; the share below shows it
        costs_us.append((time.perf_counter_ns() - begin_ns) / 1e3)
    warm = len(costs_us) // 10
    return {
        "us_per_message": float(np.mean(costs_us[warm:])),
        "p95_us": float(np.percentile(costs_us[warm:], 95)),
        "max_us": float(np.max(costs_us[warm:])),
        "matched_share": bundles / frames,
    }


def thermal_frame(stamp_ns: int, sequence: int) -> ThermalFrame:
    """A frame as small as the synchroniser's cost allows: it never looks at pixels."""
    source = SourceRef("thermal/image_raw", "sensor_msgs/msg/Image", stamp_ns, bytes(32))
    calibration = CameraCalibration(
        0, "optical", 640, 512, np.diag([650.0, 650.0, 1.0]), "plumb_bob", np.zeros(5)
    )
    pixels = np.zeros((512, 640), np.uint16)
    return ThermalFrame(
        stamp_ns, "optical", "mono16", pixels, sequence, calibration, True, 0.01, 0.0, 0.0, False, (source,)
    )


def empty_map() -> UncertaintyMap:
    """A map in which nothing was seen yet."""
    grid = Grid(-20.0, -20.0, 0.5, 80, 80)
    unknown = np.full(grid.shape, np.nan, np.float32)
    return UncertaintyMap(
        0, grid, unknown, unknown, unknown, np.ones(grid.shape, np.float32), unknown, unknown, unknown, unknown,
        np.zeros(grid.shape, np.uint16), np.zeros(grid.shape, np.int64), np.zeros(grid.shape, np.uint8),
        bytes(32), (),
    )  # fmt: skip


def straight_state(stamp_ns: int) -> NavState:
    """A drone that flies east at 8 m/s."""
    source = SourceRef("fix", "sensor_msgs/msg/NavSatFix", stamp_ns, bytes(32))
    pose = Pose(np.array([8.0 * stamp_ns / 1e9, 0.0, 30.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    zero = np.zeros(3)
    return NavState(
        stamp_ns,
        pose,
        np.array([8.0, 0.0, 0.0]),
        zero,
        zero,
        np.eye(6) * 1e-4,
        RtkStatus.FIXED,
        stamp_ns,
        (source,),
    )


def pose_error_px(seconds: float = 20.0, focal_px: float = 600.0, height_m: float = 40.0) -> dict[str, float]:
    """Yaw 60 deg/s, 8 m/s, camera 45 deg down, clean stamps (goal G8): nearest 10 Hz pose, interpolation
    between 10 Hz poses, and what the live path does: propagation over 15 ms from a 100 Hz state.
    """
    rate_rad = math.radians(60.0)

    def state(time_s: float) -> NavState:
        yaw = rate_rad * time_s
        pose = Pose(
            np.array([8.0 / rate_rad * math.sin(yaw), -8.0 / rate_rad * math.cos(yaw), height_m]),
            np.array([0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)]),
        )
        velocity = 8.0 * np.array([math.cos(yaw), math.sin(yaw), 0.0])
        acceleration = 8.0 * rate_rad * np.array([-math.sin(yaw), math.cos(yaw), 0.0])
        rates = np.array([0.0, 0.0, rate_rad])
        ns = round(time_s * 1e9)
        return NavState(ns, pose, velocity, acceleration, rates, np.eye(6), RtkStatus.FIXED, ns, ())

    errors: dict[str, list[float]] = {"nearest": [], "interpolated": [], "propagated": []}
    for index in range(int(seconds * 50)):
        time_s = 1.0 + index / 50 + 0.0031
        truth = state(time_s).map_T_base
        before_s = math.floor(time_s * 10) / 10
        a, b = state(before_s), state(before_s + 0.1)
        nearest = (a if time_s - before_s < 0.05 else b).map_T_base
        recent = state(math.floor((time_s - 0.015) * 100) / 100)
        candidates = {
            "nearest": nearest,
            "interpolated": interpolate_pose(a, b, round(time_s * 1e9)),
            "propagated": propagate_pose(recent, round(time_s * 1e9)),
        }
        for name, pose in candidates.items():
            errors[name].append(_shift_px(truth, pose, focal_px, height_m))
    return {name: float(np.percentile(values, 95)) for name, values in errors.items()}


def _shift_px(truth: Pose, other: Pose, focal_px: float, height_m: float) -> float:
    """How far the ground point seen at the image centre moves when ``other`` is taken for ``truth``."""
    from vidgen_nodes.sensing.pose import OPTICAL_FROM_BODY, compose, invert, pose_from_rpy

    mount = compose(pose_from_rpy(np.zeros(3), np.array([0.0, 45.0, 0.0])), OPTICAL_FROM_BODY)
    camera, guess = compose(truth, mount), compose(other, mount)
    forward = _rotate(camera, np.array([0.0, 0.0, 1.0]))
    point = camera.translation_m + forward * (height_m / -forward[2])
    back = invert(guess)
    seen = _rotate(back, point) + back.translation_m
    return float(np.hypot(seen[0], seen[1]) / seen[2] * focal_px)


def _rotate(pose: Pose, vector: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_quat(pose.quaternion_xyzw).apply(vector))


def image_fill_us(width: int, height: int, bytes_per_px: int, repeats: int = 50) -> dict[str, float]:
    """Publishing side (G10): our fill against what cv2_to_imgmsg does (a copy to bytes, a copy to array)."""
    from sensor_msgs.msg import Image

    from vidgen_nodes.ros.fill import set_buffer

    pixels = np.random.default_rng(1).integers(0, 255, width * height * bytes_per_px, dtype=np.uint8)

    def bridge(message: Any) -> None:
        data = array("B")
        data.frombytes(pixels.tobytes())
        message.data = data

    return {
        "ours": _median_us(lambda: set_buffer(Image(), "data", pixels), repeats),
        "bridge": _median_us(lambda: bridge(Image()), repeats),
    }


def image_read_us(repeats: int = 200) -> dict[str, float]:
    """Subscribing side (G11): the view our conversion takes against a copy of the pixels."""
    from sensor_msgs.msg import Image

    from vidgen_nodes.ros.convert import image_pixels

    message = Image(
        width=640, height=512, encoding="mono16", step=1280, data=array("B", bytes(640 * 512 * 2))
    )
    return {
        "ours": _median_us(lambda: image_pixels(message), repeats),
        "copy": _median_us(
            lambda: np.frombuffer(bytes(message.data), np.uint16).reshape(512, 640).copy(), repeats
        ),
    }


def pipeline_render_ms() -> float:
    """Gate, world, drawing, mask and audit of the simulated flight in ``Pipeline``'s order, without the ledger (G12).

    One thread. Each bundle stands for the ten frames of 50 Hz until the next map, so ticks of the world and new maps
    count as often as in the live graph: the mean over the frames on which something is drawn.
    """
    from bench.flight import flight_bundles
    from vidgen_nodes.generation.generator import World
    from vidgen_nodes.generation.render import Renderer, prepare
    from vidgen_nodes.scene.compose import compose_scene
    from vidgen_nodes.scene.gate import audit_overlay, open_gate

    bundles, building, scenario, params = flight_bundles()
    prepare()
    world, renderer, costs_ms = World(params, scenario), Renderer(params), []
    for bundle, step in itertools.product(bundles, range(10)):
        frame = replace(bundle, stamp_ns=bundle.stamp_ns + step * 20_000_000)
        begin_ns = time.perf_counter_ns()
        scene = compose_scene(frame, building, scenario)
        gate = open_gate(scene, params)
        overlay = renderer.draw(world.at(frame.stamp_ns, scene, gate), gate, scene)
        report = audit_overlay(overlay, gate, scene, params.audit_pixels)
        if report.pixels_drawn:
            costs_ms.append((time.perf_counter_ns() - begin_ns) / 1e6)
    return float(np.mean(costs_ms[10:]))


def naive_render_ms(repeats: int = 10) -> float:
    """The whole-frame numpy chain of the plain design (G12)."""
    counts = np.random.default_rng(1).integers(28000, 32000, (512, 640), dtype=np.uint16)
    return _median_us(lambda: draw_whole_frame(counts, 650.0, 0.1), repeats) / 1e3


def _median_us(call: Callable[[], Any], repeats: int) -> float:
    call()
    costs = []
    for _ in range(repeats):
        begin_ns = time.perf_counter_ns()
        call()
        costs.append((time.perf_counter_ns() - begin_ns) / 1e3)
    return float(np.median(costs))
