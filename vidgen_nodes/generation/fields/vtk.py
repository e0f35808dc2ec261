# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""VTK files of any engine, single or as a time series: XML read here, the older .vtk through meshio.

OpenFOAM writes them with foamToVTK (``.vtm`` with the volume and its patches, listed in a ``.series``), ParaView writes
``.pvd`` lists, programs that run in parallel ``.pvtu`` with the pieces. Guarantees that a list leads to files in its
own folder only, that every file read is hashed, and that values are those of the nearest cell (or point): nothing is
smoothed. The lattice has the median distance between neighbouring cells. Leaves out surfaces (.vtp). VTK files do not
say which engine wrote them: the scenario has to.
"""

from __future__ import annotations

import importlib
import json
import math
import struct
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from vidgen_nodes.errors import InputError, MissingPackageError
from vidgen_nodes.generation.fields.run import (
    MOST_FILES,
    MOST_TIMES,
    FieldRun,
    FieldSeries,
    check_size,
    checked,
    file_sha256,
)
from vidgen_nodes.generation.fields.vtk_xml import read_xml
from vidgen_nodes.packets import Float32Array, FloatArray

# Name of the array: quantity and the factor that brings it to its unit. OpenFOAM works in SI.
ARRAYS = {
    "T": ("temperature_k", 1.0),
    "temperature_k": ("temperature_k", 1.0),
    "rhoSoot": ("soot_kg_per_m3", 1.0),
    "soot_kg_per_m3": ("soot_kg_per_m3", 1.0),
    "Qdot": ("heat_release_kw_per_m3", 1e-3),
    "heat_release_kw_per_m3": ("heat_release_kw_per_m3", 1.0),
}
_OUTSIDE = {"temperature_k": 293.15, "soot_kg_per_m3": 0.0, "heat_release_kw_per_m3": 0.0}
_MOST_LIST_BYTES = 20_000_000
_MOST_SAMPLES = 20_000_000
_ONE_INSTANT = (".vtu", ".vtk", ".vti", ".vtr", ".vts", ".pvtu", ".vtm")
_REACH = 1.5  # spacings; lattice points farther from every cell are outside of the domain
_Samples = tuple[FloatArray, dict[str, Float32Array]]


def read_vtk(path: Path) -> FieldRun:
    """A run from a file of one instant, or from a .series or .pvd list of such.

    Raises:
        InputError: a file is missing, broken, or holds none of ``ARRAYS``.
        MissingPackageError: no meshio, for a .vtk.
    """
    hashed: dict[str, str] = {}
    listed = _listed(path, hashed)
    lattice: _Lattice | None = None
    frames: dict[str, list[Float32Array]] = {}
    for file in (file for _, file in listed):
        places_m, arrays = _gathered(file, hashed)
        if lattice is None or not np.array_equal(lattice.places_m, places_m):
            fresh = _Lattice(places_m, path.name)
            lattice = fresh if lattice is None else lattice.with_places(places_m)
        if frames and set(frames) != set(arrays):
            raise InputError(
                "field_values",
                f"{file.name}: got {', '.join(arrays)}, expected {', '.join(frames)} as in the files before",
            )
        check_size(len(listed) * len(arrays) * math.prod(lattice.shape), path.name)
        for name, values in arrays.items():
            frames.setdefault(name, []).append(lattice.values(values, _OUTSIDE[name]))
    assert lattice is not None
    times_s = np.array([time_s for time_s, _ in listed])
    series = {name: FieldSeries(times_s, np.stack(values)) for name, values in frames.items()}
    x_m, y_m, z_m = lattice.axes_m
    run = FieldRun("", "", tuple(sorted(hashed.items())), x_m, y_m, z_m, series)
    return checked(run, path.name)


class _Lattice:
    """A regular lattice over scattered places, and which of them is nearest to each of its points."""

    def __init__(self, places_m: FloatArray, what: str) -> None:
        if not np.isfinite(places_m).all():
            raise InputError("field_axes", f"{what}: got points that are not finite")
        low_m, high_m = places_m.min(axis=0), places_m.max(axis=0)
        if len(places_m) < 8 or (high_m - low_m).min() <= 0.0:
            raise InputError(
                "field_axes", f"{what}: got {len(places_m)} cells in one layer, expected a volume of them"
            )
        apart_m: FloatArray = np.asarray(cKDTree(places_m).query(places_m, k=2)[0])[:, 1]
        self.spacing_m = float(np.median(apart_m[apart_m > 0.0])) if (apart_m > 0.0).any() else 0.0
        if self.spacing_m <= 0.0:
            raise InputError("field_axes", f"{what}: got all cells at one place, expected a volume of them")
        # Whole steps that end at the far side, so that the lattice of a regular mesh is that mesh.
        counts = [round(float(edge)) + 1 for edge in (high_m - low_m) / self.spacing_m]
        counts = [max(count, 2) for count in counts]
        check_size(math.prod(counts), what)
        self.axes_m = tuple(
            np.linspace(low, high, count) for low, high, count in zip(low_m, high_m, counts, strict=True)
        )
        self.shape = (counts[2], counts[1], counts[0])
        self.places_m = places_m
        self._find()

    def with_places(self, places_m: FloatArray) -> _Lattice:
        """The same lattice over other places (a mesh that moves or is refined between the times)."""
        other = object.__new__(_Lattice)
        other.spacing_m, other.axes_m, other.shape = self.spacing_m, self.axes_m, self.shape
        other.places_m = places_m
        other._find()
        return other

    def values(self, samples: Float32Array, outside: float) -> Float32Array:
        """Values (nz, ny, nx) of the nearest place."""
        found = np.append(samples, np.float32(outside))[self._nearest]
        return np.asarray(found.reshape(self.shape), dtype=np.float32)

    def _find(self) -> None:
        z_m, y_m, x_m = np.meshgrid(*self.axes_m[::-1], indexing="ij")
        points_m = np.stack((x_m, y_m, z_m), axis=-1).reshape(-1, 3)
        _, nearest = cKDTree(self.places_m).query(points_m, distance_upper_bound=_REACH * self.spacing_m)
        self._nearest: npt.NDArray[np.int64] = np.asarray(nearest)  # len(places) where none is near


def _listed(path: Path, hashed: dict[str, str]) -> list[tuple[float, Path]]:
    """Times and files."""
    if path.suffix in _ONE_INSTANT:
        return [(0.0, path)]
    hashed[path.name] = file_sha256(path)
    try:
        if path.stat().st_size > _MOST_LIST_BYTES:
            raise InputError(
                "field_size", f"{path.name}: expected at most {_MOST_LIST_BYTES} bytes of a list"
            )
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".series":
            rows = [(float(row["time"]), str(row["name"])) for row in json.loads(text)["files"]]
        else:
            root = ElementTree.fromstring(text)  # noqa: S314 - expat 2.4 and later bounds what entities grow to
            parts = [(float(row.attrib["timestep"]), row.attrib["file"]) for row in root.iter("DataSet")]
            # Of several parts at a time (volume and surfaces) the first that may be a volume.
            rows = list(
                {time_s: (time_s, name) for time_s, name in reversed(parts) if not _is_surface(name)}.values()
            )
            rows.reverse()
    except (OSError, ValueError, KeyError, TypeError, ElementTree.ParseError, RecursionError) as err:
        raise InputError(
            "field_file", f"{path}: cannot be read as a list of files and times: {err!r}"
        ) from err
    if not 1 <= len(rows) <= MOST_TIMES:
        raise InputError("field_times", f"{path.name}: got {len(rows)} files, expected 1 to {MOST_TIMES}")
    return [(time_s, _beside(path, name)) for time_s, name in rows]


def _is_surface(name: str) -> bool:
    return Path(name).suffix == ".vtp"


def _beside(path: Path, name: str) -> Path:
    folder = path.parent.resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder) or file.suffix not in _ONE_INSTANT:
        raise InputError(
            "field_file",
            f"{path.name}: got the file {name[:80]!r}, expected one of {', '.join(_ONE_INSTANT)} in its own folder or "
            "below",
        )
    return file


def _gathered(file: Path, hashed: dict[str, str]) -> _Samples:
    """Places (n, 3) and the known arrays (n,) of one instant, of all files that it is made of."""
    found = [_samples(leaf, hashed) for leaf in _leaves(file, hashed)]
    shared = set(found[0][1]).intersection(*(arrays for _, arrays in found))
    if any(set(arrays) != shared for _, arrays in found):
        raise InputError(
            "field_values", f"{file.name}: its pieces hold different quantities; write them again"
        )
    arrays = {name: np.concatenate([arrays[name] for _, arrays in found]) for name in sorted(shared)}
    return np.concatenate([places_m for places_m, _ in found]), arrays


def _leaves(file: Path, hashed: dict[str, str]) -> list[Path]:
    """The files with values: those that a .vtm or .pvtu names, else the file itself."""
    named = {".vtm": ("DataSet", "file"), ".pvtu": ("Piece", "Source")}.get(file.suffix)
    if named is None:
        return [file]
    hashed[file.name] = file_sha256(file)
    try:
        root = ElementTree.fromstring(file.read_bytes())  # noqa: S314 - as above
        names = [row.get(named[1], "") for row in root.iter(named[0])]
    except (OSError, ValueError, ElementTree.ParseError) as err:
        raise InputError("field_file", f"{file}: cannot be read as a list of files: {err!r}") from err
    volumes = [name for name in names if name and not _is_surface(name)]
    if not 1 <= len(volumes) <= MOST_FILES:
        raise InputError(
            "field_empty",
            f"{file.name}: names {len(volumes)} files with a volume, expected 1 to {MOST_FILES}",
        )
    leaves = [_beside(file, name) for name in volumes]
    if any(leaf.suffix in (".vtm", ".pvtu") for leaf in leaves):
        raise InputError("field_file", f"{file.name}: names lists of files, expected files with values")
    return leaves


def _samples(file: Path, hashed: dict[str, str]) -> _Samples:
    """Places (n, 3) and the known arrays (n,) there: of the cells where there are any, else of the points."""
    hashed[file.name] = file_sha256(file)
    if file.suffix == ".vtk":
        found, known = _legacy(file)
    else:
        raw, known = read_xml(file, ARRAYS)
        found = None if raw is None else _known(file, *raw)
    if found is None:
        raise InputError(
            "field_empty",
            f"{file.name}: got the arrays {', '.join(known) or '(none)'}, expected some of {', '.join(ARRAYS)}",
        )
    if len(found[0]) > _MOST_SAMPLES:
        raise InputError("field_size", f"{file.name}: expected at most {_MOST_SAMPLES} cells")
    return found


def _legacy(file: Path) -> tuple[_Samples | None, tuple[str, ...]]:
    meshio = _meshio()
    broken = (
        ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
        ValueError, struct.error,
    )  # fmt: skip
    try:
        mesh = meshio.vtk.read(str(file))
    except (*broken, meshio.ReadError) as err:
        raise InputError(
            "field_file",
            f"{file}: meshio cannot read it: {err!r}; was it copied whole? If so, write it as XML (.vtu)",
        ) from err
    return _cells(file, mesh) or _points(file, mesh), tuple(sorted({*mesh.point_data, *mesh.cell_data}))


def _cells(file: Path, mesh: Any) -> _Samples | None:
    wanted = [name for name in mesh.cell_data if name in ARRAYS]
    if not wanted:
        return None
    places = [mesh.points[block.data].mean(axis=1) for block in mesh.cells]
    arrays = {name: np.concatenate([np.asarray(part) for part in mesh.cell_data[name]]) for name in wanted}
    return _known(file, np.concatenate(places), arrays)


def _points(file: Path, mesh: Any) -> _Samples | None:
    wanted = {name: np.asarray(values) for name, values in mesh.point_data.items() if name in ARRAYS}
    return _known(file, mesh.points, wanted) if wanted else None


def _known(file: Path, places_m: Any, arrays: dict[str, Any]) -> _Samples:
    places_m = np.asarray(places_m, dtype=np.float64)
    found: dict[str, Float32Array] = {}
    for name, values in sorted(arrays.items()):
        quantity, factor = ARRAYS[name]
        if values.shape != (len(places_m),):
            raise InputError(
                "field_values",
                f"{file.name}: {name}: got shape {values.shape}, expected one number for each of {len(places_m)}",
            )
        if quantity in found:
            raise InputError("field_values", f"{file.name}: {name}: {quantity} is given twice")
        found[quantity] = np.asarray(values, dtype=np.float32) * np.float32(factor)
    return places_m, found


def _meshio() -> ModuleType:
    try:
        return importlib.import_module("meshio")
    except ImportError as err:
        raise MissingPackageError("VTK files need meshio: pip install meshio") from err
