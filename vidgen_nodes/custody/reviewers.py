# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who may validate scenarios and judge frames, by public key.

Guarantees: a key belongs to one person and a name to one key. Leaves out where the private keys are: they never come
near the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.errors import ConfigError, VerificationError

SCENARIO, FRAMES = "scenario", "frames"
_MAY = (SCENARIO, FRAMES)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person and their keys."""

    name: str
    may: frozenset[str]
    keys: tuple[VerifierKey, ...]


class Reviewers:
    """The persons whose word counts."""

    def __init__(self, persons: tuple[Reviewer, ...] = ()) -> None:
        """Index the persons; none: nobody's word counts.

        Raises:
            ConfigError: a person, a name of a key or a key that stands there twice.
        """
        if len({person.name for person in persons}) != len(persons):
            raise ConfigError(
                "reviewers: a person stands there twice; give all keys of a person in one entry"
            )
        self.persons = persons
        self._by_key: dict[str, Reviewer] = {}
        names: set[str] = set()
        publics: set[bytes] = set()
        for person in persons:
            for key in person.keys:
                if key.name in names or key.public in publics:
                    raise ConfigError(f"reviewers: the key {key.name} stands there twice")
                names.add(key.name)
                publics.add(key.public)
                self._by_key[str(key)] = person

    def keys(self, task: str) -> tuple[VerifierKey, ...]:
        """Keys of those who may do ``SCENARIO`` or ``FRAMES``."""
        return tuple(key for person in self.persons if task in person.may for key in person.keys)

    def person(self, key: VerifierKey) -> str:
        """Whose key it is; empty: nobody's."""
        found = self._by_key.get(str(key))
        return found.name if found else ""

    def listed(self) -> list[list[str]]:
        """Name, what they may and key, as the ledger records it."""
        rows = [[p.name, " ".join(sorted(p.may)), str(key)] for p in self.persons for key in p.keys]
        return sorted(rows)

    @classmethod
    def load(cls, path: Path) -> Reviewers:
        """Read ``reviewers: [{name, may: [scenario, frames], keys: [NAME+ID+KEY]}]``.

        Raises:
            ConfigError: it cannot be read, or says something else.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
            raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
        rows = content.get("reviewers") if isinstance(content, dict) else None
        if not isinstance(rows, list) or not rows:
            raise ConfigError(f"{path}: expected a list 'reviewers' of name, may and keys")
        return cls(tuple(_reviewer(path, row) for row in rows))


def _reviewer(path: Path, row: object) -> Reviewer:
    if not isinstance(row, dict) or set(row) != {"name", "may", "keys"}:
        raise ConfigError(f"{path}: got {row!r:.80}, expected name, may and keys")
    name, may, keys = row["name"], row["may"], row["keys"]
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{path}: got the name {name!r}, expected text")
    if not isinstance(may, list) or not may or not all(item in _MAY for item in may):
        raise ConfigError(f"{path}: {name}: may: got {may!r:.80}, expected some of {', '.join(_MAY)}")
    if not isinstance(keys, list) or not keys:
        raise ConfigError(f"{path}: {name}: expected at least one key as 'vidgen review key' prints it")
    try:
        parsed = tuple(VerifierKey.parse(str(key)) for key in keys)
    except VerificationError as err:
        raise ConfigError(f"{path}: {name}: {err}") from err
    if any(key.kind != NOTE for key in parsed):
        raise ConfigError(f"{path}: {name}: a witness's key cannot sign reviews")
    return Reviewer(name, frozenset(may), parsed)
