# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Why a pixel of a recorded frame shows what it shows, told from the ledger alone.

The pixel's ray is cast again from the recorded pose through the recorded columns and the recorded building, and met
with the recorded fires, burning pieces, fields and cells. Guarantees that only what the leaf binds by hash is used:
the files of other engines, which a ledger names and does not hold, are read where they are at hand and have the
recorded hash; what is missing is said to be missing and not guessed. Leaves out the pixel's own colour (a leaf holds
only the hash of the picture): within the volume of a flame its turbulence decides which ray glows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidgen_nodes.custody.leaf import FRAME
from vidgen_nodes.custody.ray_debris import met_debris
from vidgen_nodes.custody.ray_elements import Met, Ray, met_areas, met_fires
from vidgen_nodes.custody.ray_fields import elements_of, load_played, met_volumes, notes_of
from vidgen_nodes.custody.ray_steam import ELEMENT as STEAM
from vidgen_nodes.custody.ray_steam import met_steam, steam_columns
from vidgen_nodes.custody.reader import LedgerReader, decode
from vidgen_nodes.custody.trace import (
    DEBRIS,
    FLAME,
    Columns,
    LeakColumns,
    decode_columns,
    decode_paths,
    decode_view,
)
from vidgen_nodes.errors import ConfigError, InputError, VerificationError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.building import Building, Surface
from vidgen_nodes.scene.camera import Camera

_STAMPS_FROM = 10**12  # a larger number is a stamp, not an index
_SAG_M = 1.0  # debris lies where the LiDAR measured: so far behind a modelled, intact surface it still shows
_STRIDE_WIDTH_PX = 640  # as the renderer has it: larger pictures get no more rays
_GATE_PARAMETERS = ("tau_uncertainty", "min_observations", "cell_fresh_ms", "flame_standoff_m")
CAUSES = {
    "no_camera_info": "no calibration of the camera was known",
    "camera_info_mismatch": "the calibration did not fit the picture's size",
    "frozen_thermal": "the camera sent the same picture again under new stamps",
    "no_pose": "no pose of the camera was known",
    "pose_stale": "the newest pose was too old",
    "no_gimbal": "the camera hangs in a gimbal whose attitude was not known",
    "gimbal_stale": "the newest attitude of the gimbal was too old",
    "rtk_lost": "the position had no RTK fix",
    "no_map": "there was no map of the LiDAR",
    "map_stale": "the newest map was too old",
    "map_missing": "the map that the frame names had not arrived",
    "no_building": "there was no building model",
    "no_scenario": "no scenario was in force",
    "not_reviewed": "nobody had validated the scenario",
}


@dataclass(frozen=True)
class Explanation:
    """What put a pixel there, or why there is nothing."""

    leaf_index: int
    seq: int
    stamp_ns: int
    pixel: tuple[float, float]
    verdict: str  # element | open | hidden | closed | transparent | untraceable
    why: str  # one sentence
    columns: tuple[Mapping[str, object], ...] = ()  # that the ray meets, from the nearest
    elements: tuple[Mapping[str, object], ...] = ()  # whose volume it passes, from the nearest
    surface: Mapping[str, object] | None = None  # of the building, that ends the ray
    physics: tuple[Mapping[str, object], ...] = ()  # what drew the frame
    parameters: Mapping[str, object] = field(default_factory=dict)  # of the gate
    records: Mapping[str, str] = field(default_factory=dict)  # hashes of what this was told from
    notes: tuple[str, ...] = ()  # what the frame shows in place of something else


def find_frame(reader: LedgerReader, text: str) -> tuple[int, dict[str, Any]]:
    """Leaf index and fields of a frame named by its leaf index, ``seq:N`` or its stamp in ns.

    Raises:
        ConfigError: not a number, or no such frame.
    """
    kind, _, digits = text.rpartition(":")
    if not digits.isdigit() or kind not in ("", "leaf", "seq", "stamp"):
        raise ConfigError(f"FRAME: got {text!r}, expected a leaf index, seq:NUMBER or a stamp in nanoseconds")
    number = int(digits)
    kind = kind or ("stamp" if number >= _STAMPS_FROM else "leaf")
    if kind == "leaf":
        rows = list(reader.rows(number, number + 1))
        if not rows or rows[0].kind != FRAME:
            what = f"is a {rows[0].kind}" if rows else "does not exist"
            raise ConfigError(f"FRAME: leaf {number} {what}; the ledger has {reader.size} leaves")
        leaf = decode(rows[0].leaf, f"leaf {number}")
        if not isinstance(leaf, dict):
            raise VerificationError(f"leaf {number}: is a {type(leaf).__name__}, expected a map")
        return number, leaf
    name = "seq" if kind == "seq" else "stamp_ns"
    for index, leaf in reader.frames():
        if leaf.get(name) == number:
            return index, leaf
    raise ConfigError(f"FRAME: there is no frame with {name} {number}")


def explain_pixel(
    reader: LedgerReader,
    index: int,
    leaf: dict[str, Any],
    x_px: float,
    y_px: float,
    folders: Sequence[Path] = (),
) -> Explanation:
    """Trace one pixel of a frame.

    Args:
        reader: of the ledger.
        index: of the leaf.
        leaf: its fields.
        x_px: column from the left, 0 the middle of the first pixel.
        y_px: row from the top.
        folders: where files of other engines may be, if their values along the ray are wanted.

    Raises:
        InputError: the pixel lies outside the picture.
        VerificationError: a record is missing or is not what its name says.
    """
    made = _Tracer(reader, index, leaf, (x_px, y_px), folders)
    return made.explain()


class _Tracer:
    def __init__(
        self,
        reader: LedgerReader,
        index: int,
        leaf: dict[str, Any],
        pixel: tuple[float, float],
        folders: Sequence[Path],
    ) -> None:
        self._reader, self._index, self._leaf, self._pixel = reader, index, leaf, pixel
        self._folders = tuple(folders)
        self._leaks: tuple[LeakColumns, ...] | None = None

    def explain(self) -> Explanation:
        leaf = self._leaf
        if leaf["causes"]:
            told = "; ".join(f"{cause}: {CAUSES.get(cause, 'see the record')}" for cause in leaf["causes"])
            return self._say("transparent", f"the frame is transparent because {told}")
        if "view" not in leaf:
            return self._say(
                "untraceable", "the record does not hold the camera's pose: it was made by an older version"
            )
        calibration, pose = decode_view(self._reader.record(leaf["view"]))
        camera = Camera(calibration, pose)
        if not (
            -0.5 <= self._pixel[0] < camera.width_px - 0.5 and -0.5 <= self._pixel[1] < camera.height_px - 0.5
        ):
            raise InputError(
                "pixel",
                f"got ({self._pixel[0]:g}, {self._pixel[1]:g}), the picture is {camera.width_px} x {camera.height_px}: "
                f"expected X from 0 to {camera.width_px - 1}, Y from 0 to {camera.height_px - 1}; the mark below a "
                "saved picture is no part of the view",
            )
        direction = camera.directions(np.array([self._pixel]))[0]
        if not np.all(np.isfinite(direction)):
            return self._say("closed", "the lens has no ray for this pixel: nothing is ever drawn in it")
        if "columns" not in leaf:
            return self._say("closed", "nothing was open in this frame: there was no gate")
        stride_px = _look_up(self._reader.record(leaf["config"]), "render_stride_px")
        stride_px = stride_px if isinstance(stride_px, int) else 1
        stride_px *= max(1, round(camera.width_px / _STRIDE_WIDTH_PX))
        return self._follow(Ray(camera.centre_m, direction, stride_px * math.sqrt(2.0) / camera.lens.fx_px))

    def _follow(self, ray: Ray) -> Explanation:
        columns = decode_columns(self._reader.record(self._leaf["columns"]))
        self._edge_m = columns.grid.resolution_m
        paths = decode_paths(self._reader.record(self._leaf["paths"]))
        met = sorted(
            [
                *_met(columns, ray, self._leaf),
                *_met(paths, ray, self._leaf),
                *steam_columns(columns.leaks or (), columns.grid, ray, self._leaf["stamp_ns"]),
            ],
            key=lambda m: m["from_m"],
        )
        self._leaks = columns.leaks
        parameters = self._gate_parameters()
        parameters |= {f"leak_{name}_{item[1]}": item[0] for name, item in columns.leak_rule.items()}
        if not met:
            reasons = f" (closed besides: {'; '.join(columns.reasons)})" if columns.reasons else ""
            opened = len(columns.rows) + len(paths.rows) + sum(len(leak.rows) for leak in columns.leaks or ())
            why = f"nothing is drawn here: the ray meets none of the {opened} open columns{reasons}"
            return self._say("closed", why, parameters=parameters)
        surface, depth_m = self._first_surface(ray)
        seen = [
            item for item in met if item["from_m"] <= depth_m + (_SAG_M if "debris" in item["rule"] else 0.0)
        ]
        if not seen:
            assert surface is not None
            why = f"nothing is drawn here: {surface['element']} hides the open columns behind it"
            return self._say("hidden", why, columns=met, surface=surface, parameters=parameters)
        physics = self._physics()
        elements = sorted(self._elements(ray, seen, depth_m, physics), key=lambda item: item.from_m)
        told = tuple(_told(item) for item in elements)
        if not elements:
            why = "the gate is open here, but no fire, burning surface, jet or debris lies on the ray: nothing is drawn"
            return self._say("open", why, seen, (), surface, physics, parameters)
        return self._say("element", _sentence(elements), seen, told, surface, physics, parameters)

    def _elements(
        self, ray: Ray, seen: list[dict[str, Any]], depth_m: float, physics: list[dict[str, Any]]
    ) -> Iterator[Met]:
        numbers = {item["element"]: item["numbers"] for item in physics}
        flames = [item for item in seen if "flame" in item["rule"]]
        spans = [(item["from_m"], min(item["to_m"], depth_m)) for item in flames]
        if "flame" in numbers and flames:
            gone = numbers.get("smoke/solver", {}).get("flame_gone", (None,))[0]
            smoke, wind = numbers.get("smoke", {}), numbers.get("wind")
            yield from met_fires(ray, spans, numbers["flame"], smoke, gone, wind)
            yield from met_areas(ray, spans, numbers["flame"], numbers.get("spread", {}))
        if self._leaks is not None and STEAM in numbers:
            yield from met_steam(ray, seen, depth_m, numbers[STEAM])
            physics = [item for item in physics if item["element"] != STEAM]
        for element in elements_of(physics) if flames else ():
            played = None
            if element.name.startswith("imported/"):
                scenario = self._reader.record(self._leaf["scenario"])
                assert isinstance(scenario, Mapping)
                played = load_played(element, scenario, self._folders)
            yield from met_volumes(ray, spans, element, played)
        loose = [item for item in seen if "debris" in item["rule"]]
        if loose:
            yield from met_debris(loose, numbers, self._edge_m, self._leaf["stamp_ns"])

    def _first_surface(self, ray: Ray) -> tuple[dict[str, Any] | None, float]:
        """The surface that ends the ray, and how far it is; none and infinity."""
        if self._leaf["building"] is None:
            return None, np.inf
        body = self._reader.record(self._leaf["building"])
        if not isinstance(body, dict):
            raise VerificationError("the building's record is not a map")
        building = Building.from_record(body)
        depth_m = float(building.occlusion_depth(ray.start_m, ray.direction[None].astype(np.float32))[0])
        if not np.isfinite(depth_m):
            return None, depth_m
        hit = _surface_at(building, ray.start_m + depth_m * ray.direction)
        if hit is None:
            return {"element": "the building", "distance_m": depth_m}, depth_m
        return {"element": hit.name, "bim": hit.evidence(), "distance_m": depth_m}, depth_m

    def _physics(self) -> list[dict[str, Any]]:
        return [
            {
                "element": ref.element,
                "source": ref.source,
                "version": ref.version,
                "seed": ref.seed,
                "parameters_sha256": ref.parameters_sha256.hex(),
                "numbers": numbers,
            }
            for ref, numbers in self._reader.physics(self._leaf["physics"])
        ]

    def _gate_parameters(self) -> dict[str, object]:
        config = self._reader.record(self._leaf["config"])
        found: dict[str, object] = {}
        for name in _GATE_PARAMETERS:
            value = _look_up(config, name)
            if value is not None:
                found[name] = value
        return found

    def _say(
        self,
        verdict: str,
        why: str,
        columns: list[dict[str, Any]] | None = None,
        elements: tuple[Mapping[str, object], ...] = (),
        surface: dict[str, Any] | None = None,
        physics: list[dict[str, Any]] | None = None,
        parameters: dict[str, object] | None = None,
    ) -> Explanation:
        names = (
            "frame",
            "view",
            "columns",
            "paths",
            "building",
            "scenario",
            "physics",
            "config",
            "map",
            "software",
        )
        records = {name: self._leaf[name].hex() for name in names if isinstance(self._leaf.get(name), bytes)}
        return Explanation(
            self._index,
            self._leaf["seq"],
            self._leaf["stamp_ns"],
            self._pixel,
            verdict,
            why,
            tuple(columns or ()),
            elements,
            surface,
            tuple(physics or ()),
            parameters or {},
            records,
            (*notes_of(physics or ()), *(leak.why for leak in self._leaks or () if leak.cause)),
        )


def _met(columns: Columns, ray: Ray, leaf: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The open columns that a ray passes, with the rule that opened each."""
    rows = columns.rows
    for place, from_m, to_m in ray.columns(rows, columns.grid):
        row = rows[place]
        item: dict[str, Any] = {
            "cell": [int(row["row"]), int(row["col"])],
            "rule": "flame",
            "floor_m": float(row["floor_m"]),
            "ceiling_m": float(row["ceiling_m"]),
            "from_m": from_m,
            "to_m": to_m,
        }
        if "uncertainty" in (rows.dtype.names or ()):
            rule = int(row["rule"])
            item["rule"] = "flame and debris" if rule == FLAME | DEBRIS else "debris"
            item["uncertainty"] = float(row["uncertainty"])
            item["observations"] = int(row["observations"])
            item["age_ms"] = (leaf["stamp_ns"] - int(row["observed_ns"])) / 1e6
            item["why"] = (
                f"debris: the LiDAR confirmed U={item['uncertainty']:.2f} by n={item['observations']} returns, "
                f"the newest {item['age_ms']:.0f} ms old"
            )
        else:
            item["why"] = columns.texts[int(row["text"])]
        yield item


def _surface_at(building: Building, place_m: FloatArray) -> Surface | None:
    """The surface in whose plane and box a point lies."""
    best: tuple[float, Surface] | None = None
    for surface in building.surfaces:
        corners = surface.corners_m
        if np.any(place_m < corners.min(axis=0) - 0.05) or np.any(place_m > corners.max(axis=0) + 0.05):
            continue
        triangles = surface.triangles_m
        normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        size = np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
        off_m = float(np.abs(np.einsum("ni,ni->n", place_m - triangles[:, 0], normals) / size).min())
        if best is None or off_m < best[0]:
            best = (off_m, surface)
    return None if best is None else best[1]


def _told(item: Met) -> dict[str, object]:
    return {
        "kind": item.kind,
        "name": item.name,
        "distance_m": item.from_m,
        "ignition": item.ignition,
        "cells": list(item.cells),
        "why": item.why,
        "state": item.state,
    }


def _sentence(elements: list[Met]) -> str:
    names = list(dict.fromkeys(f"{item.kind} of {item.name}" for item in elements))
    return f"the ray passes {', then '.join(names[:3])}{' and more' if len(names) > 3 else ''}"


def _look_up(body: object, name: str) -> object:
    """A parameter anywhere in a configuration record."""
    if not isinstance(body, Mapping):
        return None
    if name in body:
        return body[name]
    for value in body.values():
        found = _look_up(value, name)
        if found is not None:
            return found
    return None
