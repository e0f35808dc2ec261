# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What goes to TF. tf2 comes with a full ROS 2 install only; here a recorder stands in for its broadcasters."""

from __future__ import annotations

import dataclasses
import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import GimbalAttitude, NavState, Pose, RtkStatus, SourceRef
from vidgen_nodes.params import NodeParams, RtkParams, SyncParams
from vidgen_nodes.ros.transforms import GIMBAL_FRAME, Transforms, mounts
from vidgen_nodes.sensing.transform import pose_from_rpy

SOURCE = SourceRef("/t", "T", 1, b"")
NODE = SimpleNamespace(get_clock=lambda: SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=7)))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What the broadcasters of tf2_ros were given."""
    kept: dict[str, list[Any]] = {"moving": [], "fixed": []}
    module = ModuleType("tf2_ros")
    for name, kind in (("TransformBroadcaster", "moving"), ("StaticTransformBroadcaster", "fixed")):
        keep = kept[kind]
        setattr(module, name, lambda _node, keep=keep: SimpleNamespace(sendTransform=keep.append))
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return kept


def state(stamp_ns: int, yaw_deg: float = 0.0) -> NavState:
    zero = np.zeros(3)
    pose = pose_from_rpy((1.0, 2.0, 3.0), (0.0, 0.0, yaw_deg))
    return NavState(stamp_ns, pose, zero, zero, zero, np.eye(6), RtkStatus.FIXED, stamp_ns, ())


def test_without_tf2_nothing_is_sent_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    transforms = Transforms(NODE, [])
    transforms.send_state(state(1))
    transforms.send_gimbal(GimbalAttitude(1, np.array((0.0, 0.0, 0.0, 1.0)), "map", SOURCE))
    assert "tf2_ros is not installed" in transforms.missing


def test_the_base_is_sent_in_map_at_the_states_stamp_and_not_too_often(sent: dict[str, list[Any]]) -> None:
    transforms = Transforms(NODE, [])
    for step in range(11):
        transforms.send_state(state(1_000_000_000 + step * 10_000_000))
    first = sent["moving"][0]
    assert (first.header.frame_id, first.child_frame_id, first.header.stamp.sec) == ("map", "base_link", 1)
    assert (first.transform.translation.x, first.transform.translation.z) == (1.0, 3.0)
    assert len(sent["moving"]) == 6
    transforms.send_state(state(5))  # the clock jumped back: at once, not after catching up
    assert len(sent["moving"]) == 7


def test_what_is_fixed_to_the_body_is_sent_once(sent: dict[str, list[Any]]) -> None:
    Transforms(NODE, [("camera", Pose(np.array((0.1, 0.0, 0.2)), np.array((0.0, 0.0, 0.0, 1.0))))])
    ((message,),) = sent["fixed"]
    assert (message.header.frame_id, message.child_frame_id) == ("base_link", "camera")
    assert message.transform.translation.z == 0.2


def test_the_mounts_of_named_frames_are_those_of_the_parameters() -> None:
    params = dataclasses.replace(
        NodeParams(),
        rtk=RtkParams(thermal_frame="h20t_ir_optical_link"),
        sync=SyncParams(camera_translation_m=(0.1, 0.0, -0.1), camera_rpy_deg=(0.0, 90.0, 0.0)),
    )
    ((frame, pose),) = mounts(params)
    assert frame == "h20t_ir_optical_link"
    np.testing.assert_array_equal(pose.translation_m, (0.1, 0.0, -0.1))
    looks = Rotation.from_quat(pose.quaternion_xyzw).apply((0.0, 0.0, 1.0))
    np.testing.assert_allclose(looks, (0.0, 0.0, -1.0), atol=1e-12)  # pitched by 90: straight down
    assert mounts(NodeParams()) == []


@pytest.mark.parametrize(("parent", "expected_deg"), [("base_link", 70.0), ("map", 40.0)])
def test_the_gimbal_is_sent_against_the_body_whatever_its_yaw_counts_from(
    sent: dict[str, list[Any]], parent: str, expected_deg: float
) -> None:
    transforms = Transforms(NODE, [])
    turn = pose_from_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 70.0)).quaternion_xyzw
    transforms.send_gimbal(GimbalAttitude(1, turn, "map", SOURCE))
    assert sent["moving"] == []  # against map it can only be placed once the body is
    transforms.send_state(state(1_000_000_000, yaw_deg=30.0))
    transforms.send_gimbal(GimbalAttitude(1_000_000_000, turn, parent, SOURCE))
    message = sent["moving"][-1]
    assert (message.header.frame_id, message.child_frame_id) == ("base_link", GIMBAL_FRAME)
    rotation = message.transform.rotation
    assert math.degrees(2.0 * math.atan2(rotation.z, rotation.w)) == pytest.approx(expected_deg)
