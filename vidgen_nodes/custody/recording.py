# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Does a recording still hold the bytes and the messages that the ledger names?

Guarantees: a changed byte of a recorded file is placed within one block; a changed, missing or added
message is named by topic and stamp. Leaves out reading of recordings (``ros/replay.py``), and whether
the recording was true when it was made.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from vidgen_nodes.custody.verify import Fault
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import SourceRef

_HASH_BYTES = 32
_MIN_BLOCK_BYTES = 64 * 1024
_MAX_BLOCKS = 4096

Manifest = dict[str, object]


def file_manifest(path: Path) -> Manifest:
    """Hashes of a file and of its blocks, read once from start to end.

    Returns:
        ``{name, bytes, sha256, block_bytes, blocks}``: file name without folder, size, SHA-256 (hex) of the
        whole, size of a block (at least 64 KiB, at most 4096 blocks), and the SHA-256 of each block, joined.

    Raises:
        VerificationError: the file cannot be read.
    """
    try:
        size = path.stat().st_size
        block_bytes = _block_bytes(size)
        whole = hashlib.sha256()
        blocks = bytearray()
        length = 0
        for block in _blocks(path, block_bytes):
            whole.update(block)
            blocks += hashlib.sha256(block).digest()
            length += len(block)
    except OSError as err:
        raise VerificationError(f"{path}: cannot be read: {err}") from err
    return {
        "name": path.name,
        "bytes": length,
        "sha256": whole.hexdigest(),
        "block_bytes": block_bytes,
        "blocks": bytes(blocks),
    }


def _block_bytes(size: int) -> int:
    block_bytes = _MIN_BLOCK_BYTES
    while size > block_bytes * _MAX_BLOCKS:
        block_bytes *= 2
    return block_bytes


def _blocks(path: Path, block_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(block_bytes):
            yield block


def compare_manifest(recorded: Mapping[str, object], path: Path) -> tuple[Fault, ...]:
    """Where a file differs from its manifest.

    Args:
        recorded: what ``file_manifest`` returned when the file was played, as read from the ledger.
        path: the file now.

    Returns:
        One fault for each run of changed blocks, and one for a missing, cut or grown file; empty: the
        same bytes.

    Raises:
        VerificationError: ``recorded`` is not a manifest.
    """
    name, size, block_bytes, blocks = _parsed(recorded)
    if not path.is_file():
        return (Fault(name, f"missing: there is no file {path}", "missing"),)
    faults: list[Fault] = []
    changed: list[int] = []
    length = count = 0
    try:
        for count, block in enumerate(_blocks(path, block_bytes), start=1):
            length += len(block)
            at = (count - 1) * _HASH_BYTES
            if hashlib.sha256(block).digest() != blocks[at : at + _HASH_BYTES] and at < len(blocks):
                changed.append(count - 1)
    except OSError as err:
        return (Fault(name, f"cannot be read: {err}", "missing"),)
    for first, last in _runs(changed):
        end = min((last + 1) * block_bytes, max(size, length)) - 1
        faults.append(Fault(f"{name}, bytes {first * block_bytes} to {end}", "were changed"))
    if length < size:
        faults.append(
            Fault(f"{name}, bytes {length} to {size - 1}", "are missing: the file was cut", "missing")
        )
    if length > size:
        faults.append(Fault(f"{name}, bytes {size} to {length - 1}", "were added", "inserted"))
    return tuple(faults)


def _parsed(recorded: Mapping[str, object]) -> tuple[str, int, int, bytes]:
    name, size = recorded.get("name"), recorded.get("bytes")
    block_bytes, blocks = recorded.get("block_bytes"), recorded.get("blocks")
    if (
        not isinstance(name, str)
        or not isinstance(size, int)
        or not isinstance(block_bytes, int)
        or not isinstance(blocks, bytes)
        or block_bytes <= 0
        or len(blocks) != -(-size // block_bytes) * _HASH_BYTES
    ):
        raise VerificationError("recording manifest: expected name, bytes, block_bytes and a hash a block")
    return name, size, block_bytes, blocks


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive ascending numbers."""
    first: int | None = None
    previous = -1
    for number in numbers:
        if first is None:
            first = number
        elif number != previous + 1:
            yield first, previous
            first = number
        previous = number
    if first is not None:
        yield first, previous


def compare_inputs(recorded: Iterable[SourceRef], messages: Iterable[SourceRef]) -> tuple[Fault, ...]:
    """Where the messages of a recording differ from those that the ledger names.

    A message of the recording that the ledger does not name is a fault only on a topic that the ledger
    uses, between the first and the last stamp that it names there: before and after, nothing was running.
    Messages that were refused or lost when the frames were made show up as inserted, too.

    Args:
        recorded: inputs of all frames (``LedgerReader.inputs``).
        messages: every message of the recording, with the topic names of the ledger.

    Returns:
        Faults sorted by topic and stamp: altered (same topic and stamp, other bytes), missing, inserted.
    """
    named, found = _by_place(recorded), _by_place(messages)
    spans: dict[str, tuple[int, int]] = {}
    for topic, stamp_ns in named:
        first, last = spans.get(topic, (stamp_ns, stamp_ns))
        spans[topic] = (min(first, stamp_ns), max(last, stamp_ns))
    faults: list[Fault] = []
    for place in sorted(named.keys() | found.keys()):
        topic, stamp_ns = place
        lost, extra = named[place] - found[place], found[place] - named[place]
        where = f"{topic} at {stamp_ns} ns"
        altered = min(len(lost), len(extra))
        faults.extend([Fault(where, "the message has other bytes than when it was used")] * altered)
        if len(lost) > altered:
            faults.append(
                Fault(where, f"{len(lost) - altered} message(s) are not in the recording", "missing")
            )
        first, last = spans.get(topic, (0, -1))
        if len(extra) > altered and first <= stamp_ns <= last:
            what = (
                f"{len(extra) - altered} message(s) that no frame used: added, or refused or lost back then"
            )
            faults.append(Fault(where, what, "inserted"))
    return tuple(faults)


def _by_place(refs: Iterable[SourceRef]) -> defaultdict[tuple[str, int], set[bytes]]:
    places: defaultdict[tuple[str, int], set[bytes]] = defaultdict(set)
    for ref in refs:
        places[ref.topic, ref.stamp_ns].add(ref.sha256)
    return places
