# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every number by which persons are treated, as the configuration record of each leaf holds it.

Parameters of live views, and the constants of every module of this package, read off the modules themselves: a number
that is added there is recorded without anybody's doing. Guarantees: plain values with a canonical form. Leaves out
``person_alpha_cap``, ``person_polarity`` and ``raw_access``, which the generator's part of the record holds, and the
code, whose hash is in the software record.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from enum import Enum
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np

import vidgen_nodes.privacy
from vidgen_nodes.params import ArParams

LIVE: Final = ("head_mosaic_px_per_m", "nearest_person_m")  # parameters of ar_node


def person_policy(ar: ArParams) -> dict[str, object]:
    """The policy in force: parameters of live views by name, constants by module and name."""
    return {**{name: getattr(ar, name) for name in LIVE}, "constants": constants()}


@lru_cache(maxsize=1)
def constants() -> dict[str, dict[str, object]]:
    """Constants of this package by module and name, without leading underscores; not to be written to."""
    found: dict[str, dict[str, object]] = {}
    for item in pkgutil.iter_modules(vidgen_nodes.privacy.__path__):
        values = _of_module(importlib.import_module(f"{vidgen_nodes.privacy.__name__}.{item.name}"))
        if values:
            found[item.name] = values
    return found


def _of_module(module: ModuleType) -> dict[str, object]:
    made = {name: _plain(value) for name, value in vars(module).items() if _is_constant(name)}
    return {name.lstrip("_"): value for name, value in sorted(made.items()) if value is not None}


def _is_constant(name: str) -> bool:
    return name.isupper() and not name.startswith("__")


def _plain(value: object) -> object:
    """A value as the record holds it; None: it is no number, text, list or record of such."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields: dict[str, Any] = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        return _plain(fields)
    return None
