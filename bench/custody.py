# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench custody``: what custody costs a frame, how fast it verifies, and what an attacker gets away with.

Latency and CPU are those of ``append_frame`` with its signer at 50 Hz, plus the hashing of the inputs at ingest, in
one process without the graph around it; ``flush_*`` is what the disk alone takes for one page in the same run. Kills
are SIGKILLs of a writing process; they say nothing about power cuts.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vidgen_nodes.custody.digest import RunDigests, run_digests
from vidgen_nodes.custody.head import Head, origin_of
from vidgen_nodes.custody.heads import heads_path
from vidgen_nodes.custody.keys import FileKey, KeyRing
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.merkle import leaf_hash, root_from_path
from vidgen_nodes.custody.note import SignedNote, TreeHead, cosign, sign_note
from vidgen_nodes.custody.proof import encode_proof, verify_proof
from vidgen_nodes.custody.proof_maker import make_proof
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.recording import compare_manifest, file_manifest
from vidgen_nodes.custody.signer import HeadSigner, Signing, sign_ledger
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.generation.generator import WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.packets import Bundle, GateReport, Overlay, PhysicsRef, RtkStatus, SourceRef, ThermalFrame
from vidgen_nodes.params import NodeParams, SimParams
from vidgen_nodes.scene.compose import Scene
from vidgen_nodes.scheduling import Priority, set_priority
from vidgen_nodes.summary import json_line

RATE_HZ = 50.0
KILLS = 200
_WIDTH_PX, _HEIGHT_PX = 640, 512
_POINTS_BYTES = 20_000 * 16
_START_NS = 1_700_000_000_000_000_000


def run(args: Any) -> int:
    """Measure everything; ``--seconds`` is the length of the 50 Hz run and of the recording derived again."""
    with tempfile.TemporaryDirectory(prefix="vidgen-bench-custody-") as name:
        folder = Path(name)
        keys = KeyRing.open(folder / "keys", int(time.time()))
        digests = run_digests(NodeParams(), None)
        lost, kills = _kill(folder / "killed.db", digests, keys)
        live = _live(folder / "live.db", digests, keys, args.seconds)
        tried, detected = _mutate(folder, digests, keys)
        content = {
            **live,
            "leaves_per_s": _verify(folder / "long.db", digests),
            "rederive_x_realtime": _rederive(folder, min(args.seconds, 20.0)),
            "proof_bytes_2p6m": proof_bytes(2_592_000, keys, folder / "live.db"),
            "proof_bytes_2p30": proof_bytes(2**30, keys, folder / "live.db"),
            "mutations_detected": detected,
            "mutations_tried": tried,
            "kill_lost": lost,
            "kills": kills,
        }
    print(
        json_line(content) if args.json else "\n".join(f"{key:22} {value}" for key, value in content.items())
    )
    return 0


def _frame(number: int, *, height: int = 8, width: int = 10, rgba: Any = None) -> tuple[Any, ...]:
    """What ``append_frame`` takes after the digests; three input messages a frame."""
    stamp_ns = _START_NS + number * 20_000_000
    names = (("thermal/image_raw", "Image"), ("imu/data", "Imu"), ("imu/data", "Imu"))
    sources = tuple(
        SourceRef(
            f"/vidgen/{topic}",
            f"sensor_msgs/msg/{kind}",
            stamp_ns - k,
            hashlib.sha256(b"%d" % (stamp_ns - k)).digest(),
        )
        for k, (topic, kind) in enumerate(names)
    )
    frame_id = "thermal_optical_frame"
    pixels, unknown = np.zeros((1, 1), np.uint16), float("nan")
    thermal = ThermalFrame(
        stamp_ns, frame_id, "mono16", pixels, number, None, False, unknown, unknown, 0.0, False, sources[:1]
    )
    bundle = Bundle(
        stamp_ns, number, 0, thermal, None, None, stamp_ns, RtkStatus.FIXED, None, 1.25, (), sources, {}
    )
    scene = Scene(stamp_ns, frame_id, width, height, None, None, None, None, None, (), 1.25)
    flame = {"heat_release": [10.0 + number // 3, "kW", "scenario"]}
    ref = PhysicsRef("flame", "McCaffrey 1979 plume", "1", parameters_sha256(flame), 0)
    world = WorldState(number // 3, physics=(ref,), parameters={"flame": flame})
    picture = np.full((height, width, 4), number % 256, np.uint8) if rgba is None else rgba
    overlay = Overlay(stamp_ns, frame_id, picture, np.ascontiguousarray(picture[..., 3]), None)
    return bundle, scene, world, overlay, GateReport(12, 345, 0)


def _live(path: Path, digests: RunDigests, keys: KeyRing, seconds: float) -> dict[str, float]:
    """What a frame waits for custody, and beside it what the disk alone takes, by turns in one run at 50 Hz.

    The wait is wall time: hashing of the inputs, leaf, and the commit until it is durable, with the signer and the
    checkpoints of the log at work. CPU is that of all threads of custody as a share of one core. Half a period after
    every second frame 4 KiB are written over and flushed in a file beside: no durable record can take less.
    """
    rgba = np.zeros((_HEIGHT_PX, _WIDTH_PX, 4), np.uint8)
    rgba[100:400, 150:500] = np.random.default_rng(1).integers(0, 255, (300, 350, 4), dtype=np.uint8)
    image, cloud = rgba.tobytes()[: _WIDTH_PX * _HEIGHT_PX * 2], bytes(_POINTS_BYTES)
    count = int(seconds * RATE_HZ)
    frames = [_frame(number, height=_HEIGHT_PX, width=_WIDTH_PX, rgba=rgba) for number in range(count)]
    waits_ms, flushes_ms, flush_cpu_s = [], [], 0.0
    beside = os.open(path.with_suffix(".flush"), os.O_CREAT | os.O_RDWR)
    os.pwrite(beside, bytes(4096), 0)
    os.fsync(beside)
    set_priority(Priority.FRAME)  # as the generator has it
    with Ledger.open(path, segment=digests.segment("start"), live=True) as ledger:
        signer = HeadSigner(path, keys, Signing())
        begin_cpu_s, begin_s = time.process_time(), time.perf_counter()
        for number, frame in enumerate(frames):
            _sleep_until(begin_s + number / RATE_HZ)
            start_s = time.perf_counter()
            hashlib.sha256(image).digest()
            if number % 5 == 0:
                hashlib.sha256(cloud).digest()
            ledger.append_frame(digests, *frame)
            waits_ms.append((time.perf_counter() - start_s) * 1e3)
            if number % 2:
                continue
            _sleep_until(begin_s + (number + 0.5) / RATE_HZ)
            start_s, start_cpu_s = time.perf_counter(), time.thread_time()
            os.pwrite(beside, number.to_bytes(4096, "little"), 0)
            os.fdatasync(beside)
            flushes_ms.append((time.perf_counter() - start_s) * 1e3)
            flush_cpu_s += time.thread_time() - start_cpu_s
        cpu_s, wall_s = time.process_time() - begin_cpu_s - flush_cpu_s, time.perf_counter() - begin_s
    signer.close()
    set_priority(Priority.NORMAL)
    os.close(beside)
    return {
        "added_p99_ms": round(float(np.percentile(waits_ms, 99)), 3),
        "added_median_ms": round(float(np.median(waits_ms)), 3),
        "flush_p99_ms": round(float(np.percentile(flushes_ms, 99)), 3),
        "flush_median_ms": round(float(np.median(flushes_ms)), 3),
        "cpu_share": round(cpu_s / wall_s, 4),
    }


def _sleep_until(when_s: float) -> None:
    time.sleep(max(0.0, when_s - time.perf_counter()))


def _verify(path: Path, digests: RunDigests, count: int = 60_000) -> float:
    """Leaves a second on all cores, best of three; the file is in the cache."""
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        for number in range(count):
            ledger.append_frame(digests, *_frame(number))
    best_s = float("inf")
    for _ in range(3):
        start_s = time.perf_counter()
        report = verify_ledger(path, jobs=os.cpu_count() or 1)
        best_s = min(best_s, time.perf_counter() - start_s)
        assert report.ok
    return round(report.records / best_s)


def _rederive(folder: Path, seconds: float) -> float:
    """Seconds of a recording at its full rate that are derived again in a second, with a process a core."""
    from vidgen_nodes.graph import resolve_params
    from vidgen_nodes.ros.offline import run_offline
    from vidgen_nodes.ros.rederive import Effort, compare_bag
    from vidgen_nodes.ros.replay import read_recording
    from vidgen_nodes.sim.recording import write_recording

    bag, ledger = folder / "flight", folder / "rendered.db"
    write_recording(bag, SimParams(), seconds)
    run_offline(read_recording(bag), resolve_params("sim"), ledger, lambda *_: None)
    start_s = time.perf_counter()
    comparison = compare_bag(ledger, bag, {}, lambda: None, Effort(jobs=0))
    elapsed_s = time.perf_counter() - start_s
    assert comparison.ok, comparison.faults[:3]
    return round(seconds / elapsed_s, 2)


def proof_bytes(size: int, keys: KeyRing, ledger: Path, index: int = 123_457) -> int:
    """Bytes of a proof with two cosignatures in a tree of that size; its path is as long as any real one."""
    with LedgerReader(ledger) as reader:
        leaf = next(iter(reader.rows(9))).leaf
    session = keys.new_session(int(time.time()))
    path, low, high = [], 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        low, high = (low, middle) if index < middle else (middle, high)
        path.append(hashlib.sha256(struct.pack("<Q", high)).digest())
    root = root_from_path(leaf_hash(leaf), index, size, path)
    log_id = bytes(8)
    head = TreeHead(origin_of(session.chain.unit.public, log_id), size, root, bytes(32))
    lines = tuple(
        cosign(head.text, f"w{n}.example.org/vidgen", FileKey.generate(), int(time.time())) for n in (1, 2)
    )
    note = SignedNote(head.text, (sign_note(head.text, head.origin, session.key),))
    proof = encode_proof(leaf, index, path, Head(note, session.chain, lines), log_id)
    verify_proof(proof, keys.root.public)
    return len(proof)


def _kill(path: Path, digests: RunDigests, keys: KeyRing, kills: int = KILLS) -> tuple[int, int]:
    """Kill a writer again and again; returns acknowledged leaves that were lost, and the kills."""
    lost, dice = 0, random.Random(1)
    for _ in range(kills):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _write_until_killed(path, digests, keys, write_end)
        os.close(write_end)
        acknowledged = b""
        wanted = dice.randint(1, 40) * 40
        while len(acknowledged) < wanted and (data := os.read(read_end, wanted - len(acknowledged))):
            acknowledged += data
        os.kill(child, signal.SIGKILL)
        while data := os.read(read_end, 65536):
            acknowledged += data
        os.close(read_end)
        os.waitpid(child, 0)
        lost += _missing(path, acknowledged)
    report = verify_ledger(path, root_public=keys.root.public)
    assert report.ok, report.faults[:3]
    return lost, kills


def _write_until_killed(path: Path, digests: RunDigests, keys: KeyRing, out: int) -> None:
    try:
        ledger = Ledger.open(path, segment=digests.segment("restart"))
        HeadSigner(path, keys, Signing(period_s=0.02))
        number = ledger.size
        while True:
            record = ledger.append_frame(digests, *_frame(number))
            os.write(out, struct.pack("<Q", record.leaf_index) + record.leaf_hash)
            number += 1
    finally:
        os._exit(3)


def _missing(path: Path, acknowledged: bytes) -> int:
    whole = acknowledged[: len(acknowledged) // 40 * 40]
    pairs = [
        (struct.unpack("<Q", whole[at : at + 8])[0], whole[at + 8 : at + 40])
        for at in range(0, len(whole), 40)
    ]
    if not pairs:
        return 1  # it never wrote: count it, so that it shows
    with LedgerReader(path) as reader:
        held = {row.index: row.leaf_hash for row in reader.rows(pairs[0][0])}
    return sum(held.get(index) != hashed for index, hashed in pairs)


def _mutate(folder: Path, digests: RunDigests, keys: KeyRing) -> tuple[int, int]:
    """Flip one byte at a time in ledger, heads, proof and recording; returns flips, and those found and placed."""
    ledger = folder / "mutated.db"
    with Ledger.open(ledger, segment=digests.segment("start")) as writer:
        for number in range(12):
            writer.append_frame(digests, *_frame(number))
    sign_ledger(ledger, keys)
    results = [
        *_mutate_rows(ledger, keys),
        *_mutate_proof(make_proof(ledger, 5), keys),
        *_mutate_recording(folder / "recording.mcap"),
    ]
    return len(results), sum(results)


def _mutate_rows(ledger: Path, keys: KeyRing) -> Iterator[bool]:
    """Every byte of some rows of each kind, through SQL: free pages and padding of the file hold nothing."""
    plain = sqlite3.connect(ledger)
    kept = [row[0] for row in plain.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
    keys_of_blobs = [row[0] for row in plain.execute("SELECT sha256 FROM blobs ORDER BY rowid")]
    plain.close()
    copy, beside = ledger.with_name("copy.db"), heads_path(ledger.with_name("copy.db"))
    shutil.copy(ledger, copy)
    shutil.copy(heads_path(ledger), beside)

    def attempt(
        path: Path, table: str, column: str, row: int, places: Callable[[int], str]
    ) -> Iterator[bool]:
        connection = sqlite3.connect(path, isolation_level=None)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        query = f"SELECT {column} FROM {table} WHERE rowid = ?"  # noqa: S608
        (before,) = connection.execute(query, (row,)).fetchone()
        was_text = isinstance(before, str)
        data = before.encode() if was_text else before
        update = f"UPDATE {table} SET {column} = {'CAST(? AS TEXT)' if was_text else '?'} WHERE rowid = ?"  # noqa: S608
        for at in range(0, len(data), 5):
            changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            connection.execute(update, (changed, row))
            if path == copy:
                _restore_triggers(connection, kept)
            report = verify_ledger(copy, root_public=keys.root.public)
            yield any(places(at) in str(fault) for fault in report.faults)
            _drop_triggers(connection)
        connection.execute(update, (data, row))
        if path == copy:
            _restore_triggers(connection, kept)
        connection.close()

    for column in ("leaf", "leaf_hash", "root", "kind"):
        yield from attempt(copy, "leaves", column, 5, lambda _: "leaf 5")
    for number in (1, 3):
        key = keys_of_blobs[number - 1].hex()
        yield from attempt(copy, "blobs", "data", number, lambda _, key=key: key)  # type: ignore[misc]
    yield from attempt(beside, "heads", "note", 13, lambda _: "head over 13")
    yield from attempt(beside, "sessions", "unit", 1, lambda _: "head over 13")
    yield from attempt(beside, "sessions", "session", 1, lambda _: "head over 13")


def _drop_triggers(connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def _restore_triggers(connection: sqlite3.Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _mutate_proof(proof: bytes, keys: KeyRing) -> Iterator[bool]:
    for at in range(len(proof)):
        changed = proof[:at] + bytes([proof[at] ^ 1 << at % 8]) + proof[at + 1 :]
        try:
            verify_proof(changed, keys.root.public)
        except VerificationError:
            yield True
        else:
            yield False


def _mutate_recording(path: Path, tries: int = 100) -> Iterator[bool]:
    """The file of a recording against its manifest in the ledger; any bytes will do."""
    data = bytearray(random.Random(2).randbytes(1_000_000))
    path.write_bytes(data)
    manifest = file_manifest(path)
    dice = random.Random(3)
    for _ in range(tries):
        at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        data[at] ^= bit
        path.write_bytes(data)
        faults = compare_manifest(manifest, path)
        first, last = (
            (int(word) for word in faults[0].where.split(" bytes ")[1].split(" to ")) if faults else (0, -1)
        )
        yield len(faults) == 1 and first <= at <= last
        data[at] ^= bit
