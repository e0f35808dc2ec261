# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""IFC files by their first bytes, and models in an archive (.ifczip) as plain files.

Guarantees: of an archive only its one ``.ifc`` is written, under a name of ours in a folder of ours, and never
more of it than a model may have; anything else about it is refused with what was found. Leaves out what is in
the model (``scene.ifc_text``).
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.text_file import refuse_special

LARGEST_BYTES = (
    512 << 20
)  # about 10 million lines; the library keeps some 5 times that in memory while it reads
SUFFIXES = (".ifc", ".ifczip", ".ifcxml", ".zip")
STEP_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:/\*.*?\*/\s*)*(ISO-10303-21)", re.DOTALL
)  # after marks and remarks
HEAD_BYTES = 65536
_ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06")  # with something in it, empty
_BLOCK_BYTES = 1 << 20
_NAMED = 4  # of what an archive holds, in a refusal


def is_model(path: Path) -> bool:
    """Whether a file is an IFC model, by its name or, under another name, by how it begins."""
    return path.suffix.lower() in SUFFIXES or STEP_HEAD.match(first_bytes(path)) is not None


def first_bytes(path: Path) -> bytes:
    """The beginning of a file; nothing where it cannot be read.

    Raises:
        ConfigError: a pipe or a device, which may never begin or never end.
    """
    try:
        refuse_special(path)
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""  # said in full by whoever opens it


@contextmanager
def plain_file(path: Path) -> Iterator[tuple[Path, str]]:
    """The model as a plain file while the context lasts, and its name for messages.

    Raises:
        ConfigError: an archive without exactly one ``.ifc``, encrypted, damaged or too large.
    """
    if not first_bytes(path).startswith(_ZIP_HEADS):
        yield path, str(path)
        return
    with tempfile.TemporaryDirectory(prefix="vidgen-ifczip-") as folder:
        into = Path(folder) / "model.ifc"
        member = _unpack(path, into)
        yield into, f"{path}: {member}"


def _unpack(path: Path, into: Path) -> str:
    """Write the one model of an archive; its name in there."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(path, archive)
            if member.flag_bits & 1:
                raise ConfigError(f"{path}: {member.filename}: is encrypted; export it without a password")
            with archive.open(member) as source, into.open("wb") as sink:
                _copy(path, source, sink)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as err:
        raise ConfigError(f"{path}: the archive cannot be read: {err}; copy or export it again") from err
    return member.filename


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = [item for item in archive.infolist() if PurePosixPath(item.filename).suffix.lower() == ".ifc"]
    if len(found) == 1:
        return found[0]
    names = archive.namelist()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    raise ConfigError(
        f"{path}: the archive holds {', '.join(names[:_NAMED]) or 'nothing'}{more}, expected exactly one .ifc; "
        "unpack it, or export the model as .ifc (ifcXML is not read)"
    )


def _copy(path: Path, source: IO[bytes], sink: IO[bytes]) -> None:
    size = 0
    while block := source.read(_BLOCK_BYTES):
        size += len(block)
        if size > LARGEST_BYTES:
            raise ConfigError(
                f"{path}: the model in the archive has over {LARGEST_BYTES >> 20} MB; export architecture only"
            )
        sink.write(block)
