# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of FDS. No output of a real run is at hand: the files are written here as FDS's source documents them
(Fortran records, Smokeview codes), and fdsreader reads them."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields.fds import read_fds

pytest.importorskip("fdsreader")

CELLS = (4, 3, 5)
NODES = tuple(count + 1 for count in CELLS)
TIMES_S = (0.0, 1.0, 2.0)
EXTINCTION = 8700.0


def record(*parts: Any, dtype: str) -> bytes:
    body = np.array(parts, dtype=dtype).tobytes()
    count = len(body).to_bytes(4, "little")
    return count + body + count


def runs_of(codes: np.ndarray) -> bytes:
    """Smokeview's run-length code: 255, value, count where four or more are equal."""
    out, index, flat = bytearray(), 0, codes.ravel(order="F")
    while index < len(flat):
        same = 1
        while index + same < len(flat) and flat[index + same] == flat[index] and same < 254:
            same += 1
        out += bytes([255, flat[index], same]) if same >= 4 else bytes([flat[index]] * same)
        index += same
    return bytes(out)


def smoke3d(folder: Path, name: str, codes: list[np.ndarray], highest: list[float], version: int = 1) -> None:
    nx, ny, nz = CELLS
    body = record(1, version, 0, nx, 0, ny, 0, nz, dtype="<i4")
    rows = [str(version)]
    for time_s, code, high in zip(TIMES_S, codes, highest, strict=True):
        packed = runs_of(code)
        body += record(time_s, dtype="<f4") + record(code.size, len(packed), dtype="<i4")
        body += record(*packed, dtype="<u1")
        rows.append(f" {time_s} {code.size} {len(packed)} {high}")
    (folder / name).write_bytes(body)
    (folder / f"{name}.sz").write_text("\n".join(rows) + "\n")


def plot3d(folder: Path, name: str, quantities: np.ndarray) -> None:
    body = record(*NODES, dtype="<i4") + record(0.0, 0.0, 0.0, 0.0, dtype="<f4")
    values = quantities.astype("<f4").tobytes(order="F")
    count = len(values).to_bytes(4, "little")
    (folder / name).write_bytes(body + count + values + count)


def smv_text(*blocks: str, version: str = "FDS-6.11.0-0-gabc-release", chid: str = "room") -> str:
    head = [
        "VERSION", version, "", "CHID", chid, "", "HRRPUV_MINMAX", " 0.0 1200.0", "", "TEMP_MINMAX",
        " 20.0 2000.0", "", "GRID 1", " 4 3 5 0", "", "PDIM", " 0.0 2.0 0.0 1.5 0.0 2.5 0.0 0.0 0.0", "",
    ]  # fmt: skip
    for axis, count in zip("XYZ", CELLS, strict=True):
        head += [f"TRN{axis}", " 0", *(f" {index} {0.5 * index}" for index in range(count + 1)), ""]
    head += ["OBST", " 0", "", "VENT", " 0 0", "", "CVENT", " 0", ""]
    return "\n".join([*head, *blocks, ""])


SOOT = f"SMOKG3D 1 {EXTINCTION}\n room_soot.s3d\n SOOT DENSITY\n rho_C0.9H0.1\n kg/m3\n"
TEMPERATURE = "SMOKG3D 1\n room_temp.s3d\n TEMPERATURE\n temp\n C\n"
HEAT = "SMOKG3D 1\n room_hrr.s3d\n HRRPUV\n hrrpuv\n kW/m3\n"
PLOT = "PL3D 1.0 1\n room_1_1p00.q\n TEMPERATURE\n temp\n C\n" + "".join(
    f" {name}\n {name}\n m/s\n" for name in ("U-VELOCITY", "V-VELOCITY", "W-VELOCITY")
) + " HRRPUV\n hrrpuv\n kW/m3\n"  # fmt: skip


def codes(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in TIMES_S:
        code = rng.integers(0, 254, NODES).astype(np.uint8)
        code[:, :, 3:] = 7  # long runs
        found.append(code)
    return found


@pytest.fixture
def room(tmp_path: Path) -> Path:
    smoke3d(tmp_path, "room_soot.s3d", codes(1), [1e-3, 2e-3, 3e-3])
    smoke3d(tmp_path, "room_temp.s3d", codes(2), [2000.0] * 3)
    smoke3d(tmp_path, "room_hrr.s3d", codes(3), [1200.0] * 3)
    path = tmp_path / "room.smv"
    path.write_text(smv_text(SOOT, TEMPERATURE, HEAT))
    return path


def test_smoke3d_is_read_in_our_units_and_order(room: Path) -> None:
    run = read_fds(room)
    assert (run.engine, run.version) == ("FDS", "FDS-6.11.0-0-gabc-release")
    assert run.shape == NODES[::-1]
    assert run.x_m.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    soot, heat = run.series["soot_kg_per_m3"], run.series["heat_release_kw_per_m3"]
    temperature = run.series["temperature_k"]
    assert soot.times_s.tolist() == list(TIMES_S)
    for index, high in enumerate(
        (1e-3, 2e-3, 3e-3)
    ):  # FDS 6.11: code 254 is the largest density of the frame
        expected = codes(1)[index].transpose(2, 1, 0) / 254.0 * high
        assert soot.values[index] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert heat.values[1] == pytest.approx(codes(3)[1].transpose(2, 1, 0) / 254.0 * 1200.0, rel=1e-5)
    celsius = 20.0 + codes(2)[2].transpose(2, 1, 0) / 254.0 * 1980.0
    assert temperature.values[2] == pytest.approx(celsius + 273.15, rel=1e-5)


def test_every_file_read_is_hashed(room: Path) -> None:
    files = dict(read_fds(room).files)
    expected = {"room.smv"} | {
        f"room_{kind}.s3d{end}" for kind in ("soot", "temp", "hrr") for end in ("", ".sz")
    }
    assert set(files) == expected
    for name, digest in files.items():
        assert digest == hashlib.sha256((room.parent / name).read_bytes()).hexdigest()


def test_old_soot_comes_back_from_its_obscuration(tmp_path: Path) -> None:
    smoke3d(tmp_path, "room_soot.s3d", codes(1), [1.0] * 3, version=0)
    (tmp_path / "room.smv").write_text(smv_text(SOOT, version="FDS6.7.4-0-gbfaa-release"))
    soot = read_fds(tmp_path / "room.smv").series["soot_kg_per_m3"].values[0]
    code = codes(1)[0].transpose(2, 1, 0)
    expected = -np.log(1.0 - code / 254.0) / (EXTINCTION * 0.5)
    assert soot == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_plot3d_is_read_where_there_is_no_smoke3d(tmp_path: Path) -> None:
    values = np.random.default_rng(5).uniform(20.0, 800.0, (*NODES, 5))
    plot3d(tmp_path, "room_1_1p00.q", values)
    (tmp_path / "room.smv").write_text(smv_text(PLOT))
    run = read_fds(tmp_path / "room.smv")
    assert run.series["temperature_k"].values[0] == pytest.approx(values[..., 0].transpose(2, 1, 0) + 273.15)
    assert run.series["heat_release_kw_per_m3"].values[0] == pytest.approx(values[..., 4].transpose(2, 1, 0))
    assert run.series["temperature_k"].times_s.tolist() == [1.0]


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle ran",))


def test_a_cache_beside_the_run_is_neither_loaded_nor_deleted_nor_written(room: Path) -> None:
    import fdsreader.settings

    cache = room.parent / "room.pickle"
    cache.write_bytes(pickle.dumps(Trap()))
    before = {path.name: path.read_bytes() for path in room.parent.iterdir()}
    enabled = fdsreader.settings.ENABLE_CACHING
    read_fds(room)
    assert {path.name: path.read_bytes() for path in room.parent.iterdir()} == before
    assert fdsreader.settings.ENABLE_CACHING is enabled  # the caller's setting is his


def test_a_name_in_the_smv_cannot_make_us_delete_or_read_elsewhere(room: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "victim.pickle").write_bytes(b"precious")
    room.write_text(smv_text(SOOT, chid=f"../../{outside.name}/victim"))
    read_fds(room)
    assert (outside / "victim.pickle").read_bytes() == b"precious"
    for name in (f"{outside}/x.s3d", "../x.s3d", "a/b.s3d", ".."):
        room.write_text(smv_text(SOOT.replace("room_soot.s3d", name)))
        with pytest.raises(InputError, match="expected a name in the folder"):
            read_fds(room)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["room_soot.s3d", "room_temp.s3d", "room_soot.s3d.sz", "room.smv"])
def test_a_file_cut_short_is_refused_or_read_whole(room: Path, name: str, share: float) -> None:
    path = room.parent / name
    body = path.read_bytes()
    path.write_bytes(body[: int(share * len(body))])
    try:
        run = read_fds(room)
    except InputError:
        return
    assert name.endswith((".smv", ".sz"))  # cut where nothing was lost
    assert all(np.isfinite(item.values).all() for item in run.series.values())


def test_a_missing_file_is_named(room: Path) -> None:
    (room.parent / "room_temp.s3d").unlink()
    with pytest.raises(InputError, match=r"room_temp\.s3d"):
        read_fds(room)


def test_codes_that_stand_for_another_number_of_nodes_are_refused(room: Path) -> None:
    path = room.parent / "room_soot.s3d"
    body = bytearray(path.read_bytes())
    where = body.index(b"\xff\x07")  # a run of sevens: make it longer
    body[where + 2] += 1
    path.write_bytes(body)
    with pytest.raises(InputError, match="nodes"):
        read_fds(room)


def test_a_mesh_of_hostile_size_is_refused(room: Path) -> None:
    room.write_text(smv_text(SOOT).replace(" 4 3 5 0", " 99999 99999 99999 0"))
    with pytest.raises(InputError, match="coarser") as err:
        read_fds(room)
    assert err.value.reason == "field_size"


def test_a_smv_without_fields_or_meshes_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "room.smv"
    path.write_text(smv_text())
    with pytest.raises(InputError, match="DT_SMOKE3D"):
        read_fds(path)
    path.write_text("nothing of the sort\n")
    with pytest.raises(InputError, match="FDS run"):
        read_fds(path)


def test_limits_that_an_old_run_does_not_state_are_assumed_and_noted(room: Path) -> None:
    text = smv_text(TEMPERATURE, version="FDS6.8.0-0-g886e009-release")
    room.write_text(text.replace("TEMP_MINMAX\n 20.0 2000.0\n", ""))
    run = read_fds(room)
    assert run.series["temperature_k"].values.min() == pytest.approx(293.15)
    assert any("20" in note and "2000" in note for note in run.notes)
