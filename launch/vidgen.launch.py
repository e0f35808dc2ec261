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

from vidgen_nodes.cameras import extra_cameras
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
    config = [Path(value["config"])] if value["config"] else []
    overrides = {"generator": {"origin": "sim"}} if simulated else {}
    params = resolve_params(value["preset"], config, overrides)
    # One file for all: the generator records the parameters of every node, not only its own.
    params_file = Path(launch_config.log_dir) / "vidgen.yaml"
    write_params(params_file, params)
    clock = {"use_sim_time": value["use_sim_time"] == "true"}
    remaps = preset_remaps(value["preset"])
    started = [(spec, params_file) for spec in specs_for(params, with_sim=simulated, remaps=remaps)]
    for camera in extra_cameras(config):
        folder = params_file.parent / camera.name
        folder.mkdir(exist_ok=True)
        its_params = resolve_params(value["preset"], config, camera.overrides_in(folder, overrides))
        write_params(folder / "vidgen.yaml", its_params)
        started += [(spec, folder / "vidgen.yaml") for spec in camera.specs(its_params, remaps)]
    return [
        Node(
            package="vidgen",
            executable=spec.name,
            namespace=spec.namespace.replace(NAMESPACE, value["namespace"], 1),
            parameters=[str(file), clock],
            remappings=list(spec.remaps),
            output="screen",
        )
        for spec, file in started
    ]


def generate_launch_description() -> LaunchDescription:
    """What ``ros2 launch`` asks for."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start_graph)])
