# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A building from an IFC model, put where it stands in ``map``.

Guarantees: what was parsed once is not parsed again while file, material table and reader stay the same
(``scene.building_cache``), and gives the same building either way. Leaves out the reading itself
(``scene.ifc_model``) and the finding of the place (``scene.georeference``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import building_cache
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.building_file import refuse_extra
from vidgen_nodes.scene.georeference import Placement, datum_frame, place
from vidgen_nodes.scene.ifc_model import IfcContent
from vidgen_nodes.scene.ifc_process import read_apart
from vidgen_nodes.scene.materials import MaterialTable, material_table
from vidgen_nodes.scene.surface import FAR_M, Surface, number
from vidgen_nodes.text_file import refuse_special

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import Progress, ToMap

_KEYS = frozenset(("name", "ifc", "map_T_ifc", "metres_per_unit", "material_names", "datum"))


def load_ifc(
    path: Path,
    *,
    to_map: ToMap | None = None,
    progress: Progress | None = None,
    override: Any = None,
    name: str = "",
    metres_per_unit: float | None = None,
    material_names: Mapping[str, str] | None = None,
) -> Building:
    """Read a model, or take it from the cache, and place it.

    Raises:
        ConfigError: see :func:`vidgen_nodes.scene.ifc_process.read_apart` and ``scene.georeference``.
    """
    names = dict(material_names or {})
    key = _cache_key(path, material_table(), metres_per_unit, names)
    content = building_cache.load(key)
    if content is None:
        content = _read_once(path, key, metres_per_unit, names, progress)
    elif progress is not None:
        progress(1.0, "from the cache")
    try:
        building = _placed(content, place(content.georeference, to_map, override), name)
    except ConfigError as err:
        raise ConfigError(f"{path}: {err}") from err
    return building


def load_placed_ifc(
    path: Path, content: dict[Any, Any], to_map: ToMap | None, progress: Progress | None
) -> Building:
    """Read a building YAML that names a model: ``ifc``, and what the model does not say or says wrong.

    Raises:
        ConfigError: a wrong key or value, or a model that cannot be used.
    """
    asked = _asked(path, content)
    name = content.get("name", "")
    if not isinstance(name, str):
        raise ConfigError(f"{path}: name: got {name!r}, expected a text")
    return load_ifc(
        asked.file,
        to_map=datum_frame(str(path), content["datum"]) if "datum" in content else to_map,
        progress=progress,
        override=content.get("map_T_ifc"),
        name=name,
        metres_per_unit=asked.metres_per_unit,
        material_names=asked.material_names,
    )


def read_ahead(path: Path, content: dict[Any, Any] | None, progress: Progress) -> None:
    """Parse a model into the cache, where it is not there: whoever loads it next does not wait.

    Args:
        path: of the model, or of the building YAML that names it.
        content: of that YAML; None: ``path`` is the model.
        progress: told the share done.

    Raises:
        ConfigError: as :func:`load_ifc`.
    """
    asked = _Asked(path, None, {}) if content is None else _asked(path, content)
    names = dict(asked.material_names)
    key = _cache_key(asked.file, material_table(), asked.metres_per_unit, names)
    if not building_cache.holds(key):
        _read_once(asked.file, key, asked.metres_per_unit, names, progress)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which model, and how it is to be read."""

    file: Path
    metres_per_unit: float | None
    material_names: Mapping[str, str]


def _asked(path: Path, content: dict[Any, Any]) -> _Asked:
    refuse_extra(str(path), content, _KEYS)
    file = content["ifc"]
    if not isinstance(file, str) or not file:
        raise ConfigError(f"{path}: ifc: got {file!r}, expected the name of a file")
    names = content.get("material_names", {})
    if not isinstance(names, dict) or not all(
        isinstance(item, str) for pair in names.items() for item in pair
    ):
        raise ConfigError(
            f"{path}: material_names: got {names!r}, expected names in the model: names in materials.yaml"
        )
    for here, meant in names.items():
        if material_table().find(meant) is None:
            raise ConfigError(
                f"{path}: material_names: {here}: got {meant!r}, expected a name that materials.yaml has"
            )
    return _Asked(path.parent / file, _scale(path, content.get("metres_per_unit")), names)


def _read_once(
    path: Path, key: str, metres_per_unit: float | None, names: dict[str, str], progress: Progress | None
) -> IfcContent:
    """Read a model and keep it; where another process reads the same one, wait for that."""
    with building_cache.turn(key, lambda: progress and progress(0.0, "another process reads this model")):
        content = building_cache.load(key)
        if content is None:
            content = read_apart(
                path, metres_per_unit=metres_per_unit, material_names=names, progress=progress
            )
            building_cache.store(key, content)
    return content


def _scale(path: Path, value: Any) -> float | None:
    if value is None:
        return None
    try:
        scale = number(value)
    except TypeError as err:
        raise ConfigError(f"{path}: metres_per_unit: {err}") from err
    if not (math.isfinite(scale) and 1e-4 <= scale <= 1e3):
        raise ConfigError(f"{path}: metres_per_unit: got {value}, expected 0.0001 to 1000")
    return scale


def _cache_key(
    path: Path, table: MaterialTable, metres_per_unit: float | None, names: Mapping[str, str]
) -> str:
    digest = hashlib.sha256(building_cache.reader_version() + table.digest)
    try:
        refuse_special(path)
        with path.open("rb") as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                digest.update(part)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err}") from err
    digest.update(repr((metres_per_unit, sorted(names.items()), path.stem)).encode())
    return digest.hexdigest()


def _placed(content: IfcContent, placement: Placement, name: str) -> Building:
    surfaces = tuple(_moved(item, placement) for item in content.surfaces)
    if placement.placed and not all(np.abs(item.corners_m).max() <= FAR_M for item in surfaces):
        raise ConfigError(
            f"the model lies more than {FAR_M:g} m from the origin of map ({placement.words}); give map_T_ifc"
        )
    return Building(
        name or content.name,
        surfaces,
        placed=placement.placed,
        placement=placement.words,
        notes=content.notes,
    )


def _moved(surface: Surface, placement: Placement) -> Surface:
    corners = surface.corners_m @ placement.matrix[:3, :3].T + placement.matrix[:3, 3]
    corners = np.round(corners, 5) + 0.0
    corners.setflags(write=False)
    return dataclasses.replace(surface, corners_m=corners)
