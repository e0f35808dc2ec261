# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidgen_nodes.actuation.envelope import Envelope, SignedEnvelope
from vidgen_nodes.actuation.gate import ActuationGate
from vidgen_nodes.actuation.memory import GateMemory
from vidgen_nodes.actuation.roster import APPROVE, PROPOSE, Roster
from vidgen_nodes.custody.keys import FileKey
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.persons import Person
from vidgen_nodes.errors import ConfigError, InputError

NOW_NS = 1_800_000_000_000_000_000
LEAF = bytes(range(32))
KEYS = {name: FileKey.generate() for name in ("ann", "ann-2", "bob", "cyd", "eve")}
PARAMETERS = b"valve 3 closed"


def public(name: str) -> VerifierKey:
    return VerifierKey(name, NOTE, KEYS[name].public)


ROSTER = Roster(
    (
        Person("Ann", frozenset((PROPOSE, APPROVE)), (public("ann"), public("ann-2"))),
        Person("Bob", frozenset((APPROVE,)), (public("bob"),)),
        Person("Cyd", frozenset((PROPOSE,)), (public("cyd"),)),
    )
)


class Door:
    """A gate with a clock that the test sets."""

    def __init__(self, path: Path) -> None:
        self.path, self.now_ns = path, NOW_NS
        self.open()

    def open(self) -> None:
        self.memory = GateMemory(self.path)
        self.gate = ActuationGate(
            "unit-1", "mission-1", ROSTER, self.memory, clock_ns=lambda: self.now_ns,
            is_recorded=lambda index, leaf: (index, leaf) == (7, LEAF), heartbeat_timeout_ns=10**9,
        )  # fmt: skip
        self.gate.beat()

    def envelope(self, **changes: object) -> Envelope:
        good = Envelope(
            unit="unit-1", mission="mission-1", command="close_valve",
            parameters_sha256=hashlib.sha256(PARAMETERS).digest(), leaf_index=7, leaf_hash=LEAF,
            issued_ns=NOW_NS - 10**9, not_after_ns=NOW_NS + 10**9, counter=self.memory.counter + 1,
            nonce=bytes(16), epoch=self.gate.epoch,
        )  # fmt: skip
        return dataclasses.replace(good, **changes)  # type: ignore[arg-type]

    def refusal(self, data: bytes) -> str:
        before = self.memory.counter
        with pytest.raises(InputError) as caught:
            self.gate.admit(data)
        assert self.memory.counter == before
        return caught.value.reason


def signed(envelope: Envelope, *names: str, parameters: bytes = PARAMETERS) -> bytes:
    pairs = tuple((name, KEYS[name].sign(envelope.signed_bytes)) for name in names or ("ann", "bob"))
    return SignedEnvelope(envelope.encode(), parameters, pairs).encode()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "gate.db")
    yield made
    made.memory.close()


def test_what_two_persons_signed_in_time_is_obeyed_once(door: Door) -> None:
    data = signed(door.envelope())
    admitted = door.gate.admit(data)
    assert (admitted.proposer, admitted.approver, admitted.parameters) == ("Ann", "Bob", PARAMETERS)
    assert door.refusal(data) == "replayed"
    assert door.gate.refused == {"replayed": 1}


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unit", {"unit": "unit-2"}),
        ("mission", {"mission": "mission-2"}),
        ("epoch", {"epoch": 0}),
        ("evidence", {"leaf_hash": bytes(32)}),
        ("evidence", {"leaf_index": 8}),
        ("validity", {"not_after_ns": NOW_NS + 5 * 10**9}),
        ("validity", {"not_after_ns": NOW_NS - 2 * 10**9}),
        ("not_yet", {"issued_ns": NOW_NS + 10**9, "not_after_ns": NOW_NS + 2 * 10**9}),
        ("stale", {"issued_ns": NOW_NS - 4 * 10**9, "not_after_ns": NOW_NS - 1}),
        ("counter", {"counter": 0}),
    ],
)
def test_well_signed_and_still_refused(door: Door, reason: str, changes: dict[str, object]) -> None:
    assert door.refusal(signed(door.envelope(**changes))) == reason


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("signatures", ("ann",)),
        ("signatures", ("ann", "bob", "cyd")),
        ("same_person", ("ann", "ann-2")),
        ("same_person", ("ann", "ann")),
        ("role", ("bob", "ann")),
        ("role", ("ann", "cyd")),
        ("unknown_key", ("ann", "eve")),
    ],
)
def test_the_wrong_hands_are_refused(door: Door, reason: str, names: tuple[str, ...]) -> None:
    assert door.refusal(signed(door.envelope(), *names)) == reason


def test_a_signature_under_another_name_is_refused(door: Door) -> None:
    envelope = door.envelope()
    forged = (
        ("ann", KEYS["ann"].sign(envelope.signed_bytes)),
        ("bob", KEYS["eve"].sign(envelope.signed_bytes)),
    )
    assert door.refusal(SignedEnvelope(envelope.encode(), PARAMETERS, forged).encode()) == "signature"


def test_swapped_parameters_are_refused(door: Door) -> None:
    assert door.refusal(signed(door.envelope(), parameters=b"valve 3 open")) == "parameters"


def test_nothing_is_obeyed_after_the_operators_fell_silent(door: Door) -> None:
    door.now_ns += 10**9 - 1
    door.gate.admit(signed(door.envelope()))
    door.now_ns += 2
    assert door.refusal(signed(door.envelope(nonce=bytes([1] * 16)))) == "no_heartbeat"


def test_nothing_is_obeyed_before_the_first_heartbeat(door: Door) -> None:
    fresh = ActuationGate(
        "unit-1", "mission-1", ROSTER, door.memory, clock_ns=lambda: NOW_NS, is_recorded=lambda *_: True,
        heartbeat_timeout_ns=10**9,
    )  # fmt: skip
    with pytest.raises(InputError, match="silent"):
        fresh.admit(signed(door.envelope()))


def test_a_clock_set_back_closes_the_gate(door: Door) -> None:
    door.gate.admit(signed(door.envelope()))
    door.now_ns -= 10**9
    door.gate.beat()
    assert door.refusal(signed(door.envelope(nonce=bytes([2] * 16)))) == "clock_back"


def test_a_restart_leaves_nothing_over_that_was_signed_before(door: Door) -> None:
    waiting = signed(door.envelope(nonce=bytes([3] * 16), counter=5))
    door.gate.admit(signed(door.envelope()))
    door.memory.close()
    door.open()
    assert door.refusal(waiting) == "epoch"
    assert door.memory.counter == 1
    door.gate.admit(signed(door.envelope(nonce=bytes([4] * 16))))


def test_a_memory_that_cannot_be_written_moves_nothing(door: Door) -> None:
    data = signed(door.envelope())
    door.memory._db.execute("PRAGMA query_only=ON")
    assert door.refusal(data) == "memory"


def test_two_gates_cannot_share_a_memory(door: Door) -> None:
    with pytest.raises(ConfigError, match="another gate"):
        GateMemory(door.path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_is_obeyed(door: Door, place: int, bit: int) -> None:
    data = bytearray(signed(door.envelope()))
    data[place % len(data)] ^= 1 << bit
    door.refusal(bytes(data))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600))
def test_noise_is_refused_as_malformed(door: Door, data: bytes) -> None:
    assert door.refusal(data) == "malformed"


HANDS = (
    ("ann", "bob"),
    ("ann", "ann-2"),
    ("ann", "ann"),
    ("bob", "ann"),
    ("ann", "eve"),
    ("ann", "cyd"),
    ("ann",),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(0, len(HANDS) - 1), st.integers(-2, 3)),
        st.tuples(st.just("make"), st.just(0), st.just(1)),
        st.tuples(st.just("send"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("flip"), st.integers(0, 30), st.integers(0, 4000)),
        st.tuples(st.just("wait"), st.integers(-1500, 2500), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_tried_in_whatever_order_only_what_two_persons_freshly_signed_is_obeyed_and_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """Forged, stale, replayed, signed by one person, after the clock was set back, left over from before a restart."""
    door = Door(tmp_path_factory.mktemp("gate") / "gate.db")
    made: list[tuple[bytes, Envelope, bool]] = []  # what may be sent, and whether the right two signed it
    obeyed: list[tuple[Envelope, int]] = []  # and when

    def send(data: bytes, envelope: Envelope, *, honest: bool) -> None:
        door.gate.beat()
        try:
            door.gate.admit(data)
        except InputError:
            return
        assert honest
        assert envelope.epoch == door.gate.epoch
        assert envelope.issued_ns <= door.now_ns <= envelope.not_after_ns
        assert all(envelope.counter > before.counter for before, _ in obeyed)
        assert all(door.now_ns >= when_ns for _, when_ns in obeyed)
        obeyed.append((envelope, door.now_ns))

    for kind, first, second in steps:
        if kind == "make":
            envelope = door.envelope(
                issued_ns=door.now_ns - 10**8,
                not_after_ns=door.now_ns + 10**9,
                counter=door.memory.counter + second,
                nonce=len(made).to_bytes(16, "big"),
            )
            made.append((signed(envelope, *HANDS[first]), envelope, first == 0))
            send(*made[-1][:2], honest=first == 0)
        elif kind == "wait":
            door.now_ns += first * 10**6
        elif kind == "restart":
            door.memory.close()
            door.open()
        elif made:
            data, envelope, honest = made[first % len(made)]
            if kind == "flip":
                altered = bytearray(data)
                altered[second % len(data)] ^= 1 << first % 8
                send(bytes(altered), envelope, honest=False)
            else:
                send(data, envelope, honest=honest)
    door.memory.close()


def test_such_a_campaign_does_admit_what_is_right(tmp_path: Path) -> None:
    """Or the test above would pass for a gate that never opens."""
    door = Door(tmp_path / "gate.db")
    for number in range(5):
        door.now_ns += 10**9
        door.gate.beat()
        door.gate.admit(
            signed(
                door.envelope(
                    issued_ns=door.now_ns - 10**8,
                    not_after_ns=door.now_ns + 10**9,
                    nonce=number.to_bytes(16, "big"),
                )
            )
        )
    assert door.gate.admitted == 5
    door.memory.close()
