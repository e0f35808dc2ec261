# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What another engine computed, as arrays: quantities on one lattice over stored times.

Guarantees that a ``FieldRun`` that ``checked`` let pass is finite, in SI units and in range, has times and
axes that ascend, and is of bounded size; anything else is an ``InputError`` that says what was got, what
was expected and what to do. Leaves out where the run stands in ``map`` (``imported.py``) and the formats
(``file.py``, ``fds.py``, ``vtk.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Float32Array, FloatArray
from vidgen_nodes.text_file import refuse_special

MOST_VALUES = 48_000_000  # of all quantities and times together: 192 MB as float32
MOST_TIMES = 100_000
MOST_FILE_BYTES = 1_000_000_000
MOST_FILES = 10_000
FARTHEST_M = 1e5


@dataclass(frozen=True, slots=True)
class Quantity:
    """What may be in a field, and in which range it is taken for what its name says."""

    name: str
    unit: str
    low: float
    high: float
    rounding: float  # below ``low`` by less than this is rounding of the engine, and set to it
    doubt: str  # what to look at where a value is out of range


QUANTITIES = {
    item.name: item
    for item in (
        Quantity(
            "temperature_k", "K", 150.0, 3500.0, 0.0, "is it in degrees Celsius? Store temperature_degc"
        ),
        Quantity(
            "soot_kg_per_m3", "kg/m3", 0.0, 0.5, 1e-7, "is it a mass fraction, or in mg/m3? Store kg/m3"
        ),
        Quantity(
            "heat_release_kw_per_m3",
            "kW/m3",
            0.0,
            1e5,
            1e-2,
            "is it in W/m3? Store heat_release_w_per_m3",
        ),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class FieldSeries:
    """One quantity at stored times."""

    times_s: FloatArray  # (n,) of the engine's clock, ascending
    values: Float32Array  # (n, nz, ny, nx)


@dataclass(frozen=True, slots=True, eq=False)
class FieldRun:
    """A run of an engine; x y z are right-handed with z up, in metres."""

    engine: str
    version: str
    files: tuple[tuple[str, str], ...]  # name and SHA-256 in hex of every file that was read
    x_m: FloatArray  # (nx,) where the values stand, ascending; likewise y_m, z_m
    y_m: FloatArray
    z_m: FloatArray
    series: Mapping[str, FieldSeries]  # by the names of QUANTITIES
    notes: tuple[str, ...] = ()  # what was corrected or could not be known

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(nz, ny, nx)``."""
        return (len(self.z_m), len(self.y_m), len(self.x_m))

    @property
    def spacing_m(self) -> float:
        """Smallest step of any axis."""
        return float(min(np.diff(axis).min() for axis in (self.x_m, self.y_m, self.z_m)))


def checked(run: FieldRun, what: str) -> FieldRun:
    """The run, with rounding below zero taken out; its arrays are read-only.

    Args:
        run: as read.
        what: name of the file, for messages.

    Raises:
        InputError: ``field_axes``, ``field_times``, ``field_values``, ``field_size`` or ``field_empty``.
    """
    for name, axis in (("x_m", run.x_m), ("y_m", run.y_m), ("z_m", run.z_m)):
        _check_axis(axis, name, what)
    if not set(run.series) & {"temperature_k", "soot_kg_per_m3"}:
        raise InputError(
            "field_empty",
            f"{what}: got {', '.join(run.series) or 'no quantity'}, expected temperature_k or soot_kg_per_m3",
        )
    check_size(sum(series.values.size for series in run.series.values()), what)
    series, notes = {}, list(run.notes)
    for name, item in run.series.items():
        if item.values.shape != (len(item.times_s), *run.shape):
            raise InputError(
                "field_axes",
                f"{what}: {name}: got shape {item.values.shape}, expected (times, z, y, x) = "
                f"{(len(item.times_s), *run.shape)}",
            )
        _check_times(item.times_s, f"{what}: {name}")
        values, low = _in_range(item.values, QUANTITIES[name], what)
        if low:
            notes.append(f"{name}: {low} values below {QUANTITIES[name].low} by rounding, set to it")
        series[name] = FieldSeries(item.times_s, values)
    return FieldRun(run.engine, run.version, run.files, run.x_m, run.y_m, run.z_m, series, tuple(notes))


def check_size(values: int, what: str) -> None:
    """Refuse before memory is asked for.

    Raises:
        InputError: ``field_size``.
    """
    if not 0 < values <= MOST_VALUES:
        raise InputError(
            "field_size",
            f"{what}: got {values} values, expected 1 to {MOST_VALUES} over all quantities and times; "
            "store fewer times, a coarser lattice or a smaller part of the domain",
        )


def file_sha256(path: Path) -> str:
    """SHA-256 in hex of a file's bytes.

    Raises:
        InputError: ``field_file``: it cannot be read or is too large.
    """
    content = hashlib.sha256()
    try:
        refuse_special(path)
        size = path.stat().st_size
        if size > MOST_FILE_BYTES:
            raise InputError(
                "field_size", f"{path.name}: got {size} bytes, expected at most {MOST_FILE_BYTES}; store less"
            )
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                content.update(block)
    except ConfigError as err:
        raise InputError("field_file", str(err)) from err
    except OSError as err:
        raise InputError("field_file", f"{path}: cannot be read: {err}") from err
    return content.hexdigest()


def _check_axis(axis: FloatArray, name: str, what: str) -> None:
    if axis.ndim != 1 or len(axis) < 2 or not np.isfinite(axis).all() or np.abs(axis).max() > FARTHEST_M:
        raise InputError(
            "field_axes",
            f"{what}: {name}: expected 2 or more finite numbers of metres within {FARTHEST_M:g} of 0, "
            f"got shape {axis.shape}{_from_to(axis)}",
        )
    if np.diff(axis).min() <= 0.0:
        raise InputError("field_axes", f"{what}: {name}: expected numbers that ascend; sort the axis")


def _check_times(times_s: FloatArray, what: str) -> None:
    if times_s.ndim != 1 or not 1 <= len(times_s) <= MOST_TIMES or not np.isfinite(times_s).all():
        raise InputError(
            "field_times",
            f"{what}: got times of shape {times_s.shape}, expected 1 to {MOST_TIMES} finite numbers of seconds",
        )
    if len(times_s) > 1 and (step := np.diff(times_s)).min() <= 0.0:
        at = int(step.argmin())
        raise InputError(
            "field_times",
            f"{what}: got {times_s[at + 1]:g} s after {times_s[at]:g} s, expected times that ascend; "
            "sort them, and keep one of those given twice (a restarted run writes both)",
        )


def _in_range(values: Float32Array, quantity: Quantity, what: str) -> tuple[Float32Array, int]:
    """The values without rounding below the range, and how many that were."""
    values = np.asarray(values, dtype=np.float32)
    low, high = float(values.min()), float(values.max())  # NaN if any is
    if not low >= quantity.low - quantity.rounding or not high <= quantity.high:
        finite = bool(np.isfinite(values).all())
        found = (
            f"{low:g} to {high:g}" if finite else f"{int((~np.isfinite(values)).sum())} that are not finite"
        )
        raise InputError(
            "field_values",
            f"{what}: {quantity.name}: got {found}, expected {quantity.low:g} to {quantity.high:g} "
            f"{quantity.unit}; {quantity.doubt if finite else 'fill or cut out what the engine left empty'}",
        )
    below = int(np.count_nonzero(values < quantity.low))
    if below:
        values = np.maximum(values, np.float32(quantity.low))
    elif values.flags.writeable:
        values = values.view()
    values.setflags(write=False)
    return values, below


def _from_to(axis: FloatArray) -> str:
    return f" from {axis.min():g} to {axis.max():g}" if axis.ndim == 1 and axis.size else ""
