# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The documented field format: what is written is read, and what is wrong is refused with a reason."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError, MissingPackageError
from vidgen_nodes.generation.fields import run as field_run
from vidgen_nodes.generation.fields.file import read_npz, read_zarr, write_npz
from vidgen_nodes.generation.fields.run import FieldRun, FieldSeries, checked


def content(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    body: dict[str, Any] = {
        "format": "vidgen field 1",
        "engine": "ANSYS Fluent",
        "engine_version": "2026 R1",
        "x_m": np.linspace(0.0, 2.0, 5),
        "y_m": np.linspace(0.0, 1.5, 4),
        "z_m": np.linspace(0.0, 1.0, 3),
        "time_s": np.array([0.0, 1.0, 2.5]),
        "temperature_k": rng.uniform(290.0, 900.0, (3, 3, 4, 5)).astype(np.float32),
        "soot_kg_per_m3": rng.uniform(0.0, 1e-3, (3, 3, 4, 5)).astype(np.float32),
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not None}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "run.npz"
    np.savez(path, **content(**changes))
    return path


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as err:
        read_npz(path)
    return err.value


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    run = read_npz(path)
    assert (run.engine, run.version, run.shape) == ("ANSYS Fluent", "2026 R1", (3, 4, 5))
    assert run.files == (("run.npz", hashlib.sha256(path.read_bytes()).hexdigest()),)
    for name, series in run.series.items():
        assert series.values == pytest.approx(content()[name])
        assert series.times_s.tolist() == [0.0, 1.0, 2.5]
        assert not series.values.flags.writeable
    write_npz(tmp_path / "again.npz", run)
    again = read_npz(tmp_path / "again.npz")
    assert again.series["temperature_k"].values.tobytes() == run.series["temperature_k"].values.tobytes()


def test_other_units_are_brought_to_si(tmp_path: Path) -> None:
    shape = (3, 3, 4, 5)
    run = read_npz(
        written(
            tmp_path,
            temperature_k=None,
            temperature_degc=np.full(shape, 600.0),
            soot_kg_per_m3=None,
            soot_mg_per_m3=np.full(shape, 500.0),
            heat_release_w_per_m3=np.full(shape, 2.5e6),
        )
    )
    assert run.series["temperature_k"].values == pytest.approx(873.15)
    assert run.series["soot_kg_per_m3"].values == pytest.approx(5e-4)
    assert run.series["heat_release_kw_per_m3"].values == pytest.approx(2500.0)


SHAPE = (3, 3, 4, 5)
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "celsius said to be kelvin": ({"temperature_k": np.full(SHAPE, 20.0)}, "field_values", "temperature_degc"),
    "not a number": ({"temperature_k": np.full(SHAPE, np.nan)}, "field_values", "not finite"),
    "endless": ({"soot_kg_per_m3": np.full(SHAPE, np.inf)}, "field_values", "not finite"),
    "negative soot": ({"soot_kg_per_m3": np.full(SHAPE, -0.001)}, "field_values", "soot_kg_per_m3"),
    "soot as a mass fraction": ({"soot_kg_per_m3": np.full(SHAPE, 0.9)}, "field_values", "mass fraction"),
    "negative heat": ({"heat_release_kw_per_m3": np.full(SHAPE, -5.0)}, "field_values", "0 to"),
    "times that fall": ({"time_s": np.array([0.0, 2.0, 1.0])}, "field_times", "ascend"),
    "a time twice": ({"time_s": np.array([0.0, 1.0, 1.0])}, "field_times", "restarted"),
    "a time that is none": ({"time_s": np.array([0.0, np.nan, 1.0])}, "field_times", "finite"),
    "axes that fall": ({"x_m": np.linspace(2.0, 0.0, 5)}, "field_axes", "ascend"),
    "an axis of one": ({"z_m": np.array([0.0])}, "field_axes", "2 or more"),
    "axes in millimetres": ({"x_m": np.linspace(0.0, 2e6, 5)}, "field_axes", "metres"),
    "another order of axes": (
        {"temperature_k": np.full((3, 5, 4, 3), 300.0, np.float32)},
        "field_axes",
        "times, z, y, x",
    ),
    "no quantity": ({"temperature_k": None, "soot_kg_per_m3": None}, "field_size", "values"),
    "heat alone": (
        {"temperature_k": None, "soot_kg_per_m3": None, "heat_release_kw_per_m3": np.zeros(SHAPE)},
        "field_empty",
        "temperature_k or soot",
    ),
    "an engine that turns the terminal": ({"engine": "FDS\x1b[31m"}, "field_format", "in one line"),
    "a unit twice": ({"temperature_degc": np.full(SHAPE, 20.0)}, "field_format", "two units"),
    "a name without unit": ({"temperature": np.full(SHAPE, 300.0)}, "field_format", "temperature"),
    "no engine": ({"engine": None}, "field_format", "engine"),
    "an engine without name": ({"engine": " "}, "field_format", "engine"),
    "a later format": ({"format": "vidgen field 2"}, "field_format", "vidgen field 1"),
    "text for numbers": ({"temperature_k": np.full(SHAPE, "hot")}, "field_format", "real numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD))
def test_wrong_contents_are_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    changes, reason, word = BAD[name]
    err = refused(written(tmp_path, **changes))
    assert err.reason == reason
    assert word in str(err)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("a pickle ran",))

    err = refused(written(tmp_path, temperature_k=np.array([Trap()], dtype=object)))
    assert "pickle" in str(err)
    bare = tmp_path / "bare.npz"
    bare.write_bytes(pickle.dumps(Trap()))
    assert refused(bare).reason == "field_file"


def test_a_shape_that_the_file_does_not_hold_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path)
    bomb = tmp_path / "bomb.npz"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (900000, 1000, 1000, 1000), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "temperature_k.npy":
                body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
            new.writestr(name, body)
    assert refused(bomb).reason == "field_file"


def test_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    monkeypatch.setattr(field_run, "MOST_VALUES", 100)
    err = refused(path)
    assert err.reason == "field_size"
    assert "coarser" in str(err)


@settings(max_examples=40)
@given(st.integers(0, 4000), st.integers(0, 255))
def test_a_file_that_was_cut_or_damaged_never_crashes(place: int, byte: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder))
        body = bytearray(path.read_bytes())
        place %= len(body)
        cut, damaged = Path(folder) / "cut.npz", Path(folder) / "damaged.npz"
        cut.write_bytes(body[:place])
        body[place] = byte
        damaged.write_bytes(body)
        assert refused(cut).reason.startswith("field_")
        try:
            run = read_npz(damaged)
        except InputError:
            return
        assert np.isfinite(run.series["temperature_k"].values).all()


def test_rounding_below_zero_is_set_to_zero_and_noted() -> None:
    values = np.full((1, 2, 2, 2), 1e-4, np.float32)
    values[0, 0, 0, 0] = -1e-9
    axis = np.array([0.0, 1.0])
    run = FieldRun("e", "1", (), axis, axis, axis, {"soot_kg_per_m3": FieldSeries(np.zeros(1), values)})
    clean = checked(run, "test")
    assert clean.series["soot_kg_per_m3"].values.min() == 0.0
    assert "rounding" in clean.notes[0]
    assert values.min() < 0.0  # the caller's array is his


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.npz").reason == "field_file"


def test_zarr_is_read_or_its_package_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.zarr"
    if importlib.util.find_spec("zarr") is None:
        with pytest.raises(MissingPackageError, match="pip install zarr"):
            read_zarr(path)
        return
    import zarr

    group = zarr.open_group(str(path), mode="w")
    for name, value in content().items():
        if isinstance(value, str):
            group.attrs[name] = value
        else:
            group[name] = value
    run = read_zarr(path)
    assert (run.engine, run.version) == ("ANSYS Fluent", "2026 R1")
    assert run.series["temperature_k"].values == pytest.approx(content()["temperature_k"])
    assert len(run.files) > 5
    (path / "temperature_k" / "zarr.json").unlink(missing_ok=True)
    with pytest.raises(InputError):
        read_zarr(path / "absent")
