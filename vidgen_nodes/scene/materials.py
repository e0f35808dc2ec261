# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The table of materials, and which entry the name of a material in a model means.

Guarantees: every number is finite, in range and has a source; a name that matches nothing, or things that
disagree on whether they burn ("PVC coated steel"), means no entry. Leaves out labels of reaction to fire
(``scene.reaction_to_fire``) and what decides for a surface (``scene.combustibility``).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.resources import config_dir

FILE_NAME = "materials.yaml"
EUROCLASSES = ("A1", "A2", "B", "C", "D", "E", "F")
_NOT_KNOWN = math.nan
_RANGES = {  # smallest and largest a material can have
    "ignition_degc": (100.0, 1000.0),
    "krhoc": (1e-3, 100.0),
    "phi_kw2_per_m3": (0.0, 100.0),
    "ts_min_degc": (0.0, 900.0),
    "heat_of_combustion_kj_per_g": (0.0, 60.0),
    "soot_yield_kg_per_kg": (0.0, 0.5),
    "density_kg_per_m3": (1.0, 20000.0),
    "mass_flux_g_per_m2_s": (0.0, 500.0),
}
_KEYS = frozenset((*_RANGES, "names", "grades", "burns", "euroclass", "source", "from_memory"))


@dataclass(frozen=True, slots=True)
class Material:
    """One entry. NaN: not known; a fire that needs the number does not spread over it."""

    identity: str
    names: tuple[str, ...]
    burns: bool | None  # None: the name alone does not tell
    euroclass: str  # typical; empty: none
    source: tuple[str, ...]  # full references
    from_memory: tuple[str, ...] = ()  # numbers written down from memory of the source
    grades: tuple[str, ...] = ()  # patterns of designations that mean it, such as S355JR
    ignition_degc: float = _NOT_KNOWN
    krhoc: float = _NOT_KNOWN  # (kW/(m2 K))^2 s
    phi_kw2_per_m3: float = _NOT_KNOWN
    ts_min_degc: float = _NOT_KNOWN
    heat_of_combustion_kj_per_g: float = _NOT_KNOWN
    soot_yield_kg_per_kg: float = _NOT_KNOWN
    density_kg_per_m3: float = _NOT_KNOWN
    mass_flux_g_per_m2_s: float = _NOT_KNOWN

    @property
    def spreads(self) -> bool:
        """Burns, and all that the spread rates need is known."""
        numbers = (self.ignition_degc, self.krhoc, self.phi_kw2_per_m3, self.ts_min_degc)
        return self.burns is True and all(math.isfinite(item) for item in numbers)


@dataclass(frozen=True, eq=False)
class MaterialTable:
    """All entries; ``digest`` is SHA-256 of the file."""

    materials: Mapping[str, Material]
    digest: bytes

    def find(self, name: str) -> Material | None:
        """The entry that a name in a model means, or None.

        The longest match of an entry's words in the name counts, shorter ones inside it do not. Several
        matches that agree on whether they burn: the last one, which in most languages of models is the
        noun ("oak plywood"). Several that disagree: None.
        """
        if name in self.materials:
            return self.materials[name]
        found = self.matches(name)
        if len({item.burns for item in found}) != 1:
            return None
        return found[-1]

    def matches(self, name: str) -> list[Material]:
        """Every entry whose words are in a name, by where they end in it, without those inside a longer match."""
        words = _words(name)
        spans: list[tuple[int, int, str]] = []
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + self._longest) + 1):
                identity = self._index.get(words[start:end])
                if identity is not None:
                    spans.append((start, end, identity))
        kept = [
            item
            for item in spans
            if not any(
                other[0] <= item[0] and item[1] <= other[1] and other[:2] != item[:2] for other in spans
            )
        ]
        if not kept:
            return self._graded(name)
        return [self.materials[identity] for _, _, identity in sorted(kept, key=lambda item: item[1])]

    def _graded(self, name: str) -> list[Material]:
        """Entries one of whose designations stands in a name that says nothing else."""
        tokens = re.findall(r"[^\W_]+", name.lower())
        return [
            item
            for item in self.materials.values()
            if any(re.fullmatch(grade, token) for grade in item.grades for token in tokens)
        ]

    @functools.cached_property
    def _index(self) -> dict[tuple[str, ...], str]:
        return {_words(name): key for key, item in self.materials.items() for name in item.names}

    @functools.cached_property
    def _longest(self) -> int:
        return max((len(words) for words in self._index), default=0)


def find_material(name: str) -> Material | None:
    """:meth:`MaterialTable.find` in the table that comes with the package."""
    return material_table().find(name)


@functools.cache
def material_table() -> MaterialTable:
    """The table that comes with the package, read once.

    Raises:
        ConfigError: it is not there or wrong.
    """
    return load_materials(config_dir() / FILE_NAME)


def load_materials(path: Path) -> MaterialTable:
    """Read a table.

    Raises:
        ConfigError: names the entry and what was expected.
    """
    try:
        data = path.read_bytes()
        content = yaml.safe_load(data)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
    if not isinstance(content, dict) or set(content) != {"sources", "materials"}:
        raise ConfigError(f"{path}: expected a mapping with sources and materials")
    sources, entries = content["sources"], content["materials"]
    if not isinstance(sources, dict) or not isinstance(entries, dict):
        raise ConfigError(f"{path}: sources and materials: expected mappings")
    materials = {
        str(key): _material(f"{path}: {key}", str(key), item, sources) for key, item in entries.items()
    }
    seen: dict[tuple[str, ...], str] = {}
    for key, item in materials.items():
        for name in item.names:
            other = seen.setdefault(_words(name), key)
            if other != key:
                raise ConfigError(
                    f"{path}: the name {name!r} is in {other} and in {key}; it must mean one thing"
                )
    return MaterialTable(materials, hashlib.sha256(data).digest())


def _material(where: str, identity: str, item: Any, sources: Mapping[str, str]) -> Material:
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: got {type(item).__name__}, expected a mapping")
    extra = sorted(str(key) for key in set(item) - _KEYS)
    if extra:
        raise ConfigError(f"{where}: unknown key {extra[0]!r}; known: {', '.join(sorted(_KEYS))}")
    burns, euroclass = item.get("burns"), item.get("euroclass", "")
    if burns is not None and not isinstance(burns, bool):
        raise ConfigError(f"{where}: burns: got {burns!r}, expected true, false or null")
    if euroclass not in ("", *EUROCLASSES):
        raise ConfigError(f"{where}: euroclass: got {euroclass!r}, expected one of {', '.join(EUROCLASSES)}")
    if burns is not None and euroclass and burns is (euroclass in ("A1", "A2")):
        raise ConfigError(f"{where}: burns: {burns} contradicts euroclass {euroclass}")
    cited = _texts(where, item, "source")
    missing = [key for key in cited if key not in sources]
    if missing or not cited:
        raise ConfigError(f"{where}: source: got {list(cited)}, expected keys of sources")
    from_memory = _texts(where, item, "from_memory")
    if set(from_memory) - set(item):
        raise ConfigError(
            f"{where}: from_memory: names {sorted(set(from_memory) - set(item))}, which it has not"
        )
    numbers = dict(_numbers(where, item))
    full = tuple(str(sources[key]) for key in cited)
    grades = _texts(where, item, "grades")
    try:
        for grade in grades:
            re.compile(grade)
    except re.error as err:
        raise ConfigError(f"{where}: grades: got {grade!r}, expected a regular expression: {err}") from err
    names = _texts(where, item, "names")
    return Material(identity, names, burns, euroclass, full, from_memory, grades, **numbers)


def _numbers(where: str, item: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, (low, high) in _RANGES.items():
        if key not in item:
            continue
        value = item[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ConfigError(f"{where}: {key}: got {value!r}, expected {low:g} to {high:g}")
        yield key, float(value)


def _texts(where: str, item: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = item.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise ConfigError(f"{where}: {key}: got {value!r}, expected a list of texts")
    return tuple(value)


def _words(name: str) -> tuple[str, ...]:
    """Lower-case words; digits and signs part them."""
    return tuple(re.findall(r"[^\W\d_]+", name.lower()))


def spread_numbers() -> tuple[str, ...]:
    """Names of the numbers of a material, for records."""
    return tuple(item.name for item in dataclasses.fields(Material) if item.name in _RANGES)
