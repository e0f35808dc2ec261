# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which fields of other engines a scenario plays, where and when.

Guarantees finite numbers in range and file names that do not lead upwards. Leaves out the files: whether they are
there and fit is seen when the world is made (``generation/imported.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from vidgen_nodes.packets import ImportedField
from vidgen_nodes.scenario.values import mapping, number, text, wrong

MOST_IMPORTED = 16
_REQUIRED = frozenset({"file"})
_KNOWN = _REQUIRED | {"engine", "version", "start_s", "translation_m", "yaw_deg"}


def parse_imported(value: object) -> tuple[ImportedField, ...]:
    """The ``imported`` of a scenario.

    Raises:
        ConfigError: not a list of entries with a file, a time and a place.
    """
    if not isinstance(value, list) or len(value) > MOST_IMPORTED:
        raise wrong("imported", value, f"a list of at most {MOST_IMPORTED} (it may be empty)")
    return tuple(_field(item, f"imported[{index}]") for index, item in enumerate(value))


def imported_from_record(rows: Sequence[Mapping[str, Any]]) -> tuple[ImportedField, ...]:
    """The fields that a ledger stores.

    Raises:
        KeyError, TypeError: the record is of another version.
    """
    return tuple(ImportedField(**{**row, "translation_m": tuple(row["translation_m"])}) for row in rows)


def _field(item: object, key: str) -> ImportedField:
    body = mapping(item, key, _KNOWN, _REQUIRED)
    place = body.get("translation_m", [0.0, 0.0, 0.0])
    if not isinstance(place, list) or len(place) != 3:
        raise wrong(f"{key}.translation_m", place, "[east, north, up] in metres")
    east, north, up = (
        number(value, f"{key}.translation_m[{axis}]", -1e5, 1e5) for axis, value in enumerate(place)
    )
    file = text(body["file"], f"{key}.file")
    if ".." in PurePath(file).parts:
        raise wrong(f"{key}.file", file, "a name beside the scenario or below, or a whole path")
    return ImportedField(
        file=file,
        engine=text(body["engine"], f"{key}.engine") if "engine" in body else "",
        version=text(body["version"], f"{key}.version") if "version" in body else "",
        start_s=number(body.get("start_s", 0.0), f"{key}.start_s", 0.0, 1e6),
        translation_m=(east, north, up),
        yaw_rad=math.radians(number(body.get("yaw_deg", 0.0), f"{key}.yaw_deg", -360.0, 360.0)),
    )
