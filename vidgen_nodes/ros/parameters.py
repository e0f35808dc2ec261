# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node: from its dataclass to ROS and back, and those of the whole graph from its files.

Guarantees: a parameter that is unknown, of a wrong type or out of range is an error with what was expected;
nothing is passed over but what ROS itself declares. What a parameter means is said in ``params/``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params import NodeParams, load_node_params, make_params
from vidgen_nodes.ros import qos

P = TypeVar("P")
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


def declare(node: Node, params_class: type[P]) -> tuple[P, str]:
    """Declare the parameters of a node, and the QoS with which it reads sensors; give both back, resolved.

    Raises:
        ConfigError: an unknown parameter, a wrong type or a value out of range.
    """
    values: dict[str, Any] = {}
    common = ParameterDescriptor(
        name="input_reliability", read_only=True, additional_constraints="one of " + ", ".join(qos.RELIABILITIES),
        description="QoS with which sensor topics are read: best_effort for drivers, reliable for a replay.",
    )  # fmt: skip
    try:
        for item in dataclasses.fields(params_class):  # type: ignore[arg-type]
            default = list(item.default) if isinstance(item.default, tuple) else item.default
            values[item.name] = node.declare_parameter(item.name, default, descriptor(item)).value
        reliability = str(node.declare_parameter("input_reliability", "best_effort", common).value)
    except ParameterException as err:
        raise ConfigError(f"{node.get_name()}: {err}") from err
    if reliability not in qos.RELIABILITIES:
        raise ConfigError(
            f"{node.get_name()}.input_reliability: got {reliability!r}, expected one of "
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
    return make_params(params_class, values), reliability


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
