# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who may propose and who may approve a command, by public key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidgen_nodes.custody.note import VerifierKey
from vidgen_nodes.custody.persons import Person, check_distinct, load_persons

PROPOSE, APPROVE = "propose", "approve"


class Roster:
    """Persons by the name of their key."""

    def __init__(self, persons: tuple[Person, ...]) -> None:
        """Index the persons.

        Raises:
            ConfigError: a person, a name of a key or a key that stands there twice.
        """
        check_distinct(persons, "roster")
        self.by_key: Mapping[str, tuple[Person, VerifierKey]] = {
            key.name: (person, key) for person in persons for key in person.keys
        }

    @classmethod
    def load(cls, path: Path) -> Roster:
        """Read ``persons: [{name, may: [propose, approve], keys: [NAME+ID+KEY]}]``.

        Raises:
            ConfigError: it cannot be read, or says something else.
        """
        return cls(load_persons(path, "persons", (PROPOSE, APPROVE)))
