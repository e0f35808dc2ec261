# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the graph of ``vidgen_nodes/graph.py`` in a full ROS 2 install: ``ros2 launch vidgen vidgen.launch.py``.

``--show-args`` lists the arguments; ``preset:=sim sim:=true`` needs no drone. The parameters in force lie in
``vidgen.yaml`` beside the log of the launch. Nodes that end are not started again; ``vidgen up`` does that.
"""

from __future__ import annotations

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.logging import launch_config
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vidgen_nodes.graph import NAMESPACE, preset_remaps, resolve_params, specs_for, write_params

ARGUMENTS = [
    DeclareLaunchArgument(
        "preset", default_value="", description="Drone stack: a file of config/presets, no suffix."
    ),
    DeclareLaunchArgument(
        "config", default_value="", description="Your parameter file; wins over the preset."
    ),
    DeclareLaunchArgument(
        "namespace", default_value=NAMESPACE, description="Namespace of all nodes and topics."
    ),
    DeclareLaunchArgument(
        "sim",
        default_value="false",
        choices=["true", "false"],
        description="Fly the built-in simulated drone too (with preset:=sim).",
    ),
    DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=["true", "false"], description="Take time from /clock."
    ),
]


def start_graph(context: LaunchContext) -> list[Node]:
    """One action per node of the graph."""
    value = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    simulated = value["sim"] == "true"
    params = resolve_params(
        value["preset"],
        [Path(value["config"])] if value["config"] else [],
        {"generator": {"origin": "sim"}} if simulated else None,
    )
    # One file for all: the generator records the parameters of every node, not only its own.
    params_file = Path(launch_config.log_dir) / "vidgen.yaml"
    write_params(params_file, params)
    clock = {"use_sim_time": value["use_sim_time"] == "true"}
    return [
        Node(
            package="vidgen",
            executable=spec.name,
            arguments=list(spec.options),
            namespace=value["namespace"],
            parameters=[str(params_file), clock],
            remappings=list(spec.remaps),
            output="screen",
        )
        for spec in specs_for(params, with_sim=simulated, remaps=preset_remaps(value["preset"]))
    ]


def generate_launch_description() -> LaunchDescription:
    """What ``ros2 launch`` asks for."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_graph)])
