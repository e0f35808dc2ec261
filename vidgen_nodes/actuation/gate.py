# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a signed envelope is obeyed, decided at the very moment of acting.

Guarantees: closed unless every rule holds; an envelope is obeyed at most once, whatever restarts in between; the
two signatures are by two persons, one who may propose and another who may approve. Any doubt refuses, under one
named reason. Leaves out what a command does, and the truth of the frame that it rests on.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from vidgen_nodes.actuation.envelope import Envelope, SignedEnvelope
from vidgen_nodes.actuation.memory import GateMemory
from vidgen_nodes.actuation.roster import APPROVE, PROPOSE, Roster
from vidgen_nodes.custody.note import check_signature
from vidgen_nodes.custody.persons import Person
from vidgen_nodes.errors import InputError, VerificationError

LONGEST_VALIDITY_NS = 5_000_000_000
_SKEW_NS = 500_000_000  # an envelope may come from a clock so far ahead


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that is to be carried out now."""

    envelope: Envelope
    parameters: bytes
    proposer: str
    approver: str


class ActuationGate:
    """Holds the door for one unit and one mission."""

    def __init__(
        self,
        unit: str,
        mission: str,
        roster: Roster,
        memory: GateMemory,
        *,
        clock_ns: Callable[[], int],
        is_recorded: Callable[[int, bytes], bool],
        heartbeat_timeout_ns: int,
    ) -> None:
        """Begin closed: the first heartbeat opens the possibility.

        Args:
            unit: this machine.
            mission: the run that is under way.
            roster: who may sign.
            memory: what must survive a restart.
            clock_ns: Unix time.
            is_recorded: whether the ledger holds that leaf (index, hash).
            heartbeat_timeout_ns: silence of the operators' side that closes the gate.
        """
        self._unit, self._mission, self._roster, self._memory = unit, mission, roster, memory
        self._clock_ns, self._is_recorded = clock_ns, is_recorded
        self._timeout_ns = heartbeat_timeout_ns
        self._heartbeat_ns: int | None = None
        self.refused: Counter[str] = Counter()
        self.admitted = 0

    @property
    def epoch(self) -> int:
        """What envelopes have to name."""
        return self._memory.epoch

    @property
    def counter(self) -> int:
        """The highest that was obeyed; the next envelope needs a higher one."""
        return self._memory.counter

    @property
    def is_alive(self) -> bool:
        """Whether the operators' side was heard of lately."""
        now_ns = self._clock_ns()
        return self._heartbeat_ns is not None and 0 <= now_ns - self._heartbeat_ns <= self._timeout_ns

    def beat(self) -> None:
        """The operators' side is there."""
        self._heartbeat_ns = self._clock_ns()

    def admit(self, data: bytes) -> Admitted:
        """Decide, and remember, before returning, that it was decided.

        Args:
            data: a signed envelope as it came in.

        Raises:
            InputError: it is not obeyed; ``reason`` is one of a fixed set and is counted.
        """
        try:
            admitted = self._decide(data)
        except InputError as err:
            self.refused[err.reason] += 1
            raise
        self.admitted += 1
        return admitted

    def _decide(self, data: bytes) -> Admitted:
        try:
            signed = SignedEnvelope.decode(data)
            envelope = Envelope.decode(signed.envelope)
        except VerificationError as err:
            raise InputError("malformed", str(err)) from err
        proposer, approver = self._signers(signed, envelope)
        if hashlib.sha256(signed.parameters).digest() != envelope.parameters_sha256:
            raise InputError("parameters", "the parameters are not those that were signed")
        self._check_place(envelope)
        if not self._is_recorded(envelope.leaf_index, envelope.leaf_hash):
            raise InputError("evidence", f"the ledger holds no such leaf {envelope.leaf_index}")
        now_ns = self._check_moment(envelope)  # last, and right before it is spent
        try:
            self._memory.spend(envelope.counter, envelope.nonce, now_ns, data)
        except sqlite3.Error as err:
            raise InputError("memory", f"the counter could not be kept, so nothing moves: {err}") from err
        return Admitted(envelope, signed.parameters, proposer.name, approver.name)

    def _signers(self, signed: SignedEnvelope, envelope: Envelope) -> tuple[Person, Person]:
        if len(signed.signatures) != 2:
            raise InputError(
                "signatures", f"got {len(signed.signatures)} signatures, expected proposer and approver"
            )
        persons = []
        for (name, signature), role in zip(signed.signatures, (PROPOSE, APPROVE), strict=True):
            person, key = self._roster.by_key.get(name, (None, None))
            if person is None or key is None:
                raise InputError("unknown_key", f"the key {name!r:.60} is not on the roster")
            try:
                check_signature(key.public, envelope.signed_bytes, signature, f"signature of {name}")
            except VerificationError as err:
                raise InputError("signature", str(err)) from err
            if role not in person.may:
                raise InputError("role", f"{person.name} may not {role}")
            persons.append(person)
        if persons[0].name == persons[1].name:
            raise InputError("same_person", f"{persons[0].name} proposed and approved; two persons must")
        return persons[0], persons[1]

    def _check_place(self, envelope: Envelope) -> None:
        if envelope.unit != self._unit:
            raise InputError("unit", f"is for unit {envelope.unit!r}, this is {self._unit!r}")
        if envelope.mission != self._mission:
            raise InputError("mission", f"is for mission {envelope.mission!r}, this is {self._mission!r}")
        if envelope.epoch != self.epoch:
            raise InputError(
                "epoch", f"names epoch {envelope.epoch}, this gate is in {self.epoch}; sign anew"
            )

    def _check_moment(self, envelope: Envelope) -> int:
        if not self.is_alive:
            raise InputError("no_heartbeat", "the operators' side is silent; the gate is closed")
        now_ns = self._clock_ns()
        if now_ns < self._memory.latest_ns:
            raise InputError("clock_back", "the clock went back behind a command that was obeyed")
        if not 0 < envelope.not_after_ns - envelope.issued_ns <= LONGEST_VALIDITY_NS:
            raise InputError("validity", f"may count for {LONGEST_VALIDITY_NS // 10**9} s at most")
        if envelope.issued_ns > now_ns + _SKEW_NS:
            raise InputError("not_yet", "was issued in the future")
        if now_ns > envelope.not_after_ns:
            raise InputError("stale", f"ran out {(now_ns - envelope.not_after_ns) / 1e9:.3f} s ago")
        if self._memory.is_spent(envelope.nonce):
            raise InputError("replayed", "was obeyed already")
        if envelope.counter <= self._memory.counter:
            raise InputError(
                "counter", f"got counter {envelope.counter}, expected above {self._memory.counter}"
            )
        return now_ns
