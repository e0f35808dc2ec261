# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import COSIGNATURE, NOTE, VerifierKey
from vidgen_nodes.custody.reviewers import FRAMES, SCENARIO, Reviewers
from vidgen_nodes.errors import ConfigError

ALICE, BOB = (VerifierKey(name, NOTE, FileKey.generate().public) for name in ("alice", "bob"))


def load(tmp_path: Path, text: str) -> Reviewers:
    path = tmp_path / "reviewers.yaml"
    path.write_text(text, encoding="utf-8")
    return Reviewers.load(path)


def test_who_may_do_what(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        f"reviewers:\n- {{name: Alice, may: [scenario], keys: ['{ALICE}']}}\n"
        f"- {{name: Bob, may: [frames, scenario], keys: ['{BOB}']}}\n",
    )
    assert found.keys(SCENARIO) == (ALICE, BOB)
    assert found.keys(FRAMES) == (BOB,)
    assert (found.person(ALICE), found.person(VerifierKey("eve", NOTE, bytes(32)))) == ("Alice", "")
    assert found.listed() == [["Alice", "scenario", str(ALICE)], ["Bob", "frames scenario", str(BOB)]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("reviewers: []", "expected a list"),
        ("persons: [{}]", "expected a list"),
        ("reviewers: [{name: A}]", "expected name, may and keys"),
        (f"reviewers: [{{name: '', may: [frames], keys: ['{ALICE}']}}]", "expected text"),
        (f"reviewers: [{{name: A, may: [fly], keys: ['{ALICE}']}}]", "expected some of"),
        (f"reviewers: [{{name: A, may: [[frames]], keys: ['{ALICE}']}}]", "expected some of"),
        ("reviewers: [{name: A, may: [frames], keys: []}]", "at least one key"),
        ("reviewers: [{name: A, may: [frames], keys: [nonsense]}]", "NAME\\+ID\\+KEY"),
        ("reviewers: [", "YAML"),
        (
            f"reviewers: [{{name: A, may: [frames], keys: ['{VerifierKey('w', COSIGNATURE, bytes(32))}']}}]",
            "witness",
        ),
        (
            (
                f"reviewers: [{{name: A, may: [frames], keys: ['{ALICE}']}}, "
                f"{{name: B, may: [frames], keys: ['{ALICE}']}}]"
            ),
            "stands there twice",
        ),
        (
            (
                f"reviewers: [{{name: A, may: [frames], keys: ['{ALICE}']}}, "
                f"{{name: A, may: [frames], keys: ['{BOB}']}}]"
            ),
            "one entry",
        ),
    ],
)
def test_file_that_says_something_else_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, rows)
