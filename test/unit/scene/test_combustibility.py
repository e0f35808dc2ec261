# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.scene.combustibility import Evidence, property_evidence, weigh

EVIDENCE = st.lists(st.builds(Evidence, st.text(min_size=1, max_size=5), st.booleans()), max_size=5)


@given(EVIDENCE)
def test_only_agreement_is_an_answer_and_order_does_not_count(evidence):
    verdict = weigh(evidence)
    said = {item.burns for item in evidence}
    assert verdict.burns is (said.pop() if len(said) == 1 else None)
    assert weigh(reversed(evidence)) == verdict
    assert verdict.decided_by


def test_nothing_known_is_no_data_and_a_contradiction_says_so():
    assert weigh([]).decided_by.startswith("no data")
    verdict = weigh([Evidence("a", True), Evidence("b", False)])
    assert verdict.burns is None
    assert verdict.decided_by == "a contradiction: a; b"


def test_fire_rating_is_never_evidence():
    for value in ("REI 60", "A1", "combustible", True, False):
        assert property_evidence("Pset_WallCommon.FireRating", value, is_one_material=True) is None


def test_combustible_true_is_about_the_whole_and_false_about_every_layer():
    name = "Pset_WallCommon.Combustible"
    assert property_evidence(name, True, is_one_material=False) is None
    assert property_evidence(name, True, is_one_material=True).burns is True
    assert property_evidence(name, False, is_one_material=False).burns is False
    assert property_evidence(name, "perhaps", is_one_material=True) is None
    assert property_evidence(name, None, is_one_material=True) is None
