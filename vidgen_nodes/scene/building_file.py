# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Buildings from our own YAML: surfaces in ``map``, areas of a fuel map, or a model and where it stands.

Guarantees that every surface returned is checked (``scene.surface``) and named once; a wrong file is a
``ConfigError`` that names the file, the key and what was expected. Leaves out the model itself
(``scene.ifc_building``) and how areas become surfaces (``scene.fuel_map``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.surface import KINDS, Surface, checked_polygon
from vidgen_nodes.text_file import parse_yaml, read_text

if TYPE_CHECKING:
    from vidgen_nodes.scene.building import Progress, ToMap

_OWN_KEYS = frozenset(("name", "frame", "surfaces", "areas"))
_SURFACE_KEYS = frozenset(("name", "kind", "material", "combustible", "corners_m"))
LARGEST_BYTES = 64 << 20  # a GeoJSON file beyond this is a mistake
LARGEST_YAML_BYTES = 4 << 20  # over 10,000 surfaces; as many take half a minute to read


def load_building_file(path: Path, to_map: ToMap | None = None, progress: Progress | None = None) -> Building:
    """Read a YAML building.

    Raises:
        ConfigError: unreadable, wrong shape, unknown kind or frame, bad or doubled surface.
    """
    content = read_building_yaml(path)
    if isinstance(content, dict) and "ifc" in content:
        from vidgen_nodes.scene.ifc_building import load_placed_ifc

        return load_placed_ifc(path, content, to_map, progress)
    lists = [content.get(key, []) for key in ("surfaces", "areas")] if isinstance(content, dict) else []
    if (
        not lists
        or not all(isinstance(item, list) for item in lists)
        or not {"surfaces", "areas"} & set(content)
    ):
        raise ConfigError(
            f"{path}: expected a mapping with name, frame and a list of surfaces (or areas, or ifc: a model)"
        )
    refuse_extra(str(path), content, _OWN_KEYS)
    if content.get("frame") != "map":
        raise ConfigError(f"{path}: frame: got {content.get('frame')!r}, expected map (ENU about the datum)")
    name = text(str(path), content, "name")
    surfaces = [_read_surface(path, index, item) for index, item in enumerate(lists[0])]
    if lists[1]:
        from vidgen_nodes.scene.fuel_map import area_surfaces

        for index, item in enumerate(lists[1]):
            surfaces += area_surfaces(f"{path}: areas[{index}]", item)
    refuse_doubles(path, surfaces)
    return Building(name, tuple(surfaces))


def read_building_yaml(path: Path) -> Any:
    """What is in a YAML building, unchecked.

    Raises:
        ConfigError: see :func:`read_limited`.
    """
    return read_limited(path, parse_yaml, "YAML", LARGEST_YAML_BYTES)


def read_limited(path: Path, parse: Callable[[str], Any], what: str, most_bytes: int = LARGEST_BYTES) -> Any:
    """Parse a text file of bounded size.

    Raises:
        ConfigError: no ordinary file, too large, unreadable, not UTF-8, or not ``what``.
    """
    content = read_text(path, most_bytes, "cut the site into parts, or give it as GeoJSON or IFC")
    try:
        return parse(content)
    except ConfigError as err:
        raise ConfigError(f"{path}: {err}") from err
    except (ValueError, RecursionError) as err:
        raise ConfigError(f"{path}: cannot be read as {what}: {err}") from err


def refuse_extra(where: str, content: dict[Any, Any], known: frozenset[str]) -> None:
    """Refuse keys nobody knows: a misspelt key must not pass for a missing one."""
    extra = sorted(str(key) for key in set(content) - known)
    if extra:
        raise ConfigError(f"{where}: unknown key {extra[0]!r}; known: {', '.join(sorted(known))}")


def refuse_doubles(path: Path, surfaces: list[Surface]) -> None:
    """Refuse two surfaces of one name: a permit must name one thing."""
    for name, count in Counter(surface.name for surface in surfaces).items():
        if count > 1:
            raise ConfigError(f"{path}: surface {name!r} is there {count} times; names must differ")


def text(where: str, item: dict[Any, Any], key: str) -> str:
    """A text that is there and not empty."""
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key}: got {value!r}, expected a text")
    return value


def _read_surface(path: Path, index: int, item: Any) -> Surface:
    where = f"{path}: surfaces[{index}]"
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: got {type(item).__name__}, expected a mapping")
    refuse_extra(where, item, _SURFACE_KEYS)
    name = text(where, item, "name")
    where = f"{where} ({name})"
    material, kind, combustible, decided_by = read_fuel(where, item)
    corners: FloatArray = checked_polygon(where, item.get("corners_m"))
    from vidgen_nodes.scene.materials import find_material

    found = find_material(material)
    return Surface(
        name,
        material,
        kind,
        corners,
        combustible,
        path=name,
        decided_by=decided_by,
        material_id=found.identity if found else "",
    )


def read_fuel(where: str, item: dict[Any, Any]) -> tuple[str, str, bool | None, str]:
    """Material, kind, whether it burns and what says so, of a surface or an area in one of our files.

    Raises:
        ConfigError: missing, misspelt or contradictory.
    """
    material, kind = item.get("material"), item.get("kind")
    if not isinstance(material, str) or not material:
        raise ConfigError(f"{where}: material: got {material!r}, expected a text (or 'unknown')")
    if kind not in KINDS:
        raise ConfigError(f"{where}: kind: got {kind!r}, expected one of {', '.join(KINDS)}")
    combustible = item.get("combustible")
    if combustible is not None and not isinstance(combustible, bool):
        raise ConfigError(f"{where}: combustible: got {combustible!r}, expected true, false or null")
    if material == "unknown" and combustible:
        raise ConfigError(f"{where}: material unknown contradicts combustible: true; name the material")
    decided_by = (
        "" if combustible is None else f"combustible: {str(combustible).lower()} in the building file"
    )
    return material, kind, combustible, decided_by
