# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""VTK's XML in every way that it is written: as ParaView does by default, as OpenFOAM does, by hand."""

from __future__ import annotations

import base64
import json
import lzma
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.fields.vtk import read_vtk
from vidgen_nodes.generation.fields.vtk_xml import read_xml
from vidgen_nodes.generation.imported import load_imported
from vidgen_nodes.packets import ImportedField

CELLS = (4, 3, 2)
EDGE_M = 0.5
FORMS = ("ascii", "inline", "inline apart", "appended raw", "appended base64")
TYPES = {"f4": "Float32", "f8": "Float64", "i4": "Int32", "i8": "Int64"}


class Writer:
    """Writes one file the way it is asked for."""

    def __init__(self, form: str, packer: str = "", count: str = "u4", order: str = "<") -> None:
        self.form, self.packer, self.count, self.order = form, packer, count, order
        self.appended = b""

    def array(self, name: str, values: Any, dtype: str = "f8", parts: int = 1) -> str:
        flat = np.asarray(values).ravel()
        head = f'<DataArray type="{TYPES[dtype]}" Name="{name}" NumberOfComponents="{parts}"'
        if self.form == "ascii":
            return f'{head} format="ascii">\n{" ".join(map(repr, flat.tolist()))}\n</DataArray>'
        chunks = self.packed(flat.astype(self.order + dtype).tobytes())
        if self.form.startswith("inline"):
            return f'{head} format="binary">\n   {self.coded(chunks).decode()}\n</DataArray>'
        offset = len(self.appended)
        self.appended += b"".join(chunks) if self.form.endswith("raw") else self.coded(chunks)
        return f'{head} format="appended" offset="{offset:<20}"/>'  # padded, as VTK writes it

    def packed(self, data: bytes) -> tuple[bytes, bytes]:
        """Counts, data."""
        if not self.packer:
            return np.array([len(data)], self.order + self.count).tobytes(), data
        press = {"vtkZLibDataCompressor": zlib.compress, "vtkLZMADataCompressor": lzma.compress}[self.packer]
        block = 64
        blocks = [data[at : at + block] for at in range(0, len(data), block)]
        pressed = [press(item) for item in blocks]
        counts = [len(blocks), block, len(data) % block, *map(len, pressed)]
        return np.array(counts, self.order + self.count).tobytes(), b"".join(pressed)

    def coded(self, chunks: tuple[bytes, bytes]) -> bytes:
        if self.packer or self.form == "inline apart":
            return b"".join(map(base64.b64encode, chunks))
        return base64.b64encode(b"".join(chunks))

    def file(self, path: Path, kind: str, attributes: str, *pieces: str) -> Path:
        order = {"<": "LittleEndian", ">": "BigEndian"}[self.order]
        packer = f' compressor="{self.packer}"' if self.packer else ""
        width = {"u4": "UInt32", "u8": "UInt64"}[self.count]
        text = (
            f'<?xml version="1.0"?>\n<VTKFile type="{kind}" version="1.0" byte_order="{order}" '
            f'header_type="{width}"{packer}>'
            f"<{kind} {attributes}>{''.join(pieces)}</{kind}>"
        ).encode()
        if self.form.startswith("appended"):
            text += (
                f'<AppendedData encoding="{self.form.split()[1]}">\n _'.encode()
                + self.appended
                + b"\n</AppendedData>"
            )
        path.write_bytes(text + b"</VTKFile>\n")
        return path


def nodes() -> list[np.ndarray]:
    return [EDGE_M * np.arange(count + 1) for count in CELLS]


def field(places: np.ndarray) -> np.ndarray:
    return 300.0 + 40.0 * places[..., 0] + 7.0 * places[..., 1] + 90.0 * places[..., 2]


def centres() -> np.ndarray:
    """In VTK's order: x fastest."""
    z, y, x = np.meshgrid(*(axis[:-1] + EDGE_M / 2 for axis in nodes()[::-1]), indexing="ij")
    return np.stack((x, y, z), axis=-1).reshape(-1, 3)


def points() -> np.ndarray:
    z, y, x = np.meshgrid(*nodes()[::-1], indexing="ij")
    return np.stack((x, y, z), axis=-1).reshape(-1, 3)


def hexahedra() -> np.ndarray:
    nx, ny = CELLS[0] + 1, CELLS[1] + 1
    corners = [0, 1, nx + 1, nx, nx * ny, nx * ny + 1, nx * ny + nx + 1, nx * ny + nx]
    starts = [
        (z * ny + y) * nx + x for z in range(CELLS[2]) for y in range(CELLS[1]) for x in range(CELLS[0])
    ]
    return np.array([[start + corner for corner in corners] for start in starts])


def unstructured(writer: Writer, path: Path, chosen: Any = slice(None), name: str = "T", **rest: Any) -> Path:
    cells = hexahedra()[chosen]
    body = (
        f"<FieldData>{writer.array('TimeValue', [3.0])}</FieldData>"
        f'<Piece NumberOfPoints="{len(points())}" NumberOfCells="{len(cells)}">'
        f"<Points>{writer.array('Points', points(), 'f4', 3)}</Points><Cells>"
        f"{writer.array('connectivity', cells, 'i8')}{writer.array('offsets', 8 * np.arange(1, len(cells) + 1), 'i8')}"
        f"{writer.array('types', np.full(len(cells), 42), 'i4')}</Cells><CellData>"
        f"{writer.array('U', np.zeros((len(cells), 3)), 'f8', 3)}{writer.array(name, field(centres()[chosen]), 'f4')}"
        "</CellData></Piece>"
    )
    return writer.file(path, "UnstructuredGrid", "", body)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packer", ["", "vtkZLibDataCompressor", "vtkLZMADataCompressor"])
@pytest.mark.parametrize(("count", "order"), [("u4", "<"), ("u8", "<"), ("u8", ">")])
def test_cells_of_any_kind_are_read_however_they_are_written(
    tmp_path: Path, form: str, packer: str, count: str, order: str
) -> None:
    path = unstructured(Writer(form, packer, count, order), tmp_path / "room.vtu")
    samples, names = read_xml(path, ["T"])
    assert samples is not None
    assert names == ("T", "U")
    assert samples[0] == pytest.approx(centres())
    assert samples[1]["T"] == pytest.approx(field(centres()))


@pytest.mark.parametrize("where", ["CellData", "PointData"])
@pytest.mark.parametrize("kind", ["ImageData", "RectilinearGrid", "StructuredGrid"])
def test_regular_grids_stand_where_their_axes_say(tmp_path: Path, kind: str, where: str) -> None:
    writer = Writer("appended raw")
    expected = centres() if where == "CellData" else points()
    extent = " ".join(f"0 {count}" for count in CELLS)
    attributes, geometry = f'WholeExtent="{extent}"', ""
    if kind == "ImageData":
        attributes += f' Origin="0 0 0" Spacing="{EDGE_M} {EDGE_M} {EDGE_M}"'
    elif kind == "RectilinearGrid":
        axes = "".join(writer.array(name, axis) for name, axis in zip("xyz", nodes(), strict=True))
        geometry = f"<Coordinates>{axes}</Coordinates>"
    else:
        geometry = f"<Points>{writer.array('Points', points(), 'f8', 3)}</Points>"
    piece = (
        f'<Piece Extent="{extent}">{geometry}<{where}>{writer.array("T", field(expected))}</{where}></Piece>'
    )
    samples, _ = read_xml(writer.file(tmp_path / "grid.vti", kind, attributes, piece), ["T"])
    assert samples is not None
    assert samples[0] == pytest.approx(expected)
    assert samples[1]["T"] == pytest.approx(field(expected))


def halves(folder: Path, names: tuple[str, str] = ("T", "T")) -> None:
    left = centres()[:, 0] < 1.0
    unstructured(Writer("appended base64"), folder / "a.vtu", left, names[0])
    unstructured(Writer("appended raw"), folder / "b.vtu", ~left, names[1])


def test_the_pieces_of_a_parallel_run_are_one_field(tmp_path: Path) -> None:
    halves(tmp_path)
    path = tmp_path / "room.pvtu"
    path.write_text(
        '<VTKFile type="PUnstructuredGrid"><PUnstructuredGrid><Piece Source="a.vtu"/><Piece Source="b.vtu"/>'
        "</PUnstructuredGrid></VTKFile>"
    )
    run = read_vtk(path)
    whole = read_vtk(unstructured(Writer("ascii"), tmp_path / "whole.vtu"))
    assert run.series["temperature_k"].values == pytest.approx(whole.series["temperature_k"].values)
    assert [name for name, _ in run.files] == ["a.vtu", "b.vtu", "room.pvtu"]
    halves(tmp_path, ("T", "rhoSoot"))
    with pytest.raises(InputError, match="different quantities"):
        read_vtk(path)


def test_a_series_of_blocks_as_foam_to_vtk_lists_it(tmp_path: Path) -> None:
    rows = []
    for index in range(2):
        folder = tmp_path / f"case_{index}"
        folder.mkdir()
        unstructured(Writer("appended base64"), folder / "internal.vtu")
        (tmp_path / f"case_{index}.vtm").write_text(
            '<VTKFile type="vtkMultiBlockDataSet"><vtkMultiBlockDataSet>'
            f'<DataSet name="internal" file="case_{index}/internal.vtu"/><Block name="boundary">'
            f'<DataSet name="wall" file="case_{index}/boundary/wall.vtp"/></Block></vtkMultiBlockDataSet></VTKFile>'
        )
        rows.append({"name": f"case_{index}.vtm", "time": float(index)})
    path = tmp_path / "case.vtm.series"
    path.write_text(json.dumps({"file-series-version": "1.0", "files": rows}))
    run = read_vtk(path)
    assert run.series["temperature_k"].times_s.tolist() == [0.0, 1.0]
    assert run.shape == CELLS[::-1]


def test_surfaces_beside_the_volume_in_a_collection_are_passed_over(tmp_path: Path) -> None:
    unstructured(Writer("ascii"), tmp_path / "a.vtu")
    rows = "".join(
        f'<DataSet timestep="{t}" part="{part}" file="{name}"/>'
        for t in (0, 1)
        for part, name in enumerate(("walls.vtp", "a.vtu"))
    )
    path = tmp_path / "room.pvd"
    path.write_text(f'<VTKFile type="Collection"><Collection>{rows}</Collection></VTKFile>')
    assert read_vtk(path).series["temperature_k"].times_s.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packer", ["", "vtkZLibDataCompressor"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.9, 0.99])
def test_a_file_cut_short_is_refused_or_lost_nothing(
    tmp_path: Path, form: str, packer: str, share: float
) -> None:
    path = unstructured(Writer(form, packer), tmp_path / "room.vtu")
    body = path.read_bytes()
    path.write_bytes(body[: int(share * len(body))])
    try:
        samples, _ = read_xml(path, ["T"])
    except InputError:
        return
    assert samples is not None
    assert samples[1]["T"] == pytest.approx(field(centres()))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            b'header_type="UInt32"',
            b'header_type="UInt32" compressor="vtkLZ4DataCompressor"',
            "vtkLZ4DataCompressor",
        ),
        (b'type="UnstructuredGrid"', b'type="PolyData"', "PolyData"),
        (b'Name="offsets"', b'Name="ends"', "offsets"),
        (b'byte_order="LittleEndian"', b'byte_order="MiddleEndian"', "MiddleEndian"),
    ],
)
def test_what_is_not_read_is_refused_by_its_name(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    path = unstructured(Writer("appended raw"), tmp_path / "room.vtu")
    body = path.read_bytes()
    assert old in body
    path.write_bytes(body.replace(old, new))
    with pytest.raises(InputError, match=words):
        read_xml(path, ["T"])


def test_an_array_of_hostile_size_is_refused(tmp_path: Path) -> None:
    writer = Writer("appended raw", count="u8")
    path = unstructured(writer, tmp_path / "room.vtu")
    body = bytearray(path.read_bytes())
    at = body.rindex(np.array([4 * len(centres())], "<u8").tobytes())  # of the temperatures, which come last
    body[at : at + 8] = np.array([1 << 50], "<u8").tobytes()
    path.write_bytes(body)
    with pytest.raises(InputError, match="at most"):
        read_xml(path, ["T"])


@pytest.mark.parametrize(
    ("name", "words"), [("case.foam", "foamToVTK"), ("room.fds", r"\.smv"), ("walls.vtp", "surface")]
)
def test_what_people_take_for_a_field_is_refused_with_what_to_give(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / name).write_text("")
    source = ImportedField(name, "OpenFOAM", "v2406", 0.0, (0.0, 0.0, 0.0), 0.0)
    with pytest.raises(ConfigError, match=words):
        load_imported(source, tmp_path, 293.0, 0.5)
