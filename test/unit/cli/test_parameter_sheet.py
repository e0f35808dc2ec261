# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a scenario before it may be drawn: every number with unit, source and allowed range."""

from __future__ import annotations

import dataclasses

import pytest

from vidgen_nodes.cli.parameter_sheet import Row, sheet
from vidgen_nodes.generation.generator import World
from vidgen_nodes.packets import Grille, Leak, Wind
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.resources import config_dir
from vidgen_nodes.scenario.timeline import load_scenario, parse_scenario
from vidgen_nodes.scene.building import load_building


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """Of the example with a leak, its smoke solved."""
    params = GeneratorParams(smoke_model="solver")
    scenario = load_scenario(config_dir() / "scenarios" / "sim_steam_leak.yaml", 0)
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    return {row.name: row for row in sheet(World(params, scenario, building).constants, params)}


def test_every_number_of_a_leak_has_its_unit_source_and_range(rows: dict[str, Row]) -> None:
    found = {name.rpartition(".")[2]: row for name, row in rows.items() if ".riser.leak." in name}
    assert set(found) == {item.name for item in dataclasses.fields(Leak)}
    assert (found["pressure_pa"].value, found["pressure_pa"].allowed) == ("400000", "102000 to 1e+07")
    assert (found["diameter_m"].value, found["diameter_m"].allowed) == ("0.025", "0.0005 to 0.2")
    assert found["temperature_k"].allowed == "373.15 to 873.15"
    for row in found.values():
        assert row.source == "scenario"
    # A fire's diameter has a range of its own.
    assert rows["fires.wall_foot.diameter_m"].allowed == "0.05 to 30"


def test_the_solver_is_on_the_sheet(rows: dict[str, Row]) -> None:
    assert rows["parameters.smoke_cell_m"].allowed == "0.05 to 2"
    assert rows["smoke/solver.cell_m"].unit == "m"
    assert rows["smoke/solver.numbers.eddy"].value == "0.16"
    assert all(row.source for row in rows.values() if row.name.startswith(("smoke/solver", "steam")))


def test_wind_and_grilles_have_their_ranges() -> None:
    file = config_dir() / "scenarios" / "sim_wind.yaml"
    grille = "{name: fan, kind: exhaust, side: ceiling, position_m: [6, -1, 6], size_m: [1, 1], flow_m3_per_s: 0.5}"
    scenario = parse_scenario(f"{file.read_text(encoding='utf-8')}\nair_conditioning: [{grille}]", 0)
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    params = GeneratorParams()
    found = {row.name: row for row in sheet(World(params, scenario, building).constants, params)}
    for name in {item.name for item in dataclasses.fields(Wind)} - {"sheltered"}:
        assert " to " in found[f"wind.wind.{name}"].allowed
    for name in {item.name for item in dataclasses.fields(Grille)}:
        assert found[f"air_conditioning.fan.{name}"].allowed != "fixed in the software"
    assert found["wind.fires.wall_foot.reached"].value == "True"
    assert "knows no rooms" in found["air_conditioning.used_by"].value


def test_the_wind_on_steam_and_on_burning_surfaces_has_its_ranges_too() -> None:
    folder = config_dir() / "scenarios"
    leaks = (folder / "sim_leaks.yaml").read_text(encoding="utf-8")
    wind, spread = "wind: {speed_mps: 6.0, from_deg: 0.0}", "spread: {speedup: 30.0}"
    fire = """ignitions:
  - {name: heap, position_m: [6.6, -0.35, 0.0], start_s: 0.0, growth_kw_per_s2: 15.0, peak_kw: 400.0, diameter_m: 0.8,
     fuel: wood}"""
    scenario = parse_scenario(f"{leaks.replace('ignitions: []', fire)}\n{wind}\n{spread}\n", 0)
    building = load_building(config_dir() / "buildings" / "sim_house.yaml")
    params = GeneratorParams()
    found = {row.name: row for row in sheet(World(params, scenario, building).constants, params)}
    for element in ("steam", "spread", "wind"):
        for name in ("speed_mps", "from_deg", "height_m", "exponent"):
            assert (
                " to "
                in found[
                    f"{element}.wind.{name}" if element == "wind" else f"{element}.wind.wind.{name}"
                ].allowed
            )
    assert found["steam.leaks.riser.in_wind"].value == "True"
    assert found["steam.leaks.boiler_room.in_wind"].value == "False"
