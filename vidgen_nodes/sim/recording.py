# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the flight as a rosbag2 recording (MCAP), as a drone's recorder would have.

Guarantees: the same parameters give the same messages; they lie in the bag in the order and under
the receive time in which they were sent. Needs no ROS. The bag can be replayed by any rosbag2 player.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer

from vidgen_nodes.params import SimParams
from vidgen_nodes.sim.flight import Flight
from vidgen_nodes.sim.messages import TYPES, Messages
from vidgen_nodes.sim.readings import CAMERA_INFO, FIX, IMU, SCAN, THERMAL
from vidgen_nodes.sim.trajectory import FlightTruth, fly

START_NS: Final = 1_780_000_000_000_000_000  # epoch of second 0: any fixed moment will do
TOPICS: Final = {
    THERMAL: ("/thermal/image_raw", TYPES[THERMAL]),
    CAMERA_INFO: ("/thermal/camera_info", TYPES[CAMERA_INFO]),
    IMU: ("/imu/data", TYPES[IMU]),
    FIX: ("/fix", TYPES[FIX]),
    SCAN: ("/points", TYPES[SCAN]),
}
_NO_TIME: Final = QosTime(0, 0)
_SENSOR_QOS: Final = Qos(
    QosHistory.KEEP_LAST,
    10,
    QosReliability.BEST_EFFORT,
    QosDurability.VOLATILE,
    _NO_TIME,
    _NO_TIME,
    QosLiveliness.AUTOMATIC,
    _NO_TIME,
    False,
)


def write_recording(
    path: Path,
    params: SimParams,
    duration_s: float,
    start_ns: int = START_NS,
    motion: Callable[[float], FlightTruth] = fly,
) -> dict[str, int]:
    """Fly for ``duration_s`` and write it all down.

    Args:
        path: directory to make; must not exist yet.
        params: seed, rates and faults.
        duration_s: length, > 0. A second takes about 42 MB.
        start_ns: event time of second 0.
        motion: how the drone flies.

    Returns:
        Messages written, by topic.

    Raises:
        rosbags.rosbag2.WriterError: ``path`` exists.
        ValueError: ``duration_s`` is not above 0.
    """
    if not duration_s > 0.0:
        raise ValueError(f"duration_s: got {duration_s}, expected more than 0: a recording has an end")
    flight = Flight(params, motion)
    messages = Messages(flight, start_ns)
    written = dict.fromkeys((topic for topic, _ in TOPICS.values()), 0)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            kind: writer.add_connection(
                topic, name, typestore=messages.store, offered_qos_profiles=(_SENSOR_QOS,)
            )
            for kind, (topic, name) in TOPICS.items()
        }
        for sample in flight.schedule(duration_s):
            received_ns = start_ns + round(sample.send_s * 1e9)
            writer.write(connections[sample.kind], received_ns, messages.serialise(sample))
            written[TOPICS[sample.kind][0]] += 1
    return written
