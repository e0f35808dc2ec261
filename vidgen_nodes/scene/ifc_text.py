# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The text of an IFC model (ISO 10303-21), looked at before the library reads it.

The library drops without a word what it cannot read: numbers that are none, and every letter that is not
ASCII and not escaped, so that a material in Chinese has no name; and one backslash that is not doubled, in the name of
the file or of anything in it, makes it refuse the whole. Guarantees: a whole file of a schema that we
read, with finite numbers; where texts or the name of the schema have to be written otherwise for the library,
that is done and said. Leaves out what the entities mean (``scene.ifc_file``).
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene.ifc_archive import HEAD_BYTES, LARGEST_BYTES, STEP_HEAD

READ = ("IFC2X3", "IFC4", "IFC4X3_ADD2")  # what the library knows
_END = b"END-ISO-10303-21"
_TAIL_BYTES = 65536  # some exporters fill up with blanks or zeros
_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_HEADER = re.compile(
    rb"ISO-10303-21;\s*HEADER\s*;.{0,200}?FILE_DESCRIPTION.*?FILE_NAME.*?FILE_SCHEMA.*?ENDSEC\s*;",
    re.DOTALL | re.IGNORECASE,
)
_DATA = re.compile(r"\bDATA\s*;", re.IGNORECASE)
_OUR_HEADER = (
    "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
    "FILE_SCHEMA(('{schema}'));\nENDSEC;\n"
)
_NOT_A_NUMBER = re.compile(rb"[(,]\s*[+-]?(?:nan|inf(?:inity)?|\d+\.#\w+)\s*[,)]", re.IGNORECASE)
# What files call a schema, addenda and corrections included. Drafts (RC) number their attributes otherwise.
_CALLED = (
    (re.compile(r"IFC2X3(?:_(?:TC\d|FINAL))?"), "IFC2X3"),
    (re.compile(r"IFC4(?:_(?:ADD\d|TC\d))*"), "IFC4"),
    (re.compile(r"IFC4X3(?:_(?:ADD\d|TC\d))*"), "IFC4X3_ADD2"),
)
# A backslash begins a directive of ISO 10303-21 (first), an empty one (1), or nothing (2), as in C:\\temp.
_BACKSLASH = re.compile(
    r"\\(?:\\|S\\.|P[A-I]\\|X\\[0-9A-Fa-f]{2}|X2\\(?:[0-9A-Fa-f]{4})+\\X0\\|X4\\(?:[0-9A-Fa-f]{8})+\\X0\\)"
    r"|(\\X[24]\\\\X0\\)|(\\)"
)
_BACKSLASH_BYTES = re.compile(_BACKSLASH.pattern.encode())
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_WIDE = re.compile(r"[^\x00-\x7f]+")
_RUN = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class IfcText:
    """What is known of the text of a model."""

    schema: str  # as the file calls it
    read_as: str  # one of READ
    content: str | None  # the whole text where the library cannot read the file as it is
    notes: tuple[str, ...]


def checked_text(path: Path, where: str) -> IfcText:
    """Look at a file.

    Args:
        path: the file.
        where: its name in messages.

    Raises:
        ConfigError: empty, too large, cut short, ifcXML, of another schema, or with numbers that are none.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ConfigError(
                f"{where}: got {size >> 20} MB, expected at most {LARGEST_BYTES >> 20} MB; export architecture only"
            )
        if size == 0:
            raise ConfigError(f"{where}: the file is empty; export it again")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            head = _head(where, data)
            schema, read_as = _schema(where, data)
            _check_numbers(where, data)
            has_wide = _NOT_ASCII.search(data, head) is not None
            has_header = _HEADER.match(data[head : head + HEAD_BYTES]) is not None
            is_bare = any(match[1] or match[2] for match in _BACKSLASH_BYTES.finditer(data, head))
    except OSError as err:
        raise ConfigError(f"{where}: cannot be read: {err}") from err
    if schema == read_as and has_header and not has_wide and not is_bare and head == 0:
        return IfcText(schema, read_as, None, ())
    notes = [] if schema.upper() == read_as else [f"schema {schema} was read as {read_as}"]
    content = _letters(path.read_bytes()[head:], notes, has_wide=has_wide, is_bare=is_bare)
    if has_header:
        content = content.replace(f"'{schema}'", f"'{read_as}'", 1)
    else:
        notes.append("the header is not whole; only the schema in it was read")
        begins = _DATA.search(content, content.find("FILE_SCHEMA"))
        content = _OUR_HEADER.format(schema=read_as) + (content[begins.start() :] if begins else "")
    return IfcText(schema, read_as, content, tuple(notes))


def _head(where: str, data: mmap.mmap) -> int:
    """Where the text begins, after marks and remarks; refused if it does not begin or end as one should."""
    begin = data[:HEAD_BYTES]
    if begin.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<?xml", b"<ifc", b"<Ifc", b"<ex:")):
        raise ConfigError(f"{where}: is ifcXML, which is not read; export it as .ifc (IFC-SPF) or .ifczip")
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{where}: is UTF-16, expected ASCII or UTF-8; export it again")
    found = STEP_HEAD.match(begin)
    if found is None:
        raise ConfigError(
            f"{where}: got {data[:20]!r}, expected ISO-10303-21: IFC as text (.ifc), or .ifczip"
        )
    if data.rfind(_END, max(0, len(data) - _TAIL_BYTES)) < 0:
        raise ConfigError(f"{where}: ends without END-ISO-10303-21: it is cut short; copy or export it again")
    return found.start(1)


def _schema(where: str, data: mmap.mmap) -> tuple[str, str]:
    """The schema as the file calls it, and as which it is read."""
    found = _SCHEMA.search(data[:HEAD_BYTES])
    schema = found[1].decode("latin-1").strip() if found else ""
    for pattern, read_as in _CALLED:
        if pattern.fullmatch(schema.upper()):
            return schema, read_as
    raise ConfigError(
        f"{where}: schema: got {schema!r}, expected one of {', '.join(READ)}; export as one of these"
    )


def _check_numbers(where: str, data: mmap.mmap) -> None:
    for match in _NOT_A_NUMBER.finditer(data):
        line_start = data.rfind(b"\n", 0, match.start()) + 1
        if data[line_start : match.start()].count(b"'") % 2 == 0:  # outside of a text
            text = data[match.start() : match.end()].decode("latin-1")
            entity = data[line_start : line_start + 12].split(b"=")[0].decode("latin-1")
            raise ConfigError(
                f"{where}: {entity}: got {text}, expected finite numbers; correct the element and export it again"
            )


def _letters(data: bytes, notes: list[str], *, has_wide: bool, is_bare: bool) -> str:
    """The text with every letter and backslash escaped that has to be."""
    encoding = _encoding(data) if has_wide else "ascii"
    content = data.decode(encoding)
    if is_bare:
        content = _BACKSLASH.sub(_doubled, content)
        notes.append("texts hold backslashes that begin no directive; they were taken for themselves")
    if has_wide:
        content = _WIDE.sub(lambda match: _escaped(match[0]), content)
        notes.append(f"texts hold letters that are not escaped; they were read as {encoding.upper()}")
    return content


def _doubled(match: re.Match[str]) -> str:
    if match[1]:
        return ""
    return "\\\\" if match[2] else match[0]


def _encoding(data: bytes) -> str:
    """UTF-8 where it fits; two bytes a letter (Chinese) where no single one stands alone; else Western."""
    for encoding in ("utf-8", "gb18030"):
        if encoding != "utf-8" and any(len(run[0]) % 2 for run in _RUN.finditer(data)):
            break
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"  # reads anything


def _escaped(text: str) -> str:
    r"""Letters as ISO 10303-21 has them: \X2\ and four digits each, or \X4\ and eight."""
    wide = any(ord(letter) > 0xFFFF for letter in text)
    digits = "".join(f"{ord(letter):08X}" if wide else f"{ord(letter):04X}" for letter in text)
    return f"\\X{4 if wide else 2}\\{digits}\\X0\\"
