# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of FDS (NIST), from the .smv file and the Smoke3D, Plot3D and 3-D slice files that it names, through fdsreader.

Guarantees that the user's folder is only read: fdsreader would load, and delete, a cache file of pickles
beside the run, so it is given a folder of its own with a cut-down .smv and links to the files that count,
and its cache is off; that a file name in the .smv leads nowhere else; and that every record of a binary
file was walked and found whole before fdsreader reads it. Leaves out planes, particles, boundary files
and obstructions: what FDS writes inside of solids (ambient air) is shown as it is.
"""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vidgen_nodes.errors import InputError, MissingPackageError
from vidgen_nodes.generation.fields.fds_records import check_plot3d, check_slice, check_smoke3d
from vidgen_nodes.generation.fields.fds_smv import FieldFile, SliceFile, Smv, parse_smv
from vidgen_nodes.generation.fields.meshes import Axes, Part, gathered, lattice
from vidgen_nodes.generation.fields.run import FieldRun, checked, file_sha256
from vidgen_nodes.packets import Float32Array, FloatArray

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
    gone = _not_copied(path.parent, smv)
    if gone:
        smv = parse_smv(path, gone)
    hashed = {path.name: file_sha256(path)}
    for item in smv.smoke:
        for name in check_smoke3d(path.parent, item.file, smv.meshes[item.mesh]):
            hashed[name] = file_sha256(path.parent / name)
    for item in smv.plots:
        check_plot3d(path.parent, item.file, smv.meshes[item.mesh])
        hashed[item.file] = file_sha256(path.parent / item.file)
    for volume in smv.slices:
        check_slice(path.parent, volume.file, volume.bounds)
        hashed[volume.file] = file_sha256(path.parent / volume.file)
    if len(hashed) == 1:
        raise InputError(
            "field_empty",
            f"{path.name}: got no Smoke3D or Plot3D output and no slice that is a volume, of temperature, soot "
            "density or HRRPUV; expected some: write them with &DUMP DT_SMOKE3D or DT_PL3D, or &SLCF XB",
        )
    with tempfile.TemporaryDirectory(prefix="vidgen-fds-") as folder:
        for name in hashed:
            if name != path.name:
                (Path(folder) / name).symlink_to((path.parent / name).resolve())
        staged = Path(folder) / "field.smv"
        staged.write_text(smv.text, encoding="utf-8")
        try:
            notes = [f"{output} was left out: none of its files is there" for output in sorted(gone)]
            return _run(reader, staged, smv, tuple(sorted(hashed.items())), path.name, notes)
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


def _run(
    reader: ModuleType,
    staged: Path,
    smv: Smv,
    files: tuple[tuple[str, str], ...],
    what: str,
    notes: list[str],
) -> FieldRun:
    before = (reader.settings.ENABLE_CACHING, reader.settings.DEBUG)
    reader.settings.ENABLE_CACHING, reader.settings.DEBUG = False, True
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            run = reader.Simulation(str(staged))
            # The later wins: slices are exact and frequent, Smoke3D is frequent, Plot3D exact.
            found = _plots(run) | _smoke(run, notes) | _volumes(run)
            if not found:
                raise InputError(
                    "field_empty", f"{what}: got no volume of temperature, soot density or HRRPUV"
                )
            axes_m = lattice([part for parts in found.values() for part in parts])
            series, left = gathered(found, axes_m, what)
            notes += left + sorted({str(item.message) for item in told if "assuming" in str(item.message)})
    finally:
        reader.settings.ENABLE_CACHING, reader.settings.DEBUG = before
    for name, item in series.items():
        outside = np.isnan(item.values)
        if outside.any():  # between meshes that do not fill their common box
            item.values[outside] = _OUTSIDE[name]
            notes.append(f"{name}: {int(outside.sum())} values outside of every mesh set to {_OUTSIDE[name]}")
    x_m, y_m, z_m = axes_m
    return checked(FieldRun("FDS", smv.version, files, x_m, y_m, z_m, series, tuple(notes)), what)


def _not_copied(folder: Path, smv: Smv) -> frozenset[str]:
    """Outputs of which no file is there: a run was copied without them. One of which some are there is broken."""
    there: dict[str, bool] = {}
    named: tuple[FieldFile | SliceFile, ...] = (*smv.smoke, *smv.plots, *smv.slices)
    for item in named:
        found = any((folder / f"{item.file}{end}").exists() for end in ("", ".sz"))
        there[item.output] = there.get(item.output, False) or found
    gone = frozenset(output for output, found in there.items() if not found)
    return gone if len(gone) < len(there) else frozenset()  # with nothing there at all, the first is named


_Found = dict[str, list[Part]]


def _smoke(run: Any, notes: list[str]) -> _Found:
    found: _Found = {}
    for item in run.smoke_3d:
        name = quantity_of(item.quantity.name)
        if name is None or name in found:
            continue
        _check_unit(name, item.quantity)
        found[name] = [
            Part(_times(item.times), _axes(part.mesh.coordinates), _physical(part, name, notes))
            for part in item.subsmokes
        ]
    return found


def _physical(part: Any, name: str, notes: list[str]) -> Callable[[], Float32Array]:
    def read() -> Float32Array:
        values, cut = part.to_physical(return_saturated=True)
        if cut.any():
            notes.append(f"{name}: {int(cut.sum())} values at the upper limit of the Smoke3D code")
        part.clear_cache()
        return _si(name, values)

    return read


def _plots(run: Any) -> _Found:
    found: _Found = {}
    for item in run.data_3d:
        name = None if item.quantity is None else quantity_of(item.quantity.name)
        if name is None or name in found or "FRACTION" in item.quantity.name.upper():
            continue
        _check_unit(name, item.quantity)
        found[name] = [
            Part(_times(part.times), _axes(part.mesh.coordinates), _read(part, name))
            for part in item.subplots
        ]
    return found


def _volumes(run: Any) -> _Found:
    """Slices that are volumes."""
    found: _Found = {}
    for item in run.slices:
        name = quantity_of(item.quantity.name)
        if name is None or name in found or "FRACTION" in item.quantity.name.upper():
            continue
        _check_unit(name, item.quantity)
        parts = [(part, _axes(part.get_coordinates())) for part in item.subslices]
        found[name] = [
            Part(_times(item.times), axes, _read(part, name))
            for part, axes in parts
            if min(map(len, axes)) > 1  # a layer of single cells has no inside
        ]
        if not found[name]:
            del found[name]
    return found


def _read(part: Any, name: str) -> Callable[[], Float32Array]:
    def read() -> Float32Array:
        values = _si(name, part.data)
        part.clear_cache()
        return values

    return read


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


def _si(name: str, values: Any) -> Float32Array:
    """FDS writes degrees Celsius."""
    found: Float32Array = np.asarray(values, dtype=np.float32)
    return found + np.float32(_KELVIN_AT_0_DEGC) if name == "temperature_k" else found


def _times(times_s: Any) -> FloatArray:
    return np.asarray(times_s, dtype=np.float64)


def _axes(coordinates: dict[str, Any]) -> Axes:
    x, y, z = (np.asarray(coordinates[key], dtype=np.float64) for key in "xyz")
    return x, y, z


def _check_unit(name: str, quantity: Any) -> None:
    fraction = "FRACTION" in quantity.name.upper()  # what Smoke3D calls so is a density all the same
    if quantity.unit != _UNITS[name] and not fraction:
        raise InputError(
            "field_values", f"{quantity.name}: got the unit {quantity.unit!r}, expected {_UNITS[name]!r}"
        )


def _reader() -> ModuleType:
    try:
        reader = importlib.import_module("fdsreader")
        importlib.import_module("fdsreader.settings")
    except ImportError as err:
        raise MissingPackageError("runs of FDS need fdsreader: pip install fdsreader") from err
    return reader
