# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks a clip with nothing but the public root key, and says what it shows and what was altered.

The clip alone: signature (C2PA, ``Trusted`` under that key), labels, and the tag in every picture against the list of
records that was signed. With what lies beside it: the statement, the privacy record, and proofs that lead into the
ledger. Guarantees: every fault names the part that does not hold; a part that is missing is said to be. Needs no ROS,
no model, no network. Leaves out what nobody can read off a clip: whether the sensors told the truth.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2

from vidgen_nodes.custody.certificate import Certificate, Chain
from vidgen_nodes.custody.dsse import Envelope, signers, verify
from vidgen_nodes.custody.frame_review import PREDICATE as FRAME_REVIEW
from vidgen_nodes.custody.merkle import leaf_hash
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.proof import verify_proof
from vidgen_nodes.custody.reviewers import FRAMES, SCENARIO, Reviewers
from vidgen_nodes.custody.scenario_review import PREDICATE as SCENARIO_REVIEW
from vidgen_nodes.custody.statement import read_statement
from vidgen_nodes.custody.x509 import root_of_key
from vidgen_nodes.delivery.content_credentials import read_manifest
from vidgen_nodes.delivery.content_label import read_label
from vidgen_nodes.delivery.movie_parts import altered_parts
from vidgen_nodes.delivery.mp4_metadata import is_mp4
from vidgen_nodes.delivery.tag_strip import PREFIX_BYTES, FramePointer, read_strip
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.export.clip_files import CLIP, EXPORT, SIGNER, beside
from vidgen_nodes.packets import ByteArray

_MOST_FAULTS = 20


@dataclass
class ClipCheck:
    """What was found."""

    claims: dict[str, Any] = field(default_factory=dict)  # empty: nothing in the clip could be believed
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # parts that were not there to be checked
    tags_read: int = 0
    pictures: int = 0
    reviewers: list[str] = field(
        default_factory=list
    )  # who was found to have been allowed to review, and what
    unit: str = ""
    log: str = ""  # the log whose signed head covers a proof

    @property
    def ok(self) -> bool:
        """Nothing that was there fails."""
        return not self.faults


def check_clip(
    clip: Path, root_public: bytes, proofs: Sequence[Path] = (), reviewers: Reviewers | None = None
) -> ClipCheck:
    """Check a clip and what lies beside it.

    Args:
        clip: the file.
        root_public: 32 bytes, which the verifier got from elsewhere.
        proofs: proofs of frames in it or of its export; the one beside the clip is taken too.
        reviewers: who was allowed to review; None: not checked, and said to be.

    Raises:
        VerificationError: the clip cannot be read at all.
    """
    try:
        data = clip.read_bytes()
    except OSError as err:
        raise VerificationError(f"{clip}: cannot be read: {err.strerror}") from err
    check = ClipCheck()
    _check_credentials(check, data, root_public)
    _check_tags(check, clip)
    _check_statement(check, clip, data, root_public)
    _check_reviews(check, reviewers)
    own = beside(clip, "proof")
    listed = [*proofs, *([own] if own.is_file() and own not in proofs else [])]
    if not listed:
        check.missing.append("proof: none was given; that the records stand in a log is not checked")
    for path in listed:
        _check_proof(check, clip, data, path, root_public)
    return check


def pictures_of(path: Path) -> Iterator[ByteArray]:
    """Every picture of a video or picture file, (H, W, 3).

    Raises:
        VerificationError: it holds none.
    """
    picture = (
        cv2.imread(str(path), cv2.IMREAD_COLOR) if path.suffix.lower() in (".png", ".jpg", ".jpeg") else None
    )
    if picture is not None:
        yield picture.astype("uint8", copy=False)
        return
    video = cv2.VideoCapture(str(path))
    try:
        found, frame = video.read()
        if not found:
            raise VerificationError(f"{path}: holds no picture that can be decoded")
        while found:
            yield frame.astype("uint8", copy=False)
            found, frame = video.read()
    finally:
        video.release()


def _check_credentials(check: ClipCheck, data: bytes, root_public: bytes) -> None:
    try:
        manifest = read_manifest(data, lambda pem: root_of_key(pem, root_public))
        check.claims = manifest.claims
    except VerificationError as err:
        check.faults.append(str(err))
        return
    try:
        label = read_label(data)
    except VerificationError as err:
        check.faults.append(str(err))
        return
    if is_mp4(data):
        check.faults += [f"clip: {text}" for text in altered_parts(data, check.claims.get("file"))]
    if label.source_type != manifest.source_type:
        check.faults.append("label: names another digital source type than the content credentials")
    listed = check.claims.get("frames") or [[None, None, ""]]
    if not str(listed[0][2]) or not label.aigc.reserved.startswith(str(listed[0][2])):
        check.faults.append("label: the AIGC field names another record than that of the first frame")


def _check_tags(check: ClipCheck, clip: Path) -> None:
    listed = [(row[0], row[2]) for row in check.claims.get("frames", [])]
    untagged: list[int] = []
    try:
        for picture in pictures_of(clip):
            pointer = read_strip(picture)
            check.tags_read += pointer is not None
            if pointer is None:
                untagged.append(check.pictures)
            else:
                _check_tag(check, pointer, listed)
            check.pictures += 1
    except VerificationError as err:
        check.faults.append(str(err))
    check.faults += [f"{which}: no tag in it can be read" for which in _runs(untagged)]
    if listed and check.pictures != len(listed):
        check.faults.append(f"clip: holds {check.pictures} pictures, {len(listed)} records were signed")
    if len(check.faults) > _MOST_FAULTS:
        check.faults[_MOST_FAULTS:] = [f"... and {len(check.faults) - _MOST_FAULTS} more"]


def _check_tag(check: ClipCheck, pointer: FramePointer, listed: list[tuple[int, str]]) -> None:
    number = check.pictures
    if number < len(listed) and (pointer.leaf_index, pointer.prefix.hex()) != listed[number]:
        check.faults.append(
            f"picture {number}: is of leaf {pointer.leaf_index}, the signed list says leaf {listed[number][0]}"
        )


def _runs(numbers: Sequence[int]) -> list[str]:
    """Words for pictures: those that follow each other together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [f"picture {r[0]}" if len(r) == 1 else f"pictures {r[0]} to {r[-1]}" for r in runs]


def _check_reviews(check: ClipCheck, reviewers: Reviewers | None) -> None:
    rows = [(FRAME_REVIEW, FRAMES, row) for row in check.claims.get("reviews", [])]
    rows += [(SCENARIO_REVIEW, SCENARIO, row) for row in check.claims.get("sop_reviews", [])]
    for kind, task, row in rows:
        which = _which(task, row)
        if not row.get("statement"):
            text = f"{which}: is not signed"
            check.missing.append(text) if reviewers is None else check.faults.append(
                f"{text}, so nobody in the reviewers file vouches for it"
            )
            continue
        try:
            envelope = Envelope.decode(base64.b64decode(str(row["statement"]), validate=True))
            key = signers(envelope)[0]
            said = read_statement(envelope, kind).predicate
        except (VerificationError, ValueError) as err:
            check.faults.append(f"{which}: {err}")
            continue
        other = sorted(name for name in said if name in row and row[name] != said[name])
        if other:
            check.faults.append(f"{which}: the reviewer signed another {', '.join(other)}")
        _check_reviewer(check, which, task, key, reviewers)
    if rows and reviewers is None:
        check.missing.append(
            "reviewers: no reviewers file was given; that those who reviewed were allowed to is not checked"
        )


def _which(task: str, row: dict[str, Any]) -> str:
    """Words for one review."""
    if task == SCENARIO:
        return f"review of the scenario by {row.get('reviewer')}"
    return f"review in leaf {row.get('review_leaf')} by {row.get('reviewer')}"


def _check_reviewer(
    check: ClipCheck, which: str, task: str, key: VerifierKey, reviewers: Reviewers | None
) -> None:
    if reviewers is None:
        return
    person = reviewers.person(key)
    if key not in reviewers.keys(task):
        why = f"{person} may not do that" if person else f"the key {key} is nobody's"
        check.faults.append(f"{which}: {why} in the reviewers file")
    else:
        check.reviewers.append(f"{which}: signed with the key of {person}, who may review it")


def _check_statement(check: ClipCheck, clip: Path, data: bytes, root_public: bytes) -> None:
    path = beside(clip, "statement.json")
    if not path.is_file():
        check.missing.append(f"statement: there is no {path.name} beside the clip")
        return
    try:
        envelope = Envelope.decode(path.read_bytes())
        statement = read_statement(envelope, CLIP)
        predicate = dict(statement.predicate)
        chain = _chain(predicate.pop("certificates", None))
        chain.check(root_public)
        verify(envelope, [VerifierKey(SIGNER, NOTE, chain.session.public)])
    except VerificationError as err:
        check.faults.append(f"statement: {err}")
        return
    check.unit = chain.unit.name
    if hashlib.sha256(data).digest() not in statement.subjects.values():
        where = (
            "; ".join(altered_parts(data, predicate.get("file"))) or "in its content credentials or its index"
        )
        check.faults.append(f"statement: is about another file: the clip was altered or exchanged: {where}")
    if check.claims:
        differing = sorted(
            name for name in {*predicate, *check.claims} if predicate.get(name) != check.claims.get(name)
        )
        check.faults += [f"statement: says something else than the clip about {name}" for name in differing]
    else:
        check.claims = predicate  # the clip lost its own; what the unit signed about it still holds
    _check_privacy(check, clip)


def _check_privacy(check: ClipCheck, clip: Path) -> None:
    path = beside(clip, "privacy.json")
    if not path.is_file():
        check.missing.append(f"privacy record: there is no {path.name} beside the clip")
        return
    if hashlib.sha256(path.read_bytes()).hexdigest() != check.claims.get("privacy_sha256"):
        check.faults.append("privacy record: was altered")


def _chain(encoded: object) -> Chain:
    if not isinstance(encoded, list) or len(encoded) != 2:
        raise VerificationError("expected the certificates of unit and session")
    try:
        unit, session = (Certificate.decode(base64.b64decode(str(item), validate=True)) for item in encoded)
    except ValueError as err:
        raise VerificationError(f"certificates: {err}") from err
    return Chain(unit, session)


def _check_proof(check: ClipCheck, clip: Path, data: bytes, path: Path, root_public: bytes) -> None:
    try:
        report = verify_proof(path.read_bytes(), root_public)
    except OSError as err:
        raise VerificationError(f"{path}: cannot be read: {err.strerror}") from err
    except VerificationError as err:
        check.faults.append(f"{path.name}: {err}")
        return
    check.log = report.head.origin
    leaf = report.leaf
    if leaf.get("kind") == "frame":
        prefix = leaf_hash(report.leaf_bytes)[:PREFIX_BYTES].hex()
        rows = [[row[0], row[2]] for row in check.claims.get("frames", [])]
        if [report.leaf_index, prefix] not in rows:
            check.faults.append(f"{path.name}: proves leaf {report.leaf_index}, which is not in this clip")
        return
    said = leaf.get(EXPORT)
    if leaf.get("cause") != EXPORT or not isinstance(said, dict):
        check.faults.append(
            f"{path.name}: proves leaf {report.leaf_index}, which is neither frame nor export"
        )
        return
    if said.get("clip_sha256") != hashlib.sha256(data).digest():
        check.faults.append(
            f"{path.name}: the ledger records the export of another file: the clip was altered"
        )
    statement = beside(clip, "statement.json")
    if (
        statement.is_file()
        and said.get("statement_sha256") != hashlib.sha256(statement.read_bytes()).digest()
    ):
        check.faults.append(f"{path.name}: the ledger records another statement: it was altered")


def summary(check: ClipCheck) -> dict[str, Any]:
    """What a clip says, shortened, for a reader."""
    claims = dict(check.claims)
    frames = claims.pop("frames", [])
    claims["records"] = {"first_leaf": frames[0][0], "last_leaf": frames[-1][0]} if frames else {}
    return json.loads(json.dumps(claims))  # type: ignore[no-any-return]
