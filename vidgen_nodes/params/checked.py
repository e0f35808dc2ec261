# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a parameter is: a dataclass field with unit, range and meaning, refused when out of range, never clamped."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from vidgen_nodes.errors import ConfigError


def param(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field with what a ROS ``ParameterDescriptor`` needs. Bounds are inclusive."""
    metadata = {"doc": doc, "unit": unit, "low": low, "high": high, "choices": choices}
    if isinstance(default, list):
        default = tuple(default)
    return field(default=default, metadata=metadata)


class Checked:
    """Refuses values of the wrong type, out of range or not among the choices."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            name = f"{type(self).__name__}.{item.name}"
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, item.name, value)
            if isinstance(item.default, float) and type(value) is int:
                value = float(value)
                object.__setattr__(self, item.name, value)
            if isinstance(item.default, tuple):
                if not isinstance(value, tuple) or len(value) != len(item.default):
                    raise ConfigError(f"{name}: got {value!r}, expected {len(item.default)} numbers")
                if any(type(v) not in (int, float) or not math.isfinite(v) for v in value):
                    raise ConfigError(f"{name}: got {value!r}, expected finite numbers")
                object.__setattr__(self, item.name, tuple(float(v) for v in value))
            elif type(value) is not type(item.default):
                raise ConfigError(
                    f"{name}: got {value!r} ({type(value).__name__}), expected {type(item.default).__name__}"
                )
            self._check_range(name, value, item.metadata)

    @staticmethod
    def _check_range(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
        low, high, choices = metadata["low"], metadata["high"], metadata["choices"]
        unit = f" {metadata['unit']}" if metadata["unit"] else ""
        if choices and value not in choices:
            raise ConfigError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            raise ConfigError(f"{name}: got {value}{unit}, expected {low} to {high}{unit}")
