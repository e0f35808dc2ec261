# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of named things in a scenario."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scenario.values import mapping, named_list, text


@dataclass(frozen=True)
class Thing:
    name: str


def thing(value: object, key: str) -> Thing:
    return Thing(text(value, key))


@given(st.lists(st.sampled_from("abcdef"), max_size=6))
def test_a_list_is_read_exactly_when_no_two_entries_share_a_name(names: list[str]) -> None:
    if len(set(names)) == len(names):
        assert [item.name for item in named_list(names, "things", "thing", thing)] == names
    else:
        with pytest.raises(
            ConfigError, match=r"things: got '.' \(str\), expected a different name for every thing"
        ):
            named_list(names, "things", "thing", thing)


@pytest.mark.parametrize("value", [None, {}, "ab", 3])
def test_what_is_no_list_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"things: got .*, expected a list \(it may be empty\)"):
        named_list(value, "things", "thing", thing)


def test_a_list_that_is_too_long_is_refused_with_its_bound() -> None:
    assert len(named_list(["a", "b"], "things", "thing", thing, 2)) == 2
    with pytest.raises(ConfigError, match="a list of at most 2"):
        named_list(["a", "b", "c"], "things", "thing", thing, 2)


def test_an_error_names_the_entry_by_its_place() -> None:
    with pytest.raises(ConfigError, match=r"things\[1\]: got ''"):
        named_list(["a", ""], "things", "thing", thing)


@pytest.mark.parametrize(("misspelt", "meant"), [("peek_kw", "peak_kw"), ("postion_m", "position_m")])
def test_a_misspelt_key_is_told_what_it_may_mean(misspelt: str, meant: str) -> None:
    known = frozenset({"name", "peak_kw", "position_m"})
    with pytest.raises(
        ConfigError, match=f"unknown key '{misspelt}', did you mean '{meant}'\\?; known: name, "
    ):
        mapping({misspelt: 1}, "fire", known, frozenset())


@pytest.mark.parametrize("key", ["wholly different", 3, None, "x" * 5000])
def test_a_key_close_to_none_is_told_the_known_ones(key: object) -> None:
    with pytest.raises(ConfigError, match=r"unknown key [^,]*; known: name$"):
        mapping({key: 1}, "fire", frozenset({"name"}), frozenset())


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "fire\u202etxt", "x" * 201])
def test_a_name_that_no_line_of_a_log_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"in one line|at most 200 characters"):
        text(name, "name")


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=200))
def test_names_of_any_script_are_taken(name: str) -> None:
    assert text(name, "name") == name
