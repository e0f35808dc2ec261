# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs of FDS on several meshes, and slices that are volumes; written as FDS's source documents its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.fields.fds import read_fds

pytest.importorskip("fdsreader")

TIMES_S = (0.0, 2.5, 5.0)
LABELS = {"TEMPERATURE": "C", "SOOT DENSITY": "kg/m3", "HRRPUV": "kW/m3", "U-VELOCITY": "m/s"}


def record(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little") + body + len(body).to_bytes(4, "little")


def reals(values: Any) -> bytes:
    return record(np.asarray(values, "<f4").tobytes(order="F"))


class Run:
    """A run on meshes along x, each from one edge to the next in so many cells of 0.5 x 0.5 m in y and z."""

    def __init__(self, folder: Path, *edges: tuple[float, float, int]) -> None:
        self.folder = folder
        self.axes = [
            (np.linspace(low, high, cells + 1), np.linspace(0, 1.5, 4), np.linspace(0, 2, 5))
            for low, high, cells in edges
        ]
        self.blocks: list[str] = []

    def label(self, quantity: str) -> str:
        return f" {quantity}\n short\n {LABELS[quantity]}"

    def field(self, mesh: int, t: float) -> np.ndarray:
        x, y, z = np.meshgrid(*self.axes[mesh], indexing="ij")
        return 20.0 + 100.0 * x + 10.0 * y + 40.0 * z + 3.0 * t

    def volume(self, quantity: str, mesh: int, centred: bool = False, end: str = " !   1") -> Path:
        cells = [len(axis) - 1 for axis in self.axes[mesh]]
        bounds = [0, cells[0], 0, cells[1], 0, cells[2]]
        name = f"case_{mesh + 1}_{quantity[:2]}.sf"
        body = b"".join(record(text.ljust(30).encode()) for text in (quantity, "short", LABELS[quantity]))
        body += record(np.array(bounds, "<i4").tobytes())
        for t in TIMES_S:
            values = self.field(mesh, t)
            if centred:  # the value of a cell stands at its upper corner; the lowest nodes are filling
                values = values - 0.5 * sum(
                    slope * (axis[1] - axis[0])
                    for slope, axis in zip((100.0, 10.0, 40.0), self.axes[mesh], strict=True)
                )
                values[0], values[:, 0], values[:, :, 0] = -9e9, -9e9, -9e9
            body += reals([t]) + reals(values)
        (self.folder / name).write_bytes(body)
        keyword = "SLCC" if centred else "SLCF"
        numbers = "".join(f"{number:6d}" for number in bounds)
        self.blocks.append(
            f"{keyword}{mesh + 1:6d} # STRUCTURED &{numbers}{end}\n {name}\n{self.label(quantity)}\n"
        )
        return self.folder / name

    def plane(self, quantity: str) -> None:
        self.blocks.append(
            f"SLCF     1 # STRUCTURED &     0     4     2     2     0     4 !   9\n none.sf\n{self.label(quantity)}\n"
        )

    def plot(self, mesh: int, t: float) -> None:
        name = f"case_{mesh + 1}_{int(t)}p{round(t % 1 * 100):02d}.q"
        values = np.stack([self.field(mesh, t) + 1000.0 * (index == 4) for index in range(5)], axis=-1)
        nodes = np.array([len(axis) for axis in self.axes[mesh]], "<i4")
        (self.folder / name).write_bytes(record(nodes.tobytes()) + reals([0.0] * 4) + reals(values))
        labels = "\n".join(
            map(self.label, ("TEMPERATURE", "U-VELOCITY", "U-VELOCITY", "U-VELOCITY", "HRRPUV"))
        )
        self.blocks.append(f"PL3D {t:12.5f}{mesh + 1:5d}\n {name}\n{labels}\n")

    def write(self) -> Path:
        lines = [
            "TITLE",
            " of the run",
            "",
            "FDSVERSION",
            "FDS6.7.5-0-g71f025606-release",
            "",
            "CHID",
            " case",
            "",
        ]
        for number, axes in enumerate(self.axes, start=1):
            counts = " ".join(str(len(axis) - 1) for axis in axes)
            box = " ".join(f"{value:.5f}" for axis in axes for value in (axis[0], axis[-1]))
            lines += [f"GRID  mesh {number}", f" {counts} 0", "", "PDIM", f" {box} 0.0 0.0 0.0", ""]
            for name, axis in zip("XYZ", axes, strict=True):
                lines += [f"TRN{name}", " 0", *(f" {i} {value:.5f}" for i, value in enumerate(axis)), ""]
            lines += ["OBST", " 0", "", "VENT", " 0 0", "", "CVENT", " 0", ""]
        path = self.folder / "case.smv"
        path.write_text("\n".join([*lines, *self.blocks, ""]))
        return path


def expected_k(run: Any, t: float) -> np.ndarray:
    z, y, x = np.meshgrid(run.z_m, run.y_m, run.x_m, indexing="ij")
    return 293.15 + 100.0 * x + 10.0 * y + 40.0 * z + 3.0 * t


@pytest.mark.parametrize(
    "edges", [[(0, 2, 4)], [(0, 2, 4), (2, 4, 4)], [(0, 2, 4), (2, 4, 8)], [(0, 2, 4), (2, 5, 2)]]
)
@pytest.mark.parametrize("kind", ["volume", "plot"])
def test_a_run_is_one_field_whatever_its_meshes(tmp_path: Path, kind: str, edges: Any) -> None:
    case = Run(tmp_path, *edges)
    for mesh in range(len(edges)):
        if kind == "volume":
            case.volume("TEMPERATURE", mesh)
        else:
            for t in TIMES_S:
                case.plot(mesh, t)
    run = read_fds(case.write())
    found = run.series["temperature_k"]
    assert found.times_s.tolist() == list(TIMES_S)
    for index, t in enumerate(TIMES_S):
        assert found.values[index] == pytest.approx(expected_k(run, t), abs=0.02)
    assert (run.x_m[0], run.x_m[-1]) == (0.0, edges[-1][1])
    assert not run.notes


def test_values_of_cells_stand_in_the_middle_of_cells(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.volume("TEMPERATURE", 0, centred=True)
    run = read_fds(case.write())
    assert run.x_m.tolist() == [0.25, 0.75, 1.25, 1.75]
    assert run.series["temperature_k"].values[1] == pytest.approx(expected_k(run, TIMES_S[1]), abs=0.02)


def test_the_frequent_output_is_played_and_not_the_few_plots_beside_it(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.plot(0, 5.0)
    case.volume("TEMPERATURE", 0)
    run = read_fds(case.write())
    assert run.series["temperature_k"].times_s.tolist() == list(TIMES_S)
    assert run.series["heat_release_kw_per_m3"].times_s.tolist() == [5.0]  # only the plot has it
    assert {name for name, _ in run.files} == {"case.smv", "case_1_TE.sf", "case_1_5p00.q"}


def test_quantities_of_cells_and_of_nodes_share_one_lattice(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.volume("TEMPERATURE", 0, centred=True)
    case.volume("HRRPUV", 0, end=" !   2")
    run = read_fds(case.write())
    assert run.series["temperature_k"].values.shape == run.series["heat_release_kw_per_m3"].values.shape


@pytest.mark.parametrize("end", [" !     12     1     2", " %slice & ", "", "! 3"])
def test_what_follows_the_indices_of_a_slice_does_not_matter(tmp_path: Path, end: str) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.volume("TEMPERATURE", 0, end=end)
    assert read_fds(case.write()).series["temperature_k"].times_s.tolist() == list(TIMES_S)


def test_planes_alone_are_no_field(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.plane("TEMPERATURE")
    with pytest.raises(InputError, match="no slice that is a volume"):
        read_fds(case.write())


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.999])
def test_a_volume_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    case = Run(tmp_path, (0, 2, 4))
    path = case.volume("TEMPERATURE", 0)
    body = path.read_bytes()
    path.write_bytes(body[: int(share * len(body))])
    with pytest.raises(InputError, match=r"case_1_TE\.sf"):
        read_fds(case.write())


def test_indices_beyond_the_mesh_are_refused(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.volume("TEMPERATURE", 0)
    path = case.write()
    path.write_text(path.read_text().replace("&     0     4", "&     0     9"))
    with pytest.raises(InputError, match="indices"):
        read_fds(path)


def test_an_output_that_was_not_copied_at_all_is_done_without_and_said(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4), (2, 4, 4))
    for mesh in (0, 1):
        case.volume("TEMPERATURE", mesh)
        case.volume("HRRPUV", mesh, end=" !   2").unlink()
    run = read_fds(case.write())
    assert set(run.series) == {"temperature_k"}
    assert "SLCF of HRRPUV was left out: none of its files is there" in run.notes


def test_an_output_of_which_a_mesh_is_missing_is_refused(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4), (2, 4, 4))
    case.volume("TEMPERATURE", 0)
    case.volume("TEMPERATURE", 1).unlink()
    with pytest.raises(InputError, match=r"case_2_TE\.sf"):
        read_fds(case.write())


def test_a_run_without_any_of_its_files_names_the_first(tmp_path: Path) -> None:
    case = Run(tmp_path, (0, 2, 4))
    case.volume("TEMPERATURE", 0).unlink()
    with pytest.raises(InputError, match=r"case_1_TE\.sf"):
        read_fds(case.write())
