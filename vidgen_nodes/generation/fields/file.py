# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The documented field format (docs/FIELDS.md), as one NPZ file or one Zarr group.

Guarantees that no pickle is ever loaded, that sizes are taken from the headers and refused before memory
is asked for, and that every file read is hashed. Leaves out other engines' own formats.
"""

from __future__ import annotations

import importlib
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError, MissingPackageError
from vidgen_nodes.generation.fields.run import (
    MOST_FILES,
    QUANTITIES,
    FieldRun,
    FieldSeries,
    check_size,
    checked,
    file_sha256,
)

FORMAT = "vidgen field 1"
_KELVIN_AT_0_DEGC = 273.15
_TEXTS = ("format", "engine", "engine_version")
_AXES = ("x_m", "y_m", "z_m", "time_s")
# Name in the file: quantity, factor and offset that bring it to SI.
_NAMES = {
    **{name: (name, 1.0, 0.0) for name in QUANTITIES},
    "temperature_degc": ("temperature_k", 1.0, _KELVIN_AT_0_DEGC),
    "soot_mg_per_m3": ("soot_kg_per_m3", 1e-6, 0.0),
    "heat_release_w_per_m3": ("heat_release_kw_per_m3", 1e-3, 0.0),
}
_KNOWN = (*_TEXTS, *_AXES, *_NAMES)
_LONGEST_TEXT = 200

_Array = npt.NDArray[Any]


def read_npz(path: Path) -> FieldRun:
    """A run in the documented format, from one NPZ file.

    Raises:
        InputError: not such a file, truncated, or contents that ``run.checked`` refuses.
    """
    digest = file_sha256(path)
    try:
        with zipfile.ZipFile(path) as archive:
            shapes = {name: _header(archive, f"{name}.npy", path) for name in _members(archive, path)}
            _check_names(shapes, path.name)

            def load(name: str) -> _Array:
                with archive.open(f"{name}.npy") as stream:
                    return np.lib.format.read_array(stream, allow_pickle=False)

            return _run(shapes, load, ((path.name, digest),), path.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as err:
        raise InputError("field_file", f"{path}: cannot be read as NPZ: {err}; was it copied whole?") from err


def read_zarr(path: Path) -> FieldRun:
    """A run in the documented format, from a Zarr group in a folder.

    Raises:
        InputError: as ``read_npz``.
        MissingPackageError: no zarr.
    """
    try:
        zarr = importlib.import_module("zarr")
    except ImportError as err:
        raise MissingPackageError(f"{path}: reading Zarr needs the package zarr: pip install zarr") from err
    inside = sorted(item for item in path.rglob("*") if item.is_file())
    if len(inside) > MOST_FILES:
        raise InputError(
            "field_size",
            f"{path}: got {len(inside)} files, expected at most {MOST_FILES}; take larger chunks",
        )
    files = tuple((str(item.relative_to(path.parent)), file_sha256(item)) for item in inside)
    try:
        group = zarr.open_group(str(path), mode="r")
        arrays = {str(name): group[name] for name in group.array_keys()}
        for name in _TEXTS:
            if name in group.attrs:
                arrays[name] = np.array(str(group.attrs[name]))
        shapes = {name: tuple(array.shape) for name, array in arrays.items()}
        _check_names(shapes, path.name)
        return _run(shapes, lambda name: np.asarray(arrays[name][...]), files, path.name)
    except (KeyError, ValueError, TypeError, OSError, RuntimeError) as err:
        raise InputError("field_file", f"{path}: cannot be read as a Zarr group: {err}") from err


def write_npz(path: Path, run: FieldRun) -> None:
    """Write a run in the documented format, with one time axis for all quantities.

    Raises:
        InputError: the quantities have different times.
    """
    times = [series.times_s for series in run.series.values()]
    if any(not np.array_equal(times[0], other) for other in times[1:]):
        raise InputError("field_times", f"{path.name}: the format has one time axis for all quantities")
    content: dict[str, Any] = {
        "format": np.array(FORMAT),
        "engine": np.array(run.engine),
        "engine_version": np.array(run.version),
        "x_m": run.x_m,
        "y_m": run.y_m,
        "z_m": run.z_m,
        "time_s": times[0],
        **{name: series.values for name, series in run.series.items()},
    }
    np.savez_compressed(path, **content)


def _members(archive: zipfile.ZipFile, path: Path) -> list[str]:
    names = archive.namelist()
    unknown = sorted({name for name in names if name.removesuffix(".npy") not in _KNOWN})
    if unknown:
        raise InputError(
            "field_format", f"{path.name}: got {', '.join(unknown[:5])}, expected some of {', '.join(_KNOWN)}"
        )
    return [name.removesuffix(".npy") for name in names]


def _header(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[int, ...]:
    """Shape of a member, from its header, after its size was seen to fit."""
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
        begins = stream.tell()
    if dtype.hasobject:
        raise InputError(
            "field_format",
            f"{path.name}: {name}: got Python objects, expected numbers or text; never a pickle",
        )
    asked, held = begins + math.prod(shape) * dtype.itemsize, archive.getinfo(name).file_size
    if asked != held:
        raise InputError(
            "field_file",
            f"{path.name}: {name}: got {held} bytes for a shape that takes {asked}; was it cut off?",
        )
    return tuple(int(edge) for edge in shape)


def _check_names(shapes: Mapping[str, tuple[int, ...]], what: str) -> None:
    unknown = sorted(set(shapes) - set(_KNOWN))
    missing = sorted({*_TEXTS, *_AXES} - set(shapes))
    if unknown or missing:
        raise InputError(
            "field_format",
            f"{what}: got {', '.join(unknown) or 'nothing'} unknown, without {', '.join(missing) or 'nothing'}; "
            "expected the names of docs/FIELDS.md, with the unit in the name",
        )
    for name in _TEXTS:
        if shapes[name] != ():
            raise InputError("field_format", f"{what}: {name}: got shape {shapes[name]}, expected one text")
    counts = [math.prod(shape) for name, shape in shapes.items() if name in _NAMES]
    check_size(sum(counts), what)
    for name in _AXES:
        check_size(math.prod(shapes[name]), f"{what}: {name}")


def _run(
    shapes: Mapping[str, tuple[int, ...]],
    load: Callable[[str], _Array],
    files: tuple[tuple[str, str], ...],
    what: str,
) -> FieldRun:
    said = {name: str(load(name)[()]) for name in _TEXTS}
    if said["format"] != FORMAT:
        raise InputError("field_format", f"{what}: format: got {said['format'][:40]!r}, expected {FORMAT!r}")
    for name in ("engine", "engine_version"):
        if not 0 < len(said[name].strip()) <= _LONGEST_TEXT or not said[name].isprintable():
            raise InputError(
                "field_format",
                f"{what}: {name}: expected 1 to {_LONGEST_TEXT} characters that name it, in one line",
            )
    axes = {name: _numbers(load(name), name, what).astype(np.float64) for name in _AXES}
    series: dict[str, FieldSeries] = {}
    for name in shapes:
        if name not in _NAMES:
            continue
        quantity, factor, offset = _NAMES[name]
        if quantity in series:
            raise InputError("field_format", f"{what}: {quantity}: given in two units; keep one")
        values = _numbers(load(name), name, what).astype(np.float32, copy=False)
        if (factor, offset) != (1.0, 0.0):
            values = values * np.float32(factor) + np.float32(offset)
        series[quantity] = FieldSeries(axes["time_s"], values)
    run = FieldRun(
        said["engine"], said["engine_version"], files, axes["x_m"], axes["y_m"], axes["z_m"], series
    )
    return checked(run, what)


def _numbers(array: _Array, name: str, what: str) -> _Array:
    if array.dtype.kind not in "fiu":
        raise InputError("field_format", f"{what}: {name}: got {array.dtype}, expected real numbers")
    return array
