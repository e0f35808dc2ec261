# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Imported fields, solved smoke, steam and elements nobody knows yet are named by a ray that passes them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.ray_elements import Ray
from vidgen_nodes.custody.ray_fields import Element, elements_of, load_played, met_volumes, notes_of
from vidgen_nodes.custody.ray_steam import met_jet
from vidgen_nodes.generation.fields.file import write_npz
from vidgen_nodes.generation.fields.run import FieldRun, FieldSeries
from vidgen_nodes.generation.imported import ImportedFields
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.steam import SteamLeak
from vidgen_nodes.packets import ImportedField

AMBIENT_K, EDGE_M = 290.0, 0.2
SOURCE = ImportedField("room.npz", "", "", 0.0, (10.0, 0.0, 0.0), 0.0)
ROW = dataclasses.asdict(SOURCE)
SCENARIO = {"imported": [ROW]}


def a_ray(
    start: tuple[float, float, float] = (0.0, 1.0, 1.0), towards: tuple[float, float, float] = (1.0, 0.0, 0.0)
) -> Ray:
    direction = np.array(towards) / np.linalg.norm(towards)
    return Ray(np.array(start), direction, 1e-3)


def written(folder: Path, *, soot: float = 1e-4, heat: float = 0.0, kelvin: float = 600.0) -> None:
    """2 m cubed of one value, from 10 m east of the origin."""
    axis = np.linspace(0.0, 2.0, 5)
    shape = (2, 5, 5, 5)
    times = np.array([0.0, 10.0])
    values = {"temperature_k": kelvin, "soot_kg_per_m3": soot, "heat_release_kw_per_m3": heat}
    series = {name: FieldSeries(times, np.full(shape, value, np.float32)) for name, value in values.items()}
    write_npz(folder / "room.npz", FieldRun("FDS", "FDS-6.10.1", (), axis, axis, axis, series))


def element(folder: Path) -> Element:
    """What a frame's physics would say of it at second 3."""
    (played,) = ImportedFields((SOURCE,), folder, 1, AMBIENT_K, EDGE_M).played
    numbers = {
        **played.record,
        "time_s": [3.0, "s of the engine's clock", ""],
        "clamped": ["", "", ""],
        "heat_release_kw": [0.0, "kW", ""],
    }
    return Element("imported/0", "FDS", "FDS-6.10.1", parameters_sha256(played.record), numbers)


def test_an_imported_field_is_named_with_its_engine_file_and_values(tmp_path: Path) -> None:
    written(tmp_path)
    found = element(tmp_path)
    (met,) = met_volumes(a_ray(), [(9.0, 14.0)], found, load_played(found, SCENARIO, [tmp_path]))
    assert (met.kind, met.name) == ("smoke", "FDS FDS-6.10.1, imported/0")
    assert met.from_m == pytest.approx(10.0, abs=0.15)
    assert found.numbers["files_sha256"]["room.npz"][0] in met.why
    assert "at 3.00 s of its clock" in met.why
    assert met.state["ray_highest_temperature"][0] == pytest.approx(600.0, abs=0.1)
    assert met.state["ray_soot_column"][0] == pytest.approx(2e-4, rel=0.1)  # 2 m of 1e-4 kg/m3


def test_heat_makes_it_a_flame(tmp_path: Path) -> None:
    written(tmp_path, heat=300.0)
    found = element(tmp_path)
    (met,) = met_volumes(a_ray(), [(9.0, 14.0)], found, load_played(found, SCENARIO, [tmp_path]))
    assert met.kind == "flame"
    assert met.state["ray_highest_heat_release"][0] == pytest.approx(300.0, abs=0.1)


def test_what_ends_before_the_field_or_passes_it_or_meets_its_air_sees_nothing(tmp_path: Path) -> None:
    written(tmp_path)
    found = element(tmp_path)
    played = load_played(found, SCENARIO, [tmp_path])
    assert not list(met_volumes(a_ray(), [(5.0, 9.5)], found, played))
    assert not list(met_volumes(a_ray(start=(0.0, 9.0, 1.0)), [(0.0, 20.0)], found, played))
    (tmp_path / "clear").mkdir()
    written(tmp_path / "clear", soot=0.0, kelvin=AMBIENT_K)
    clear = element(tmp_path / "clear")
    assert not list(
        met_volumes(a_ray(), [(9.0, 14.0)], clear, load_played(clear, SCENARIO, [tmp_path / "clear"]))
    )


def test_without_the_file_it_says_so_and_names_its_hash(tmp_path: Path) -> None:
    written(tmp_path)
    found = element(tmp_path)
    why = load_played(found, SCENARIO, [tmp_path / "nowhere"])
    assert isinstance(why, str)
    (met,) = met_volumes(a_ray(), [(9.0, 14.0)], found, why)
    assert met.kind == "imported field"
    assert found.numbers["files_sha256"]["room.npz"][0] in met.why
    assert "nowhere" in met.why


def test_another_file_of_that_name_is_never_taken_for_it(tmp_path: Path) -> None:
    written(tmp_path)
    found = element(tmp_path)
    written(tmp_path, soot=2e-4)
    why = load_played(found, SCENARIO, [tmp_path])
    assert isinstance(why, str)
    assert "hash differs" in why
    (tmp_path / "room.npz").write_bytes(b"PK nothing")
    assert isinstance(load_played(found, SCENARIO, [tmp_path]), str)


@pytest.mark.parametrize("scenario", [{}, {"imported": []}, {"imported": [{"file": "room.npz"}]}])
def test_a_scenario_of_another_version_is_said(tmp_path: Path, scenario: dict[str, Any]) -> None:
    written(tmp_path)
    assert "another version" in str(load_played(element(tmp_path), scenario, [tmp_path]))


def ref(name: str, **numbers: Any) -> dict[str, Any]:
    return {
        "element": name,
        "source": "a solver",
        "version": "2",
        "seed": 1,
        "parameters_sha256": "ab" * 32,
        "numbers": numbers,
    }


def test_the_records_of_one_element_are_one_and_the_traced_ones_are_left_to_others() -> None:
    names = ("flame", "smoke", "imported/1", "imported/10", "debris/releases", "dust")
    physics = [
        ref("smoke/solver/state", steps=[5, "1", ""]),
        *map(ref, names),
        ref("smoke/solver", seed=[1, "", ""]),
    ]
    found = {item.name: item for item in elements_of(physics)}
    assert set(found) == {"smoke/solver", "imported/1", "imported/10", "dust"}
    assert set(found["smoke/solver"].numbers) == {"seed", "steps"}


def test_smoke_that_the_solver_did_not_finish_is_a_note_and_no_element() -> None:
    physics = [ref("smoke/not_ready", smoke=["analytic", "", "the solver has done 3 of its ticks"])]
    assert elements_of(physics) == []
    assert notes_of(physics) == (
        "the smoke is that of the correlations and not of the solver: the solver has done 3 of its ticks",
    )


def test_solved_smoke_is_named_with_its_grid_steps_and_residuals() -> None:
    numbers = {
        "origin_m": [[10.0, 0.0, 0.0], "m in map", ""], "cells": [[48, 64, 64], "z, y, x", ""],
        "cell_m": [0.15, "m", ""], "steps": [75, "1", ""], "heat_release_kw": [400.0, "kW", ""],
        "divergence": [3e-6, "1", ""],
        "energy_error": [1e-9, "1", ""], "mass_error": [2e-9, "1", ""],
    }  # fmt: skip
    solver = Element("smoke/solver", "own solver", "1", b"", numbers)
    (met,) = met_volumes(a_ray(), [(5.0, 30.0)], solver, None)
    assert (met.kind, met.name) == ("smoke", "the solved air")
    assert met.from_m == pytest.approx(10.0, abs=0.1)
    for word in ("64x64x48 cells of 0.15 m", "75 steps", "400 kW", "divergence 3e-06"):
        assert word in met.why
    assert not list(met_volumes(a_ray(start=(0.0, 1.0, 9.0)), [(5.0, 30.0)], solver, None))


@pytest.mark.parametrize("numbers", [{}, {"origin_m": [[1.0], "m", ""]}, {"cells": [[1, 2, 3], "", ""]}])
def test_an_element_that_nobody_knows_yet_is_named_with_its_source(numbers: dict[str, Any]) -> None:
    (met,) = met_volumes(a_ray(), [(5.0, 6.0)], Element("dust/fine", "a dust model", "7", b"", numbers), None)
    assert (met.kind, met.name) == ("dust", "element dust/fine")
    assert "a dust model (version 7)" in met.why
    assert not list(met_volumes(a_ray(), [], Element("dust", "a dust model", "7", b"", numbers), None))


def steam(**changes: Any) -> Element:
    leak = {
        "position_m": [[5.0, 0.0, 1.0], "m in map", ""], "direction": [[0.0, 1.0, 0.0], "", ""],
        "pressure_pa": [7e5, "Pa", ""], "diameter_m": [0.01, "m", ""], **changes,
    }  # fmt: skip
    jet = {"leak": leak, "mass_flow": [0.08, "kg/s", ""], "length": [6.0, "m", ""], "voxel": [0.15, "m", ""]}
    numbers = {"leaks": {"boiler": jet}, "model": {"half_angle": [0.2, "rad", ""]}}
    return Element("steam", "choked flow", "1", b"", numbers)


def test_a_jet_of_steam_is_named_with_its_leak() -> None:
    (met,) = met_volumes(a_ray(start=(0.0, 3.0, 1.0)), [(0.0, 20.0)], steam(), None)
    assert (met.kind, met.name) == ("steam", "leak boiler")
    assert "0.080 kg/s of steam at 7.0 bar through 10.0 mm" in met.why


@settings(max_examples=50)
@given(st.floats(-20.0, 20.0), st.floats(-5.0, 5.0))
def test_a_ray_meets_a_jet_only_before_its_hole_and_within_its_length(north_m: float, up_m: float) -> None:
    met = list(met_volumes(a_ray(start=(0.0, north_m, 1.0 + up_m)), [(0.0, 20.0)], steam(), None))
    if 0.5 < north_m < 6.0 and abs(up_m) < 0.2 * north_m:
        assert met
    if north_m < -1.0 or north_m > 7.0 or abs(up_m) > 2.0 * math.tan(0.2) * max(north_m, 0.0) + 0.5:
        assert not met


def test_the_record_of_the_generators_own_jets_can_be_read() -> None:
    from vidgen_nodes.generation.steam_leaks import SteamLeaks
    from vidgen_nodes.packets import Leak

    fields = {item.name for item in dataclasses.fields(Leak)}
    hole = {
        item.name: item.default
        for item in dataclasses.fields(SteamLeak)
        if item.default is not dataclasses.MISSING
    }
    given_ = {"name": "boiler", "position_m": (5.0, 0.0, 1.0), "direction": (0.0, 1.0, 0.0), "start_s": 0.0,
              "pressure_pa": 7e5, "temperature_k": 440.0, "diameter_m": 0.004}  # fmt: skip
    leak = Leak(**{**{name: value for name, value in hole.items() if name in fields}, **given_})
    record = SteamLeaks([leak], 1, 293.15, 0.15).record
    (met,) = met_volumes(
        a_ray(start=(0.0, 0.5, 1.0)), [(0.0, 20.0)], Element("steam", "s", "1", b"", record), None
    )
    assert met.name == "leak boiler"


def bent_steam(from_deg: float) -> Element:
    from vidgen_nodes.generation.steam_leaks import SteamLeaks
    from vidgen_nodes.packets import Leak, Wind

    leak = Leak("boiler", (5.0, 0.0, 1.0), (0.0, 0.0, 1.0), 0.0, 2.5e5, 401.0, 0.02, 0.62)
    return Element("steam", "s", "1", b"", SteamLeaks([leak], 1, 278.15, 0.15, Wind(12.0, from_deg)).record)


@settings(max_examples=30)
@given(st.floats(0.0, 1.0), st.sampled_from([0.0, 90.0, 180.0, 270.0]))
def test_a_jet_in_wind_is_met_along_its_line_and_told_with_the_wind(share: float, from_deg: float) -> None:
    element = bent_steam(from_deg)
    jet, model = element.numbers["leaks"]["boiler"], element.numbers["model"]
    rows = jet["line"][0]
    east, north, up = rows[1 + round(share * (len(rows) - 2))][:3]
    ray = a_ray(start=(east - 12.0, north, up))
    (met,) = met_jet(ray, [(0.0, 20.0)], "boiler", jet, model, wind=element.numbers["wind"])
    assert "along its line, which the wind of 12.0 m/s out of" in met.why
    assert met.state["wind.speed_mps"][0] == 12.0
    end = rows[-1]
    upwind = a_ray(start=(-7.0, -2.0 * end[1], end[2]))  # as high as its end, on the other side
    met_there = list(met_jet(upwind, [(0.0, 20.0)], "boiler", jet, model, wind=element.numbers["wind"]))
    assert bool(met_there) == (from_deg in (90.0, 270.0))  # the ray runs along these winds


def test_a_jet_that_the_wind_does_not_reach_says_why() -> None:
    element = bent_steam(0.0)
    jet = {key: item for key, item in element.numbers["leaks"]["boiler"].items() if key != "line"}
    jet["in_wind"] = [False, "", "in the lee of a surface 2.00 m upwind"]
    ray = a_ray(start=(-7.0, 0.0, 1.5))
    (met,) = met_jet(
        ray, [(0.0, 20.0)], "boiler", jet, element.numbers["model"], wind=element.numbers["wind"]
    )
    assert "no wind bends it: in the lee of a surface 2.00 m upwind" in met.why
