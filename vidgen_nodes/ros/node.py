# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What every node shares: parameters from a dataclass, guarded subscriptions, diagnostics.

A message that cannot be used is counted with its reason and never ends the node. Left out: the parameters
themselves (``parameters.py``), and how the process of a node starts and ends (``process.py``).
"""

from __future__ import annotations

import math
import re
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar, cast

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_policy_name_from_kind
from rclpy.serialization import deserialize_message

from vidgen_nodes.errors import ConfigError, InputError, VidgenError
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.ros import convert, qos, transport, wire
from vidgen_nodes.ros.diagnostics import InputHealth, NodeHealth, OutputHealth
from vidgen_nodes.ros.filters import Subscriber
from vidgen_nodes.ros.parameters import declare

P = TypeVar("P")
NAMESPACE = "vidgen"


class NodeBase(Generic[P]):
    """The part that plain and lifecycle nodes share; mixed into an rclpy node, never used alone."""

    params: P
    input_reliability: str
    health: NodeHealth
    exit_status: int
    finished: bool

    def set_up(self, params_class: type[P]) -> None:
        """Declare the parameters and start the diagnostics. Called once, from ``__init__``.

        Raises:
            ConfigError: an unknown parameter, a wrong type or a value out of range.
        """
        node = self.ros
        self.finished, self.exit_status = False, 0
        self.health = NodeHealth(time.monotonic())
        self._look_at_clock()
        self.params, self.input_reliability = declare(node, params_class)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self._diagnostics_timer = node.create_timer(1.0, self._diagnose, clock=steady)
        self._said = ""
        for fault in transport.transport_faults():
            node.get_logger().warning(fault)

    @property
    def ros(self) -> Node:
        """This object as the rclpy node that it also is."""
        return cast(Node, self)

    def now_ns(self) -> int:
        """The node's clock: simulated time when ``use_sim_time`` is set."""
        # Asked for every message: the clock's own answer costs four times as much and is the same.
        return int(self._node_clock.now().nanoseconds) if self._time_is_simulated else time.time_ns()

    def _look_at_clock(self) -> None:
        """Whether time is simulated; asked once a second, since the answer costs a lock."""
        self._node_clock = self.ros.get_clock()
        self._time_is_simulated = bool(self._node_clock.ros_time_is_active)

    def subscribe(
        self, message_type: Any, topic: str, profile: QoSProfile, handler: Callable[[Any], None], *,
        required: bool = True,
    ) -> Subscriber:  # fmt: skip
        """Subscribe; ``InputError`` from the handler is counted, and the health of the topic is kept.

        Args:
            message_type: ROS message class.
            topic: relative name.
            profile: QoS.
            handler: gets the message.
            required: without this topic the node can put nothing out.
        """
        node = self.ros
        entry = self.health.add_input(node.resolve_topic_name(topic), required=required)

        def guarded(message: Any) -> None:
            before_s = entry.last_good_s
            entry.arrive(time.monotonic(), self._offset_s(message))
            try:
                handler(message)
            except InputError as err:
                self.refuse(entry, err, before_s)

        return self._create_subscription(message_type, topic, profile, guarded, entry, raw=False)

    def subscribe_frequent(
        self,
        message_type: Any,
        topic: str,
        profile: QoSProfile,
        handler: Callable[[Any], None],
        *,
        required: bool = True,
    ) -> Subscriber:
        """:meth:`subscribe` for what comes at the rate of a camera or more: decoded by ``wire.py``."""
        return self.subscribe_raw(
            message_type, topic, profile, lambda message, _: handler(message), required=required
        )

    def subscribe_sensor(
        self,
        message_type: Any,
        topic: str,
        handler: Callable[[Any, SourceRef], None],
        *,
        required: bool = True,
    ) -> Subscriber:
        """Subscribe to a sensor topic as raw bytes; the handler gets the message and its source reference."""
        resolved = self.ros.resolve_topic_name(topic)
        type_name = _type_name(message_type)
        return self.subscribe_raw(
            message_type,
            topic,
            qos.sensor_input(topic, self.input_reliability),
            lambda message, raw: handler(message, convert.source_ref(resolved, type_name, message, raw)),
            required=required,
        )

    def subscribe_raw(
        self,
        message_type: Any,
        topic: str,
        profile: QoSProfile,
        handler: Callable[[Any, bytes], None],
        *,
        required: bool,
    ) -> Subscriber:
        """:meth:`subscribe` whose handler gets the serialised bytes too. Types that rosbags lacks cost more."""
        entry = self.health.add_input(self.ros.resolve_topic_name(topic), required=required)
        type_name = _type_name(message_type)
        decode = partial(wire.decode, type_name=type_name)
        if type_name not in wire.store().types:
            decode = partial(deserialize_message, message_type=message_type)

        def guarded(raw: bytes) -> None:
            before_s = entry.last_good_s
            try:
                message = decode(raw)
            except Exception as err:  # noqa: BLE001 (rosbags raises what it likes on bytes that do not parse)
                entry.arrive(time.monotonic())
                self.refuse(
                    entry, InputError("not_parsed", f"{len(raw)} bytes are no {type_name}: {err}"), before_s
                )
                return
            entry.arrive(time.monotonic(), self._offset_s(message))
            try:
                handler(message, raw)
            except InputError as err:
                self.refuse(entry, err, before_s)

        return self._create_subscription(message_type, topic, profile, guarded, entry, raw=True)

    def _create_subscription(
        self,
        message_type: Any,
        topic: str,
        profile: QoSProfile,
        callback: Any,
        entry: InputHealth,
        *,
        raw: bool,
    ) -> Subscriber:
        def incompatible(event: Any) -> None:
            entry.incompatible_policy = qos_policy_name_from_kind(event.last_policy_kind)

        def lost(event: Any) -> None:
            self.health.dropped[f"lost_in_transport {entry.topic}"] += event.total_count_change

        events = SubscriptionEventCallbacks(incompatible_qos=incompatible, message_lost=lost)
        try:
            source = Subscriber(
                self.ros, message_type, topic, qos_profile=profile, event_callbacks=events, raw=raw
            )
        except UnsupportedEventTypeError:
            source = Subscriber(self.ros, message_type, topic, qos_profile=profile, raw=raw)
        source.registerCallback(callback)
        return source

    def _offset_s(self, message: Any) -> float:
        header = getattr(message, "header", None)
        return (self.now_ns() - convert.stamp_ns(header.stamp)) * 1e-9 if header is not None else math.nan

    def refuse(self, entry: InputHealth, error: InputError, before_s: float) -> None:
        """Count what just arrived as refused, and tell the first of its kind; see ``InputHealth.refuse``."""
        first = error.reason not in entry.refused
        entry.refuse(error, before_s)
        if first:
            self.ros.get_logger().warning(f"{entry.topic}: refused ({error.reason}): {error}")

    def advertise(
        self, message_type: Any, topic: str, profile: QoSProfile, *, primary: bool = True
    ) -> Output:
        """Publish on a topic; ``primary``: the node counts as silent when this topic is."""
        node = self.ros
        publisher = node.create_publisher(message_type, topic, profile)
        return Output(publisher, self.health.add_output(node.resolve_topic_name(topic), primary=primary))

    def fail(self, message: str, status: int = 1) -> None:
        """Say what is broken and end the node; the supervisor decides what follows."""
        self.health.fault = message
        self.ros.get_logger().fatal(message)
        self.exit_status, self.finished = status, True

    def on_tick(self) -> None:
        """Called once a second before diagnostics go out; nodes put their words into ``health`` here."""

    def close(self) -> None:
        """Called once at the end, while publishing still works."""

    def _diagnose(self) -> None:
        node = self.ros
        self._look_at_clock()
        self.on_tick()
        for entry in self.health.inputs.values():
            entry.publishers = node.count_publishers(entry.topic)
        now_s = time.monotonic()
        snapshot = self.health.snapshot(now_s)
        why = self.health.why_silent(now_s)
        gist = re.sub(r"[0-9.]+", "", why)  # the same sentence with other numbers is not said again
        if gist != self._said:
            self._said = gist
            log = node.get_logger()
            if why:
                log.warning(f"nothing comes out: {why}")
            else:
                log.info("output is flowing")
        status = DiagnosticStatus(
            level=bytes([snapshot.level]), name=node.get_fully_qualified_name(), message=snapshot.message,
            hardware_id="vidgen", values=[KeyValue(key=key, value=value) for key, value in snapshot.values],
        )  # fmt: skip
        message = DiagnosticArray(status=[status])
        message.header.stamp = node.get_clock().now().to_msg()
        self._diagnostics.publish(message)


def _type_name(message_type: Any) -> str:
    """``sensor_msgs/msg/Image`` of the class."""
    module = message_type.__module__.split(".")
    return f"{module[0]}/{module[1]}/{message_type.__name__}"


class Output:
    """A publisher that counts."""

    def __init__(self, publisher: Any, health: OutputHealth) -> None:
        self._publisher = publisher
        self._health = health

    @property
    def is_wanted(self) -> bool:
        """Somebody subscribes."""
        return bool(self._publisher.get_subscription_count())

    def publish(self, message: Any) -> None:
        """Publish one message, or its CDR bytes."""
        self._publisher.publish(message)
        self._health.publish(time.monotonic())


class VidgenNode(NodeBase[P], Node):
    """A node of ours."""

    def __init__(self, name: str, params_class: type[P]) -> None:
        Node.__init__(self, name, namespace=NAMESPACE)
        self.set_up(params_class)


class VidgenLifecycleNode(NodeBase[P], LifecycleNode):
    """A node of ours whose resources are made on configure and used while active."""

    def __init__(self, name: str, params_class: type[P]) -> None:
        LifecycleNode.__init__(self, name, namespace=NAMESPACE)
        self.is_active = False
        self.set_up(params_class)
        about = ParameterDescriptor(
            name="auto_activate", read_only=True, description="Configure and activate at the start, unasked."
        )
        self.auto_activate = bool(self.declare_parameter("auto_activate", True, about).value)
        self.health.waiting_for = "" if self.auto_activate else "activation (lifecycle)"

    def activate_if_asked(self) -> None:
        """Configure and activate, unless ``auto_activate`` is false."""
        if self.auto_activate and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def configure(self) -> None:
        """Make what the node needs; slow things belong here. Overridden by nodes."""

    def clean_up(self) -> None:
        """Undo :meth:`configure`, so that it can be called again. Overridden by nodes."""

    def on_configure(self, state: Any) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        try:
            self.configure()
        except VidgenError as err:
            self.fail(str(err), 2 if isinstance(err, ConfigError) else 1)
            return TransitionCallbackReturn.FAILURE
        except Exception:  # noqa: BLE001 (rclpy would swallow it, and the node stay up and do nothing)
            self.fail(f"configure broke:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_cleanup(self, state: Any) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self.clean_up()
        return super().on_cleanup(state)

    def on_activate(self, state: Any) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self.is_active, self.health.waiting_for = True, ""
        return super().on_activate(state)

    def on_deactivate(self, state: Any) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self.is_active, self.health.waiting_for = False, "activation (lifecycle)"
        return super().on_deactivate(state)
