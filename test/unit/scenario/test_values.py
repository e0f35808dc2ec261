# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of named things in a scenario."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scenario.values import named_list, text


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
