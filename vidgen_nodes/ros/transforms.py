# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What we know of frames, given to TF where tf2 is installed: map to base_link, and the sensors on it.

Without tf2 nothing is lost of our own graph, which carries poses in its messages; only other people's viewers
do without. A frame has one parent in TF: who has another source of ``map`` or ``base_link`` turns this off.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped

from vidgen_nodes.packets import GimbalAttitude, NavState, Pose
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros.fill import BASE_FRAME, MAP_FRAME, set_header
from vidgen_nodes.sensing.transform import OPTICAL_FROM_BODY, Quaternion, compose, invert, pose_from_rpy

GIMBAL_FRAME = "gimbal_link"
_AT_MOST_EVERY_NS = 20_000_000  # TF interpolates; 50 a second are plenty


class Transforms:
    """Broadcasts; does nothing but say why where tf2 is missing."""

    def __init__(self, node: Any, mounts: Iterable[tuple[str, Pose]]) -> None:
        """Find tf2.

        Args:
            node: an rclpy node.
            mounts: ``(frame, base_T_frame)`` of what is fixed to the body.
        """
        self.missing = ""
        self._broadcaster: Any = None
        self._sent_ns = 0
        self._base: Pose | None = None
        try:
            tf2 = importlib.import_module("tf2_ros")
        except ImportError:
            self.missing = "tf2_ros is not installed, so no TF is sent (a full ROS 2 install has it)"
            return
        self._broadcaster = tf2.TransformBroadcaster(node)
        self._fixed = tf2.StaticTransformBroadcaster(node)
        stamp_ns = int(node.get_clock().now().nanoseconds)
        messages = [transform(stamp_ns, BASE_FRAME, frame, pose) for frame, pose in mounts]
        if messages:
            self._fixed.sendTransform(messages)

    def send_state(self, state: NavState) -> None:
        """``map`` to ``base_link``, fifty times a second of event time at most."""
        self._base = state.map_T_base
        if self._broadcaster is None or abs(state.stamp_ns - self._sent_ns) < _AT_MOST_EVERY_NS:
            return
        self._sent_ns = state.stamp_ns
        self._broadcaster.sendTransform(transform(state.stamp_ns, MAP_FRAME, BASE_FRAME, state.map_T_base))

    def send_gimbal(self, attitude: GimbalAttitude) -> None:
        """``base_link`` to ``gimbal_link``; where the gimbal stands is not known, so it turns about base."""
        if self._broadcaster is None:
            return
        x, y, z, w = attitude.quaternion_xyzw.tolist()
        pose = _turn((x, y, z, w))
        if attitude.parent == MAP_FRAME:
            if self._base is None:
                return
            bx, by, bz, bw = self._base.quaternion_xyzw.tolist()
            pose = compose(invert(_turn((bx, by, bz, bw))), pose)
        self._broadcaster.sendTransform(transform(attitude.stamp_ns, BASE_FRAME, GIMBAL_FRAME, pose))


def mounts(params: NodeParams) -> list[tuple[str, Pose]]:
    """``(frame, base_T_frame)`` of the sensors whose frames are named in the parameters.

    A camera on a gimbal is not among them: it is not fixed to the body.
    """
    rtk, sync, lidar = params.rtk, params.sync, params.lidar
    camera = compose(pose_from_rpy(sync.camera_translation_m, sync.camera_rpy_deg), OPTICAL_FROM_BODY)
    known = [
        ("" if sync.camera_on_gimbal else rtk.thermal_frame, camera),
        (rtk.lidar_frame, pose_from_rpy(lidar.lidar_translation_m, lidar.lidar_rpy_deg)),
    ]
    return [(frame, pose) for frame, pose in known if frame]


def transform(stamp_ns: int, parent: str, child: str, parent_T_child: Pose) -> TransformStamped:
    """The message of one transform."""
    message = TransformStamped(child_frame_id=child)
    set_header(message.header, stamp_ns, parent)
    place, turn = message.transform.translation, message.transform.rotation
    place.x, place.y, place.z = parent_T_child.translation_m.tolist()
    turn.x, turn.y, turn.z, turn.w = parent_T_child.quaternion_xyzw.tolist()
    return message


def _turn(quaternion: Quaternion) -> Pose:
    return Pose(np.zeros(3), np.array(quaternion))
