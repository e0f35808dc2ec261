# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, where ROS 2's ``launch_ros`` is installed: what it would start, and with which parameters."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.graph import node_specs, resolve_params
from vidgen_nodes.params import load_node_params

pytest.importorskip("launch_ros", reason="launch_ros comes with a full ROS 2 only")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def launch_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The launch file as a module; its log goes to an empty folder."""
    from launch.logging import launch_config

    launch_config.reset()
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    spec = importlib.util.spec_from_file_location("vidgen_launch", ROOT / "launch" / "vidgen.launch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    launch_config.reset()


def started(launch_file: Any, **arguments: str) -> list[str]:
    """The executables that would start."""
    from launch import LaunchContext

    context = LaunchContext()
    for argument in launch_file.ARGUMENTS:
        argument.execute(context)
    context.launch_configurations.update(arguments)
    return [str(action.node_executable) for action in launch_file.start_graph(context)]


def test_it_describes_every_argument(launch_file: Any) -> None:
    arguments = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} >= {
        "preset",
        "config",
        "namespace",
        "sim",
        "use_sim_time",
    }
    assert all(len(argument.description) > 10 for argument in arguments)


@pytest.mark.parametrize("simulated", [False, True])
def test_it_starts_the_graph_and_no_other(launch_file: Any, simulated: bool) -> None:
    names = started(launch_file, sim=str(simulated).lower())
    assert names == [spec.name for spec in node_specs(with_sim=simulated)]


def test_every_node_gets_the_parameters_of_all(launch_file: Any, tmp_path: Path) -> None:
    """The generator records the whole configuration: with its own section alone it would record defaults."""
    own = tmp_path / "mine.yaml"
    own.write_text("/**/sync_node:\n  ros__parameters:\n    nav_delay_ms: 21.0\n")
    started(launch_file, preset="sim", config=str(own), sim="true")
    (written,) = tmp_path.rglob("vidgen.yaml")
    assert load_node_params([written]) == resolve_params("sim", [own])
    assert load_node_params([written]).generator.origin == "sim"


def test_a_simulated_flight_is_recorded_as_one_without_the_preset_too(
    launch_file: Any, tmp_path: Path
) -> None:
    started(launch_file, sim="true")
    (written,) = tmp_path.rglob("vidgen.yaml")
    assert load_node_params([written]).generator.origin == "sim"
