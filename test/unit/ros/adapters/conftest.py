# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of stacks whose packages are not installed, as plain attributes; and a sink that keeps what it gets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Fix, GimbalAttitude, Heading, ImuSample, SourceRef

DATA = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[5] / "shared" / "data"))


@dataclass
class Kept:
    """A sink that keeps."""

    fixes: list[Fix] = field(default_factory=list)
    samples: list[ImuSample] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    gimbals: list[GimbalAttitude] = field(default_factory=list)

    def fix(self, fix: Fix) -> None:
        self.fixes.append(fix)

    def imu(self, sample: ImuSample) -> None:
        self.samples.append(sample)

    def heading(self, heading: Heading) -> None:
        self.headings.append(heading)

    def gimbal(self, attitude: GimbalAttitude) -> None:
        self.gimbals.append(attitude)


class Feeder:
    """Gives an adapter messages by topic, as the wiring does."""

    def __init__(self, adapter_class: Any) -> None:
        self.kept = Kept()
        self.adapter = adapter_class(self.kept)
        self._routes = {route.topic.rsplit("/", 1)[-1]: route for route in self.adapter.routes}

    def give(self, name: str, message: Any) -> SourceRef:
        """By the last word of the topic; returns the source that the message was given."""
        route = self._routes[name]
        source = SourceRef(route.topic, route.type_name, route.stamp_ns(message), b"\1" * 32)
        route.handler(message, source)
        return source

    def refusal(self, name: str, message: Any) -> str:
        """The reason for which a message is refused; empty when it is taken."""
        try:
            self.give(name, message)
        except InputError as err:
            return err.reason
        return ""


def header(stamp_ns: int, frame_id: str = "") -> SimpleNamespace:
    """A ``std_msgs/Header``."""
    seconds, rest = divmod(stamp_ns, 1_000_000_000)
    return SimpleNamespace(stamp=SimpleNamespace(sec=seconds, nanosec=rest), frame_id=frame_id)


def xyz(x: float, y: float, z: float) -> SimpleNamespace:
    """A ``geometry_msgs/Vector3``."""
    return SimpleNamespace(x=x, y=y, z=z)


def nav_sat_fix(
    stamp_ns: int, status: int = 0, altitude: float = 500.0, variance: float = 0.0
) -> SimpleNamespace:
    """A ``sensor_msgs/NavSatFix``; without a variance, of unknown covariance."""
    covariance = [0.0] * 9
    covariance[0] = covariance[4] = covariance[8] = variance
    return SimpleNamespace(
        header=header(stamp_ns), status=SimpleNamespace(status=status), latitude=47.4, longitude=8.5,
        altitude=altitude, position_covariance=covariance, position_covariance_type=2 if variance else 0,
    )  # fmt: skip


def imu(stamp_ns: int, quaternion: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)) -> SimpleNamespace:
    """A ``sensor_msgs/Imu``."""
    x, y, z, w = quaternion
    return SimpleNamespace(
        header=header(stamp_ns), orientation=SimpleNamespace(x=x, y=y, z=z, w=w), orientation_covariance=[0.0] * 9,
        angular_velocity=xyz(0.0, 0.0, 0.1), angular_velocity_covariance=[0.0] * 9,
        linear_acceleration=xyz(0.0, 0.0, 9.8), linear_acceleration_covariance=[0.0] * 9,
    )  # fmt: skip


@pytest.fixture(scope="session")
def px4_log() -> dict[str, Any]:
    """Topics of a recorded PX4 flight log, as columns."""
    pyulog = pytest.importorskip("pyulog")
    path = DATA / "rtk_gnss" / "px4_sample_auavx21.ulg"
    if not path.is_file():
        pytest.skip(f"no recording at {path}; set VIDGEN_SHARED_DATA")
    return {item.name: item.data for item in pyulog.ULog(str(path)).data_list}


@pytest.fixture(scope="session")
def feed() -> type[Feeder]:
    """Makes a feeder for an adapter class."""
    return Feeder


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Makes messages."""
    return SimpleNamespace(header=header, xyz=xyz, fix=nav_sat_fix, imu=imu)
