# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Opens rosbag2 files of every kind and says in plain words why one cannot be read.

Guarantees: only ``BagError`` leaves. Leaves out: which topic means what (``ros/replay.py``).
"""

from __future__ import annotations

import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rosbags.rosbag2 import Reader, ReaderError

from vidgen_nodes.errors import BagError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_ROS1_MAGIC = b"#ROSBAG V"
_STORAGE = (".mcap", ".db3")
_BROKEN_ADVICE = (
    "the recorder was probably killed, or the copy is incomplete. "
    "Copy it again; else repair it (`mcap recover IN -o OUT` for MCAP, `sqlite3 IN .recover` for db3)"
)


@contextmanager
def open_storage(path: Path) -> Iterator[Reader]:
    """A rosbag2 directory, or one .mcap or .db3 file, the file zstd-compressed or not, opened.

    Raises:
        BagError: it is not there, not rosbag2, or damaged.
    """
    _check_kind(path)
    with tempfile.TemporaryDirectory(prefix="vidgen-bag-") as folder:
        with reading(path):
            source = _unpacked(path, Path(folder)) if path.suffix == ".zstd" else path
            reader = Reader(source)
            reader.open()
        try:
            yield reader
        finally:
            reader.close()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the reading library raises on damaged files into ``BagError``."""
    try:
        yield
    except BagError:
        raise
    except PermissionError as err:
        raise BagError(f"{path}: may not be read ({err.strerror}); change its permissions") from err
    except _damage() as err:
        raise BagError(
            f"{path}: cannot be read as rosbag2: {err or type(err).__name__}; {_BROKEN_ADVICE}"
        ) from err


def _damage() -> tuple[type[Exception], ...]:
    """What a damaged file makes the reader raise, beside its own error."""
    import apsw

    return (
        ReaderError, apsw.Error, zstd.ZstdError, OSError, EOFError, struct.error,
        ValueError, TypeError, KeyError, IndexError, AssertionError, RuntimeError, MemoryError, OverflowError,
    )  # fmt: skip


def _check_kind(path: Path) -> None:
    if not path.exists():
        raise BagError(f"{path}: no such file or directory; give a rosbag2 directory or a .mcap or .db3 file")
    if path.is_dir():
        if (path / "metadata.yaml").is_file():
            return
        inside = sorted(p.name for p in path.iterdir() if _storage_suffix(p))
        if inside:
            raise BagError(
                f"{path}: metadata.yaml is missing, so this is not a complete rosbag2 directory; give one of its "
                f"files instead ({', '.join(inside)}) or rebuild it with `ros2 bag reindex {path}`"
            )
        bags = sorted(p.name for p in path.glob("*.bag"))
        if bags:
            raise BagError(f"{path}: " + _ros1(bags[0]))
        below = sorted(p.parent.name for p in path.glob("*/metadata.yaml"))
        hint = f"; perhaps you mean a recording in it: {', '.join(below)}" if below else ""
        raise BagError(f"{path}: is no rosbag2 recording (no metadata.yaml, no .mcap or .db3 file){hint}")
    with reading(path), path.open("rb") as file:
        head = file.read(len(_ROS1_MAGIC))
    if path.suffix == ".bag" or head == _ROS1_MAGIC:
        raise BagError(f"{path}: " + _ros1(path.name))
    if not _storage_suffix(path):
        raise BagError(
            f"{path}: not a recording known here; give a rosbag2 directory or a .mcap or .db3 file"
        )
    if not head:
        raise BagError(f"{path}: is empty; {_BROKEN_ADVICE}")


def _storage_suffix(path: Path) -> bool:
    return Path(path.stem if path.suffix == ".zstd" else path.name).suffix in _STORAGE


def _ros1(name: str) -> str:
    return (
        f"{name} is a ROS 1 bag; convert it first: "
        f"`rosbags-convert --src {name} --dst {Path(name).stem}_ros2` (comes with the package rosbags)"
    )


def _unpacked(path: Path, folder: Path) -> Path:
    target = folder / path.stem
    with zstd.open(path, "rb") as packed, target.open("wb") as plain:
        while block := packed.read(1 << 20):
            plain.write(block)
    return target


def storage_files(path: Path) -> list[Path]:
    """The files that make up a recording: metadata and storage, by name."""
    if not path.is_dir():
        return [path]
    return sorted(
        p for p in path.iterdir() if p.is_file() and (p.name == "metadata.yaml" or _storage_suffix(p))
    )
