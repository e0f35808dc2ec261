# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A recording into which a bag was played twice: every buffer is cleared once, and the ledger says so once."""

from __future__ import annotations

from pathlib import Path

import pytest
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.graph import resolve_params
from vidgen_nodes.packets import Bundle, Cause
from vidgen_nodes.ros.offline import run_offline
from vidgen_nodes.ros.replay import read_recording, replay_overrides


@pytest.fixture(scope="module")
def twice(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flight of 1.4 s, and then the same bytes again under later log times."""
    path = tmp_path_factory.mktemp("twice") / "bag"
    with Reader(flight) as source, Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as target:
        connections = {
            c.id: target.add_connection(
                c.topic,
                c.msgtype,
                msgdef=c.msgdef.data,
                rihs01=c.digest,
                offered_qos_profiles=c.ext.offered_qos_profiles,
            )
            for c in source.connections
        }
        for run_ns in (0, 2_000_000_000):
            for connection, log_ns, raw in source.messages():
                target.write(connections[connection.id], log_ns + run_ns, raw)
    return path


def test_a_bag_that_restarts_begins_one_segment(twice: Path, tmp_path: Path) -> None:
    recording = read_recording(twice)
    params = resolve_params("sim", overrides=replay_overrides(recording))
    bundles: list[Bundle] = []
    counts = run_offline(recording, params, tmp_path / "ledger.db", lambda bundle, _: bundles.append(bundle))
    first, second = ([b for b in bundles if b.segment == run] for run in (0, 1))
    assert len(first) == len(second) == counts.thermal_in // 2
    assert not counts.dropped
    assert [b.sequence for b in second] == list(range(len(second)))
    # Nothing of the first run is in effect in the second, and what came anew is: the runs are alike.
    assert [b.nav_stamp_ns for b in second] == [b.nav_stamp_ns for b in first]
    assert [b.causes for b in second] == [b.causes for b in first]
    assert Cause.NO_POSE in second[0].causes
    assert Cause.NO_POSE not in second[-1].causes
    with LedgerReader(tmp_path / "ledger.db") as reader:
        assert [segment["cause"] for _, segment in reader.segments()] == ["start", "clock_jump"]
    assert not verify_ledger(tmp_path / "ledger.db").faults
