# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fields of other engines in the world: placed, aligned in time, attributed, and only where the gate is open."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.fields.file import write_npz
from vidgen_nodes.generation.fields.playback import FLAME_KW_PER_M3, PlayedField
from vidgen_nodes.generation.fields.run import QUANTITIES, FieldRun, FieldSeries
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.imported import load_imported
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import ImportedField, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scene.gate import open_gate

SceneMaker = Callable[..., Scene]
AMBIENT_K = 290.0
TIMES_S = np.array([0.0, 2.0, 6.0])


def a_run(**changes: Any) -> FieldRun:
    """6 x 4 x 3 m with values linear in place and time, so that interpolation has to be exact."""
    x, y, z = np.linspace(0.0, 6.0, 13), np.linspace(0.0, 4.0, 9), np.linspace(0.0, 3.0, 7)
    zs, ys, xs = np.meshgrid(z, y, x, indexing="ij")
    place = xs + 2.0 * ys + 3.0 * zs
    series = {
        "temperature_k": FieldSeries(TIMES_S, np.stack([300.0 + place * (1.0 + t) for t in TIMES_S])),
        "soot_kg_per_m3": FieldSeries(TIMES_S, np.stack([1e-5 * place * (1.0 + t) for t in TIMES_S])),
        "heat_release_kw_per_m3": FieldSeries(TIMES_S, np.stack([10.0 * place + 0.0 * t for t in TIMES_S])),
    }
    series = {
        name: FieldSeries(item.times_s, item.values.astype(np.float32)) for name, item in series.items()
    }
    run = FieldRun("FDS", "FDS-6.11.0", (("run.npz", "ab" * 32),), x, y, z, series)
    return dataclasses.replace(run, **changes)


def a_source(**changes: Any) -> ImportedField:
    source = ImportedField("run.npz", "", "", 10.0, (100.0, -50.0, 2.0), 0.0)
    return dataclasses.replace(source, **changes)


def played(resolution_m: float = 0.25, run: FieldRun | None = None, **changes: Any) -> PlayedField:
    return PlayedField(a_source(**changes), run or a_run(), AMBIENT_K, resolution_m)


def everywhere(item: PlayedField) -> np.ndarray:
    return np.ones(item.shape, np.float32)


@settings(max_examples=30)
@given(st.floats(-math.pi, math.pi), st.floats(10.0, 16.0), st.sampled_from([0.2, 0.5]))
def test_turned_moved_and_between_times_the_values_are_the_engines(
    yaw: float, time_s: float, resolution_m: float
) -> None:
    item = played(resolution_m, yaw_rad=yaw)
    found = item.at(time_s, everywhere(item))
    assert found is not None
    z, y, x = np.meshgrid(*item.axes_m(), indexing="ij")
    east, north = x - 100.0, y + 50.0
    xs = math.cos(yaw) * east + math.sin(yaw) * north
    ys = math.cos(yaw) * north - math.sin(yaw) * east
    zs = z - 2.0
    inside = (xs > 1e-6) & (xs < 6 - 1e-6) & (ys > 1e-6) & (ys < 4 - 1e-6) & (zs > 1e-6) & (zs < 3 - 1e-6)
    outside = (xs < -1e-6) | (xs > 6 + 1e-6) | (ys < -1e-6) | (ys > 4 + 1e-6)
    expected = 300.0 + (xs + 2.0 * ys + 3.0 * zs) * (1.0 + time_s - 10.0)
    temperature = found[0].temperature_k.numpy()
    assert inside.sum() > 100
    assert temperature[inside] == pytest.approx(expected[inside], rel=1e-4)
    assert np.all(temperature[outside] == np.float32(AMBIENT_K))
    assert np.all(found[0].extinction_visible_per_m.numpy()[outside] == 0.0)


@settings(max_examples=30)
@given(st.floats(0.0, 6.0), st.lists(st.floats(0.1, 0.9), min_size=3, max_size=3))
def test_asked_along_a_ray_a_field_gives_what_its_voxels_hold(time_s: float, shares: list[float]) -> None:
    item = played(0.25, translation_m=(0.0, 0.0, 0.0))
    z_m, y_m, x_m = item.axes_m()
    low, high = np.array([x_m[0], y_m[0], z_m[0]]), np.array([x_m[-1], y_m[-1], z_m[-1]])
    inside, outside = low + np.array(shares) * (high - low), high + 5.0
    found = item.along(time_s, np.stack((inside, outside)))
    expected = inside @ [1.0, 2.0, 3.0]
    assert found["temperature_k"] == pytest.approx([300.0 + expected * (1.0 + time_s), AMBIENT_K], rel=1e-4)
    assert found["soot_kg_per_m3"] == pytest.approx([1e-5 * expected * (1.0 + time_s), 0.0], rel=1e-4)
    assert found["heat_release_kw_per_m3"] == pytest.approx([10.0 * expected, 0.0], rel=1e-4)


def test_soot_and_heat_become_extinction_and_emission() -> None:
    item = played()
    found = item.at(12.0, everywhere(item))
    assert found is not None
    field, state = found
    z, y, x = np.meshgrid(*item.axes_m(), indexing="ij")
    place = (x - 100.0) + 2.0 * (y + 50.0) + 3.0 * (z - 2.0)
    soot = 1e-5 * place * 3.0
    luminous = np.minimum(10.0 * place / FLAME_KW_PER_M3, 1.0) * 1.13
    assert field.flame_absorption_per_m.numpy() == pytest.approx(luminous, rel=1e-4)
    visible = luminous + fire.SOOT_EXTINCTION_M2_PER_KG * soot
    assert field.extinction_visible_per_m.numpy() == pytest.approx(visible, rel=1e-4)
    lwir = luminous + fire.SOOT_EXTINCTION_M2_PER_KG * fire.LWIR_EXTINCTION_RATIO * soot
    assert field.extinction_lwir_per_m.numpy() == pytest.approx(lwir, rel=1e-4)
    emitted = lwir * band_radiance_w_per_m2_sr(field.temperature_k.numpy())
    assert field.emission_w_per_m3_sr.numpy() == pytest.approx(emitted, rel=5e-3)  # table: 0.25 K
    assert state.heat_release_kw == pytest.approx(float((10.0 * place).sum()) * 0.25**3, rel=1e-4)
    assert state.clamped == ""


def test_before_it_starts_it_is_not_there_and_after_its_end_it_stands_still() -> None:
    item = played(run=a_run())
    assert item.at(9.99, everywhere(item)) is None
    last, later = item.at(16.0, everywhere(item)), item.at(500.0, everywhere(item))
    assert last is not None
    assert later is not None
    assert later[0].temperature_k.numpy().tobytes() == last[0].temperature_k.numpy().tobytes()
    assert (last[1].clamped, later[1].time_s) == ("", 6.0)
    assert "after the last" in later[1].clamped
    late = a_run()
    series = {name: FieldSeries(TIMES_S + 3.0, entry.values) for name, entry in late.series.items()}
    early = played(run=dataclasses.replace(late, series=series)).at(11.0, everywhere(item))
    assert early is not None
    assert "before the first" in early[1].clamped


def test_asking_changes_nothing() -> None:
    item = played()
    opened = everywhere(item)
    first = item.at(13.0, opened)
    item.at(15.0, opened)
    again = item.at(13.0, opened)
    assert first is not None
    assert again is not None
    assert first[0].emission_w_per_m3_sr.numpy().tobytes() == again[0].emission_w_per_m3_sr.numpy().tobytes()


def test_closed_voxels_hold_nothing_and_the_window_is_what_is_open() -> None:
    item = played()
    opened = np.zeros(item.shape, np.float32)
    assert item.at(13.0, opened) is None
    opened[2:5, 3:7, 4:9] = 1.0
    opened[3, 4, 5] = 0.0
    found = item.at(13.0, opened)
    assert found is not None
    field = found[0]
    assert field.temperature_k.shape == (3, 4, 5)
    assert field.origin_m == pytest.approx((101.0, -49.25, 2.5))
    assert field.temperature_k[1, 1, 1] == np.float32(AMBIENT_K)
    assert field.extinction_visible_per_m[1, 1, 1] == 0.0
    assert field.extinction_visible_per_m[1, 1, 2] > 0.0


def test_a_field_of_soot_alone_is_as_warm_as_the_air() -> None:
    run = a_run()
    item = played(run=dataclasses.replace(run, series={"soot_kg_per_m3": run.series["soot_kg_per_m3"]}))
    found = item.at(12.0, everywhere(item))
    assert found is not None
    assert found[0].temperature_k.numpy() == pytest.approx(AMBIENT_K)
    assert found[1].flame_low_m is None
    assert found[1].smoke_low_m is not None


def test_what_cannot_be_attributed_or_contradicts_is_refused() -> None:
    nameless = a_run(engine="", version="")
    with pytest.raises(ConfigError, match="attributed"):
        played(run=nameless)
    named = played(run=nameless, engine="OpenFOAM", version="v2512")
    assert (named.engine, named.version) == ("OpenFOAM", "v2512")
    with pytest.raises(ConfigError, match="the file 'FDS'"):
        played(engine="OpenFOAM")


def test_too_many_voxels_are_refused() -> None:
    with pytest.raises(ConfigError, match="coarser"):
        played(0.02)


def test_files_that_are_missing_or_strange_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not found"):
        load_imported(a_source(), tmp_path, AMBIENT_K, 0.5)
    with pytest.raises(ConfigError, match="got the ending"):
        load_imported(a_source(file="run.foam"), tmp_path, AMBIENT_K, 0.5)
    (tmp_path / "run.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(ConfigError, match="copied whole"):
        load_imported(a_source(), tmp_path, AMBIENT_K, 0.5)


@pytest.mark.parametrize("name", ["run.npz", "run.smv", "run.vtu", "run.series"])
def test_a_pipe_or_a_device_as_field_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigError, match=rf"imported '{name}': .*is a pipe, a device or a socket"):
        load_imported(a_source(file=name), tmp_path, AMBIENT_K, 0.25)
    (tmp_path / "list.series").write_text('{"files": [{"name": "x.vtu", "time": 0}]}', encoding="utf-8")
    (tmp_path / "x.vtu").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"imported 'list.series'"):
        load_imported(a_source(file="list.series"), tmp_path, AMBIENT_K, 0.25)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    write_npz(tmp_path / "run.npz", a_run())
    first = load_imported(a_source(), tmp_path, AMBIENT_K, 0.5)
    assert load_imported(a_source(), tmp_path, AMBIENT_K, 0.5) is first
    write_npz(tmp_path / "run.npz", a_run(version="FDS-6.12.0"))
    assert load_imported(a_source(), tmp_path, AMBIENT_K, 0.5).version == "FDS-6.12.0"


@pytest.fixture
def over_the_roof(
    tmp_path: Path, scenario: Scenario, params: GeneratorParams
) -> tuple[GeneratorParams, Scenario]:
    """The house's scenario with a hot, sooty block over its roof from second 20 on, and without our own fire."""
    run = a_run()
    series = {
        name: FieldSeries(item.times_s, np.full_like(item.values, value))
        for (name, item), value in zip(run.series.items(), (900.0, 2e-4, 300.0), strict=True)
    }
    assert list(series) == list(QUANTITIES)
    write_npz(tmp_path / "run.npz", dataclasses.replace(run, series=series))
    source = a_source(start_s=20.0, translation_m=(-5.0, -2.0, 3.0))
    cold = tuple(dataclasses.replace(fire, start_s=1e5) for fire in scenario.ignitions)
    params = dataclasses.replace(params, scenario_file=str(tmp_path / "house.yaml"))
    return params, dataclasses.replace(scenario, ignitions=cold, imported=(source,), debris=False)


def at(world: World, scene: Scene, params: GeneratorParams) -> WorldState:
    return world.at(scene.stamp_ns, scene, open_gate(scene, params))


def test_a_frame_names_engine_version_and_file_hash(
    over_the_roof: tuple[GeneratorParams, Scenario], make_scene: SceneMaker, tmp_path: Path
) -> None:
    params, scenario = over_the_roof
    scene = dataclasses.replace(make_scene(25.0), scenario=scenario)
    state = at(World(params, scenario), scene, params)
    assert len(state.fields) == 1
    refs = {ref.element: ref for ref in state.physics}
    assert set(refs) == {"imported/0", "imported/0/state"}
    for name, ref in refs.items():
        assert (ref.source, ref.version) == ("FDS", "FDS-6.11.0")
        assert ref.parameters_sha256 == parameters_sha256(state.parameters[name])
    digest = hashlib.sha256((tmp_path / "run.npz").read_bytes()).hexdigest()
    assert state.parameters["imported/0"]["files_sha256"]["run.npz"][0] == digest
    tick_s = 1e-3 * params.world_tick_ms  # the state is that of the newest tick not after the frame
    assert 5.0 - tick_s < state.parameters["imported/0/state"]["time_s"][0] <= 5.0
    assert {hazard.kind for hazard in state.hazards} == {"flame", "smoke"}
    assert all(hazard.permitted_by for hazard in state.hazards)
    later = at(World(params, scenario), dataclasses.replace(make_scene(60.0), scenario=scenario), params)
    assert "stands still" in later.parameters["imported/0/state"]["clamped"][0]
    assert later.parameters["imported/0"] == state.parameters["imported/0"]


def test_the_gate_decides_where_it_is(
    over_the_roof: tuple[GeneratorParams, Scenario], make_scene: SceneMaker
) -> None:
    params, scenario = over_the_roof
    scene = dataclasses.replace(make_scene(25.0), scenario=scenario)
    gate = open_gate(scene, params)
    world = World(params, scenario)
    state = world.at(scene.stamp_ns, scene, gate)
    field = state.field
    assert field is not None
    assert gate.grid is not None
    drawn = np.argwhere(field.extinction_lwir_per_m.numpy() > 0.0)
    centres = np.array(field.origin_m) + (drawn[:, ::-1] + 0.5) * field.resolution_m
    cols = np.floor((centres[:, 0] - gate.grid.origin_east_m) / gate.grid.resolution_m).astype(int)
    rows = np.floor((centres[:, 1] - gate.grid.origin_north_m) / gate.grid.resolution_m).astype(int)
    assert len(drawn) > 100
    assert gate.flame_cells[rows, cols].all()
    overlay = Renderer(params).draw(state, gate, scene)
    assert np.count_nonzero(overlay.rgba[..., 3]) > 1000
    elsewhere = dataclasses.replace(scenario.imported[0], translation_m=(40.0, 40.0, 3.0))
    away = dataclasses.replace(scenario, imported=(elsewhere,))
    assert at(World(params, away), scene, params).fields == ()


def test_before_its_start_the_world_is_empty(
    over_the_roof: tuple[GeneratorParams, Scenario], make_scene: SceneMaker
) -> None:
    params, scenario = over_the_roof
    scene = dataclasses.replace(make_scene(19.9), scenario=scenario)
    state = at(World(params, scenario), scene, params)
    assert state.fields == state.hazards == state.physics == ()


def test_a_world_whose_file_is_missing_is_not_made(
    over_the_roof: tuple[GeneratorParams, Scenario], tmp_path: Path
) -> None:
    params, scenario = over_the_roof
    (tmp_path / "run.npz").unlink()
    with pytest.raises(ConfigError, match="not found"):
        World(params, scenario)
