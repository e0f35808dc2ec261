# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The fields of other engines that a scenario plays: FDS, OpenFOAM and other VTK, and the documented format.

Guarantees that every frame that shows one names the engine, its version and the SHA-256 of every file
read, and that the gate decides where any of it is drawn, as for our own fires. Files are read when the
world is made, never in a frame. Leaves out what is played when (``fields/playback.py``) and the formats.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.fields.fds import read_fds
from vidgen_nodes.generation.fields.file import read_npz, read_zarr
from vidgen_nodes.generation.fields.playback import FieldState, PlayedField
from vidgen_nodes.generation.fields.run import FieldRun
from vidgen_nodes.generation.fields.vtk import read_vtk
from vidgen_nodes.generation.hazards import FLAME_CONFIDENCE, SMOKE_CONFIDENCE, permits_under
from vidgen_nodes.generation.physics_record import Parameters, entry, parameters_sha256
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.packets import Float32Array, Hazard, ImportedField, PhysicsRef
from vidgen_nodes.text_file import refuse_special

if TYPE_CHECKING:
    from vidgen_nodes.scene.gate import Gate

READERS: dict[str, Callable[[Path], FieldRun]] = {
    ".npz": read_npz,
    ".zarr": read_zarr,
    ".smv": read_fds,
    ".vtu": read_vtk,
    ".vtk": read_vtk,
    ".vti": read_vtk,
    ".vtr": read_vtk,
    ".vts": read_vtk,
    ".pvtu": read_vtk,
    ".vtm": read_vtk,
    ".series": read_vtk,
    ".pvd": read_vtk,
}

_HINTS = {  # what people take for the field of an engine
    ".foam": "; it only marks a case of OpenFOAM: write its fields with foamToVTK and give the .series",
    ".fds": "; it is the input of FDS: give the .smv that the run wrote",
    ".s3d": "; give the .smv of the run, which names it",
    ".q": "; give the .smv of the run, which names it",
    ".sf": "; give the .smv of the run, which names it",
    ".vtp": "; it is a surface: write the volume",
    ".vtkhdf": "; write the fields as .vtu or in the documented format",
}


@dataclass(frozen=True, slots=True, eq=False)
class ImportedStep:
    """All imported fields at one tick."""

    fields: tuple[HazardField, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    parameters: Parameters = field(default_factory=dict)  # by element
    physics: tuple[PhysicsRef, ...] = ()


class ImportedFields:
    """The fields of one scenario.

    Args:
        sources: its entries.
        folder: where relative names are looked for: that of the scenario's file.
        seed: of the scenario; the fields have no use for it, the references name it.
        ambient_k: of the scenario.
        resolution_m: edge of a voxel.

    Raises:
        ConfigError: a file is not there, cannot be read, or does not fit.
    """

    def __init__(
        self, sources: Sequence[ImportedField], folder: Path, seed: int, ambient_k: float, resolution_m: float
    ) -> None:
        self.played = tuple(load_imported(item, folder, ambient_k, resolution_m) for item in sources)
        self._seed = seed
        self._records = {f"imported/{index}": item.record for index, item in enumerate(self.played)}
        self._refs = {
            name: self._ref(name, item, item.record)
            for (name, item) in zip(self._records, self.played, strict=True)
        }

    def step(self, scenario_s: float, open_voxels: Sequence[Float32Array], gate: Gate) -> ImportedStep:
        """The fields so long after scenario start.

        Args:
            scenario_s: seconds of event time.
            open_voxels: one for each of ``played``.
            gate: whose permits are named.
        """
        fields, hazards, physics = [], [], []
        parameters: Parameters = {}
        for (name, ref), item, is_open in zip(self._refs.items(), self.played, open_voxels, strict=True):
            found = item.at(scenario_s, is_open)
            if found is None:
                continue
            fields.append(found[0])
            hazards += _hazards(name, found[1], gate)
            now = state_record(found[1])
            now["constants_sha256"] = entry(
                ref.parameters_sha256.hex(), "SHA-256", f"the record of the element {name}"
            )
            parameters |= {name: self._records[name], f"{name}/state": now}
            physics += [ref, self._ref(f"{name}/state", item, now)]
        return ImportedStep(tuple(fields), tuple(hazards), parameters, tuple(physics))

    def _ref(self, element: str, item: PlayedField, parameters: Parameters) -> PhysicsRef:
        return PhysicsRef(element, item.engine, item.version, parameters_sha256(parameters), self._seed)


def load_imported(source: ImportedField, folder: Path, ambient_k: float, resolution_m: float) -> PlayedField:
    """Read what a scenario names, once a process as long as the files stay the same.

    Args:
        source: the scenario's entry.
        folder: where relative names are looked for: that of the scenario.
        ambient_k: of the scenario.
        resolution_m: of the voxels.

    Raises:
        ConfigError: the file is not there, not readable, or does not fit; says what to do.
    """
    path = folder / source.file
    if path.suffix not in READERS:
        hint = _HINTS.get(path.suffix, "")
        raise ConfigError(
            f"imported {source.file!r}: got the ending {path.suffix!r}, expected one of {', '.join(READERS)}{hint}"
        )
    try:
        refuse_special(path)
        stamp = path.stat()
    except ConfigError as err:
        raise ConfigError(f"imported {source.file!r}: {err}") from err
    except OSError as err:
        raise ConfigError(
            f"imported {source.file!r}: not found as {path}: {err.strerror}; it lies beside the scenario's file or "
            "below; vidgen verify and explain look in --fields FOLDER"
        ) from err
    try:
        return _loaded(source, path, stamp.st_mtime_ns, stamp.st_size, ambient_k, resolution_m)
    except (InputError, OSError) as err:
        raise ConfigError(f"imported {source.file!r}: {err}") from err


@functools.lru_cache(maxsize=4)
def _loaded(
    source: ImportedField, path: Path, _mtime_ns: int, _size: int, ambient_k: float, resolution_m: float
) -> PlayedField:
    return PlayedField(source, READERS[path.suffix](path), ambient_k, resolution_m)


def state_record(state: FieldState) -> Parameters:
    """What of a field changes from tick to tick."""
    return {
        "time_s": entry(state.time_s, "s of the engine's clock", "linear between stored times"),
        "clamped": entry(state.clamped, "", "why the time is not the one asked for; empty: it is"),
        "heat_release_kw": entry(state.heat_release_kw, "kW", "sum over the open voxels"),
    }


def _hazards(name: str, state: FieldState, gate: Gate) -> list[Hazard]:
    """Flame and smoke where the gate lets them be seen."""
    found = []
    for kind, low_m, high_m, confidence in (
        ("flame", state.flame_low_m, state.flame_high_m, FLAME_CONFIDENCE),
        ("smoke", state.smoke_low_m, state.smoke_high_m, SMOKE_CONFIDENCE),
    ):
        if low_m is None or high_m is None:
            continue
        found.append(
            Hazard(
                identity=f"{name}/{kind}",
                kind=kind,
                position_m=(0.5 * (low_m[0] + high_m[0]), 0.5 * (low_m[1] + high_m[1]), low_m[2]),
                radius_m=0.5 * float(np.hypot(high_m[0] - low_m[0], high_m[1] - low_m[1])),
                height_m=high_m[2] - low_m[2],
                heat_release_kw=state.heat_release_kw,
                confidence=confidence,
                permitted_by=permits_under(low_m[:2], high_m[:2], gate),
            )
        )
    return found
