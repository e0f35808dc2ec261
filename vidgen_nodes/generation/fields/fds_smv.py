# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What of an FDS .smv file counts here: version, meshes, and the files of three quantities in space.

Guarantees that file names are plain names in the folder of the .smv, that meshes have the size that they
say, and that ``Smv.text`` is a .smv with nothing else in it. Leaves out the files themselves
(``fds_records.py``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields.run import MOST_FILES, check_size

_MOST_BYTES = 50_000_000
_PLAIN_NAME = re.compile(r"[^/\\:\x00-\x1f]{1,200}")
_PLOTS = "Plot3D"
_BOUNDS = re.compile(r"&\s*((?:\d+\s+){5}\d+)")
Bounds = tuple[int, int, int, int, int, int]  # first and last node of a slice along x, y, z
_WANTED = re.compile(r"(EFFECTIVE FLAME )?TEMPERATURE|SOOT .*(DENSITY|MASS FRACTION)|HRRPUV", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mesh:
    """Cells of one mesh along x y z."""

    cells: tuple[int, int, int]

    @property
    def nodes(self) -> int:
        """Values of one quantity at one time: FDS writes on the corners of the cells."""
        return math.prod(count + 1 for count in self.cells)


@dataclass(frozen=True, slots=True)
class FieldFile:
    """One binary file and the mesh that it is about."""

    file: str
    mesh: int
    output: str  # which it is a part of: what was not copied at all can be done without


@dataclass(frozen=True, slots=True)
class SliceFile:
    """One file of a slice that is a volume."""

    file: str
    bounds: Bounds
    output: str


@dataclass(frozen=True, slots=True)
class Smv:
    """A .smv file as far as it counts."""

    version: str
    meshes: tuple[Mesh, ...]
    smoke: tuple[FieldFile, ...]
    plots: tuple[FieldFile, ...]
    slices: tuple[SliceFile, ...]
    text: str  # of a .smv with only this in it


def parse_smv(path: Path, without: frozenset[str] = frozenset()) -> Smv:
    """Read a .smv file.

    Args:
        path: the file.
        without: outputs to leave out, by their names in :class:`FieldFile` and :class:`SliceFile`.

    Raises:
        InputError: it cannot be read, is cut off, or names a file elsewhere.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(
                "field_size", f"{path.name}: expected at most {_MOST_BYTES} bytes; is it a .smv file?"
            )
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as err:
        raise InputError("field_file", f"{path}: cannot be read: {err}") from err
    parser = _Parser(path, without)
    rest = iter(lines)
    try:
        for line in rest:
            parser.block(line, rest)
    except (StopIteration, ValueError, IndexError) as err:
        raise InputError("field_file", f"{path.name}: the .smv breaks off or is no .smv: {err!r}") from err
    return parser.result()


class _Parser:
    def __init__(self, path: Path, without: frozenset[str]) -> None:
        self._path, self._without = path, without
        self._version = ""
        self._meshes: list[Mesh] = []
        self._smoke: list[FieldFile] = []
        self._plots: list[FieldFile] = []
        self._slices: list[SliceFile] = []
        self._volumes: list[tuple[str, str, int]] = []  # keyword, quantity and mesh of each slice
        self._kept: list[str] = []

    def block(self, line: str, rest: Iterator[str]) -> None:
        keyword = line.strip()
        if keyword in ("VERSION", "FDSVERSION"):
            self._version = next(rest).strip()[:200]
            self._kept += [keyword, self._version]
        elif keyword in ("HRRPUV_MINMAX", "TEMP_MINMAX"):
            low, high = (float(word) for word in next(rest).split()[:2])
            if not -1e4 < low < high < 1e5:
                raise InputError("field_values", f"{self._path.name}: {keyword}: got {low} to {high}")
            self._kept += [keyword, f" {low!r} {high!r}"]
        elif keyword.startswith("GRID"):
            self._grid(rest)
        elif keyword.startswith(("SMOKG3D", "SMOKF3D")):
            self._smoke3d(keyword, rest)
        elif keyword.startswith("PL3D"):
            self._plot3d(keyword, rest)
        elif keyword.startswith(("SLCF", "SLCC")):
            self._slice(keyword, rest)

    def result(self) -> Smv:
        if not self._meshes or not self._version:
            raise InputError(
                "field_file",
                f"{self._path.name}: got {len(self._meshes)} meshes and version {self._version!r}, "
                "expected both; is it the .smv of an FDS run?",
            )
        if len(self._smoke) + len(self._plots) + len(self._slices) > MOST_FILES:
            raise InputError("field_size", f"{self._path.name}: names over {MOST_FILES} files")
        text = "\n".join(["CHID", "field", *self._kept, ""])
        return Smv(
            self._version,
            tuple(self._meshes),
            tuple(self._smoke),
            tuple(self._plots),
            tuple(self._slices),
            text,
        )

    def _grid(self, rest: Iterator[str]) -> None:
        cells = [int(word) for word in next(rest).split()[:3]]
        if len(cells) != 3 or min(cells) < 1:
            raise InputError("field_axes", f"{self._path.name}: GRID: got {cells} cells, expected 3 counts")
        mesh = Mesh((cells[0], cells[1], cells[2]))
        check_size(mesh.nodes, f"{self._path.name}: GRID")
        self._kept += [f"GRID {len(self._meshes) + 1}", f" {cells[0]} {cells[1]} {cells[2]} 0", ""]
        self._kept += ["PDIM", " ".join(f"{float(word)!r}" for word in _after("PDIM", rest).split()[:6])]
        for axis, count in zip("XYZ", cells, strict=True):
            for _ in range(int(_after(f"TRN{axis}", rest))):
                next(rest)  # how the mesh was stretched; the coordinates follow
            places = [float(next(rest).split()[1]) for _ in range(count + 1)]
            self._kept += ["", f"TRN{axis}", " 0"]
            self._kept += [f" {index} {place!r}" for index, place in enumerate(places)]
        self._kept += ["", "OBST", " 0", "", "VENT", " 0 0", "", "CVENT", " 0", ""]
        self._meshes.append(mesh)

    def _smoke3d(self, keyword: str, rest: Iterator[str]) -> None:
        words = keyword.split()
        file, quantity, short, unit = (next(rest).strip() for _ in range(4))
        output = f"Smoke3D of {quantity}"
        if not _WANTED.fullmatch(quantity) or output in self._without:
            return
        self._smoke.append(FieldFile(self._plain(file), self._mesh(words[1]), output))
        extinction = float(words[2]) if len(words) > 2 else 0.0
        self._kept += [f"{words[0]} {int(words[1])} {extinction!r}", file, quantity, short, unit]

    def _plot3d(self, keyword: str, rest: Iterator[str]) -> None:
        words = keyword.split()
        file = next(rest).strip()
        labels = [next(rest).strip() for _ in range(15)]
        if not any(_WANTED.fullmatch(label) for label in labels[::3]) or _PLOTS in self._without:
            return
        self._plots.append(FieldFile(self._plain(file), self._mesh(words[2]), _PLOTS))
        self._kept += [f"PL3D {float(words[1])!r} {int(words[2])}", file, *labels]

    def _slice(self, keyword: str, rest: Iterator[str]) -> None:
        """One that is a volume: the first of its quantity on each mesh."""
        words = keyword.split()
        file, quantity, short, unit = (next(rest).strip() for _ in range(4))
        found = _BOUNDS.search(keyword)
        output = f"{words[0]} of {quantity}"
        if not _WANTED.fullmatch(quantity) or found is None or output in self._without:
            return
        i1, i2, j1, j2, k1, k2 = bounds = tuple(int(word) for word in found[1].split())
        mesh = self._mesh(words[1])
        if not (i1 < i2 and j1 < j2 and k1 < k2):
            return
        cells = self._meshes[mesh].cells
        if i2 > cells[0] or j2 > cells[1] or k2 > cells[2]:
            raise InputError(
                "field_axes",
                f"{self._path.name}: {words[0]}: got the indices {bounds} on a mesh of {cells} cells",
            )
        key = (words[0], quantity, mesh)
        if key in self._volumes:
            return
        self._volumes.append(key)
        groups = list(dict.fromkeys(item[:2] for item in self._volumes))
        self._slices.append(SliceFile(self._plain(file), (i1, i2, j1, j2, k1, k2), output))
        index = groups.index(key[:2]) + 1
        self._kept += [
            f"{words[0]} {mesh + 1} # STRUCTURED & {i1} {i2} {j1} {j2} {k1} {k2} ! {index}",
            file,
            quantity,
            short,
            unit,
        ]

    def _mesh(self, word: str) -> int:
        index = int(word) - 1
        if not 0 <= index < len(self._meshes):
            raise InputError(
                "field_file", f"{self._path.name}: got mesh {word}, expected 1 to {len(self._meshes)}"
            )
        return index

    def _plain(self, file: str) -> str:
        if not _PLAIN_NAME.fullmatch(file) or file in (".", ".."):
            raise InputError(
                "field_file",
                f"{self._path.name}: got the file {file[:80]!r}, expected a name in the folder of the .smv",
            )
        return file


def _after(keyword: str, rest: Iterator[str]) -> str:
    """The line after the next one that says ``keyword``; blank ones between count for nothing."""
    for line in rest:
        if line.strip():
            if line.strip().split()[0] != keyword:
                raise ValueError(f"got {line.strip()[:40]!r}, expected {keyword}")
            return next(rest)
    raise ValueError(f"expected {keyword}")
