# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on frames that were derived again from a recording.

Guarantees: only equal hashes count as identical. ``within_tolerance`` is given only where somebody measured the
difference to the recorded picture itself (``ros/recorded_overlays.py``). Leaves out the derivation
itself (``ros/offline.py``) and reasons: another processor or library version can make a frame differ,
which the software record of both runs shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from vidgen_nodes.custody.digest import RunDigests, frame_digest
from vidgen_nodes.packets import Bundle, GateReport, Origin, Overlay, Record

if TYPE_CHECKING:
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.compose import Scene

_NONE = bytes(32)


class Verdict(str, Enum):
    """What deriving a recorded frame again showed."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within_tolerance"  # not the same bytes, but as near as was asked for
    DIFFERENT = "different"
    INPUTS_MISSING = "inputs_missing"  # the recording no longer yields a frame at that stamp


@dataclass(frozen=True)
class RederivationReport:
    """A verdict for each recorded frame, by stamp."""

    verdicts: tuple[tuple[int, Verdict], ...]  # (stamp_ns, verdict), by stamp
    unrecorded: tuple[
        int, ...
    ]  # stamps_ns that yield a frame now but have no record: lost or not yet made then

    levels: int = 0  # largest difference of those within tolerance, of 255

    def count(self, verdict: Verdict) -> int:
        """Recorded frames with that verdict."""
        return sum(found is verdict for _, found in self.verdicts)

    @property
    def ok(self) -> bool:
        """There are recorded frames and every one came out identical or within the tolerance asked for."""
        good = self.count(Verdict.IDENTICAL) + self.count(Verdict.WITHIN_TOLERANCE)
        return bool(self.verdicts) and good == len(self.verdicts)


def compare_frames(
    recorded: Mapping[int, bytes],
    rederived: Iterable[tuple[int, bytes]],
    within: Mapping[int, int] | None = None,
) -> RederivationReport:
    """Compare recorded frame hashes with those of frames derived again.

    Args:
        recorded: ``frame`` hash by ``stamp_ns`` from the ledger.
        rederived: stamp_ns and ``digest.frame_digest`` of each frame made again; a stamp that comes twice
            counts as identical only if all its frames are.
        within: stamp_ns and levels of frames that differ, but within the tolerance.
    """
    near = within or {}
    verdicts = dict.fromkeys(recorded, Verdict.INPUTS_MISSING)
    unrecorded: list[int] = []
    for stamp_ns, digest in rederived:
        if stamp_ns not in recorded:
            unrecorded.append(stamp_ns)
        elif digest != recorded[stamp_ns]:
            worse = Verdict.WITHIN_TOLERANCE if stamp_ns in near else Verdict.DIFFERENT
            verdicts[stamp_ns] = Verdict.DIFFERENT if verdicts[stamp_ns] is Verdict.DIFFERENT else worse
        elif verdicts[stamp_ns] is Verdict.INPUTS_MISSING:
            verdicts[stamp_ns] = Verdict.IDENTICAL
    levels = max(near.values(), default=0)
    return RederivationReport(tuple(sorted(verdicts.items())), tuple(sorted(unrecorded)), levels)


class FrameHashes:
    """Stands where the ledger does while recorded frames are made again: hashes each picture and keeps nothing.

    Only ``frame_sha256``, ``causes``, ``gate`` and what repeats the bundle count in such a record: it is in no ledger.
    """

    def append_frame(
        self,
        digests: RunDigests,
        bundle: Bundle,
        scene: Scene,
        world: WorldState,
        overlay: Overlay,
        report: GateReport,
    ) -> Record:
        """Hash the picture of one frame.

        Raises:
            RecordError: it cannot be hashed.
        """
        return Record(
            mission=digests.mission,
            sequence=bundle.sequence,
            stamp_ns=bundle.stamp_ns,
            leaf_index=0,
            leaf_hash=_NONE,
            tree_size=0,
            root=_NONE,
            frame_sha256=frame_digest(overlay),
            inputs_sha256=_NONE,
            scenario_sha256=_NONE,
            physics_sha256=_NONE,
            software_sha256=_NONE,
            config_sha256=_NONE,
            map_sha256=_NONE,
            label_code=digests.label_code,
            origin=Origin[digests.origin.upper()],
            causes=tuple(scene.causes),
            gate=report,
            sigma_px=scene.sigma_px,
            physics=tuple(world.physics),
            marks=bundle.marks,
        )

    def foresee(self, scene: Scene, world: WorldState) -> None:
        """Nothing is foreseen."""
