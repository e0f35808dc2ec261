# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What each preset promises in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidgen_nodes.cli.checks import FAIL, WARN, _parameters
from vidgen_nodes.graph import preset_names, preset_remaps, resolve_params
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.replay import INPUT_TYPES
from vidgen_nodes.sensing.site import SiteFrame

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_lists_every_preset_and_every_stack_has_one() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in preset_names())
    assert {resolve_params(name).rtk.stack for name in preset_names()} == set(STACKS)


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_remaps_only_inputs_and_its_heights_can_meet(preset: str) -> None:
    remaps = dict(preset_remaps(preset))
    assert set(remaps) <= set(INPUT_TYPES)
    assert all(topic.startswith("/") for topic in remaps.values())
    SiteFrame(resolve_params(preset).rtk)


@pytest.mark.parametrize("preset", ["psdk_ros2", "psdk_hikvision"])
def test_what_dji_sends_is_never_taken_for_temperature_nor_its_height_for_ellipsoidal(preset: str) -> None:
    params = resolve_params(preset)
    assert params.thermal.radiometry == "none"
    assert params.rtk.height_datum == "orthometric"
    assert params.rtk.antenna_baseline_yaw_deg == 0.0  # the adapter takes the quarter turn off
    assert params.sync.time_sigma_ms >= 10.0


def test_rtsp_has_no_clock_so_the_arrival_counts() -> None:
    sync = resolve_params("psdk_hikvision").sync
    assert sync.thermal_time_source == "arrival"
    assert sync.arrival_delays_ms[0] > 0.0


def test_the_doctor_warns_of_two_heights_and_fails_where_they_are_mixed() -> None:
    def heights(**rtk: object) -> list[str]:
        findings = _parameters(resolve_params("psdk_ros2", [], {"rtk": rtk}))
        return [
            f.level for f in findings if f.level in (WARN, FAIL) and ("geoid" in f.what or "height" in f.what)
        ]

    assert heights() == [WARN]
    assert heights(geoid_undulation_m=47.5) == []
    assert heights(datum_altitude_m=500.0, datum_height="ellipsoidal") == [FAIL]
