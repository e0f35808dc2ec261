# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons and their public keys, as a file names them: reviewers, and those who sign commands.

Guarantees: a key belongs to one person and a name to one key. Leaves out what a person's word is good for, and where
the private keys are: they never come near the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.errors import ConfigError, VerificationError


@dataclass(frozen=True, slots=True)
class Person:
    """One person; several keys may be theirs, and count as one."""

    name: str
    may: frozenset[str]
    keys: tuple[VerifierKey, ...]


def check_distinct(persons: Sequence[Person], what: str) -> None:
    """Refuse a person, a name of a key or a key that stands there twice.

    Args:
        persons: all of them.
        what: the list, as messages name it.

    Raises:
        ConfigError: one does.
    """
    if len({person.name for person in persons}) != len(persons):
        raise ConfigError(f"{what}: a person stands there twice; give all keys of a person in one entry")
    names: set[str] = set()
    publics: set[bytes] = set()
    for key in (key for person in persons for key in person.keys):
        if key.name in names or key.public in publics:
            raise ConfigError(f"{what}: the key {key.name} stands there twice; two persons need two keys")
        names.add(key.name)
        publics.add(key.public)


def load_persons(path: Path, what: str, tasks: Sequence[str]) -> tuple[Person, ...]:
    """Read ``<what>: [{name, may: [tasks], keys: [NAME+ID+KEY]}]``.

    Args:
        path: YAML.
        what: name of the list.
        tasks: what a person may be allowed.

    Raises:
        ConfigError: it cannot be read, or says something else.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
    rows = content.get(what) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{path}: expected a list '{what}' of name, may and keys")
    return tuple(_person(path, row, tasks) for row in rows)


def _person(path: Path, row: object, tasks: Sequence[str]) -> Person:
    if not isinstance(row, dict) or set(row) != {"name", "may", "keys"}:
        raise ConfigError(f"{path}: got {row!r:.80}, expected name, may and keys")
    name, may, keys = row["name"], row["may"], row["keys"]
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{path}: got the name {name!r}, expected text")
    if not isinstance(may, list) or not may or not all(item in tasks for item in may):
        raise ConfigError(f"{path}: {name}: may: got {may!r:.80}, expected some of {', '.join(tasks)}")
    if not isinstance(keys, list) or not keys:
        raise ConfigError(f"{path}: {name}: expected at least one key as 'vidgen review key' prints it")
    try:
        parsed = tuple(VerifierKey.parse(str(key)) for key in keys)
    except VerificationError as err:
        raise ConfigError(f"{path}: {name}: {err}") from err
    if any(key.kind != NOTE for key in parsed):
        raise ConfigError(f"{path}: {name}: a witness's key signs tree heads and nothing else")
    return Person(name, frozenset(may), parsed)
