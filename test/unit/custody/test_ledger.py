# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The writer: durable or refused, one at a time, nothing half written."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.custody import checkpoints
from vidgen_nodes.custody.digest import frame_digest, inputs_digest
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.merkle import leaf_hash, verify_inclusion
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import CustodyError, RecordError
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.packets import Cause, Mark, Origin, PhysicsRef


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "ledger.db"


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_record_says_what_its_leaf_says(path, digests, make_frame):
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        bundle, scene, world, overlay, report = make_frame(5, causes=(Cause.MAP_STALE,))
        record = ledger.append_frame(digests, bundle, scene, world, overlay, report)
        assert (ledger.size, ledger.root) == (2, record.root)
        with LedgerReader(path) as reader:  # while it is open for writing
            ((index, leaf),) = reader.frames()
            proof = reader.inclusion_proof(index)
            assert reader.physics(leaf["physics"]) == ((world.physics[0], world.parameters["flame"]),)
            assert reader.blob(leaf["inputs"]) == inputs_digest(bundle.sources)[1]
            assert list(reader.inputs()) == sorted(bundle.sources, key=dataclasses.astuple)
            assert reader.record(leaf["scenario"])["name"] == scene.scenario.name
    assert (record.sequence, record.leaf_index, record.tree_size, index) == (0, 1, 2, 1)
    assert record.leaf_hash == leaf_hash(proof.leaf)
    verify_inclusion(record.leaf_hash, record.leaf_index, record.tree_size, proof.path, record.root)
    assert record.frame_sha256 == leaf["frame"] == frame_digest(overlay)
    assert record.inputs_sha256 == leaf["inputs"]
    assert record.scenario_sha256 == leaf["scenario"]
    assert record.physics_sha256 == leaf["physics"]
    assert record.software_sha256 == leaf["software"] == digests.software_sha256
    assert record.config_sha256 == leaf["config"] == digests.config_sha256
    assert (record.map_sha256, leaf["map"]) == (bytes(32), None)
    assert (record.origin, leaf["origin"]) == (Origin.SIM, "sim")
    assert (record.mission, leaf["mission"]) == ("drill", "drill")
    assert (record.causes, leaf["causes"]) == ((Cause.MAP_STALE,), ["map_stale"])
    said = dataclasses.asdict(record.gate)
    assert leaf["gate"] == {name: said[name] for name in ("cells_open", "pixels_drawn", "pixels_outside")}
    assert (record.sigma_px, leaf["sigma_px"]) == (1.25, 1.25)
    assert record.physics == world.physics
    assert leaf["stamp_ns"] == record.stamp_ns == bundle.stamp_ns
    assert len(proof.leaf) < 800


def test_marks_and_the_cameras_clock_are_in_the_leaf_only_where_there_are_any(path, digests, make_frame):
    plain, marked = make_frame(0), make_frame(1)
    bundle = dataclasses.replace(marked[0], marks=(Mark.POSE_OLD,), clock_offset_ns=-18_000_000)
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        ledger.append_frame(digests, *plain)
        ledger.append_frame(digests, bundle, *marked[1:])
    with LedgerReader(path) as reader:
        first, second = (leaf for _, leaf in reader.frames())
    assert not {"marks", "clock_offset_ns"} & first.keys()
    assert (second["marks"], second["clock_offset_ns"]) == (["pose_old"], -18_000_000)
    assert not verify_ledger(path).faults


def test_the_same_frames_give_the_same_root(tmp_path, digests, make_frame):
    roots = set()
    for name in ("a.db", "b.db"):
        with Ledger.open(tmp_path / name, segment=digests.segment("start")) as ledger:
            for number in range(5):
                ledger.append_frame(digests, *make_frame(number))
            roots.add(ledger.root)
    assert len(roots) == 1


def test_a_closed_ledger_is_one_file_and_is_continued(path, digests, make_frame):
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        first = ledger.append_frame(digests, *make_frame(0))
    assert sorted(item.name for item in path.parent.iterdir()) == ["ledger.db", "ledger.db.lock"]
    with Ledger.open(path, segment=digests.segment("restart")) as ledger:
        assert ledger.size == 3
        second = ledger.append_frame(digests, *make_frame(1))
    assert (first.sequence, second.sequence, second.leaf_index) == (0, 1, 3)
    with LedgerReader(path) as reader:
        segments = [leaf for _, leaf in reader.segments()]
        assert [leaf["cause"] for leaf in segments] == ["start", "restart"]
        assert [leaf["previous"] for leaf in segments] == [None, first.root]
        assert reader.record(segments[0]["software"]) == digests.software
    assert verify_ledger(path).ok


def test_a_clock_jump_keeps_software_and_says_more(path, digests):
    manifest = {"name": "a.db3", "bytes": 3, "blocks": b"\0" * 32}
    with Ledger.open(path, segment=digests.segment("start", [manifest])) as ledger:
        ledger.append_segment("clock_jump", {"behind_ns": 7})
    with LedgerReader(path) as reader:
        (_, start), (_, jump) = reader.segments()
        assert (jump["cause"], jump["behind_ns"]) == ("clock_jump", 7)
        assert jump["software"] == start["software"] == digests.software_sha256
        assert reader.record(jump["recording"]) == [manifest]


def test_a_second_writer_is_refused_and_told_who(path, digests):
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        with pytest.raises(CustodyError, match=f"process {os.getpid()} is writing"):
            Ledger.open(path, segment=digests.segment("start"))
        assert ledger.size == 1
    Ledger.open(path, segment=digests.segment("restart")).close()


def test_rows_cannot_be_changed_removed_or_put_elsewhere(path, digests, make_frame):
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        ledger.append_frame(digests, *make_frame(0))
    connection = raw(path)
    row = "(?, 'frame', x'00', x'00', x'00')"
    for statement, values in [
        ("UPDATE leaves SET root = x'00' WHERE idx = ?", (0,)),
        ("DELETE FROM leaves WHERE idx = ?", (1,)),
        (f"INSERT INTO leaves VALUES {row}", (5,)),
        (f"INSERT INTO leaves VALUES {row}", (-1,)),
        (f"INSERT OR REPLACE INTO leaves VALUES {row}", (1,)),
        ("UPDATE blobs SET data = x'00' WHERE rowid = ?", (1,)),
        ("DELETE FROM blobs WHERE rowid = ?", (1,)),
    ]:
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement, values)
    key, data = connection.execute("SELECT sha256, data FROM blobs LIMIT 1").fetchone()
    connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, x'00')", (key,))
    assert connection.execute("SELECT data FROM blobs WHERE sha256 = ?", (key,)).fetchone() == (data,)
    connection.close()
    assert verify_ledger(path).ok


def test_it_is_opened_in_one_thread_and_used_in_another(path, digests, make_frame):
    ledger = Ledger.open(path, segment=digests.segment("start"))
    with ThreadPoolExecutor(1) as worker:
        records = [worker.submit(ledger.append_frame, digests, *make_frame(n)).result() for n in range(3)]
    ledger.close()
    assert [record.leaf_index for record in records] == [1, 2, 3]
    assert verify_ledger(path).frames == 3


def test_threads_that_append_at_once_take_turns(path, digests, make_frame):
    with Ledger.open(path, segment=digests.segment("start")) as ledger, ThreadPoolExecutor(4) as workers:
        records = list(workers.map(lambda n: ledger.append_frame(digests, *make_frame(n)), range(40)))
    assert sorted(record.sequence for record in records) == list(range(40))
    assert verify_ledger(path).ok


def test_a_full_disk_is_refused_whole_and_recovered_from(path, digests, make_frame):
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        ledger._connection.execute(f"PRAGMA max_page_count = {pages + 8}")
        accepted = []

        def append_until_refused():
            for number in range(1000):
                accepted.append(ledger.append_frame(digests, *make_frame(number)))  # noqa: PERF401

        with pytest.raises(CustodyError, match="nothing may be published") as caught:
            append_until_refused()
        assert "full" in str(caught.value)
        assert 0 < len(accepted) < 1000
        assert (ledger.size, ledger.root) == (accepted[-1].tree_size, accepted[-1].root)
        report = verify_ledger(path)
        assert (report.ok, report.frames, report.root) == (True, len(accepted), accepted[-1].root)
        with pytest.raises(CustodyError):
            ledger.append_frame(digests, *make_frame(2000))
        ledger._connection.execute("PRAGMA max_page_count = 100000")
        after = ledger.append_frame(digests, *make_frame(len(accepted)))
        assert after.sequence == len(accepted)
    assert verify_ledger(path).ok


def test_a_file_size_limit_is_refused_whole(tmp_path, digests):
    code = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from conftest import frame
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.errors import CustodyError
from vidgen_nodes.params import NodeParams
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
digests = run_digests(NodeParams(), None)
ledger = Ledger.open(Path(sys.argv[1]), segment=digests.segment("start"))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
count = 0
try:
    for number in range(1000):
        ledger.append_frame(digests, *frame(number))
        count += 1
except CustodyError as err:
    print(count, ledger.root.hex())
"""
    path = tmp_path / "ledger.db"
    answer = subprocess.run(
        [sys.executable, "-c", code, str(path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    count, root = answer.stdout.split()
    report = verify_ledger(path)
    assert 0 < int(count) < 1000
    assert (report.ok, report.frames, report.root.hex()) == (True, int(count), root)


def test_what_was_acknowledged_survives_a_kill(tmp_path):
    code = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from conftest import frame
from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.params import NodeParams
digests = run_digests(NodeParams(), None)
ledger = Ledger.open(Path(sys.argv[1]), segment=digests.segment("start"))
for number in range(100_000):
    print(ledger.append_frame(digests, *frame(number)).root.hex(), flush=True)
"""
    path = tmp_path / "ledger.db"
    command = [sys.executable, "-c", code, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        acknowledged = [process.stdout.readline().strip() for _ in range(300)]  # past two checkpoints
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in process.stdout if len(line.strip()) == 64]
    report = verify_ledger(path, bytes.fromhex(acknowledged[-1]))
    assert report.ok, report.faults
    assert report.expected_at == len(acknowledged) + 1
    with Ledger.open(path, segment={"cause": "restart"}) as ledger:  # and the lock died with the process
        assert ledger.size == report.records + 1


def test_a_record_without_canonical_form_is_refused_and_nothing_is_written(path, digests, make_frame):
    bundle, scene, world, overlay, report = make_frame(0)
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        endless = dataclasses.replace(scene, sigma_px=np.inf)
        with pytest.raises(RecordError, match=r"sigma_px: got inf"):
            ledger.append_frame(digests, bundle, endless, world, overlay, report)
        assert ledger.size == 1
        assert ledger.append_frame(digests, bundle, scene, world, overlay, report).sequence == 0


@pytest.mark.parametrize(
    "parameters", [{}, {"flame": {"height": [2.0, "m", "x"]}}, {"flame": {"height": np.inf}}]
)
def test_physics_whose_numbers_do_not_fit_its_hash_is_refused(path, digests, make_frame, parameters):
    bundle, scene, world, overlay, report = make_frame(0)
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        with pytest.raises(RecordError):
            ledger.append_frame(
                digests, bundle, scene, dataclasses.replace(world, parameters=parameters), overlay, report
            )
        assert ledger.size == 1


def test_numbers_are_stored_under_the_hash_that_their_reference_names(path, digests, make_frame):
    bundle, scene, world, overlay, report = make_frame(0)
    numbers = {"drift": [-0.0, "m/s", "wind"], "height": [2.0, "m", "Heskestad 1984"]}
    refs = [PhysicsRef(name, "x", "1", parameters_sha256(numbers), 3) for name in ("flame", "smoke")]
    drawn = dataclasses.replace(world, physics=tuple(refs), parameters={"flame": numbers, "smoke": numbers})
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        record = ledger.append_frame(digests, bundle, scene, drawn, overlay, report)
    with LedgerReader(path) as reader:
        assert reader.record(refs[0].parameters_sha256) == numbers
        assert [ref for ref, _ in reader.physics(record.physics_sha256)] == refs
    assert verify_ledger(path).ok


@pytest.mark.parametrize(
    "segment", [{}, {"cause": ""}, {"cause": "start", "previous": b""}, {"cause": "x", "y": object()}]
)
def test_a_segment_that_says_nothing_is_refused_and_the_file_let_go(path, digests, segment):
    with pytest.raises(RecordError):
        Ledger.open(path, segment=segment)
    Ledger.open(path, segment=digests.segment("start")).close()


def test_a_file_that_is_no_ledger_is_not_touched(tmp_path, digests):
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("not a database, " * 100)
    with raw(database) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(CustodyError, match=path.name):
            Ledger.open(path, segment=digests.segment("start"))
        assert path.read_bytes() == before
    with pytest.raises(CustodyError, match="cannot be written"):
        Ledger.open(text / "ledger.db", segment=digests.segment("start"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE leaves SET leaf = x'a0' WHERE idx = 3",
        "UPDATE leaves SET leaf = 'text' WHERE idx = 3",
        "UPDATE leaves SET leaf_hash = zeroblob(32) WHERE idx = 3",
        "UPDATE leaves SET root = zeroblob(32) WHERE idx = 11",
        "DELETE FROM leaves WHERE idx = 3",
        "UPDATE leaves SET idx = 99 WHERE idx = 3",
    ],
)
def test_a_ledger_that_does_not_verify_is_not_continued(tmp_path, written, digests, change):
    path = tmp_path / "ledger.db"
    path.write_bytes(written.read_bytes())
    connection = raw(path)
    for name in ("leaves_no_update", "leaves_no_delete"):
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(change)
    connection.close()
    with pytest.raises(CustodyError, match="vidgen verify"):
        Ledger.open(path, segment=digests.segment("restart"))


def test_a_closed_ledger_takes_nothing(path, digests, make_frame):
    ledger = Ledger.open(path, segment=digests.segment("start"))
    ledger.close()
    ledger.close()
    with pytest.raises(CustodyError, match="closed"):
        ledger.append_frame(digests, *make_frame(0))


def test_the_write_ahead_log_is_folded_away_while_frames_come(path, digests, make_frame, monkeypatch):
    folded = threading.Event()
    fold = checkpoints._fold

    def watched(connection):
        fold(connection)
        folded.set()

    monkeypatch.setattr(checkpoints, "_fold", watched)
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        before = path.stat().st_size
        for number in range(checkpoints._EVERY_COMMITS):
            ledger.append_frame(digests, *make_frame(number))
        assert folded.wait(timeout=30.0)
        assert (
            path.stat().st_size > before + 100 * checkpoints._EVERY_COMMITS
        )  # in the file, not only beside it
