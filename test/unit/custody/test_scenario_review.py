# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidgen_nodes.custody.digest import RunDigests, run_digests
from vidgen_nodes.custody.dsse import Envelope
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.persons import Person
from vidgen_nodes.custody.reviewers import FRAMES, SCENARIO, Reviewers
from vidgen_nodes.custody.scenario_review import (
    Opinion,
    ScenarioReviews,
    check_review,
    scenario_reviews,
    sign_review,
    subjects_of,
)
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.packets import Ignition, Scenario
from vidgen_nodes.params import NodeParams, make_params

KEY, FRAMES_KEY = FileKey.generate(), FileKey.generate()
WHO = Reviewers(
    (
        Person("Alice", frozenset({SCENARIO}), (VerifierKey("alice", NOTE, KEY.public),)),
        Person("Bob", frozenset({FRAMES}), (VerifierKey("bob", NOTE, FRAMES_KEY.public),)),
    )
)
FIRE = Ignition("roof", (1.0, 2.0, 3.0), 0.0, 0.05, 2000.0, 1.5, 0.3, 0.1, 18000.0, 1.2)
DRILL = Scenario("attic", 0, 7, 293.15, (FIRE,), True)
NUMBERS = {
    "scenario": {"seed": [7, "", "scenario"], "start_ns": [0, "ns", "scenario"]},
    "model": {"width": [0.5, "m", "assumed"]},
}
GOOD = Opinion("accept", "", 12.0, 1_800_000_000)


def digests(**generator: Any) -> RunDigests:
    return run_digests(NodeParams(generator=make_params(type(NodeParams().generator), generator)), None)


def signed(opinion: Opinion = GOOD, key: FileKey = KEY, name: str = "alice") -> bytes:
    return sign_review(subjects_of(DRILL, NUMBERS, digests()), DRILL.name, opinion, name, key).encode()


def test_review_of_exactly_this_is_by_a_person() -> None:
    assert check_review(signed(), subjects_of(DRILL, NUMBERS, digests()), WHO) == "Alice"


def test_when_a_scenario_starts_and_under_which_policy_is_no_part_of_it() -> None:
    later = {**NUMBERS, "scenario": {**NUMBERS["scenario"], "start_ns": [99, "ns", "scenario"]}}
    run = digests(require_review=True, scenario_start_ns=99, mission="drill", origin="sim", ledger="x.db")
    assert subjects_of(replace(DRILL, start_ns=99), later, run) == subjects_of(DRILL, NUMBERS, digests())


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "cellar"), ("seed", 8), ("ambient_k", 294.15), ("debris", False), ("ignitions", ())],
)
def test_another_scenario_needs_another_review(field: str, value: object) -> None:
    other = dataclasses.replace(DRILL, **{field: value})
    with pytest.raises(VerificationError, match="of another scenario"):
        check_review(signed(), subjects_of(other, NUMBERS, digests()), WHO)


def test_another_fire_another_number_or_another_rule_needs_another_review() -> None:
    hotter = replace(DRILL, ignitions=(replace(FIRE, peak_kw=2001.0),))
    with pytest.raises(VerificationError, match="of another scenario"):
        check_review(signed(), subjects_of(hotter, NUMBERS, digests()), WHO)
    wider = {**NUMBERS, "model": {"width": [0.6, "m", "assumed"]}}
    with pytest.raises(VerificationError, match="of another physics"):
        check_review(signed(), subjects_of(DRILL, wider, digests()), WHO)
    with pytest.raises(VerificationError, match="of another parameters"):
        check_review(signed(), subjects_of(DRILL, NUMBERS, digests(tau_uncertainty=0.4)), WHO)


def test_other_software_needs_another_review() -> None:
    changed = dataclasses.replace(digests(), software={**digests().software, "source_sha256": "00"})
    with pytest.raises(VerificationError, match="of another software"):
        check_review(signed(), subjects_of(DRILL, NUMBERS, changed), WHO)
    elsewhere = dataclasses.replace(digests(), software={**digests().software, "cpu_flags": ["none"]})
    assert check_review(signed(), subjects_of(DRILL, NUMBERS, elsewhere), WHO)


def test_rejected_forged_and_unauthorised_reviews_do_not_count() -> None:
    subjects = subjects_of(DRILL, NUMBERS, digests())
    with pytest.raises(VerificationError, match="verdict is 'reject'"):
        check_review(signed(Opinion("reject", "", 3.0, 1)), subjects, WHO)
    with pytest.raises(VerificationError, match="none of the keys"):
        check_review(signed(key=FRAMES_KEY, name="bob"), subjects, WHO)
    with pytest.raises(VerificationError, match="none of the keys"):
        check_review(signed(key=FileKey.generate()), subjects, WHO)
    envelope = Envelope.decode(signed(Opinion("reject", "", 3.0, 1)))
    turned = replace(envelope, payload=envelope.payload.replace(b'"reject"', b'"accept"'))
    with pytest.raises(VerificationError, match="does not verify"):
        check_review(turned.encode(), subjects, WHO)


@pytest.mark.parametrize("required", [False, True])
def test_policy_decides_what_happens_without_a_review(required: bool) -> None:
    reviews = ScenarioReviews(digests(), WHO, required=required)
    assert reviews.of(DRILL, NUMBERS) == (None if required else b"")
    assert "no review" in reviews.fault
    assert reviews.of(None, {}) == b""
    reviews.statement = signed()
    assert reviews.of(DRILL, NUMBERS) == signed()
    assert (reviews.person, reviews.fault) == ("Alice", "")
    assert reviews.of(replace(DRILL, seed=8), NUMBERS) == (None if required else b"")
    assert "another scenario" in reviews.fault


def test_parameters_name_files_that_are_there(tmp_path: Path) -> None:
    def reviews(**values: Any) -> ScenarioReviews:
        return scenario_reviews(make_params(type(NodeParams().generator), values), digests())

    assert reviews().of(DRILL, NUMBERS) == b""
    assert reviews().recorded == {}
    for values in ({"require_review": True}, {"review_file": "ok.json"}):
        with pytest.raises(ConfigError, match="reviewers_file"):
            reviews(**values)
    people = tmp_path / "people.yaml"
    people.write_text(
        f"reviewers: [{{name: Alice, may: [scenario], keys: ['{VerifierKey('alice', NOTE, KEY.public)}']}}]"
    )
    with pytest.raises(ConfigError, match="review_file"):
        reviews(reviewers_file=str(people), review_file=str(tmp_path / "none.json"))
    (tmp_path / "ok.json").write_bytes(signed())
    found = reviews(reviewers_file=str(people), review_file=str(tmp_path / "ok.json"), require_review=True)
    assert found.of(DRILL, NUMBERS) == signed()
    assert found.recorded["require_review"] is True
