# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""VTK's XML files (.vtu, .vti, .vtr, .vts): where values stand, and the arrays that are asked for.

Text, base64 and raw data are read, inline or appended, plain or compressed with ZLib or LZMA, in any number of pieces,
cells of any kind: a value of a cell stands in the mean of the cell's points. Guarantees that sizes are looked at before
memory is asked for, and that only the arrays asked for are decoded. Leaves out faces, lines and what arrays mean
(``vtk.py``).
"""

from __future__ import annotations

import base64
import lzma
import math
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import FloatArray

MOST_BYTES = 1_000_000_000  # of one array
_TYPES = {
    "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4",
    "Int64": "i8", "UInt64": "u8", "Float32": "f4", "Float64": "f8",
}  # fmt: skip
_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "vtkZLibDataCompressor": zlib.decompress,
    "vtkLZMADataCompressor": lzma.decompress,
}
_APPENDED = re.compile(rb"<AppendedData\s+encoding\s*=\s*[\"'](\w+)[\"']\s*>")
_Array = npt.NDArray[Any]
Samples = tuple[FloatArray, dict[str, _Array]]


def read_xml(path: Path, wanted: Collection[str]) -> tuple[Samples | None, tuple[str, ...]]:
    """Places (n, 3) and arrays (n,) of the cells, or where none of them is wanted of the points.

    Args:
        path: the file.
        wanted: names of arrays.

    Returns:
        The samples, None where the file has no such array; and the names of all that it has.

    Raises:
        InputError: ``field_file``: not such a file, damaged, or written in a way that is not read.
    """
    try:
        return _File(path).samples(wanted)
    except InputError:
        raise
    except (
        ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, MemoryError,
        ElementTree.ParseError, zlib.error, lzma.LZMAError,
    ) as err:  # fmt: skip
        raise InputError(
            "field_file", f"{path}: cannot be read as VTK's XML: {err!r}; was it copied whole?"
        ) from err


class _File:
    """One file: its tree, and the bytes that are appended to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content = path.read_bytes()
        found = _APPENDED.search(content)
        self._appended, self._is_raw = memoryview(b""), False
        if found is not None:
            begins = content.index(b"_", found.end()) + 1
            self._appended, self._is_raw = memoryview(content)[begins:], found[1] == b"raw"
            content = content[: found.start()] + b"</VTKFile>"
        self._root = ElementTree.fromstring(content)  # noqa: S314 - expat 2.4 and later bounds what entities grow to
        order = {"LittleEndian": "<", "BigEndian": ">"}[self._root.get("byte_order", "LittleEndian")]
        self._order = order
        self._count = np.dtype(order + _TYPES[self._root.get("header_type", "UInt32")])
        self._compressor = self._root.get("compressor", "")
        if self._compressor and self._compressor not in _COMPRESSORS:
            raise self._refused(f"is compressed by {self._compressor}, expected ZLib, LZMA or none")

    def samples(self, wanted: Collection[str]) -> tuple[Samples | None, tuple[str, ...]]:
        """See :func:`read_xml`."""
        kind = self._root.get("type", "")
        grid = self._root.find(kind) if kind in _PLACES else None
        if grid is None:
            raise self._refused(f"is a {kind or 'file without a type'}, expected one of {', '.join(_PLACES)}")
        pieces = [piece for piece in grid.findall("Piece") if _is_filled(piece)]
        names = sorted({str(item.get("Name")) for piece in pieces for item in _data(piece)})
        for where in ("CellData", "PointData"):
            named = [
                {item.get("Name"): item for item in piece.findall(f"{where}/DataArray")} for piece in pieces
            ]
            shared = [name for name in wanted if named and all(name in found for found in named)]
            if not shared:
                continue
            places = [_PLACES[kind](self, grid, piece, where) for piece in pieces]
            arrays = {name: np.concatenate([self.array(found[name]) for found in named]) for name in shared}
            return (np.concatenate(places), arrays), tuple(names)
        return None, tuple(names)

    def array(self, item: ElementTree.Element) -> _Array:
        """The numbers of a DataArray: (n,), or (n, components)."""
        dtype = np.dtype(self._order + _TYPES[item.get("type", "")])
        form = item.get("format", "ascii")
        if form == "ascii":
            values: _Array = np.array((item.text or "").split(), dtype=dtype)
        elif form == "binary":
            values = np.frombuffer(self._decoded("".join((item.text or "").split()).encode()), dtype)
        else:
            values = np.frombuffer(self._from_appended(int(item.get("offset", "").strip())), dtype)
        parts = int(item.get("NumberOfComponents", "1"))
        return values.reshape(-1, parts) if parts > 1 else values

    def _from_appended(self, offset: int) -> bytes:
        begin = self._appended[offset:]
        if not self._is_raw:
            return self._decoded(begin)
        return self._unpacked(lambda skip, size: bytes(begin[skip : skip + size]))

    def _decoded(self, text: memoryview | bytes) -> bytes:
        """Base64: the counts in code of their own where the data is compressed, and with some writers anyway."""
        apart = bool(self._compressor) or b"=" in bytes(text[: _coded(self._count.itemsize)])

        def part(skip: int, size: int) -> bytes:
            start, ahead = (_coded(skip), 0) if apart else (0, skip)
            return base64.b64decode(bytes(text[start : start + _coded(ahead + size)]))[ahead : ahead + size]

        return self._unpacked(part)

    def _unpacked(self, part: Callable[[int, int], bytes]) -> bytes:
        """The bytes after the counts that lead them; ``part(skip, size)`` gives some of them."""
        width = self._count.itemsize
        first = int(np.frombuffer(part(0, width), self._count)[0])
        if not self._compressor:
            return self._whole(part(width, self._bounded(first)), first)
        head = 3 + self._bounded(first)
        counts = np.frombuffer(part(0, head * width), self._count).astype(np.int64)
        if len(counts) != head:
            raise self._refused("breaks off in an array")
        block, last, sizes = int(counts[1]), int(counts[2]), counts[3:]
        total = self._bounded(block * first if not last else block * (first - 1) + last)
        packed = part(head * width, self._bounded(int(sizes.sum())))
        found, at = [], 0
        for size in sizes.tolist():
            found.append(_COMPRESSORS[self._compressor](packed[at : at + size]))
            at += size
        return self._whole(b"".join(found), total)

    def _whole(self, data: bytes, size: int) -> bytes:
        if len(data) != size:
            raise self._refused(f"got {len(data)} bytes of an array, expected {size}")
        return data

    def _bounded(self, size: int) -> int:
        if not 0 <= size <= MOST_BYTES:
            raise self._refused(f"got an array of {size} bytes, expected at most {MOST_BYTES}")
        return size

    def _refused(self, why: str) -> InputError:
        return InputError("field_file", f"{self._path.name}: {why}; was it copied whole? Write it again")


def _coded(size: int) -> int:
    """How many letters of base64 so many bytes take."""
    return 4 * math.ceil(size / 3)


def _is_filled(piece: ElementTree.Element) -> bool:
    return piece.get("NumberOfPoints", "1") != "0" and piece.get("NumberOfCells", "1") != "0"


def _data(piece: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for where in ("CellData", "PointData"):
        yield from piece.findall(f"{where}/DataArray")


def _points(file: _File, piece: ElementTree.Element) -> FloatArray:
    item = piece.find("Points/DataArray")
    if item is None:
        raise ValueError("a piece without points")
    return file.array(item).reshape(-1, 3).astype(np.float64)


def _unstructured(
    file: _File, _grid: ElementTree.Element, piece: ElementTree.Element, where: str
) -> FloatArray:
    points = _points(file, piece)
    if where == "PointData":
        return points
    named = {item.get("Name"): item for item in piece.findall("Cells/DataArray")}
    corners, ends = file.array(named["connectivity"]), file.array(named["offsets"]).astype(np.int64)
    counts = np.diff(ends, prepend=0)
    if len(ends) == 0 or counts.min() < 1 or ends[-1] != len(corners):
        raise ValueError("cells without corners, or corners without cells")
    sums = np.add.reduceat(points[corners], ends - counts, axis=0)
    return np.asarray(sums / counts[:, None], dtype=np.float64)


def _structured(file: _File, grid: ElementTree.Element, piece: ElementTree.Element, where: str) -> FloatArray:
    shape = _extent(grid, piece)
    points = _points(file, piece).reshape(*shape[::-1], 3)
    for axis in range(3) if where == "CellData" else ():
        points = _between(points, axis)
    return points.reshape(-1, 3)


def _rectilinear(
    file: _File, _grid: ElementTree.Element, piece: ElementTree.Element, where: str
) -> FloatArray:
    axes = [file.array(item).astype(np.float64) for item in piece.findall("Coordinates/DataArray")]
    return _box(axes, where)


def _image(_file: _File, grid: ElementTree.Element, piece: ElementTree.Element, where: str) -> FloatArray:
    turned = [float(word) for word in grid.get("Direction", "1 0 0 0 1 0 0 0 1").split()]
    if turned != [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]:
        raise ValueError(f"an image that is turned ({turned}), expected one along the axes")
    origin, spacing = (
        [float(word) for word in grid.get(name, text).split()]
        for name, text in (("Origin", "0 0 0"), ("Spacing", "1 1 1"))
    )
    bounds = _bounds(grid, piece)
    steps = [np.arange(low, high + 1) for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
    axes = [np.asarray(origin[axis] + spacing[axis] * steps[axis], dtype=np.float64) for axis in range(3)]
    return _box(axes, where)


def _box(axes: list[FloatArray], where: str) -> FloatArray:
    x, y, z = axes if where == "PointData" else [_between(axis, 0) for axis in axes]
    places = np.meshgrid(z, y, x, indexing="ij")[::-1]
    return np.stack(places, axis=-1).reshape(-1, 3)


def _between(values: FloatArray, axis: int) -> FloatArray:
    """Means of neighbours along an axis; a single layer stays."""
    if values.shape[axis] < 2:
        return values
    low = values.take(range(values.shape[axis] - 1), axis=axis)
    return np.asarray(0.5 * (low + values.take(range(1, values.shape[axis]), axis=axis)), dtype=np.float64)


def _bounds(grid: ElementTree.Element, piece: ElementTree.Element) -> list[int]:
    bounds = [int(word) for word in (piece.get("Extent") or grid.get("WholeExtent") or "").split()]
    if len(bounds) != 6 or any(low > high for low, high in zip(bounds[::2], bounds[1::2], strict=True)):
        raise ValueError(f"got the extent {bounds}, expected six ascending indices")
    if (
        math.prod(high - low + 1 for low, high in zip(bounds[::2], bounds[1::2], strict=True))
        > MOST_BYTES // 24
    ):
        raise ValueError(f"got the extent {bounds}, expected fewer points")
    return bounds


def _extent(grid: ElementTree.Element, piece: ElementTree.Element) -> tuple[int, int, int]:
    bounds = _bounds(grid, piece)
    return bounds[1] - bounds[0] + 1, bounds[3] - bounds[2] + 1, bounds[5] - bounds[4] + 1


_PLACES: Mapping[str, Any] = {
    "UnstructuredGrid": _unstructured,
    "ImageData": _image,
    "RectilinearGrid": _rectilinear,
    "StructuredGrid": _structured,
}
