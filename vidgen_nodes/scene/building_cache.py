# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parsed models, kept by the hash of all that went into them.

Files lie in ``$XDG_CACHE_HOME/vidgen/buildings`` (``~/.cache`` without it). Guarantees: what comes back is
what was stored, bit for bit, or nothing: a damaged or foreign file is ignored and written anew, and a
folder that cannot be written costs only time. Nothing in a file is executed. Leaves out tidying up: the
folder may be deleted at any time.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from vidgen_nodes.scene.georeference import Georeference
from vidgen_nodes.scene.ifc_model import IfcContent
from vidgen_nodes.scene.surface import Surface

_READERS = (
    "combustibility",
    "exposure",
    "georeference",
    "ifc_archive",
    "ifc_element",
    "ifc_extent",
    "ifc_file",
    "ifc_kind",
    "ifc_material",
    "ifc_model",
    "ifc_place",
    "ifc_shape",
    "ifc_text",
    "ifc_unit",
    "materials",
    "reaction_to_fire",
    "triangle_tree",
)
_TEXTS = ("name", "material", "kind", "combustible", "path", "decided_by", "material_id")


def cache_dir() -> Path:
    """Where parsed models lie."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "vidgen" / "buildings"


def reader_version() -> bytes:
    """SHA-256 of the code that reads models, and of the library under it."""
    digest = hashlib.sha256()
    for name in _READERS:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    try:
        digest.update(metadata.version("ifcopenshell").encode())
    except metadata.PackageNotFoundError:
        digest.update(b"none")
    return digest.digest()


def store(key: str, content: IfcContent) -> None:
    """Keep a parsed model; silently does nothing where the folder cannot be written."""
    data = packed(content)
    try:
        folder = cache_dir()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(hashlib.sha256(data).digest() + data)
        Path(file.name).replace(folder / f"{key}.npz")
    except OSError:
        return  # it is a cache


def holds(key: str) -> bool:
    """Whether something is stored under this key; not whether it is whole."""
    return (cache_dir() / f"{key}.npz").is_file()


@contextmanager
def turn(key: str, waiting: Callable[[], object]) -> Iterator[None]:
    """While the context lasts, no other process is in it for this key; where that cannot be had, one may be.

    Args:
        key: of what is going to be stored.
        waiting: called once, where another process is there already.
    """
    try:
        folder = cache_dir()
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"{key}.lock").open("ab")
    except OSError:
        yield  # without a place for it each reads for itself
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield


def load(key: str) -> IfcContent | None:
    """A model stored under this key, or None."""
    try:
        data = (cache_dir() / f"{key}.npz").read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    try:
        return unpacked(data[32:])
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
        return None


def packed(content: IfcContent) -> bytes:
    """A parsed model as bytes."""
    head: dict[str, Any] = {
        "name": content.name,
        "notes": content.notes,
        "georeference": dataclasses.asdict(content.georeference),
        "surfaces": [{name: getattr(item, name) for name in _TEXTS} for item in content.surfaces],
    }
    corners = [item.corners_m for item in content.surfaces]
    faces = [
        item.faces if item.faces is not None else np.zeros((0, 3), np.int32) for item in content.surfaces
    ]
    file = io.BytesIO()
    np.savez(
        file,
        head=np.frombuffer(json.dumps(head).encode(), np.uint8),
        corners=np.concatenate([*corners, np.zeros((0, 3))]),
        faces=np.concatenate([*faces, np.zeros((0, 3), np.int32)]),
        counts=np.array([(len(a), len(b)) for a, b in zip(corners, faces, strict=True)], np.int64).reshape(
            -1, 2
        ),
    )
    return file.getvalue()


def unpacked(data: bytes) -> IfcContent:
    """What ``packed`` made bytes of."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        head = json.loads(file["head"].tobytes())
        corners, faces, counts = file["corners"], file["faces"].astype(np.int32), file["counts"]
    ends = np.cumsum(counts, axis=0)
    surfaces = tuple(
        Surface(
            corners_m=corners[end[0] - count[0] : end[0]], faces=faces[end[1] - count[1] : end[1]], **texts
        )
        for texts, count, end in zip(head["surfaces"], counts.tolist(), ends.tolist(), strict=True)
    )
    place: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in head["georeference"].items()
    }
    return IfcContent(head["name"], surfaces, Georeference(**place), tuple(head["notes"]))
