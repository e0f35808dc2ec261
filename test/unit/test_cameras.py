# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vidgen_nodes.cameras import extra_cameras
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.graph import resolve_params, ros_arguments

LEFT = """
/**/sync_node: {ros__parameters: {nav_delay_ms: 20.0}}
cameras:
  left:
    remaps: {thermal/image_raw: /left/image, thermal/camera_info: /left/info}
    sync: {camera_rpy_deg: [0.0, 30.0, 90.0]}
    thermal: {scale_k_per_count: 0.04}
"""


def test_a_camera_has_its_own_nodes_ledger_and_mounting_and_shares_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(LEFT)
    (camera,) = extra_cameras([file])
    params = resolve_params(
        "", [file], camera.overrides_in(tmp_path / "left", {"generator": {"mission": "m"}})
    )
    assert params.sync.camera_rpy_deg == (0.0, 30.0, 90.0)
    assert params.sync.nav_delay_ms == 20.0
    assert params.thermal.scale_k_per_count == 0.04
    assert params.generator.ledger == params.custody.ledger == str(tmp_path / "left" / "ledger.db")
    assert params.generator.mission == "m"
    specs = camera.specs(params, [("fix", "/gps"), ("thermal/image_raw", "/first/image")])
    assert {spec.process for spec in specs} == {
        f"left/{node}_node" for node in ("custody", "ar", "generator", "sync", "thermal")
    }
    thermal = next(spec for spec in specs if spec.section == "thermal")
    words = ros_arguments(thermal, file)
    assert "__ns:=/vidgen/left" in words
    assert "thermal/image_raw:=/left/image" in words
    assert "uncertainty/map:=/vidgen/uncertainty/map" in words
    assert "thermal/image_raw:=/first/image" not in words


def test_the_first_camera_alone_needs_no_word(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**/sync_node: {ros__parameters: {nav_delay_ms: 20.0}}")
    assert extra_cameras([file]) == ()
    assert extra_cameras([]) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cameras: [left]", "expected a mapping of names"),
        ("cameras: {Left: {remaps: {thermal/image_raw: /a}}}", "a name is"),
        ("cameras: {left: 5}", "expected remaps"),
        ("cameras: {left: {remaps: {}}}", "at least thermal/image_raw"),
        ("cameras: {left: {remaps: {thermal/image_raw: /a}, rtk: {fix_delay_ms: 5}}}", "only custody"),
        ("cameras: {left: {remaps: {thermal/image_raw: /a}, sync: 5}}", "each a mapping"),
        ("cameras: {left: [", "cannot be read"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_with_its_reason(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        extra_cameras([file])
