# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The records of camera and columns give back what they were made of, to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import sha256
from vidgen_nodes.custody.leaf import leaf_fault
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.custody.trace import FrameTrace, decode_columns, decode_paths, decode_view
from vidgen_nodes.custody.verify import verify_ledger
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.generation.generator import WorldState
from vidgen_nodes.packets import CameraCalibration, Grid, Pose, UncertaintyMap
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.columns import Gate

STAMP_NS = 1_700_000_000_000_000_000


def map_of(grid: Grid, seed: int) -> UncertaintyMap:
    rng = np.random.default_rng(seed)
    layer = rng.random(grid.shape).astype(np.float32)
    counts = rng.integers(0, 60000, grid.shape).astype(np.uint16)
    seen = rng.integers(STAMP_NS - 10**9, STAMP_NS, grid.shape)
    return UncertaintyMap(
        STAMP_NS, grid, layer, layer, layer, layer, layer, layer, layer, layer, counts, seen,
        np.zeros(grid.shape, np.uint8), bytes([seed % 256]) * 32, (),
    )  # fmt: skip


def gate_of(grid: Grid, seed: int, share: float = 0.3) -> Gate:
    rng = np.random.default_rng(seed + 1)
    flame, debris = rng.random(grid.shape) < share, rng.random(grid.shape) < share
    floor = rng.normal(0.0, 5.0, grid.shape).astype(np.float32)
    permits = {
        (int(row), int(col)): f"flame: cell ({row},{col}) on wall, path from ignition a"
        for row, col in np.argwhere(flame)
    }
    opened = int(np.count_nonzero(flame | debris))
    return Gate(
        grid, flame, debris, floor, floor + np.float32(3.0), permits, ("closed: b",), b"g" * 32, opened
    )


@settings(max_examples=40)
@given(
    rows=st.integers(1, 30), cols=st.integers(1, 30), seed=st.integers(0, 10**6), share=st.floats(0.0, 1.0)
)
def test_columns_and_paths_come_back_bit_for_bit(rows: int, cols: int, seed: int, share: float) -> None:
    grid = Grid(-3.5, 12.25, 0.5, rows, cols)
    gate, umap = gate_of(grid, seed, share), map_of(grid, seed)
    trace, records, leaf = FrameTrace(), {}, {}
    scene: object = type("S", (), {"camera": None, "uncertainty_map": umap})()
    trace.add_to(leaf, records, scene, WorldState(0, gate=gate))  # type: ignore[arg-type]
    columns = decode_columns(cbor2.loads(records[leaf["columns"]]))
    paths = decode_paths(cbor2.loads(records[leaf["paths"]]))
    assert columns.grid == paths.grid == grid
    assert columns.reasons == gate.reasons
    flame, debris = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    debris[columns.rows["row"], columns.rows["col"]] = True
    flame[paths.rows["row"], paths.rows["col"]] = True
    both = columns.rows["rule"] == 3
    flame[columns.rows["row"][both], columns.rows["col"][both]] = True
    assert (flame == gate.flame_cells).all()
    assert (debris == gate.debris_cells).all()
    for found in (columns.rows, paths.rows):
        where = found["row"], found["col"]
        assert found["floor_m"].tobytes() == gate.floor_m[where].tobytes()
        assert found["ceiling_m"].tobytes() == gate.ceiling_m[where].tobytes()
    where = columns.rows["row"], columns.rows["col"]
    assert columns.rows["uncertainty"].tobytes() == umap.uncertainty[where].tobytes()
    assert (columns.rows["observations"] == umap.observations[where]).all()
    for row in paths.rows:
        assert paths.texts[row["text"]] == "flame: on wall, path from ignition a"


def test_what_stays_is_made_once(make_frame: Callable[..., tuple[object, ...]]) -> None:
    grid = Grid(0.0, 0.0, 0.5, 10, 10)
    gate, umap = gate_of(grid, 3), map_of(grid, 3)
    scene: object = type("S", (), {"camera": None, "uncertainty_map": umap})()
    trace = FrameTrace()
    first: dict[bytes, bytes] = {}
    again: dict[bytes, bytes] = {}
    for records in (first, again):
        trace.add_to({}, records, scene, WorldState(0, gate=gate))  # type: ignore[arg-type]
    assert all(again[key] is first[key] for key in first)
    for key, record in first.items():
        assert sha256(record) == key


def test_a_view_comes_back_bit_for_bit() -> None:
    matrix = np.array([[650.0, 0.0, 323.4], [0.0, 650.6, 251.8], [0.0, 0.0, 1.0]])
    lens = CameraCalibration(
        5, "thermal", 640, 512, matrix, "plumb_bob", np.array([0.1, -0.02, 0.0, 0.0, 0.0])
    )
    turn = np.array([0.1, -0.2, 0.3, 0.9])
    pose = Pose(np.array([1.0 / 3.0, -0.0, 22.1]), turn / np.linalg.norm(turn))
    scene: object = type("S", (), {"camera": Camera(lens, pose), "uncertainty_map": None})()
    leaf: dict[str, object] = {}
    records: dict[bytes, bytes] = {}
    FrameTrace().add_to(leaf, records, scene, WorldState(0))  # type: ignore[arg-type]
    found, where = decode_view(cbor2.loads(records[leaf["view"]]))  # type: ignore[index]
    assert where.translation_m.tobytes() == pose.translation_m.tobytes()
    assert where.quaternion_xyzw.tobytes() == pose.quaternion_xyzw.tobytes()
    assert dataclasses.replace(found, matrix_px=matrix, distortion=lens.distortion) == dataclasses.replace(
        lens, matrix_px=matrix, distortion=lens.distortion
    )
    assert (found.matrix_px == matrix).all()
    assert (found.distortion == lens.distortion).all()


@pytest.mark.parametrize(
    "record", [None, 5, {}, {"grid": [1, 2], "cells": b""}, {"grid": [0.0, 0.0, 1.0, 2, 2], "cells": b"xyz"}]
)
def test_what_is_no_such_record_is_refused(record: object) -> None:
    for decode in (decode_columns, decode_paths, decode_view):
        with pytest.raises(VerificationError):
            decode(record)


def test_a_ledger_without_them_still_verifies_and_their_form_is_checked(
    written: object, tmp_path: object
) -> None:
    assert verify_ledger(written).ok  # type: ignore[arg-type]
    with LedgerReader(written) as reader:  # type: ignore[arg-type]
        _, leaf = next(reader.frames())
    assert not {"view", "columns", "paths"} & set(leaf)
    assert leaf_fault(leaf) == ""
    for name in ("view", "columns", "paths"):
        assert leaf_fault({**leaf, name: bytes(32)}) == ""
        assert name in leaf_fault({**leaf, name: bytes(31)})
        assert name in leaf_fault({**leaf, name: None})
