# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.scene.reaction_to_fire import parse_fire_label


@pytest.mark.parametrize(
    ("text", "system", "grade", "burns"),
    [
        ("A2-s1,d0", "EN 13501", "A2", False),
        ("A2 - s1, d0", "EN 13501", "A2", False),
        ("a1", "EN 13501", "A1", False),
        ("Euroclass D-s2,d0", "EN 13501", "D", True),
        ("EN 13501-1: B-s1,d0", "EN 13501", "B", True),
        ("Bfl-s1", "EN 13501", "Bfl", True),
        ("A2fl-s1", "EN 13501", "A2fl", False),
        ("B2ca-s1a,d1,a1", "EN 13501", "B2ca", True),
        ("F", "EN 13501", "F", None),
        ("Class B", "EN 13501 or ASTM E84", "B", True),
        ("B1", "DIN 4102", "B1", True),
        ("DIN 4102-1 B2", "DIN 4102", "B2", True),
        ("M0", "NF P 92-507", "M0", False),
        ("M2", "NF P 92-507", "M2", True),
        ("Class 0", "BS 476", "class 0", None),
        ("Class 1", "BS 476", "class 1", None),
        ("BS 476 Part 7: Class 3", "BS 476", "class 3", True),
        ("Class A", "ASTM E84", "class A", None),
        ("Class I", "ASTM E84", "class I", None),
        ("class III", "ASTM E84", "class III", True),
        ("FSI 25", "ASTM E84", "FSI 25", None),
        ("Flame spread index: 100", "ASTM E84", "FSI 100", True),
        ("Non-combustible", "plain words", "noncombustible", False),
        ("non combustible", "plain words", "noncombustible", False),
        ("nicht brennbar", "plain words", "nicht brennbar", False),
        ("combustible", "plain words", "combustible", True),
        ("_FIRE-RATING_", "not understood", "", None),
        ("", "not understood", "", None),
        ("see drawing A2", "not understood", "", None),
    ],
)
def test_labels(text, system, grade, burns):
    label = parse_fire_label(text)
    assert (label.system, label.grade, label.burns) == (system, grade, burns)
    assert label.text == text


@pytest.mark.parametrize(
    "text",
    [
        *("REI 60", "REI60", "EI 30", "EI30", "E30", "E 120", "F90", "F30-A", "R 90", "FD30", "FD30S", "2HR"),
        *("2 hr", "1.5 hours", "60 min", "60min", "EI2 30-C5", "EW 60", "120/120 min"),
    ],
)
def test_resistance_to_fire_is_not_reaction_to_fire(text):
    label = parse_fire_label(text)
    assert label.burns is None
    assert label.system in ("fire resistance", "not understood")


@given(st.text(max_size=40))
def test_any_text_gives_an_answer_and_case_does_not_count(text):
    label = parse_fire_label(text)
    assert label.burns in (True, False, None)
    if text.isascii():
        assert parse_fire_label(text.upper()).burns == label.burns


@given(
    st.sampled_from(["A1", "A2"]), st.sampled_from(["", "-s1", "-s2"]), st.sampled_from(["", ",d0", ", d1"])
)
def test_smoke_and_droplets_do_not_change_whether_it_burns(grade, smoke, droplets):
    assert parse_fire_label(grade + smoke + droplets).burns is False
