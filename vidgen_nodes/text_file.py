# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Texts that people hand in (scenarios, buildings): files of bounded size, and YAML that cannot break its reader.

Guarantees: only ordinary files are opened, so that no pipe or device makes a reader wait or swell; each key of a
mapping stands once; nesting, merges, numbers and aliases that would exhaust the process are a ``ConfigError``, and so
is whatever else cannot be read. What is wrong with the content, whoever reads it says.
"""

from __future__ import annotations

import reprlib
import stat
from pathlib import Path
from typing import Any

import yaml

from vidgen_nodes.errors import ConfigError

_MOST_MERGED = 10_000  # keys of one mapping after its merges (<<): they may grow as a power of the text
_LONGEST_SHOWN = 80  # characters


def read_text(path: Path, most_bytes: int, what_to_do: str) -> str:
    """A file of UTF-8 text.

    Args:
        path: of it; links are followed.
        most_bytes: larger ones are refused unread.
        what_to_do: where it is larger.

    Raises:
        ConfigError: not an ordinary file, too large, unreadable or not UTF-8.
    """
    try:
        refuse_special(path)
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise ConfigError(
                f"{path}: got more than {most_bytes >> 10} kB, expected at most that; {what_to_do}"
            )
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {err}") from err


def refuse_special(path: Path) -> None:
    """Refuse pipes, devices and sockets, which may never end or never begin; folders and files pass.

    Raises:
        ConfigError: it is one.
        OSError: it cannot be looked at.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ConfigError(f"{path}: is a pipe, a device or a socket; expected an ordinary file")


def parse_yaml(content: str) -> Any:
    """What a YAML text says; keys given twice are refused, tags of Python objects too.

    Raises:
        ConfigError: it is no YAML, or more than a reader should bear.
    """
    try:
        return yaml.load(content, Loader=_CarefulLoader)  # noqa: S506 - a SafeLoader
    except RecursionError as err:
        raise ConfigError("cannot be read as YAML: it is nested too deeply, or in itself") from err
    except (yaml.YAMLError, ValueError) as err:
        raise ConfigError(f"cannot be read as YAML: {err}") from err


def shown(value: object) -> str:
    """A value for a message: short, whatever it is."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # a number of more digits than Python writes
        text = f"a number of {value.bit_length()} bits" if isinstance(value, int) else "too much to be shown"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = _LONGEST_SHOWN
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxtuple = 8


class _CarefulLoader(yaml.SafeLoader):
    """Written in Python on purpose: the C library's loader ends the process where a text is nested too deeply."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._seen: set[int] = set()  # nodes, which live as long as their loader's document

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names, once the keys of the mapping itself were looked at."""
        if id(node) not in self._seen:
            self._seen.add(id(node))
            _refuse_doubles(node)
        super().flatten_mapping(node)
        if len(node.value) > _MOST_MERGED:
            raise ConfigError(
                f"merges (<<) make more than {_MOST_MERGED} keys{node.start_mark}; write them out"
            )


def _refuse_doubles(node: yaml.MappingNode) -> None:
    """YAML would silently take the last of two."""
    known: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in known:
                raise ConfigError(f"{shown(key.value)}: given twice{node.start_mark}; expected once")
            known.add(key.value)
