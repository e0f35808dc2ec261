# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who may validate scenarios and judge frames, by public key."""

from __future__ import annotations

from pathlib import Path

from vidgen_nodes.custody.note import VerifierKey
from vidgen_nodes.custody.persons import Person, check_distinct, load_persons

SCENARIO, FRAMES = "scenario", "frames"


class Reviewers:
    """The persons whose word counts."""

    def __init__(self, persons: tuple[Person, ...] = ()) -> None:
        """Index the persons; none: nobody's word counts.

        Raises:
            ConfigError: a person, a name of a key or a key that stands there twice.
        """
        check_distinct(persons, "reviewers")
        self.persons = persons
        self._by_key = {str(key): person for person in persons for key in person.keys}

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
        return cls(load_persons(path, "reviewers", (SCENARIO, FRAMES)))
