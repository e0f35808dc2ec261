# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The graph as data: where a value comes from, and what is refused before anything starts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.graph import (
    merge_overrides,
    node_specs,
    parse_settings,
    parse_topic_remaps,
    plain,
    preset_names,
    resolve_params,
    ros_arguments,
    write_params,
)
from vidgen_nodes.params import NodeParams, load_node_params


def test_every_node_of_the_graph_is_a_module() -> None:
    for spec in node_specs(with_sim=True):
        assert importlib.util.find_spec(spec.module) is not None, spec.module


def test_the_simulated_drone_flies_only_when_asked() -> None:
    names = {spec.name for spec in node_specs()}
    assert {spec.name for spec in node_specs(with_sim=True)} - names == {"sim_node"}
    assert len(names) == 8


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(
        "/**/sync_node: {ros__parameters: {nav_delay_ms: 21.0, map_delay_ms: 250.0, pose_stale_ms: 90}}"
    )
    second.write_text("/**/sync_node: {ros__parameters: {nav_delay_ms: 22.0, map_delay_ms: 260.0}}")
    sync = resolve_params("", [first, second], {"sync": {"nav_delay_ms": 23.0}}).sync
    assert (sync.nav_delay_ms, sync.map_delay_ms, sync.pose_stale_ms) == (23.0, 260.0, 90.0)


def test_what_is_written_for_the_nodes_is_read_back_the_same(tmp_path: Path) -> None:
    params = resolve_params("sim")
    write_params(tmp_path / "params.yaml", params)
    assert plain(load_node_params([tmp_path / "params.yaml"])) == plain(params)


def test_unknown_values_survive_the_parameter_file(tmp_path: Path) -> None:
    write_params(tmp_path / "params.yaml", NodeParams())
    read = load_node_params([tmp_path / "params.yaml"])
    assert read.rtk.datum_latitude_deg != read.rtk.datum_latitude_deg  # NaN: the first fix is the datum


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_resolves(preset: str) -> None:
    assert node_specs(preset)


def test_files_named_in_a_preset_are_found_beside_it() -> None:
    own = resolve_params("sim").generator
    assert Path(own.building_file).is_absolute()
    assert Path(own.scenario_file).is_file()


def test_a_users_own_scenario_lies_beside_his_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nignitions: []\n")
    config = tmp_path / "params.yaml"
    config.write_text("/**/generator_node: {ros__parameters: {scenario_file: mine.yaml}}")
    assert resolve_params("", [config]).generator.scenario_file == str(tmp_path / "mine.yaml")


def test_a_missing_scenario_is_refused_with_where_it_was_looked_for() -> None:
    with pytest.raises(
        ConfigError, match=r"scenario_file: no such file: nowhere\.yaml; looked for .*nowhere"
    ):
        resolve_params("", [], {"generator": {"scenario_file": "nowhere.yaml"}})


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'nope' is not known; known: .*sim"):
        node_specs("nope")


def test_the_baseline_of_another_building_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("name: other\nframe: map\nsurfaces: []\n")
    with pytest.raises(ConfigError, match="a frame has one building"):
        resolve_params("sim", [], {"lidar": {"building_file": str(other)}})


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("sync.nav_delay_ms=20", {"sync": {"nav_delay_ms": 20}}),
        ("sync_node.require_rtk=false", {"sync": {"require_rtk": False}}),
        ("generator.mission=007", {"generator": {"mission": "007"}}),
        ("lidar.map_center_m=[1, 2]", {"lidar": {"map_center_m": [1, 2]}}),
        ("generator.mission=a=b", {"generator": {"mission": "a=b"}}),
    ],
)
def test_settings(setting: str, expected: dict[str, dict[str, object]]) -> None:
    assert parse_settings([setting]) == expected


@pytest.mark.parametrize(
    "setting", ["sync", "sync.nav_delay_ms", "nope.x=1", "sync.nope=1", "sync.nav_delay_ms=["]
)
def test_a_malformed_setting_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        parse_settings([setting])


def test_merging_overrides_keeps_what_is_not_named_again() -> None:
    merged = merge_overrides({"sync": {"a": 1, "b": 2}}, {"sync": {"b": 3}, "ar": {"c": 4}})
    assert merged == {"sync": {"a": 1, "b": 3}, "ar": {"c": 4}}


def test_remaps_and_simulated_time_reach_the_command_line() -> None:
    spec = node_specs(remaps=[("thermal/image_raw", "/cam0/image")])[0]
    arguments = ros_arguments(spec, Path("p.yaml"), replaying=True)
    assert arguments[0] == "--ros-args"
    assert "thermal/image_raw:=/cam0/image" in arguments
    assert "use_sim_time:=true" in arguments
    assert "input_reliability:=reliable" in arguments
    assert "use_sim_time:=true" not in ros_arguments(spec, Path("p.yaml"))


def test_parameters_of_a_spec_are_plain_yaml() -> None:
    for spec in node_specs("sim", with_sim=True):
        assert yaml.safe_load(yaml.safe_dump(dict(spec.parameters))) is not None


def test_a_preset_names_foreign_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "vidgen.yaml").write_text("")
    preset = tmp_path / "presets" / "drone.yaml"
    preset.write_text("remaps: {fix: /gps}\n/**/sync_node: {ros__parameters: {nav_delay_ms: 30.0}}\n")
    monkeypatch.setattr("vidgen_nodes.graph.config_dir", lambda: tmp_path)
    spec = next(spec for spec in node_specs("drone") if spec.name == "sync_node")
    assert spec.remaps == (("fix", "/gps"),)
    assert resolve_params("drone").sync.nav_delay_ms == 30.0
    preset.write_text("remaps: [fix]\n")
    with pytest.raises(ConfigError, match="expected our/topic: /foreign/topic"):
        node_specs("drone")


def test_topic_remaps_of_the_command_line() -> None:
    assert parse_topic_remaps(["/gps:=/vidgen/fix", "/cam:=thermal/image_raw"]) == (
        ("fix", "/gps"),
        ("thermal/image_raw", "/cam"),
    )
    with pytest.raises(ConfigError, match="--remap"):
        parse_topic_remaps(["/gps"])
