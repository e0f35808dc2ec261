# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""VTK files as OpenFOAM's foamToVTK and ParaView write them, made here through meshio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields.vtk import read_vtk

meshio = pytest.importorskip("meshio")

COUNTS = (6, 5, 4)
EDGE_M = 0.25


def box_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, hexahedra, and their centres, cells in a shuffled order."""
    nx, ny, nz = COUNTS
    axis = [EDGE_M * np.arange(count + 1) for count in COUNTS]
    points = np.stack(np.meshgrid(*axis, indexing="ij"), axis=-1).reshape(-1, 3)

    def at(x: int, y: int, z: int) -> int:
        return (x * (ny + 1) + y) * (nz + 1) + z

    cells = np.array(
        [
            [at(x, y, z), at(x + 1, y, z), at(x + 1, y + 1, z), at(x, y + 1, z),
             at(x, y, z + 1), at(x + 1, y, z + 1), at(x + 1, y + 1, z + 1), at(x, y + 1, z + 1)]
            for x in range(nx) for y in range(ny) for z in range(nz)
        ]
    )  # fmt: skip
    cells = np.random.default_rng(2).permutation(cells)
    return points, cells, points[cells].mean(axis=1)


def temperature_at(centres: np.ndarray, time_s: float) -> np.ndarray:
    return 300.0 + 100.0 * centres[:, 0] + 50.0 * centres[:, 2] + 10.0 * time_s


def write(path: Path, time_s: float, **arrays: Any) -> None:
    points, cells, centres = box_mesh()
    data = {
        "T": temperature_at(centres, time_s),
        "Qdot": np.full(len(cells), 4e5),
        "U": np.zeros((len(cells), 3)),
    }
    data.update(arrays)
    content = {name: [values] for name, values in data.items() if values is not None}
    meshio.write(path, meshio.Mesh(points, [("hexahedron", cells)], cell_data=content))


@pytest.mark.parametrize("ending", [".vtu", ".vtk"])
def test_cells_of_a_regular_mesh_come_back_exactly(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"room{ending}"
    write(path, 0.0)
    run = read_vtk(path)
    assert run.shape == COUNTS[::-1]
    assert run.x_m == pytest.approx(EDGE_M * (np.arange(COUNTS[0]) + 0.5))
    z, _, x = np.meshgrid(run.z_m, run.y_m, run.x_m, indexing="ij")
    assert run.series["temperature_k"].values[0] == pytest.approx(300.0 + 100.0 * x + 50.0 * z, rel=1e-6)
    assert run.series["heat_release_kw_per_m3"].values == pytest.approx(400.0)
    assert (run.engine, run.version) == ("", "")  # VTK does not say
    assert [name for name, _ in run.files] == [path.name]


def series_of(folder: Path) -> Path:
    rows = []
    for index in range(3):
        (folder / f"room_{index}").mkdir()
        write(folder / f"room_{index}" / "internal.vtu", float(index))
        rows.append({"name": f"room_{index}/internal.vtu", "time": 2.0 * index})
    path = folder / "room.vtu.series"
    path.write_text(json.dumps({"file-series-version": "1.0", "files": rows}))
    return path


def test_a_series_as_foam_to_vtk_lists_it(tmp_path: Path) -> None:
    run = read_vtk(series_of(tmp_path))
    temperature = run.series["temperature_k"]
    assert temperature.times_s.tolist() == [0.0, 2.0, 4.0]
    assert temperature.values[2] - temperature.values[0] == pytest.approx(20.0, abs=1e-3)


def test_a_collection_as_paraview_lists_it(tmp_path: Path) -> None:
    series_of(tmp_path)
    rows = "".join(f'<DataSet timestep="{2.0 * i}" part="0" file="room_{i}/internal.vtu"/>' for i in range(3))
    path = tmp_path / "room.pvd"
    path.write_text(f'<VTKFile type="Collection"><Collection>{rows}</Collection></VTKFile>')
    assert read_vtk(path).series["temperature_k"].times_s.tolist() == [0.0, 2.0, 4.0]


def test_values_at_points_are_taken_where_cells_have_none(tmp_path: Path) -> None:
    points, cells, _ = box_mesh()
    path = tmp_path / "points.vtu"
    mesh = meshio.Mesh(points, [("hexahedron", cells)], point_data={"T": temperature_at(points, 0.0)})
    meshio.write(path, mesh)
    run = read_vtk(path)
    assert run.shape == tuple(count + 1 for count in COUNTS[::-1])
    assert run.series["temperature_k"].values[0, 0, 0, 0] == pytest.approx(300.0)


def test_outside_of_the_domain_there_is_air(tmp_path: Path) -> None:
    points, cells, centres = box_mesh()
    kept = (centres[:, 0] < 0.75) | (centres[:, 1] < 0.5)  # an L
    path = tmp_path / "l.vtu"
    data = {"T": [np.full(int(kept.sum()), 700.0)]}
    meshio.write(path, meshio.Mesh(points, [("hexahedron", cells[kept])], cell_data=data))
    values = read_vtk(path).series["temperature_k"].values[0]
    assert values[0, 0, 0] == pytest.approx(700.0)
    assert values[0, -1, -1] == pytest.approx(293.15)


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as err:
        read_vtk(path)
    return err.value


def test_wrong_contents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "room.vtu"
    write(path, 0.0, T=np.full(120, 20.0))
    assert "degrees Celsius" in str(refused(path))
    write(path, 0.0, T=np.full(120, np.nan))
    assert "not finite" in str(refused(path))
    write(path, 0.0, T=None, Qdot=None)
    err = refused(path)
    assert err.reason == "field_empty"
    assert "got the arrays U" in str(err)
    write(path, 0.0, Qdot=np.full(120, -1e9))
    assert "heat_release" in str(refused(path))


def test_a_flat_mesh_is_no_volume(tmp_path: Path) -> None:
    points, cells, centres = box_mesh()
    flat = cells[centres[:, 2] < EDGE_M]
    path = tmp_path / "flat.vtu"
    data = {"T": [np.full(len(flat), 300.0)]}
    meshio.write(path, meshio.Mesh(points, [("hexahedron", flat)], cell_data=data))
    assert "one layer" in str(refused(path))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8, 0.98])
@pytest.mark.parametrize("ending", [".vtu", ".vtk"])
def test_a_file_cut_short_is_refused(ending: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"room{ending}"
    write(path, 0.0)
    body = path.read_bytes()
    path.write_bytes(body[: int(share * len(body))])
    try:
        run = read_vtk(path)
    except InputError:
        return
    assert np.isfinite(run.series["temperature_k"].values).all()  # only a later array was lost


def test_a_list_leads_nowhere_else(tmp_path: Path) -> None:
    path = series_of(tmp_path)
    for name in ("../room.vtu", "/tmp/room.vtu", "room_0/internal.exe"):
        path.write_text(json.dumps({"files": [{"name": name, "time": 0.0}]}))
        assert "own folder" in str(refused(path))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"files": []}', '{"files": [{"time": 0}]}', '{"files": [{"name": "a.vtu"}]}']
)
def test_a_broken_list_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "room.vtu.series"
    path.write_text(text)
    assert refused(path).reason.startswith("field_")
    other = tmp_path / "room.pvd"
    other.write_text(text)
    assert refused(other).reason.startswith("field_")


def test_times_that_fall_and_quantities_that_come_and_go_are_refused(tmp_path: Path) -> None:
    path = series_of(tmp_path)
    rows = json.loads(path.read_text())
    rows["files"].reverse()
    path.write_text(json.dumps(rows))
    assert refused(path).reason == "field_times"
    rows["files"].reverse()
    path.write_text(json.dumps(rows))
    write(tmp_path / "room_2" / "internal.vtu", 2.0, Qdot=None)
    assert "as in the files before" in str(refused(path))
