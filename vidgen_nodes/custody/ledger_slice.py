# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A part of a ledger as files that can be handed over and checked without the rest.

``proofs/<leaf>.proof`` for each leaf, ``records/<sha256>.cbor`` for each record that they name, ``stamps/<size>.tsr``
for time stamps of the heads. Guarantees: :func:`check_slice` names a leaf that is missing between the first and the
last, a proof that does not hold, and a record that is missing or changed. Leaves out what lies outside the slice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.custody.digest import sha256
from vidgen_nodes.custody.fault import Fault
from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.leaf import RECORDS, physics_refs
from vidgen_nodes.custody.note import TreeHead, VerifierKey
from vidgen_nodes.custody.proof import ProofReport, encode_proof, verify_proof
from vidgen_nodes.custody.proof_maker import read_subtrees
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.timestamp import check_token
from vidgen_nodes.errors import ConfigError, VerificationError

_PROOFS, _RECORDS, _STAMPS = "proofs", "records", "stamps"


@dataclass(frozen=True)
class SliceReport:
    """What a slice holds."""

    leaves: int
    records: int
    stamps: int
    faults: tuple[Fault, ...]


def write_slice(ledger: Path, first: int, last: int, out: Path) -> SliceReport:
    """Write the leaves ``first`` to ``last``, both included, into a new or empty folder.

    Raises:
        ConfigError: the folder cannot be used.
        VerificationError: no such leaves, none of them signed, or a file that cannot be read.
    """
    with LedgerReader(ledger) as reader, HeadStore(heads_path(ledger)) as store:
        if not 0 <= first <= last < reader.size:
            raise VerificationError(f"leaves {first} to {last}: the ledger has {reader.size}")
        head = store.covering(last)
        if head is None:
            raise VerificationError(
                f"leaf {last}: no signed tree head covers it; 'vidgen custody sign' makes one"
            )
        _make_folders(out)
        size = head.head.size
        subtrees, log_id = read_subtrees(reader, size), store.log_id
        keys: set[bytes] = set()
        for row in reader.rows(first, last + 1):
            proof = encode_proof(row.leaf, row.index, subtrees.inclusion(row.index, size), head, log_id)
            _write(out / _PROOFS / f"{row.index:012d}.proof", proof)
            keys.update(_keys(reader, row.leaf, row.index))
        written = 0
        for key in sorted(keys):
            with contextlib.suppress(VerificationError):  # deleted by retention: the check says so
                _write(out / _RECORDS / f"{key.hex()}.cbor", reader.blob(key))
                written += 1
        tokens = store.stamps()
        for at, token in tokens:
            _write(out / _STAMPS / f"{at}.tsr", token)
            _write(out / _STAMPS / f"{at}.head", store.at(at).note.text.encode())
    return SliceReport(last + 1 - first, written, len(tokens), ())


def _keys(reader: LedgerReader, leaf: bytes, index: int) -> Iterator[bytes]:
    fields = decode(leaf, f"leaf {index}")
    if not isinstance(fields, dict):
        return
    for name in RECORDS.get(str(fields.get("kind")), ()):
        key = fields.get(name)
        if isinstance(key, bytes):
            yield key
            if name == "physics":
                with contextlib.suppress(VerificationError):
                    yield from (ref.parameters_sha256 for ref in physics_refs(reader.record(key)))


def check_slice(
    folder: Path, root_public: bytes, witnesses: Sequence[VerifierKey] = (), authorities: Sequence[bytes] = ()
) -> SliceReport:
    """Check every file of a slice.

    Args:
        folder: as ``write_slice`` left it.
        root_public: the public root key.
        witnesses: those that must have cosigned.
        authorities: certificates (PEM) of time stamp authorities; none: tokens are not checked.

    Raises:
        ConfigError: there is no slice.
    """
    paths = sorted((folder / _PROOFS).glob("*.proof"))
    if not paths:
        raise ConfigError(f"{folder}: holds no proofs; expected what 'vidgen custody export' wrote")
    faults: list[Fault] = []
    reports: list[ProofReport] = []
    for path in paths:
        report = _read_proof(path, root_public, witnesses)
        if isinstance(report, Fault):
            faults.append(report)
        else:
            reports.append(report)
    faults.extend(_gaps(paths))
    checked = _Records(folder / _RECORDS)
    for report in reports:
        faults.extend(checked.check(report))
    stamps = sorted((folder / _STAMPS).glob("*.tsr"))
    if authorities:
        faults.extend(fault for path in stamps for fault in _check_stamp(path, authorities))
    return SliceReport(len(reports), len(checked.sound), len(stamps), tuple(faults))


def _read_proof(path: Path, root_public: bytes, witnesses: Sequence[VerifierKey]) -> ProofReport | Fault:
    try:
        report = verify_proof(path.read_bytes(), root_public, witnesses)
    except VerificationError as err:
        return Fault(path.name, str(err))
    if path.stem != f"{report.leaf_index:012d}":
        return Fault(path.name, f"is the proof of leaf {report.leaf_index}")
    return report


def _gaps(paths: list[Path]) -> Iterator[Fault]:
    numbers = {int(path.stem) for path in paths if path.stem.isdigit()}
    for number in range(min(numbers, default=0), max(numbers, default=-1)):
        if number not in numbers:
            yield Fault(f"leaf {number}", "missing: there is no proof of it", "missing")


class _Records:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sound: dict[bytes, bytes] = {}

    def check(self, report: ProofReport) -> Iterator[Fault]:
        where = f"leaf {report.leaf_index}"
        for name in RECORDS.get(str(report.leaf.get("kind")), ()):
            key = report.leaf.get(name)
            if not isinstance(key, bytes):
                continue
            yield from self._check(name, key, where)
            if name == "physics" and key in self.sound:
                for ref in physics_refs(decode(self.sound[key], where)):
                    yield from self._check(f"parameters of {ref.element}", ref.parameters_sha256, where)

    def _check(self, name: str, key: bytes, where: str) -> Iterator[Fault]:
        if key in self.sound:
            return
        path = self._folder / f"{key.hex()}.cbor"
        try:
            data = path.read_bytes()
        except OSError:
            yield Fault(
                where, f"its {name} record {path.name} is missing: deleted by retention, or lost", "missing"
            )
            return
        if sha256(data) != key:
            yield Fault(where, f"its {name} record {path.name} was changed")
            return
        self.sound[key] = data


def _check_stamp(path: Path, authorities: Sequence[bytes]) -> Iterator[Fault]:
    try:
        head = TreeHead.parse(path.with_suffix(".head").read_text(encoding="utf-8"))
        check_token(path.read_bytes(), head.digest, authorities)
    except (OSError, UnicodeDecodeError, VerificationError) as err:
        yield Fault(f"{_STAMPS}/{path.name}", str(err))


def _make_folders(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise ConfigError(f"--out {out}: is not empty; give a new directory")
        for name in (_PROOFS, _RECORDS, _STAMPS):
            (out / name).mkdir()
    except OSError as err:
        raise ConfigError(f"--out {out}: cannot be made: {err.strerror}") from err


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err
