# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a record holds so that any pixel can be traced later: the camera, the open columns, and why they are open.

Three content-addressed records: ``view`` (pose and calibration of the frame), ``columns`` (what the LiDAR opened, with
U and n, and what is open for each leak of steam, or why nothing is; once a map), ``paths`` (what fire may fill and the
way through the building model; once for as long as the model, the scenario and the window of the map stay). Guarantees
that ``decode_columns`` and ``decode_paths`` give back what the gate decided, to the last bit of its floats. Leaves out
the pixels: a leaf holds their hash.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2
import numpy as np
import numpy.typing as npt

from vidgen_nodes.custody.digest import canonical, dataclass_record, sha256
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.packets import CameraCalibration, Grid, Pose, UncertaintyMap

if TYPE_CHECKING:
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.columns import Gate, LeakOpening
    from vidgen_nodes.scene.compose import Scene

_POSE = struct.Struct("<7d")  # map_T_camera: translation [m], then quaternion x y z w
FLAME, DEBRIS, STEAM = 1, 2, 4  # bits of a column's rule
_COLUMN = np.dtype(
    [
        ("row", "<u4"),
        ("col", "<u4"),
        ("rule", "u1"),
        ("floor_m", "<f4"),
        ("ceiling_m", "<f4"),
        ("uncertainty", "<f4"),
        ("observations", "<u2"),
        ("observed_ns", "<i8"),
    ]
)
_PATH = np.dtype([("row", "<u4"), ("col", "<u4"), ("floor_m", "<f4"), ("ceiling_m", "<f4"), ("text", "<u4")])
Rows = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, eq=False)
class LeakColumns:
    """What a record says of one leak of steam."""

    name: str
    cause: str  # why nothing is open; empty: something is
    why: str  # on what its mouth stands, or the cause, in a sentence
    rows: Rows  # open for this leak and nothing else


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A decoded record of open columns."""

    grid: Grid
    rows: Rows
    texts: tuple[str, ...]  # of the paths: why, by ``rows["text"]``
    reasons: tuple[str, ...]  # of the gate: what the scenario asks for and is closed
    # None: the scenario has no leaks, or the frame is from before they had a rule of their own
    leaks: tuple[LeakColumns, ...] | None = None
    leak_rule: Mapping[str, Any] = field(default_factory=dict)  # its numbers: [value, unit, source] by name


class FrameTrace:
    """Makes the three records; what did not change since the frame before is not made again."""

    def __init__(self) -> None:
        self._calibration: CameraCalibration | None = None
        self._calibration_record = b""
        self._gate: Gate | None = None
        self._columns: tuple[bytes, bytes] = (b"", b"")
        self._paths: tuple[bytes, bytes] = (b"", b"")
        self._paths_of: tuple[object, bytes] | None = None

    def add_to(
        self, leaf: dict[str, object], records: dict[bytes, bytes], scene: Scene, world: WorldState
    ) -> None:
        """Put what is known of camera and gate into a leaf and its records."""
        if scene.camera is not None:
            leaf["view"] = self._view(scene, records)
        gate, umap = world.gate, scene.uncertainty_map
        if gate is None or gate.grid is None or umap is None:
            return
        self.prepare(gate, umap)
        for name, (key, record) in (("columns", self._columns), ("paths", self._paths)):
            leaf[name] = key
            records[key] = record

    def prepare(self, gate: Gate, umap: UncertaintyMap) -> None:
        """Make the records of a gate ahead of its first frame."""
        if gate is self._gate or gate.grid is None:
            return
        grid = gate.grid
        where = (grid.origin_east_m, grid.origin_north_m, grid.resolution_m, grid.rows, grid.cols)
        body: dict[str, object] = {
            "grid": list(where),
            "cells": _columns(gate, umap).tobytes(),
            "reasons": list(gate.reasons),
        }
        if gate.steam:
            body["leaks"] = [_leak(item, umap) for item in gate.steam]
            from vidgen_nodes.scene.leak_rule import NUMBERS  # a reader of records needs no building

            body["leak_rule"] = NUMBERS
        self._columns = _with_hash(canonical(body))
        rows = _flames(gate)
        kept = (getattr(gate.permits, "region", None), rows.tobytes())
        if self._paths_of is None or kept[0] is not self._paths_of[0] or kept[1] != self._paths_of[1]:
            texts: dict[str, int] = {}
            for number, cell in enumerate(zip(rows["row"].tolist(), rows["col"].tolist(), strict=True)):
                rows["text"][number] = texts.setdefault(_reason(gate, cell), len(texts))
            self._paths = _with_hash(
                canonical({"grid": list(where), "cells": rows.tobytes(), "texts": list(texts)})
            )
            self._paths_of = kept
        self._gate = gate

    def _view(self, scene: Scene, records: dict[bytes, bytes]) -> bytes:
        camera = scene.camera
        assert camera is not None
        if camera.calibration is not self._calibration:
            self._calibration = camera.calibration
            lens = camera.calibration
            self._calibration_record = dataclass_record(lens)
        pose = camera.map_T_camera
        key, record = _with_hash(
            cbor2.dumps(
                {
                    "calibration": self._calibration_record,
                    "pose": _POSE.pack(*pose.translation_m, *pose.quaternion_xyzw),
                },
                canonical=True,
            )
        )
        records[key] = record
        return key


def _reason(gate: Gate, cell: tuple[int, int]) -> str:
    """The flame rule's sentence of a cell without the cell itself, so that few differ."""
    sentence = gate.permits.get(cell, "").split("; debris: ")[0]
    return sentence.replace(f"cell ({cell[0]},{cell[1]}) ", "", 1)


def _flames(gate: Gate) -> Rows:
    """Columns that the flame rule alone opens."""
    rows, cols = np.nonzero(gate.flame_cells & ~gate.debris_cells)
    made = np.zeros(len(rows), _PATH)
    made["row"], made["col"] = rows, cols
    made["floor_m"], made["ceiling_m"] = gate.floor_m[rows, cols], gate.ceiling_m[rows, cols]
    return made


def _columns(gate: Gate, umap: UncertaintyMap) -> Rows:
    """Columns that the debris rule opens, alone or together with the flame rule."""
    rows, cols = np.nonzero(gate.debris_cells)
    made = np.zeros(len(rows), _COLUMN)
    made["row"], made["col"] = rows, cols
    made["rule"] = DEBRIS + FLAME * gate.flame_cells[rows, cols]
    made["floor_m"], made["ceiling_m"] = gate.floor_m[rows, cols], gate.ceiling_m[rows, cols]
    _add_measured(made, umap)
    return made


def _leak(opening: LeakOpening, umap: UncertaintyMap) -> dict[str, object]:
    """What is open for one leak, with what the LiDAR measured in each cell."""
    made = np.zeros(len(opening.rows), _COLUMN)
    made["row"], made["col"], made["rule"] = opening.rows, opening.cols, STEAM
    made["floor_m"], made["ceiling_m"] = opening.floor_m, opening.ceiling_m
    _add_measured(made, umap)
    return {
        "name": opening.name,
        "cause": "" if opening.cause is None else opening.cause.value,
        "why": opening.why,
        "cells": made.tobytes(),
    }


def _add_measured(made: Rows, umap: UncertaintyMap) -> None:
    where = made["row"], made["col"]
    made["uncertainty"], made["observations"] = umap.uncertainty[where], umap.observations[where]
    made["observed_ns"] = umap.observed_ns[where]


def _with_hash(record: bytes) -> tuple[bytes, bytes]:
    return sha256(record), record


def decode_view(record: object) -> tuple[CameraCalibration, Pose]:
    """Calibration and map_T_camera of a frame, from what ``view`` says.

    Raises:
        VerificationError: it is not such a record.
    """
    try:
        if not isinstance(record, Mapping):
            raise VerificationError(f"the record of the view is a {type(record).__name__}, expected a map")
        numbers = np.array(_POSE.unpack(record["pose"]))
        body: Any = cbor2.loads(record["calibration"])
        arrays = {
            "matrix_px": np.array(body["matrix_px"], np.float64),
            "distortion": np.array(body["distortion"], np.float64),
        }
        return CameraCalibration(**{**body, **arrays}), Pose(numbers[:3], numbers[3:])
    except (KeyError, TypeError, ValueError, EOFError, struct.error) as err:
        raise VerificationError(f"the record of the view cannot be read: {err}") from err


def decode_columns(record: object) -> Columns:
    """What ``columns`` says.

    Raises:
        VerificationError: it is not such a record.
    """
    return _decoded(record, _COLUMN)


def decode_paths(record: object) -> Columns:
    """What ``paths`` says.

    Raises:
        VerificationError: it is not such a record.
    """
    return _decoded(record, _PATH)


def _decoded(record: object, kind: np.dtype[Any]) -> Columns:
    if not isinstance(record, Mapping):
        raise VerificationError(
            f"the record of the open columns is a {type(record).__name__}, expected a map"
        )
    try:
        east, north, edge, rows, cols = record["grid"]
        grid = Grid(float(east), float(north), float(edge), int(rows), int(cols))
        cells: Rows = np.frombuffer(record["cells"], kind)
        leaks = tuple(
            LeakColumns(
                str(item["name"]), str(item["cause"]), str(item["why"]), np.frombuffer(item["cells"], _COLUMN)
            )
            for item in record.get("leaks", ())
        )
        said = tuple(record.get("texts", ())), tuple(record.get("reasons", ()))
        return Columns(
            grid, cells, *said, leaks if "leaks" in record else None, dict(record.get("leak_rule", {}))
        )
    except (KeyError, TypeError, ValueError) as err:
        raise VerificationError(f"the record of the open columns cannot be read: {err}") from err
