# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vidgen_nodes.actuation.roster import Roster
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import COSIGNATURE, NOTE, VerifierKey
from vidgen_nodes.errors import ConfigError

ANN, BOB = (str(VerifierKey(name, NOTE, FileKey.generate().public)) for name in ("ann", "bob"))
WITNESS = str(VerifierKey("w", COSIGNATURE, FileKey.generate().public))


def roster(path: Path, text: str) -> Roster:
    (path / "roster.yaml").write_text(text)
    return Roster.load(path / "roster.yaml")


def test_persons_are_found_by_their_key(tmp_path: Path) -> None:
    made = roster(
        tmp_path,
        f"persons:\n- {{name: Ann, may: [propose], keys: ['{ANN}']}}\n"
        f"- {{name: Bob, may: [approve], keys: ['{BOB}']}}\n",
    )
    assert made.by_key["ann"][0].name == "Ann"
    assert made.by_key["bob"][0].may == {"approve"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "persons"),
        ("persons: []", "persons"),
        ("persons: [5]", "name, may and keys"),
        (f"persons: [{{name: Ann, may: [rule], keys: ['{ANN}']}}]", "expected some of propose, approve"),
        ("persons: [{name: Ann, may: [propose], keys: []}]", "at least one key"),
        ("persons: [{name: Ann, may: [propose], keys: [nonsense]}]", "NAME+ID+KEY"),
        (f"persons: [{{name: Ann, may: [propose], keys: ['{WITNESS}']}}]", "witness"),
        (
            f"persons: [{{name: A, may: [propose], keys: ['{ANN}']}}, {{name: B, may: [approve], keys: ['{ANN}']}}]",
            "two persons need two keys",
        ),
        (
            f"persons: [{{name: A, may: [propose], keys: ['{ANN}']}}, {{name: A, may: [approve], keys: ['{BOB}']}}]",
            "in one entry",
        ),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused_with_its_reason(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words.replace("+", r"\+")):
        roster(tmp_path, text)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Roster.load(tmp_path / "none.yaml")
