# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who may propose and who may approve, by public key.

Guarantees: a key belongs to one person and a name to one key. Leaves out where keys are kept: a person's private
key never comes near this program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.errors import ConfigError, VerificationError

PROPOSE, APPROVE = "propose", "approve"
_MAY = (PROPOSE, APPROVE)


@dataclass(frozen=True, slots=True)
class Person:
    """One person; several keys may be theirs, and count as one."""

    name: str
    may: frozenset[str]
    keys: tuple[VerifierKey, ...]


class Roster:
    """Persons by the name of their key."""

    def __init__(self, persons: tuple[Person, ...]) -> None:
        """Index the persons.

        Raises:
            ConfigError: a person, a name of a key or a key that stands there twice.
        """
        self.by_key: Mapping[str, tuple[Person, VerifierKey]]
        by_key: dict[str, tuple[Person, VerifierKey]] = {}
        seen: set[bytes] = set()
        if len({person.name for person in persons}) != len(persons):
            raise ConfigError("roster: a person stands there twice; give all keys of a person in one entry")
        for person in persons:
            for key in person.keys:
                if key.name in by_key or key.public in seen:
                    raise ConfigError(
                        f"roster: the key {key.name} stands there twice; two persons need two keys"
                    )
                by_key[key.name] = (person, key)
                seen.add(key.public)
        self.by_key = by_key

    @classmethod
    def load(cls, path: Path) -> Roster:
        """Read ``persons: [{name, may: [propose, approve], keys: [NAME+ID+KEY]}]``.

        Raises:
            ConfigError: it cannot be read, or says something else.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
            raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
        rows = content.get("persons") if isinstance(content, dict) else None
        if not isinstance(rows, list) or not rows:
            raise ConfigError(f"{path}: expected a list 'persons' of name, may and keys")
        return cls(tuple(_person(path, row) for row in rows))


def _person(path: Path, row: object) -> Person:
    if not isinstance(row, dict) or set(row) != {"name", "may", "keys"}:
        raise ConfigError(f"{path}: got {row!r:.80}, expected name, may and keys")
    name, may, keys = row["name"], row["may"], row["keys"]
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{path}: got the name {name!r}, expected text")
    if not isinstance(may, list) or not may or not set(may) <= set(_MAY):
        raise ConfigError(f"{path}: {name}: may: got {may!r}, expected some of {', '.join(_MAY)}")
    if not isinstance(keys, list) or not keys:
        raise ConfigError(f"{path}: {name}: expected at least one key as 'vidgen keys' prints it")
    try:
        parsed = tuple(VerifierKey.parse(str(key)) for key in keys)
    except VerificationError as err:
        raise ConfigError(f"{path}: {name}: {err}") from err
    if any(key.kind != NOTE for key in parsed):
        raise ConfigError(f"{path}: {name}: a witness's key cannot sign commands")
    return Person(name, frozenset(may), parsed)
