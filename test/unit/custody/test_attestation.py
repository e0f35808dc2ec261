# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The tester's ways around the constraint: wrong tau, other frame, low-U cell, missing obstacle, two maps."""

from __future__ import annotations

import hashlib
import math
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.attestation import (
    ATTESTATION_BYTES,
    Attestation,
    check_together,
    sample,
    verify_attestation,
)
from vidgen_nodes.custody.attestation_maker import Choice, make_attestations
from vidgen_nodes.custody.committer import ObstacleCommitter
from vidgen_nodes.custody.digest import RunDigests, map_digest
from vidgen_nodes.custody.dsse import Envelope, verify
from vidgen_nodes.custody.keys import KeyRing, Session
from vidgen_nodes.custody.leaf import leaf_fault
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.multiproof import NODE_BYTES, cell_leaf
from vidgen_nodes.custody.note import NOTE, VerifierKey
from vidgen_nodes.custody.openings import OpeningStore, openings_path
from vidgen_nodes.custody.packed_leaf import NAMES, pack_leaf
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.retention import prune
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import InputError, VerificationError
from vidgen_nodes.generation.debris import DebrisBox
from vidgen_nodes.packets import Grid, UncertaintyMap

TAU, LEAST = 0.5, 5
SECRET = b"k" * 32
Cells = Sequence[tuple[int, int]]


def hash_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def uncertainty_map(seed: int = 0, rows: int = 80, cols: int = 80) -> UncertaintyMap:
    """Every cell of the lower half is sure (U < tau), every one of the upper is not; some were never seen."""
    random = np.random.default_rng(seed)

    def layer() -> Any:
        return random.random((rows, cols)).astype(np.float32)

    uncertainty = 0.5 * layer()
    uncertainty[rows // 2 :] += 0.5
    uncertainty[0] = np.nan
    counts = random.integers(LEAST, 60, (rows, cols)).astype(np.uint16)
    counts[rows - 1] = 0
    grid = Grid(-8.0, -4.0, 0.2, rows, cols)
    layers = [layer(), layer(), uncertainty, layer(), layer(), layer(), layer(), layer(), counts]
    seen, flags = random.integers(0, 9, (rows, cols)), np.zeros((rows, cols), np.uint8)
    digest = map_digest(1000 + seed, grid, *layers, seen, flags)
    return UncertaintyMap(1000 + seed, grid, *layers, seen, flags, digest, ())


def write_obstacles(
    path: Path,
    digests: RunDigests,
    make_frame: Callable[..., Any],
    frames: Sequence[tuple[UncertaintyMap, Cells]],
    *,
    review: bytes = b"",
) -> Path:
    """A ledger whose leaf ``n + 1`` is of the n-th frame; two pieces lie on each of its cells."""
    store = OpeningStore(openings_path(path), secret=SECRET, writable=True)
    with (
        ObstacleCommitter(store, TAU, LEAST) as committer,
        Ledger.open(path, segment=digests.segment("start"), committer=committer) as ledger,
    ):
        for number, (umap, cells) in enumerate(frames):
            bundle, scene, world, overlay, report = make_frame(number)
            scene = replace(scene, uncertainty_map=umap, review=review)
            pieces = tuple(DebrisBox(cell, np.zeros((8, 3)), (1, 2, 3)) for cell in cells for _ in range(2))
            world = replace(world, debris=pieces)
            ledger.append_frame(digests, bundle, scene, world, overlay, report)
    return path


NOW_S = 1_800_000_000
FEW = ((41, 3), (60, 77), (78, 40))  # as far apart in the tree as three cells can be
MANY = tuple((row, col) for row in range(45, 57) for col in range(20, 30))
SURE = (10, 10)  # U below tau
ONE, TWO = uncertainty_map(1), uncertainty_map(2)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"), NOW_S)


@pytest.fixture(scope="module")
def session(ring: KeyRing) -> Session:
    return ring.new_session(NOW_S)


@pytest.fixture(scope="module")
def ledger(
    tmp_path_factory: pytest.TempPathFactory, digests: RunDigests, make_frame: Callable[..., Any]
) -> Path:
    path = tmp_path_factory.mktemp("run") / "ledger.db"
    frames = [(ONE, FEW), (TWO, FEW), (ONE, MANY), (ONE, ()), (ONE, FEW[:1]), (ONE, (*FEW[:2], SURE))]
    return write_obstacles(path, digests, make_frame, frames, review=b"signed")


def made(ledger: Path, session: Session, index: int = 1, **choice: Any) -> bytes:
    (data,) = make_attestations(ledger, index, session, NOW_S, Choice(**choice))
    return data


def opened(data: bytes, ring: KeyRing) -> Attestation:
    return verify_attestation(data, ring.root.public).attestation


def test_three_cells_fit_and_say_what_the_map_says(ledger: Path, session: Session, ring: KeyRing) -> None:
    data = made(ledger, session)
    assert len(data) <= ATTESTATION_BYTES
    found = opened(data, ring)
    assert found.complete
    for cell, where in zip(found.cells, FEW, strict=True):
        assert divmod(cell.index, 80) == where
        assert cell.uncertainty == float(ONE.uncertainty[where]) >= found.obstacles.tau
        assert cell.observations == int(ONE.observations[where])


def test_three_cells_fit_beside_a_leaf_that_says_all_it_can(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    found = opened(made(ledger, session), ring)
    leaf = cbor2.loads(found.leaf)
    more = ("view", "columns", "paths", "building", "map", "privacy")
    leaf |= {name: hash_of(name) for name in more} | {"causes": [], "late": {"map": 3}, "mission": "m" * 40}
    full = replace(found, leaf=cbor2.dumps(leaf, canonical=True))
    most = 34 * NODE_BYTES  # beside the paths of any three of 6,400 cells
    assert len(full.signed(session.key)) + most - len(found.siblings) * NODE_BYTES <= ATTESTATION_BYTES


def test_ledger_with_commitments_verifies(ledger: Path) -> None:
    assert verify_ledger(ledger).faults == ()
    with LedgerReader(ledger) as reader:
        leaves = dict(reader.frames())
    assert leaves[1]["attestation"] != leaves[2]["attestation"]
    assert "attestation" not in leaves[4]


def test_statement_is_an_envelope_that_other_tools_can_check(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    report = verify_attestation(made(ledger, session), ring.root.public)
    envelope = Envelope.decode(report.envelope.encode())
    key = VerifierKey(session.chain.session.name, NOTE, session.key.public)
    assert verify(envelope, [key]) == (key,)
    assert b'"result":"holds"' in envelope.payload


def test_statement_alone_opens_nothing(ledger: Path, session: Session, ring: KeyRing) -> None:
    data = made(ledger, session, 3, cells=0)
    found = opened(data, ring)
    assert found.cells == ()
    assert not found.complete
    assert len(found.obstacles.cells) == len(MANY)


def test_sample_follows_from_the_nonce_of_whoever_asks(ledger: Path, session: Session, ring: KeyRing) -> None:
    data = made(ledger, session, 3, cells=3, nonce="auditor 7")
    found = opened(data, ring)
    assert found.nonce == "auditor 7"
    assert found.opened == sample(len(MANY), 3, "auditor 7", found.leaf)
    other = replace(found, nonce="auditor 8").signed(session.key)
    with pytest.raises(VerificationError, match="nonce"):
        verify_attestation(other, ring.root.public)


def test_many_cells_share_their_paths_or_are_split_into_small_files(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    whole = made(ledger, session, 3)
    assert opened(whole, ring).complete
    files = make_attestations(ledger, 3, session, NOW_S, Choice(split=True))
    assert len(files) > 1
    assert max(map(len, files)) <= ATTESTATION_BYTES
    reports = [verify_attestation(data, ring.root.public) for data in files]
    assert check_together(reports)
    assert not check_together(reports[:-1])


def test_files_about_different_frames_do_not_add_up(ledger: Path, session: Session, ring: KeyRing) -> None:
    reports = [verify_attestation(made(ledger, session, n), ring.root.public) for n in (1, 2)]
    with pytest.raises(VerificationError, match="different frames"):
        check_together(reports)


def test_frame_without_obstacles_has_nothing_to_attest(ledger: Path, session: Session) -> None:
    with pytest.raises(InputError, match="no obstacle"):
        made(ledger, session, 4)
    with pytest.raises(InputError, match="no frame"):
        made(ledger, session, 0)
    with pytest.raises(InputError, match="does not exist"):
        made(ledger, session, 99)


def test_nothing_is_signed_over_a_cell_that_does_not_keep_to_the_constraint(
    ledger: Path, session: Session
) -> None:
    with pytest.raises(VerificationError, match=r"constraint does not hold: cell 810 has U = .*under tau"):
        made(ledger, session, 6)


# What a signer who lies may try: each is signed with a good session key.


def refused(
    attestation: Attestation, session: Session, ring: KeyRing, match: str, least_tau: float = 0.0
) -> None:
    data = attestation.signed(session.key)
    with pytest.raises(VerificationError, match=match):
        verify_attestation(data, ring.root.public, least_tau)


@pytest.mark.parametrize("tau", [0.0, 0.4999, 0.51, 1.0])
def test_wrong_tau_is_refused(ledger: Path, session: Session, ring: KeyRing, tau: float) -> None:
    found = opened(made(ledger, session), ring)
    refused(
        replace(found, obstacles=replace(found.obstacles, tau=tau)),
        session,
        ring,
        "commits to something else",
    )
    refused(
        replace(found, obstacles=replace(found.obstacles, least_observations=4)),
        session,
        ring,
        "something else",
    )


def test_frame_drawn_with_a_lower_threshold_than_asked_is_refused(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    found = opened(made(ledger, session), ring)
    refused(found, session, ring, r"drawn with tau = 0.5, asked is 0.6", 0.6)
    assert verify_attestation(found.signed(session.key), ring.root.public, 0.5)


def test_other_frame_is_refused(ledger: Path, session: Session, ring: KeyRing) -> None:
    one, two = (opened(made(ledger, session, index), ring) for index in (1, 2))
    refused(replace(one, leaf=two.leaf, leaf_index=2), session, ring, "another frame")
    honest = made(ledger, session)
    moved = replace(one, leaf_index=3).encode(cbor2.loads(honest)[1][3][3])
    with pytest.raises(VerificationError, match="signature of the session"):
        verify_attestation(moved, ring.root.public)


def test_low_u_cell_is_refused_even_if_the_leaf_commits_to_it(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    """A generator that drew where it must not: the openings are true, and show it."""
    with OpeningStore(openings_path(ledger)) as store, LedgerReader(ledger) as reader:
        leaf = dict(reader.frames())[6]
        opening = store.get(leaf["attestation"])  # type: ignore[arg-type]
        (row,) = reader.rows(6, 7)
    cells, siblings = opening.shown((0, 1, 2), SECRET)
    lie = Attestation(
        row.leaf, 6, opening.obstacles, (0, 1, 2), tuple(cells), tuple(siblings), "", NOW_S, session.chain
    )
    refused(lie, session, ring, r"constraint does not hold: cell 810 has U")


def test_raised_value_of_a_cell_is_refused(ledger: Path, session: Session, ring: KeyRing) -> None:
    found = opened(made(ledger, session), ring)
    for change in ({"uncertainty": 0.99}, {"observations": 77}, {"salt": bytes(16)}):
        cells = (replace(found.cells[0], **change), *found.cells[1:])
        refused(replace(found, cells=cells), session, ring, "an opened cell")


def test_missing_obstacle_is_refused(ledger: Path, session: Session, ring: KeyRing) -> None:
    found = opened(made(ledger, session), ring)
    with OpeningStore(openings_path(ledger)) as store, LedgerReader(ledger) as reader:
        opening = store.get(dict(reader.frames())[1]["attestation"])  # type: ignore[arg-type]
    cells, siblings = opening.shown((0, 2), SECRET)
    listed = replace(found.obstacles, cells=(found.obstacles.cells[0], found.obstacles.cells[2]))
    lie = replace(found, obstacles=listed, opened=(0, 1), cells=tuple(cells), siblings=tuple(siblings))
    refused(lie, session, ring, "list of obstacles")
    # Left in the list and not opened: what is not shown is not called complete.
    part = replace(found, opened=(0, 2), cells=tuple(cells), siblings=tuple(siblings))
    assert not opened(part.signed(session.key), ring).complete


def test_two_maps_are_refused(ledger: Path, session: Session, ring: KeyRing) -> None:
    one, two = (opened(made(ledger, session, index), ring) for index in (1, 2))
    refused(replace(one, cells=two.cells, siblings=two.siblings), session, ring, "map")
    refused(replace(one, obstacles=replace(one.obstacles, place=two.obstacles.place)), session, ring, "map")
    mixed = replace(one, cells=(two.cells[0], *one.cells[1:]))
    refused(mixed, session, ring, "an opened cell")


def test_another_root_key_is_refused(ledger: Path, session: Session, tmp_path: Path) -> None:
    stranger = KeyRing.open(tmp_path / "keys", NOW_S)
    with pytest.raises(VerificationError, match="unit certificate"):
        verify_attestation(made(ledger, session), stranger.root.public)


def test_statement_made_after_the_session_ended_is_refused(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    found = opened(made(ledger, session), ring)
    refused(
        replace(found, made_s=session.chain.session.not_after_s + 1),
        session,
        ring,
        "session certificate is valid",
    )


def test_every_byte_of_a_file_counts(ledger: Path, session: Session, ring: KeyRing) -> None:
    data = made(ledger, session)
    for at in range(len(data)):
        for flip in (0x01, 0x80):
            damaged = bytearray(data)
            damaged[at] ^= flip
            with pytest.raises(VerificationError):
                verify_attestation(bytes(damaged), ring.root.public)
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(VerificationError):
            verify_attestation(data[:cut], ring.root.public)
    with pytest.raises(VerificationError):
        verify_attestation(data + b"\0", ring.root.public)


def test_file_of_a_version_that_knew_fewer_names_still_holds(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    data = made(ledger, session)
    found, signature = opened(data, ring), cbor2.loads(data)[1][3][3]
    fields, bits, hashes = pack_leaf(found.leaf)
    spelled = found.encode(
        signature, [{NAMES[number]: value for number, value in fields.items()}, bits, hashes]
    )
    assert len(spelled) > len(data)
    assert opened(spelled, ring) == found


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_else_is_refused_and_never_crashes(data: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_attestation(data, bytes(32))


PLAIN = st.none() | st.integers() | st.floats() | st.binary(max_size=60) | st.text(max_size=9)


@given(st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=5)))
def test_sections_of_another_form_are_refused(section: Any) -> None:
    sections = [section] * 4
    crc = [zlib.crc32(cbor2.dumps(item, canonical=True)) for item in sections]
    with pytest.raises(VerificationError):
        verify_attestation(cbor2.dumps([1, sections, crc], canonical=True), bytes(32))


def test_openings_that_were_changed_are_noticed_before_anything_is_signed(
    ledger: Path, session: Session, tmp_path: Path
) -> None:
    for suffix in ("", ".openings"):
        shutil.copy(ledger.with_name(f"ledger{suffix}.db"), tmp_path / f"ledger{suffix}.db")
    with sqlite3.connect(tmp_path / "ledger.openings.db") as connection:
        rows = connection.execute("SELECT rowid, data FROM openings").fetchall()
        for row, data in rows:
            content = cbor2.loads(data)
            content[2][0][0] = struct.unpack("<f", struct.pack("<f", 0.875))[0]
            connection.execute(
                "UPDATE openings SET data = ? WHERE rowid = ?", (cbor2.dumps(content, canonical=True), row)
            )
    with pytest.raises(VerificationError, match="not what the leaf commits to"):
        made(tmp_path / "ledger.db", session)
    (tmp_path / "ledger.openings.db").unlink()
    with pytest.raises(VerificationError, match="cannot be opened"):
        made(tmp_path / "ledger.db", session)


def test_openings_are_nobody_elses_business(ledger: Path) -> None:
    assert openings_path(ledger).stat().st_mode & 0o777 == 0o600


def test_same_map_and_secret_give_the_same_commitment(tmp_path: Path) -> None:
    found = []
    for name in "ab":
        store = OpeningStore(tmp_path / f"{name}.db", secret=SECRET, writable=True)
        with ObstacleCommitter(store, 0.5, 5) as committer:
            found.append(committer.commit(ONE, [(41, 3), (41, 4), (41, 3)]))
            assert committer.commit(ONE, []) is None
    assert found[0] == found[1]
    store = OpeningStore(tmp_path / "c.db", writable=True)
    with ObstacleCommitter(store, 0.5, 5) as committer:
        assert committer.commit(ONE, [(41, 3), (41, 4)]) != found[0]


def test_unopened_neighbour_cannot_be_guessed_without_its_salt(
    ledger: Path, session: Session, ring: KeyRing
) -> None:
    """The hash beside an opened cell is not that of its value under any salt in the file."""
    found = opened(made(ledger, session, 5), ring)
    (cell,) = found.cells
    beside = cell.index ^ 1
    row, col = divmod(beside, 80)
    known = {cell.salt, found.obstacles.salt, bytes(16)}
    guesses = {
        cell_leaf(beside, float(ONE.uncertainty[row, col]), int(ONE.observations[row, col]), salt)
        for salt in known
    }
    assert found.siblings[0] not in guesses


def test_leaf_without_the_optional_fields_is_still_good(ledger: Path) -> None:
    with LedgerReader(ledger) as reader:
        leaf = dict(reader.frames())[1]
    assert leaf_fault(leaf) == ""
    assert leaf_fault({k: v for k, v in leaf.items() if k not in ("attestation", "review")}) == ""
    assert "attestation of 3 bytes" in leaf_fault({**leaf, "attestation": b"abc"})
    assert "unknown field" in leaf_fault({**leaf, "attestations": bytes(32)})
    assert math.isfinite(float(np.nanmax(ONE.uncertainty)))


def test_openings_go_with_the_frames_that_named_them_and_the_others_keep_opening(
    tmp_path: Path,
    digests: RunDigests,
    make_frame: Callable[..., Any],
    session: Session,
    ring: KeyRing,
) -> None:
    path = tmp_path / "ledger.db"
    frames = [(TWO, FEW), (ONE, FEW), (ONE, MANY), (ONE, FEW), (ONE, FEW)]
    write_obstacles(path, digests, make_frame, frames)
    with LedgerReader(path) as reader:
        gone, kept = (dict(reader.frames())[index]["attestation"] for index in (1, 2))
        data = next(iter(OpeningStore(openings_path(path)).get(gone).siblings))  # type: ignore[arg-type]
    pruned = prune(path, 4)  # leaves 1 to 3: FEW on TWO, FEW on ONE (named again by 4), MANY on ONE
    assert pruned.openings == 2
    assert verify_ledger(path).ok
    with OpeningStore(openings_path(path)) as store:
        assert store.kept([gone, kept]) == [kept]  # type: ignore[list-item]
        assert store.secret == SECRET
    beside = [openings_path(path), *tmp_path.glob("ledger.openings.db-*")]
    assert not any(data in file.read_bytes() for file in beside)
    for index in (4, 5):
        assert opened(made(path, session, index), ring).complete
    assert opened(made(path, session, 2), ring).complete  # the same commitment as that of leaf 4
    for index in (1, 3):
        with pytest.raises(VerificationError, match="holds nothing on the commitment"):
            made(path, session, index)
    with LedgerReader(path) as reader:
        said = [leaf for _, leaf in reader.segments() if leaf.get("cause") == "retention"]
    assert [leaf["openings"] for leaf in said] == [2]


def test_pruning_a_ledger_whose_openings_are_gone_is_no_error(
    tmp_path: Path, digests: RunDigests, make_frame: Callable[..., Any]
) -> None:
    path = tmp_path / "ledger.db"
    write_obstacles(path, digests, make_frame, [(ONE, FEW), (ONE, MANY)])
    openings_path(path).unlink()
    assert prune(path, 2).openings == 0
    assert not openings_path(path).exists()
