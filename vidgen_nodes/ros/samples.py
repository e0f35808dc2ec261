# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A few messages of every topic, out of a recording or off a live graph, for whoever wants to judge them.

Guarantees: little is read (the first seconds, and of each topic no more than tells); what cannot be decoded is kept
as a sentence, not raised. Leaves out every judgement (``fitness.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rosbags.typesys import get_types_from_msg

from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.ros import wire
from vidgen_nodes.ros.bagfile import open_storage, reading

_SECONDS = 20.0  # of a recording
# So many messages of a type tell enough; images and clouds are large.
_ENOUGH = {"Image": 2, "PointCloud2": 3, "Imu": 400, "SensorCombined": 800, "VehicleAttitude": 200}
_USUALLY_ENOUGH = 60


@dataclass(slots=True)
class Stream:
    """One topic: how much there is of it, and its first messages."""

    topic: str
    type_name: str
    count: int = 0  # in the whole recording; live, what came
    messages: list[tuple[int, Any, bytes]] = field(default_factory=list)  # arrival [ns], message, its bytes
    broken: str = ""  # why messages could not be decoded

    @property
    def is_full(self) -> bool:
        """Enough of it was kept."""
        return len(self.messages) >= _ENOUGH.get(self.type_name.rsplit("/", 1)[-1], _USUALLY_ENOUGH)


def from_recording(path: Path) -> dict[str, Stream]:
    """By topic.

    Raises:
        BagError: it cannot be read.
    """
    with open_storage(path) as reader, reading(path):
        streams: dict[str, Stream] = {}
        decoders: dict[str, Callable[[bytes], Any]] = {}
        for connection in reader.connections:
            stream = streams.setdefault(connection.topic, Stream(connection.topic, connection.msgtype))
            stream.count += connection.msgcount
            decoders[connection.msgtype] = _decoder(connection)
        stop_ns = reader.start_time + round(_SECONDS * 1e9)
        for connection, log_ns, raw in reader.messages(stop=stop_ns):
            stream = streams[connection.topic]
            if not (stream.is_full or stream.broken):
                _keep(stream, log_ns, bytes(raw), decoders[connection.msgtype])
            if all(item.is_full or item.broken for item in streams.values()):
                break
    return {topic: stream for topic, stream in streams.items() if stream.count}


def from_graph(seconds: float, is_wanted: Callable[[str, str], bool]) -> dict[str, Stream]:
    """What is published within so many seconds on the topics for which ``is_wanted(topic, type)``."""
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node
    from rclpy.signals import SignalHandlerOptions

    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("doctor_listener", context=context, enable_rosout=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    streams: dict[str, Stream] = {}
    try:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            for topic, types in node.get_topic_names_and_types():
                if topic not in streams and is_wanted(topic, types[0]) and node.count_publishers(topic):
                    streams[topic] = _listen(node, topic, types[0])
            executor.spin_once(timeout_sec=0.05)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
    return streams


def _listen(node: Any, topic: str, type_name: str) -> Stream:
    from vidgen_nodes.ros import qos
    from vidgen_nodes.ros.adapters.route import message_class

    stream = Stream(topic, type_name)
    try:
        kind = message_class(type_name)
    except MissingPackageError as err:
        stream.broken = str(err)
        return stream
    if type_name in wire.store().types:
        decode = partial(wire.decode, type_name=type_name)
    else:
        from rclpy.serialization import deserialize_message

        decode = partial(deserialize_message, message_type=kind)

    def take(raw: bytes) -> None:
        stream.count += 1
        if not (stream.is_full or stream.broken):
            _keep(stream, node.get_clock().now().nanoseconds, raw, decode)

    node.create_subscription(kind, topic, take, qos.stack_input(type_name, "best_effort"), raw=True)
    return stream


def _keep(stream: Stream, arrived_ns: int, raw: bytes, decode: Callable[[bytes], Any]) -> None:
    try:
        stream.messages.append((arrived_ns, decode(raw), raw))
    except Exception as err:  # noqa: BLE001 (generated readers raise what they like on bytes that do not parse)
        stream.broken = f"{len(raw)} bytes are no {stream.type_name}: {err}"


def _decoder(connection: Any) -> Callable[[bytes], Any]:
    """By the standard types, or by the definition that the recording itself carries."""
    name, store = connection.msgtype, wire.store()
    if name not in store.types:
        definition = getattr(connection.msgdef, "data", "")
        own = get_types_from_msg(definition, name) if definition else {}
        if name in own:
            from rosbags.typesys import Stores, get_typestore

            store = get_typestore(Stores.ROS2_KILTED)
            store.register({key: value for key, value in own.items() if key not in store.types})
    return partial(_decoded, store, name)


def _decoded(store: Any, name: str, raw: bytes) -> Any:
    if name not in store.types:
        raise TypeError("the recording does not say what is in it")
    return store.deserialize_cdr(raw, name)


def topics_of(streams: Mapping[str, Stream], type_name: str) -> list[str]:
    """Topics of a type."""
    return [stream.topic for stream in streams.values() if stream.type_name == type_name]
