# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The QoS of every topic, by name. No number of these stands anywhere else.

Sensor inputs are best effort, because that matches every driver; ``sensor_input(..., "reliable")`` is for
replay, where a lost message would change frames. What we put out is reliable. Masks and maps are latched.
"""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

RELIABILITIES = ("best_effort", "reliable")


def _profile(depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability
    )


def _reliable(depth: int) -> QoSProfile:
    return _profile(depth, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def _latched(depth: int) -> QoSProfile:
    return _profile(depth, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


_INPUT_DEPTH = {"thermal/image_raw": 5, "thermal/camera_info": 5, "fix": 10, "imu/data": 50, "points": 5}
# A reliable reader is a replay: it may run faster than the node for a while and must lose nothing.
_REPLAY_DEPTH_FACTOR = 20


# What is read of drone stacks, by type: half a second of it, so that a pause of ours loses nothing.
_STACK_DEPTH = {"SensorCombined": 150, "Imu": 50, "VehicleAttitude": 50}
_STACK_USUAL_DEPTH = 10


def stack_input(type_name: str, reliability: str) -> QoSProfile:
    """QoS with which a topic of a drone stack is read: best effort and volatile fits every way they publish."""
    depth = _STACK_DEPTH.get(type_name.rsplit("/", 1)[-1], _STACK_USUAL_DEPTH)
    if reliability == "reliable":
        return _reliable(depth * _REPLAY_DEPTH_FACTOR)
    return _profile(depth, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)


def sensor_input(topic: str, reliability: str) -> QoSProfile:
    """QoS with which a sensor topic is read; ``reliability`` is one of :data:`RELIABILITIES`."""
    depth = _INPUT_DEPTH[topic]
    if reliability == "reliable":
        return _reliable(depth * _REPLAY_DEPTH_FACTOR)
    return _profile(depth, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)


# Sensors as a driver (and our simulator) publishes them: reliable serves both kinds of readers.
SENSOR_OUTPUT = {topic: _reliable(depth) for topic, depth in _INPUT_DEPTH.items()}

# Between our nodes: reliable, deep enough to ride out a pause of half a second without loss.
THERMAL_FRAME = _reliable(25)
TEMPERATURE = _reliable(2)
NAV_STATE = _reliable(100)
ODOMETRY = _reliable(10)
GIMBAL = _reliable(10)
GIMBAL_STATE = _reliable(50)
UNCERTAINTY_MAP = _latched(5)
BUNDLE = _reliable(25)

OVERLAY = _reliable(2)
OVERLAY_COMPRESSED = _reliable(1)
COMPOSITE = _reliable(2)
OVERLAY_FRAME = _reliable(2)
MARKERS = _reliable(2)
HAZARDS = _reliable(10)
MASK = _latched(1)
HAZARD_POINTS = _reliable(1)
EVENTS = _reliable(50)
PROVENANCE = _reliable(50)
OCCUPANCY = _latched(1)
SYNC_REPORT = _latched(1)
DIAGNOSTICS = _reliable(10)
