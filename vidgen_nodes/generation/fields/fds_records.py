# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether FDS's binary files are whole: every Fortran record walked, every run of codes counted.

Guarantees that a file that passes has the records that its format says for its mesh, so that a reader
after it neither runs over the end nor leaves memory unfilled. Little-endian files only, as FDS writes
them on today's machines. Leaves out what the values mean.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields.fds_smv import Bounds, Mesh
from vidgen_nodes.generation.fields.run import MOST_TIMES
from vidgen_nodes.packets import ByteArray

_LABEL_BYTES = 30
_ESCAPE = 255  # then a code and how often it is repeated


def check_smoke3d(folder: Path, name: str, mesh: Mesh) -> tuple[str, ...]:
    """Walk one Smoke3D file, its .sz and, where there is one, its .s3dd.

    Returns:
        Names of all files that belong to it.

    Raises:
        InputError: ``field_file`` or ``field_size``.
    """
    table = _times(folder / f"{name}.sz")
    names = [name, f"{name}.sz"]
    for part in (name, f"{name}d"):
        path = folder / part
        if part != name:
            if not path.is_file():
                continue
            names.append(part)
        frames = _smoke_frames(path, mesh)
        if frames != len(table):
            raise _broken(path, f"got {frames} whole frames, expected {len(table)} as its .sz lists")
    return tuple(names)


def check_plot3d(folder: Path, name: str, mesh: Mesh) -> None:
    """Walk one Plot3D file: counts, four numbers, five quantities on every node.

    Raises:
        InputError: ``field_file``.
    """
    path = folder / name
    nodes = tuple(count + 1 for count in mesh.cells)
    try:
        with path.open("rb") as stream:
            counts = tuple(np.frombuffer(_record(stream, path, 12), "<i4").tolist())
            if counts != nodes:
                raise _broken(path, f"got {counts} nodes, expected {nodes} as the mesh has")
            _record(stream, path, 16)
            _record(stream, path, 4 * 5 * math.prod(nodes))
    except OSError as err:
        raise _broken(path, f"cannot be read: {err}") from err


def check_slice(folder: Path, name: str, bounds: Bounds) -> None:
    """Walk one slice file: three texts, six indices, then a time and the values of each frame.

    Raises:
        InputError: ``field_file`` or ``field_size``.
    """
    path = folder / name
    nodes = math.prod(high - low + 1 for low, high in zip(bounds[::2], bounds[1::2], strict=True))
    try:
        with path.open("rb") as stream:
            for _ in range(3):
                _record(stream, path, _LABEL_BYTES)
            said = tuple(np.frombuffer(_record(stream, path, 24), "<i4").tolist())
            if said != bounds:
                raise _broken(path, f"got the indices {said}, expected {bounds} as the .smv says")
            frames = 0
            while stream.peek(1):
                _record(stream, path, 4)
                _record(stream, path, 4 * nodes)
                frames += 1
    except OSError as err:
        raise _broken(path, f"cannot be read: {err}") from err
    if not 1 <= frames <= MOST_TIMES:
        raise _broken(path, f"got {frames} times, expected 1 to {MOST_TIMES}")


def _times(path: Path) -> list[float]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()[1:]
        times = [float(line.split()[0]) for line in lines if line.strip()]
    except (OSError, ValueError, IndexError) as err:
        raise _broken(path, f"expected a version, then rows of numbers: {err}") from err
    if not 1 <= len(times) <= MOST_TIMES:
        raise _broken(path, f"got {len(times)} times, expected 1 to {MOST_TIMES}")
    return times


def _smoke_frames(path: Path, mesh: Mesh) -> int:
    try:
        with path.open("rb") as stream:
            header = np.frombuffer(_record(stream, path, 32), "<i4").tolist()
            cells = (header[3], header[5], header[7])
            if cells != mesh.cells:
                raise _broken(path, f"got {cells} cells, expected {mesh.cells} as the mesh has")
            frames = 0
            while stream.peek(1):
                _record(stream, path, 4)
                _, count = np.frombuffer(_record(stream, path, 8), "<i4").tolist()
                if not 0 < count <= 3 * mesh.nodes:
                    raise _broken(path, f"frame {frames}: got {count} codes for {mesh.nodes} nodes")
                codes = np.frombuffer(_record(stream, path, count), np.uint8)
                if _expanded(codes, path) != mesh.nodes:
                    raise _broken(
                        path, f"frame {frames}: got {_expanded(codes, path)} values for {mesh.nodes} nodes"
                    )
                frames += 1
    except OSError as err:
        raise _broken(path, f"cannot be read: {err}") from err
    return frames


def _expanded(codes: ByteArray, path: Path) -> int:
    """How many values the codes stand for."""
    places = np.flatnonzero(codes == _ESCAPE)
    if places.size == 0:
        return int(codes.size)
    if places[-1] + 2 >= codes.size or (places.size > 1 and np.diff(places).min() < 3):
        raise _broken(path, "got a run of codes that breaks off")
    return int(codes.size - 3 * places.size + codes[places + 2].astype(np.int64).sum())


def _record(stream: BinaryIO, path: Path, size: int) -> bytes:
    """One unformatted Fortran record of so many bytes, between two counts of them."""
    content = stream.read(size + 8)
    if (
        len(content) != size + 8
        or content[:4] != content[-4:]
        or int.from_bytes(content[:4], "little") != size
    ):
        raise _broken(path, f"expected a record of {size} bytes near byte {stream.tell()}")
    return content[4:-4]


def _broken(path: Path, why: str) -> InputError:
    return InputError("field_file", f"{path.name}: {why}; was it copied whole, and had FDS ended?")
