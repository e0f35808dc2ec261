# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What every node shares: parameters from a dataclass, guarded subscriptions, diagnostics, one way to start and end.

A message that cannot be used is counted with its reason and never ends the node. A parameter that is wrong ends
it with one line and exit status 2. Anything else unexpected ends it with status 1: the supervisor starts it again.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_policy_name_from_kind
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions

from vidgen_nodes.errors import ConfigError, InputError, VidgenError
from vidgen_nodes.packets import SourceRef
from vidgen_nodes.params import NodeParams, load_node_params, make_params
from vidgen_nodes.ros import convert, qos, transport, wire
from vidgen_nodes.ros.diagnostics import InputHealth, NodeHealth, OutputHealth
from vidgen_nodes.ros.filters import Subscriber

P = TypeVar("P")
NAMESPACE = "vidgen"
# Parameters that ROS itself declares, or that any node may be given by a wildcard section.
_FOREIGN_PARAMETERS = (
    "use_sim_time",
    "start_type_description_service",
    "qos_overrides",
    "diagnostic_updater",
)


def descriptor(item: dataclasses.Field[Any]) -> ParameterDescriptor:
    """The ROS descriptor of one parameter field: description with unit, range, read-only."""
    metadata = item.metadata
    text = metadata["doc"] + (f" [{metadata['unit']}]" if metadata["unit"] else "")
    made = ParameterDescriptor(name=item.name, description=text, read_only=True)
    if metadata["choices"]:
        made.additional_constraints = "one of " + ", ".join(metadata["choices"])
    low, high = metadata["low"], metadata["high"]
    if isinstance(item.default, float) and (low is not None or high is not None):
        low = -1.7e308 if low is None else low
        made.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(1.7e308 if high is None else high))
        ]
    elif type(item.default) is int and (low is not None or high is not None):
        low, high = (-(2**63) if low is None else low), (2**63 - 1 if high is None else high)
        made.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    # YAML says 40 where 40.0 is meant; the dataclass takes both, so ROS must not refuse the first.
    made.dynamic_typing = isinstance(item.default, (float, tuple))
    return made


class NodeBase(Generic[P]):
    """The part that plain and lifecycle nodes share; mixed into an rclpy node, never used alone."""

    params: P
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
        self.params = self._declare(params_class)
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
        clock = self.ros.get_clock()
        # Asked for every message: the clock's own answer costs four times as much and is the same.
        return int(clock.now().nanoseconds) if clock.ros_time_is_active else time.time_ns()

    def _declare(self, params_class: type[P]) -> P:
        node = self.ros
        values: dict[str, Any] = {}
        common = ParameterDescriptor(
            name="input_reliability", read_only=True, additional_constraints="one of " + ", ".join(qos.RELIABILITIES),
            description="QoS with which sensor topics are read: best_effort for drivers, reliable for a replay.",
        )  # fmt: skip
        try:
            for item in dataclasses.fields(params_class):  # type: ignore[arg-type]
                default = list(item.default) if isinstance(item.default, tuple) else item.default
                values[item.name] = node.declare_parameter(item.name, default, descriptor(item)).value
            self.input_reliability = node.declare_parameter("input_reliability", "best_effort", common).value
        except ParameterException as err:
            raise ConfigError(f"{node.get_name()}: {err}") from err
        if self.input_reliability not in qos.RELIABILITIES:
            raise ConfigError(
                f"{node.get_name()}.input_reliability: got {self.input_reliability!r}, expected one of "
                f"{', '.join(qos.RELIABILITIES)}"
            )
        known = {*values, "input_reliability", "auto_activate"}
        for name in node._parameter_overrides:  # noqa: SLF001 (rclpy ignores undeclared overrides in silence)
            if name not in known and not name.startswith(_FOREIGN_PARAMETERS):
                raise ConfigError(
                    f"{node.get_name()}: unknown parameter {name!r}; known: {', '.join(sorted(known))}"
                )
        values = {
            name: tuple(v) if isinstance(v, (list, tuple)) or hasattr(v, "typecode") else v
            for name, v in values.items()
        }
        return make_params(params_class, values)

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
        return (self.now_ns() - convert.stamp_ns(header.stamp)) * 1e-9 if header is not None else float("nan")

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


def graph_params(arguments: list[str], **own: Any) -> NodeParams:
    """The parameters of the whole graph, from the parameter files on a command line.

    Sections of nodes that are not ours are passed over; ``own`` replaces the sections of the nodes that know
    theirs better, after ROS resolved them.

    Raises:
        ConfigError: a file that cannot be read, or a bad value in one of our sections.
    """
    names = [arguments[i + 1] for i, word in enumerate(arguments[:-1]) if word == "--params-file"]
    sections: dict[str, dict[str, Any]] = {}
    ours = {item.name for item in dataclasses.fields(NodeParams)}
    for name in names:
        try:
            content = yaml.safe_load(Path(name).read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
            raise ConfigError(f"{name}: cannot be read as YAML: {err}") from err
        for key, body in content.items() if isinstance(content, dict) else ():
            node = str(key).rsplit("/", 1)[-1].removesuffix("_node")
            if node in ours and node not in own and isinstance(body, dict):
                values = dict(body.get("ros__parameters") or {})
                sections.setdefault(node, {}).update(
                    {
                        k: v
                        for k, v in values.items()
                        if not k.startswith((*_FOREIGN_PARAMETERS, "input_reliability", "auto_activate"))
                    }
                )
    return dataclasses.replace(load_node_params([], sections), **own)


def main_for(node_class: Callable[[], Any], *, nice: int = 0) -> None:
    """Run a node until a signal or until it is finished, shut down once, and exit with its status.

    Args:
        node_class: makes the node.
        nice: ``transport.FRAME_NICE`` for what every thermal frame passes through, ``BACKGROUND_NICE`` for
            what no frame waits for.
    """
    transport.prepare_process()
    transport.set_priority(nice)
    status = 0
    with transport.stop_on_signals() as stop:
        try:
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            node = node_class()
        except ConfigError as err:
            sys.stderr.write(f"{err}\n")
            status = 2
        except rclpy.exceptions.ROSInterruptException:
            status = 0
        else:
            status = _run(node, stop)
        rclpy.try_shutdown()
    sys.exit(status)


def _run(node: Any, stop: transport.StopRequest) -> int:
    executor = transport.make_executor(node.context)
    executor.add_node(node)
    try:
        if isinstance(node, VidgenLifecycleNode):
            node.activate_if_asked()
        transport.settle_memory()
        transport.run_until_stopped(executor, stop, lambda: node.finished)
    finally:
        node.close()
        transport.end_within(transport.END_S, int(node.exit_status) if sys.exc_info()[0] is None else 1)
        executor.remove_node(node)
        executor.shutdown()  # it holds the context: without this Fast DDS would leave its segment behind
        node.destroy_node()
    return int(node.exit_status)
