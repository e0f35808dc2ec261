# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Texts that people hand in: none of them may hang, swell or end the process that reads it."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.text_file import parse_yaml, read_text, shown

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
MERGE_BOMB = "- &a {k: 1, l: 2}\n" + "".join(
    f"- &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: Übung 1\n", encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to(path)
    assert read_text(path, 100, "") == "name: Übung 1\n"
    assert read_text(tmp_path / "link.yaml", 15, "") == "name: Übung 1\n"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"pipe\.yaml: is a pipe, a device or a socket"):
        read_text(tmp_path / "pipe.yaml", 100, "")


def test_a_link_to_a_device_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="expected an ordinary file"):
        read_text(tmp_path / "zero.yaml", 100, "")


def test_a_file_over_its_bound_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * 3001)
    with pytest.raises(ConfigError, match=r"got more than 2 kB, expected at most that; cut it"):
        read_text(tmp_path / "big.yaml", 3000, "cut it")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.yaml: cannot be read as UTF-8 text"):
        read_text(path, 100, "")


@pytest.mark.parametrize("content", ["[" * 5000 + "]" * 5000, "\n".join(f"{' ' * n}a:" for n in range(1500))])
def test_nesting_without_end_is_refused(content: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply, or in itself"):
        parse_yaml(content)


def test_merges_that_grow_as_a_power_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"merges .* make more than 10000 keys"):
        parse_yaml(MERGE_BOMB)


def test_aliases_that_grow_as_a_power_are_shown_short() -> None:
    assert len(shown(parse_yaml(BOMB))) <= 80


def test_a_key_given_twice_is_refused_and_one_that_overrides_a_merge_is_not() -> None:
    with pytest.raises(ConfigError, match="'combustible': given twice"):
        parse_yaml("combustible: false\ncombustible: true\n")
    assert parse_yaml("[&a {k: 1, l: 2}, &b {<<: *a, k: 3}, {<<: *b, l: 4}]")[1:] == [
        {"k": 3, "l": 2},
        {"k": 3, "l": 4},
    ]


def test_objects_are_not_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        parse_yaml(f"!!python/object/apply:os.system ['touch {made}']")
    assert not made.exists()


@pytest.mark.parametrize("content", ["9" * 20000, "2026-99-99", "'", "a: b: c", "\0"])
def test_what_is_no_yaml_is_a_config_error(content: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        parse_yaml(content)


@given(st.text(alphabet="[]{}&*a:<,-'\"!#|>%@\n \t0x.~?", max_size=60))
def test_any_text_is_read_or_refused(content: str) -> None:
    with suppress(ConfigError):
        shown(parse_yaml(content))


def test_a_number_that_python_does_not_write_is_shown_by_its_size() -> None:
    assert shown(2**40000) == "a number of 40001 bits"
    assert shown([2**40000]) == "too much to be shown"


@given(
    st.one_of(
        st.booleans(), st.integers(-(10**9), 10**9), st.floats(), st.text(max_size=20), st.binary(max_size=9)
    )
)
def test_what_is_short_is_shown_as_it_is(value: object) -> None:
    if len(repr(value)) < 60:
        assert shown(value) == repr(value)
    assert len(shown(value)) <= 80


def test_not_a_number_is_shown() -> None:
    assert shown(math.nan) == "nan"
