# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of FDS (NIST), from the .smv file and the Smoke3D and Plot3D files that it names, through fdsreader.

Guarantees that the user's folder is only read: fdsreader would load, and delete, a cache file of pickles
beside the run, so it is given a folder of its own with a cut-down .smv and links to the files that count,
and its cache is off; that a file name in the .smv leads nowhere else; and that every record of a binary
file was walked and found whole before fdsreader reads it. Leaves out slices, particles, boundary files
and obstructions: what FDS writes inside of solids (ambient air) is shown as it is.
"""

from __future__ import annotations

import importlib
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError, MissingPackageError
from vidgen_nodes.generation.fds_records import check_plot3d, check_smoke3d
from vidgen_nodes.generation.fds_smv import Smv, parse_smv
from vidgen_nodes.generation.field_run import FieldRun, FieldSeries, check_size, checked, file_sha256
from vidgen_nodes.packets import FloatArray

_KELVIN_AT_0_DEGC = 273.15
_OUTSIDE = {"temperature_k": 293.15, "soot_kg_per_m3": 0.0, "heat_release_kw_per_m3": 0.0}
_UNITS = {"temperature_k": "C", "soot_kg_per_m3": "kg/m3", "heat_release_kw_per_m3": "kW/m3"}


def read_fds(path: Path) -> FieldRun:
    """A run of FDS.

    Args:
        path: its .smv file; the others lie beside it.

    Raises:
        InputError: a file is missing, cut off, or says what cannot be.
        MissingPackageError: no fdsreader.
    """
    reader = _reader()
    smv = parse_smv(path)
    names = [item.file for item in (*smv.smoke, *smv.plots)]
    hashed = {path.name: file_sha256(path)}
    for item in smv.smoke:
        for name in check_smoke3d(path.parent, item.file, smv.meshes[item.mesh]):
            hashed[name] = file_sha256(path.parent / name)
    for item in smv.plots:
        check_plot3d(path.parent, item.file, smv.meshes[item.mesh])
        hashed[item.file] = file_sha256(path.parent / item.file)
    if not names:
        raise InputError(
            "field_empty",
            f"{path.name}: got no Smoke3D or Plot3D output of temperature, soot or HRRPUV, expected some; "
            "write it with &DUMP DT_SMOKE3D or DT_PL3D",
        )
    with tempfile.TemporaryDirectory(prefix="vidgen-fds-") as folder:
        for name in hashed:
            if name != path.name:
                (Path(folder) / name).symlink_to((path.parent / name).resolve())
        staged = Path(folder) / "field.smv"
        staged.write_text(smv.text, encoding="utf-8")
        try:
            return _read(reader, staged, smv, tuple(sorted(hashed.items())), path.name)
        except (
            ArithmeticError,
            AssertionError,
            AttributeError,
            LookupError,
            OSError,
            TypeError,
            ValueError,
        ) as err:
            raise InputError("field_file", f"{path}: fdsreader cannot read it: {err!r}") from err


def _read(
    reader: ModuleType, staged: Path, smv: Smv, files: tuple[tuple[str, str], ...], what: str
) -> FieldRun:
    notes: list[str] = []
    before = (reader.settings.ENABLE_CACHING, reader.settings.DEBUG)
    reader.settings.ENABLE_CACHING, reader.settings.DEBUG = False, True
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            run = reader.Simulation(str(staged))
            found = _smoke(run, smv, notes) | _plots(run, smv)
            notes += sorted({str(item.message) for item in told if "assuming" in str(item.message)})
    finally:
        reader.settings.ENABLE_CACHING, reader.settings.DEBUG = before
    axes = next(iter(found.values()))[1]
    series = {}
    for name, (item, own_axes) in found.items():
        if not all(np.array_equal(axes[key], own_axes[key]) for key in "xyz"):
            raise InputError("field_axes", f"{what}: {name} stands on another mesh than the other quantities")
        series[name] = item
    return checked(
        FieldRun("FDS", smv.version, files, axes["x"], axes["y"], axes["z"], series, tuple(notes)), what
    )


_Found = dict[str, tuple[FieldSeries, dict[str, FloatArray]]]


def _smoke(run: Any, smv: Smv, notes: list[str]) -> _Found:
    found: _Found = {}
    for item in run.smoke_3d:
        name = quantity_of(item.quantity.name)
        if name is None or name in found:
            continue
        _check_unit(name, item.quantity)
        _check_total(smv, len(item.times), name)
        if len(item.subsmokes) == 1:
            part = item.subsmokes[0]
            values, cut = part.to_physical(return_saturated=True)
            axes = _axes(part.mesh.coordinates)
        else:
            values, cut, coordinates = item.to_global(
                physical=True, return_saturated=True, return_coordinates=True
            )
            axes = _axes(coordinates)
        if cut.any():
            notes.append(f"{name}: {int(cut.sum())} values at the upper limit of the Smoke3D code")
        found[name] = (_series(name, np.asarray(item.times), values, notes), axes)
    return found


def _plots(run: Any, smv: Smv) -> _Found:
    found: _Found = {}
    for item in run.data_3d:
        name = None if item.quantity is None else quantity_of(item.quantity.name)
        if name is None or name in found or "FRACTION" in item.quantity.name.upper():
            continue
        _check_unit(name, item.quantity)
        _check_total(smv, len(item.times), name)
        if len(item.subplots) == 1:
            part = item.subplots[0]
            values, axes = part.data, _axes(part.mesh.coordinates)
        else:
            values, coordinates = item.to_global(return_coordinates=True)
            axes = _axes(coordinates)
        found[name] = (_series(name, np.asarray(item.times), values, []), axes)
    return found


def quantity_of(name: str) -> str | None:
    """The quantity of ours that FDS calls so; None for others.

    "TEMPERATURE" of Smoke3D before FDS 6.11 and "EFFECTIVE FLAME TEMPERATURE" from then on.
    """
    upper = name.upper()
    if upper in ("TEMPERATURE", "EFFECTIVE FLAME TEMPERATURE"):
        return "temperature_k"
    if "SOOT" in upper and ("DENSITY" in upper or "MASS FRACTION" in upper):
        return "soot_kg_per_m3"  # Smoke3D stores the density under either label
    return "heat_release_kw_per_m3" if upper == "HRRPUV" else None


def _series(name: str, times_s: FloatArray, values: Any, notes: list[str]) -> FieldSeries:
    """FDS orders (time, x, y, z) and writes degrees Celsius."""
    turned = np.ascontiguousarray(np.transpose(np.asarray(values, dtype=np.float32), (0, 3, 2, 1)))
    if name == "temperature_k":
        turned += np.float32(_KELVIN_AT_0_DEGC)
    outside = np.isnan(turned)
    if outside.any():  # between meshes that do not fill their common box
        turned[outside] = _OUTSIDE[name]
        notes.append(f"{name}: {int(outside.sum())} values outside of every mesh set to {_OUTSIDE[name]}")
    return FieldSeries(times_s.astype(np.float64), turned)


def _axes(coordinates: dict[str, Any]) -> dict[str, FloatArray]:
    return {key: np.asarray(coordinates[key], dtype=np.float64) for key in "xyz"}


def _check_unit(name: str, quantity: Any) -> None:
    fraction = "FRACTION" in quantity.name.upper()  # what Smoke3D calls so is a density all the same
    if quantity.unit != _UNITS[name] and not fraction:
        raise InputError(
            "field_values", f"{quantity.name}: got the unit {quantity.unit!r}, expected {_UNITS[name]!r}"
        )


def _check_total(smv: Smv, times: int, name: str) -> None:
    check_size(times * sum(mesh.nodes for mesh in smv.meshes), name)


def _reader() -> ModuleType:
    try:
        reader = importlib.import_module("fdsreader")
        importlib.import_module("fdsreader.settings")
    except ImportError as err:
        raise MissingPackageError("runs of FDS need fdsreader: pip install fdsreader") from err
    return reader
