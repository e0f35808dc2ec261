# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the commitments of recorded frames to their obstacles again, where the secret of the run is at hand.

A commitment is salted: without the secret nobody can say whether it is to these cells of this map or to others.
Guarantees: the openings of the run are read and never written; where the secret is not here, that is said, and nothing
is called checked. Leaves out drawing (``ros/derivation.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.leaf import FrameLeaves
from vidgen_nodes.custody.openings import Opening, OpeningStore, openings_path
from vidgen_nodes.custody.rederivation import FrameHashes
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import Bundle, GateReport, Overlay, Record

if TYPE_CHECKING:
    from vidgen_nodes.custody.digest import RunDigests
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.compose import Scene

ATTESTATION = "attestation"  # field of a frame's leaf


@dataclass(frozen=True)
class CommitmentReport:
    """What making commitments again showed."""

    frames: int  # that commit to obstacles
    checked: int  # of those, made again; the same, or a fault says not
    faults: tuple[Fault, ...]
    why_not: str = ""  # why none was made again

    @property
    def note(self) -> str:
        """Words on what was not checked; empty: everything was."""
        left = self.frames - self.checked
        if not left:
            return ""
        why = self.why_not or "no such frame was derived again"
        return f"commitments to obstacles of {left} of {self.frames} frames are not checked: {why}"


class SecretOnly:
    """Stands where the openings do: salts follow from its secret, and nothing is kept."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def put(self, attestation: bytes, opening: Opening) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Nothing is open."""


class CommittedFrames(FrameHashes):
    """Hashes each picture made again, and commits to its obstacles as the run did."""

    def __init__(self, committer: ObstacleCommitter) -> None:
        self._leaves = FrameLeaves(committer)
        self.attestation: bytes | None = None  # of the newest frame

    def append_frame(
        self,
        digests: RunDigests,
        bundle: Bundle,
        scene: Scene,
        world: WorldState,
        overlay: Overlay,
        report: GateReport,
    ) -> Record:
        """Hash the picture and commit. See :class:`FrameHashes`."""
        self.attestation = self._leaves.commit(scene, world)
        return super().append_frame(digests, bundle, scene, world, overlay, report)


def secret_of(ledger: Path) -> tuple[bytes, str]:
    """The secret of the run, or empty and why it cannot be had."""
    path = openings_path(ledger)
    if not path.is_file():
        return b"", f"secret not here ({path.name})"
    try:
        with OpeningStore(path) as store:
            return store.secret, ""
    except VerificationError as err:
        return b"", str(err)


def compare_commitments(
    ledger: Path, frames: Iterable[Mapping[str, object]], found: Mapping[int, bytes | None]
) -> CommitmentReport:
    """Compare recorded commitments with those made again.

    Args:
        ledger: whose openings lie beside it.
        frames: the recorded leaves.
        found: commitment by ``stamp_ns`` of each frame made again, None where it shows no obstacle; empty where the
            secret was not here.
    """
    _, why_not = secret_of(ledger)
    committed = checked = 0
    faults: list[Fault] = []
    for leaf in frames:
        stamp_ns, recorded = int(str(leaf["stamp_ns"])), leaf.get(ATTESTATION)
        committed += recorded is not None
        if why_not or stamp_ns not in found:
            continue
        checked += recorded is not None
        if found[stamp_ns] != recorded:
            where = f"frame at {stamp_ns} ns"
            faults.append(Fault(where, _difference(recorded, found[stamp_ns]), "altered"))
    return CommitmentReport(committed, checked, tuple(faults), why_not)


def _difference(recorded: object, again: bytes | None) -> str:
    if again is None:
        return "commits to obstacles; derived again, it shows none"
    if recorded is None:
        return "commits to no obstacle; derived again, it shows some"
    return "commits to other obstacles, another map or rule than derived again; or the openings are of another run"
