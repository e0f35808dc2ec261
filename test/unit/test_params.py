# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters: what is refused, what YAML means, and that ``config/vidgen.yaml`` says the same."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.params import (
    GeneratorParams,
    LidarParams,
    NodeParams,
    RtkParams,
    SyncParams,
    ThermalParams,
    load_node_params,
    make_params,
)

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS_FILE = ROOT / "config" / "vidgen.yaml"
SECTIONS = [getattr(NodeParams(), item.name) for item in dataclasses.fields(NodeParams)]
EVERY = [(section, item) for section in SECTIONS for item in dataclasses.fields(section)]
NAMES = [f"{type(section).__name__}.{item.name}" for section, item in EVERY]


@pytest.mark.parametrize(
    ("cls", "values", "words"),
    [
        (SyncParams, {"nav_delay_ms": -1.0}, ["nav_delay_ms", "-1.0 ms", "0.0 to 1000.0 ms"]),
        (SyncParams, {"nav_delay_ms": 1000.1}, ["1000.1 ms"]),
        (SyncParams, {"nav_delay_ms": math.nan}, ["nan"]),
        (SyncParams, {"nav_delay_ms": math.inf}, ["inf"]),
        (SyncParams, {"nav_delay_ms": "15"}, ["'15' (str)", "expected float"]),
        (SyncParams, {"nav_delay_ms": None}, ["None", "expected float"]),
        (SyncParams, {"nav_delay_ms": True}, ["True (bool)", "expected float"]),
        (SyncParams, {"require_rtk": 1}, ["1 (int)", "expected bool"]),
        (ThermalParams, {"frozen_frames": 2.0}, ["2.0 (float)", "expected int"]),
        (ThermalParams, {"frozen_frames": True}, ["expected int"]),
        (ThermalParams, {"radiometry": "maybe"}, ["'maybe'", "auto, linear, none"]),
        (SyncParams, {"camera_rpy_deg": [0.0, 45.0]}, ["expected 3 numbers"]),
        (SyncParams, {"camera_rpy_deg": [0.0, 45.0, math.nan]}, ["expected finite numbers"]),
        (SyncParams, {"camera_rpy_deg": ["0", "0", "0"]}, ["expected finite numbers"]),
        (SyncParams, {"camera_rpy_deg": 45.0}, ["expected 3 numbers"]),
        (SyncParams, {"nav_delay": 15.0}, ["unknown parameter 'nav_delay'", "nav_delay_ms"]),
    ],
)
def test_a_bad_value_is_refused_with_got_and_expected(
    cls: type, values: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_params(cls, values)
    for word in words:
        assert word in str(caught.value)


def test_an_integer_is_taken_where_a_float_is_meant() -> None:
    params = make_params(SyncParams, {"nav_delay_ms": 20, "camera_rpy_deg": [0, 45, 0]})
    assert type(params.nav_delay_ms) is float
    assert params.camera_rpy_deg == (0.0, 45.0, 0.0)
    assert all(type(angle) is float for angle in params.camera_rpy_deg)


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SyncParams().nav_delay_ms = 1.0  # type: ignore[misc]


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_float_is_in_range_or_refused(value: float) -> None:
    if 0.02 <= value <= 10.0:
        assert LidarParams(resolution_m=value).resolution_m == value
    else:
        with pytest.raises(ConfigError):
            LidarParams(resolution_m=value)


@pytest.mark.parametrize(("section", "item"), EVERY, ids=NAMES)
def test_every_parameter_is_described(section: Any, item: dataclasses.Field[Any]) -> None:
    metadata = item.metadata
    assert metadata["doc"].endswith((".", ")", ","))
    assert metadata["doc"][0].isupper() or metadata["doc"].startswith("...")
    suffixes = {
        "_ms": "ms",
        "_s": "s",
        "_m": "m",
        "_px": "px",
        "_k": "K",
        "_deg": "deg",
        "_hz": "Hz",
        "_ns": "ns",
    }
    for suffix, unit in suffixes.items():
        if item.name.endswith(suffix) and "_per_" not in item.name and metadata["unit"]:
            assert metadata["unit"] == unit
    for bound in ("low", "high"):
        if metadata[bound] is not None:  # the bounds themselves are allowed
            make_params(type(section), {item.name: type(item.default)(metadata[bound])})


@pytest.mark.parametrize(("section", "item"), EVERY, ids=NAMES)
def test_a_value_beyond_its_bounds_is_refused(section: Any, item: dataclasses.Field[Any]) -> None:
    beyond = []
    if item.metadata["low"] is not None:
        beyond.append(item.metadata["low"] - 1)
    if item.metadata["high"] is not None:
        beyond.append(item.metadata["high"] + 1)
    if item.metadata["choices"]:
        beyond.append("no such choice")
    if not beyond:
        assert item.default is not None
        with pytest.raises(ConfigError):
            make_params(type(section), {item.name: object()})
    for value in beyond:
        wrong = value if isinstance(value, str) else type(item.default)(value)
        with pytest.raises(ConfigError, match=item.name):
            make_params(type(section), {item.name: wrong})


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_later_files_and_overrides_win(tmp_path: Path) -> None:
    first = write(
        tmp_path / "a.yaml", "/**/sync_node: {ros__parameters: {nav_delay_ms: 5.0, map_delay_ms: 100.0}}"
    )
    second = write(tmp_path / "b.yaml", "sync_node: {ros__parameters: {nav_delay_ms: 6.0}}")
    params = load_node_params([first, second], {"sync": {"pose_stale_ms": 50.0}})
    assert params.sync == SyncParams(nav_delay_ms=6.0, map_delay_ms=100.0, pose_stale_ms=50.0)
    assert params.generator == GeneratorParams()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/**/snyc_node: {ros__parameters: {}}", ["unknown node snyc_node", "sync"]),
        ("/**/sync_node: {nav_delay_ms: 5.0}", ["ros__parameters"]),
        ("/**/sync_node: 5", ["ros__parameters"]),
        ("- 1\n- 2", ["list", "mapping"]),
        ("{unclosed", ["cannot be read as YAML"]),
        ("/**/sync_node: {ros__parameters: {nav: 1}}", ["unknown parameter 'nav'"]),
        ("/**/sync_node: {ros__parameters: {nav_delay_ms: fast}}", ["'fast' (str)"]),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, text: str, words: list[str]) -> None:
    path = write(tmp_path / "bad.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load_node_params([path])
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_node_params([tmp_path / "absent.yaml"])
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ConfigError, match=r"bytes\.yaml"):
        load_node_params([tmp_path / "bytes.yaml"])


def test_an_override_for_an_unknown_node_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown node 'camera'"):
        load_node_params([], {"camera": {}})


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_node_params([write(tmp_path / "empty.yaml", "# nothing\n")]).sync == SyncParams()


def test_the_file_of_defaults_is_what_params_py_makes_of_it() -> None:
    spec = importlib.util.spec_from_file_location("default_config", ROOT / "tools" / "default_config.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert DEFAULTS_FILE.read_text(encoding="utf-8") == tool.render(), "run `make config`"


def test_the_file_of_defaults_lists_every_parameter_with_its_default() -> None:
    content = yaml.safe_load(DEFAULTS_FILE.read_text(encoding="utf-8"))
    assert set(content) == {f"/**/{item.name}_node" for item in dataclasses.fields(NodeParams)}
    loaded = load_node_params([DEFAULTS_FILE])
    assert repr(loaded) == repr(NodeParams())  # NaN equals nothing, its repr does
    for item in dataclasses.fields(NodeParams):
        listed = content[f"/**/{item.name}_node"]["ros__parameters"]
        assert set(listed) == {field.name for field in dataclasses.fields(getattr(NodeParams(), item.name))}


def test_a_datum_that_is_not_given_is_nan() -> None:
    assert math.isnan(RtkParams().datum_latitude_deg)
