# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded volumes a ray passes: fields of other engines, solved smoke, and elements not known here.

Guarantees that every number comes from the physics records of one frame, and values along a ray from files whose
every byte has the recorded hash. An element of a kind that this module has never seen is named with its source, its
numbers and its place, if its record gives one, else with the open columns that it may fill. Leaves out which part of
a volume glowed, where the values cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidgen_nodes.custody.ray_elements import STEP_M, Met, Numbers, Ray, Span
from vidgen_nodes.custody.ray_steam import ELEMENT as STEAM
from vidgen_nodes.custody.ray_steam import met_jet
from vidgen_nodes.errors import VidgenError
from vidgen_nodes.packets import FloatArray, ImportedField

if TYPE_CHECKING:
    from vidgen_nodes.generation.fields.playback import PlayedField

# By ray_elements.py and ray_debris.py; wind leans what is drawn, and is nothing to be seen.
TRACED = ("flame", "smoke", "spread", "debris", "debris/releases", "wind")
_IN_PLACE_OF = ("smoke/not_ready", "smoke/refused")  # say what was not drawn
_IMPORTED = "imported/"
_SEEN = 1.0 / 255.0  # optical depth below which a field adds no shade to a pixel


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a frame's physics with the records that belong to it."""

    name: str
    source: str
    version: str
    digest: bytes  # of its own record
    numbers: Mapping[str, Any]  # of all of its records


def elements_of(physics: Sequence[Mapping[str, Any]]) -> list[Element]:
    """The elements that are volumes of their own; ``NAME/state`` and the like belong to ``NAME``."""
    found: dict[str, Element] = {}
    for item in sorted(physics, key=lambda ref: str(ref["element"])):
        name, numbers = str(item["element"]), item["numbers"]
        if name in TRACED or name in _IN_PLACE_OF or not isinstance(numbers, Mapping):
            continue
        whole = next((other for other in found if name.startswith(f"{other}/")), None)
        if whole is None:
            digest = bytes.fromhex(str(item["parameters_sha256"]))
            found[name] = Element(name, str(item["source"]), str(item["version"]), digest, numbers)
        else:
            found[whole] = replace(found[whole], numbers={**found[whole].numbers, **numbers})
    return list(found.values())


def notes_of(physics: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the records say was drawn in place of something else."""
    said = []
    for item in physics:
        if item["element"] in _IN_PLACE_OF:
            _, _, why = item["numbers"]["smoke"]
            said.append(f"the smoke is that of the correlations and not of the solver: {why}")
    return tuple(said)


def met_volumes(
    ray: Ray, spans: list[Span], element: Element, played: PlayedField | str | None
) -> Iterator[Met]:
    """Where a ray passes one element.

    Args:
        ray: of the pixel.
        spans: where it is inside open columns and nothing hides it.
        element: of the frame's physics.
        played: of an imported field: the field, or why it cannot be read; else None.
    """
    if element.name == STEAM:  # of before leaks had columns of their own
        for name, jet in element.numbers["leaks"].items():
            yield from met_jet(ray, spans, name, jet, element.numbers["model"])
        return
    box = _box(element.numbers)
    inside = spans if box is None else _inside(ray, spans, *box)
    if not any(high > low for low, high in inside):
        return
    kind, _, name = element.name.partition("/")
    first_m = min(low for low, high in inside if high > low)
    if element.name.startswith(_IMPORTED):
        yield from _met_imported(ray, inside, element, played)
    elif element.name == "smoke/solver":
        yield Met(kind, "the solved air", first_m, (), "", element.numbers, _solved(element))
    else:
        where = (
            "the open columns: its record gives no place" if box is None else "the box that its record gives"
        )
        why = f"{element.source} (version {element.version}) fills {where}"
        yield Met(
            kind,
            f"element {element.name}" if name else "the open columns",
            first_m,
            (),
            "",
            element.numbers,
            why,
        )


def load_played(element: Element, scenario: Mapping[str, Any], folders: Sequence[Path]) -> PlayedField | str:
    """The field that a frame shows, if its files are at hand; else why not.

    Args:
        element: an imported one.
        scenario: record of the scenario.
        folders: where relative names are looked for, in this order.
    """
    from vidgen_nodes.generation.imported import load_imported
    from vidgen_nodes.generation.physics_record import parameters_sha256

    try:
        row = scenario["imported"][int(element.name.removeprefix(_IMPORTED))]
        source = ImportedField(**{**row, "translation_m": tuple(row["translation_m"])})
        ambient_k, edge_m = element.numbers["ambient_k"][0], element.numbers["resolution_m"][0]
    except (KeyError, IndexError, TypeError, ValueError):
        return "the scenario's record is of another version"
    said = f"{source.file} is not in {', '.join(map(str, folders))}"
    for folder in folders:
        if not (folder / source.file).is_file():
            continue
        try:
            played = load_imported(source, folder, ambient_k, edge_m)
        except VidgenError as err:
            said = str(err)
            continue
        if parameters_sha256(played.record) == element.digest:
            return played
        said = (
            f"{folder / source.file} is not the file that was shown: its hash differs from the recorded one"
        )
    return said


def _met_imported(
    ray: Ray, spans: list[Span], element: Element, played: PlayedField | str | None
) -> Iterator[Met]:
    numbers = element.numbers
    files = ", ".join(f"{name} (SHA-256 {item[0]})" for name, item in numbers["files_sha256"].items())
    name = f"{numbers['engine'][0]} {numbers['version'][0]}, {element.name}"
    clamped = f" ({numbers['clamped'][0]})" if numbers.get("clamped", [""])[0] else ""
    why = f"{name.split(', ')[0]} computed it: {files}, at {numbers['time_s'][0]:.2f} s of its clock{clamped}"
    if played is None or isinstance(played, str):
        said = f"{why}; the values along the ray need the files: {played}"
        yield Met("imported field", name, min(low for low, _ in spans), (), "", numbers, said)
        return
    kind, first_m, values = _read(ray, spans, played, float(numbers["time_s"][0]))
    if kind:
        yield Met(kind, name, first_m, (), "", {**values, **numbers}, f"{why}; {_values_said(values)}")


def _read(
    ray: Ray, spans: list[Span], played: PlayedField, time_s: float
) -> tuple[str, float, dict[str, list[Any]]]:
    """Flame or smoke, where it begins, and the quantities along the ray; no kind: there is only air."""
    from vidgen_nodes.generation import fire
    from vidgen_nodes.generation.fields.playback import FLAME_ABSORPTION_PER_M, FLAME_KW_PER_M3

    rows = []
    for way in _neighbours(ray):
        along, places = way.points(spans)
        found = played.along(time_s, places)
        none = np.zeros(len(along))
        soot, heat = found.get("soot_kg_per_m3", none), found.get("heat_release_kw_per_m3", none)
        luminous = np.minimum(heat / FLAME_KW_PER_M3, 1.0) * FLAME_ABSORPTION_PER_M
        extinction = soot * fire.SOOT_EXTINCTION_M2_PER_KG + luminous
        rows.append((along, found.get("temperature_k"), soot, heat, extinction))
    thickest = max(rows, key=lambda row: float(row[4].sum()))
    own = rows[0] if rows[0][4].sum() * STEP_M > _SEEN else thickest
    along, temperature_k, soot, heat, extinction = own
    depth = float(extinction.sum()) * STEP_M
    if depth <= _SEEN:
        return "", 0.0, {}
    how = "along the ray; the recorded file, trilinear" + (
        "" if own is rows[0] else "; beside the pixel, blurred in"
    )
    values: dict[str, list[Any]] = {}
    if temperature_k is not None:
        values["ray_highest_temperature"] = [round(float(temperature_k.max()), 1), "K", how]
    values["ray_soot_column"] = [round(float(soot.sum()) * STEP_M, 6), "kg/m2", how]
    values["ray_highest_heat_release"] = [round(float(heat.max()), 1), "kW/m3", how]
    values["ray_optical_depth_visible"] = [round(depth, 3), "1", how]
    kind = "flame" if float(heat.max()) > 0.1 * FLAME_KW_PER_M3 else "smoke"
    return kind, float(along[np.flatnonzero(extinction > 0.01 * extinction.max())[0]]), values


def _values_said(values: Mapping[str, Sequence[Any]]) -> str:
    parts = []
    if "ray_highest_temperature" in values:
        parts.append(
            f"along the ray it is at most {values['ray_highest_temperature'][0] - 273.15:.0f} degC warm"
        )
    parts.append(f"holds {1e3 * values['ray_soot_column'][0]:.2f} g of soot per m2")
    parts.append(f"and releases at most {values['ray_highest_heat_release'][0]:.0f} kW/m3")
    return ", ".join(parts)


def _neighbours(ray: Ray) -> list[Ray]:
    """The ray itself, and four at the edge of what is blurred into its pixel."""
    across = np.cross(ray.direction, (0.0, 0.0, 1.0) if abs(ray.direction[2]) < 0.9 else (1.0, 0.0, 0.0))
    across /= np.linalg.norm(across)
    down = np.cross(ray.direction, across)
    beside = [ray.direction + ray.blur_rad * turn for turn in (across, -across, down, -down)]
    return [ray, *(Ray(ray.start_m, way / np.linalg.norm(way), ray.blur_rad) for way in beside)]


def _solved(element: Element) -> str:
    numbers = element.numbers
    if "steps" not in numbers:
        return f"{element.source} (version {element.version}) solved the air"
    edge_m, cells = numbers["cell_m"][0], "x".join(str(count) for count in numbers["cells"][0][::-1])
    return (
        f"the air was solved on {cells} cells of {edge_m:g} m, {numbers['steps'][0]} steps from rest, "
        f"with {numbers['heat_release_kw'][0]:.0f} kW released; left over: divergence {numbers['divergence'][0]:.0e}, "
        f"energy {numbers['energy_error'][0]:.0e}, soot {numbers['mass_error'][0]:.0e}"
    )


def _box(numbers: Numbers) -> tuple[FloatArray, FloatArray] | None:
    """Lower and upper corner of the lattice that a record describes; None: it describes none."""
    try:
        low = np.array(numbers["origin_m"][0], np.float64)
        counts = np.array((numbers.get("voxels_zyx") or numbers["cells"])[0][::-1], np.float64)
        edge_m = float((numbers.get("resolution_m") or numbers.get("cell_m") or numbers["cell"])[0])
        return low, low + counts * edge_m
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _inside(ray: Ray, spans: list[Span], low_m: FloatArray, high_m: FloatArray) -> list[Span]:
    """The parts of spans within a box, widened by what is blurred into the pixel."""
    far_m = max((high for _, high in spans), default=0.0)
    room_m = ray.blur_rad * far_m
    first, last = ray.through(low_m[None] - room_m, high_m[None] + room_m)
    return [(max(low, float(first[0])), min(high, float(last[0]))) for low, high in spans]
