# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A named person's signed word that a scenario and its physics may be drawn.

Bound to the scenario (whenever it starts), every physics number of its fires, the parameters that decide the picture,
and the source code: any of them changed, and the scenario has to be validated again. Guarantees: with
``generator.require_review`` nothing is drawn without such a word by a key of the reviewers file. Leaves out whether
the person looked (``cli/review.py`` shows every number and counts the seconds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidgen_nodes.custody.digest import RunDigests, canonical, dataclass_record, sha256
from vidgen_nodes.custody.dsse import Envelope, verify
from vidgen_nodes.custody.identity import PRIVACY
from vidgen_nodes.custody.note import SigningKey
from vidgen_nodes.custody.reviewers import SCENARIO, Reviewers
from vidgen_nodes.custody.statement import Statement, read_statement, sign_statement
from vidgen_nodes.errors import ConfigError, VerificationError
from vidgen_nodes.generation.physics_record import entry, parameters_sha256
from vidgen_nodes.packets import Scenario
from vidgen_nodes.params import GeneratorParams

PREDICATE = "urn:vidgen:scenario-review:1"
ACCEPT, REJECT = "accept", "reject"
# The policy itself and the start of the run are no part of what was validated.
_NOT_VALIDATED = ("require_review", "scenario_start_ns")
_SOFTWARE = ("vidgen", "source_sha256")

Subjects = dict[str, bytes]


def subjects_of(scenario: Scenario, constants: Mapping[str, Any], digests: RunDigests) -> Subjects:
    """What a review is bound to, by SHA-256.

    Args:
        scenario: its start is left out: it is validated before anybody knows it.
        constants: every number of its fires (``World.constants``).
        digests: of parameters and software.
    """
    return {
        "scenario": sha256(dataclass_record(replace(scenario, start_ns=0))),
        "physics": parameters_sha256(_whenever(constants)),
        "parameters": sha256(canonical(validated_parameters(digests.config))),
        "software": sha256(canonical({name: digests.software.get(name) for name in _SOFTWARE})),
    }


def _whenever(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a scenario that starts at 0."""
    return {
        name: entry(0, *value[1:])
        if name == "start_ns"
        else _whenever(value)
        if isinstance(value, dict)
        else value
        for name, value in record.items()
    }


def validated_parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration record (``config_identity``) that a review is bound to."""
    generator = {n: v for n, v in dict(config["generator"]).items() if n not in _NOT_VALIDATED}
    decides = {node: values for node, values in config.items() if node != PRIVACY}
    return {**decides, "generator": generator}


@dataclass(frozen=True)
class Opinion:
    """What a reviewer says of a scenario."""

    verdict: str  # accept | reject
    comment: str
    seconds_viewed: float
    made_s: int  # Unix seconds by the reviewer's clock


def sign_review(
    subjects: Subjects, scenario_name: str, opinion: Opinion, name: str, key: SigningKey
) -> Envelope:
    """A review, signed by a key that goes by ``name``."""
    predicate = {
        "scenario": scenario_name,
        "verdict": opinion.verdict,
        "comment": opinion.comment,
        "seconds_viewed": round(opinion.seconds_viewed, 1),
        "reviewer": name,
        "made_s": opinion.made_s,
    }
    return sign_statement(Statement(subjects, PREDICATE, predicate), name, key)


def check_review(data: bytes, subjects: Subjects, reviewers: Reviewers) -> str:
    """Who validated exactly this.

    Returns:
        The person's name.

    Raises:
        VerificationError: nobody did; says what differs.
    """
    envelope = Envelope.decode(data)
    keys = verify(envelope, reviewers.keys(SCENARIO))
    statement = read_statement(envelope, PREDICATE)
    other = [name for name in subjects if statement.subjects.get(name) != subjects[name]]
    if other or len(statement.subjects) != len(subjects):
        raise VerificationError(
            f"the review is of another {', '.join(other) or 'thing'}; validate it as it is now: vidgen review scenario"
        )
    if statement.predicate.get("verdict") != ACCEPT:
        raise VerificationError(
            f"the review's verdict is {statement.predicate.get('verdict')!r:.40}, expected {ACCEPT!r}"
        )
    return reviewers.person(keys[0])


class ScenarioReviews:
    """Decides which scenario may be drawn. Used by the thread that makes the frames."""

    def __init__(
        self, digests: RunDigests, reviewers: Reviewers, *, required: bool, statement: bytes = b""
    ) -> None:
        """``statement``: the review at hand; ``required``: nothing is drawn without one that holds."""
        self._digests, self._reviewers, self._required = digests, reviewers, required
        self.statement = statement
        self.fault = ""  # why the review does not hold; empty: it does, or there is no scenario
        self.person = ""  # who validated the scenario in force

    @property
    def recorded(self) -> dict[str, object]:
        """What the leaf that opens a segment says of it: who may review; empty if nobody may."""
        listed = self._reviewers.listed()
        return {"reviewers": listed, "require_review": self._required} if listed else {}

    @property
    def reviewers(self) -> Reviewers:
        """Whose word counts."""
        return self._reviewers

    @property
    def state(self) -> tuple[bytes, str, str]:
        """Statement, fault and person: what is put back when a scenario is refused."""
        return self.statement, self.fault, self.person

    @state.setter
    def state(self, state: tuple[bytes, str, str]) -> None:
        self.statement, self.fault, self.person = state

    def of(self, scenario: Scenario | None, constants: Mapping[str, Any]) -> bytes | None:
        """The review of a scenario as ``compose_scene`` takes it: empty: none is asked; None: it may not be drawn."""
        self.fault = self.person = ""
        if scenario is None:
            return b""
        if not self.statement:
            self.fault = "there is no review; give generator.review_file, or one with the scenario"
            return None if self._required else b""
        try:
            subjects = subjects_of(scenario, constants, self._digests)
            self.person = check_review(self.statement, subjects, self._reviewers)
        except VerificationError as err:
            self.fault = str(err)
            return None if self._required else b""
        return self.statement


def scenario_reviews(params: GeneratorParams, digests: RunDigests) -> ScenarioReviews:
    """What the parameters say of reviews.

    Raises:
        ConfigError: a file that cannot be read, or a review without anybody whose word counts.
    """
    if not params.reviewers_file and (params.require_review or params.review_file):
        raise ConfigError("generator.reviewers_file: name who may review; without it nobody's review counts")
    reviewers = Reviewers.load(Path(params.reviewers_file)) if params.reviewers_file else Reviewers()
    statement = b""
    if params.review_file:
        try:
            statement = Path(params.review_file).read_bytes()
        except OSError as err:
            raise ConfigError(f"generator.review_file {params.review_file}: {err.strerror}") from err
    return ScenarioReviews(digests, reviewers, required=params.require_review, statement=statement)
