# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Values out of a scenario's YAML, each checked where it is read.

Guarantees: what is returned has the type and lies in the range asked for; anything else is a ``ConfigError`` that
names the key, what was got and what was expected.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.text_file import shown

LONGEST_TEXT = 200  # characters


def mapping(value: object, key: str, known: frozenset[str], required: frozenset[str]) -> dict[str, Any]:
    """A mapping with known keys and all required ones; ConfigError otherwise."""
    if not isinstance(value, dict):
        raise wrong(key, value, f"a mapping with {', '.join(sorted(required))}")
    for name in value:
        if name not in known:
            raise ConfigError(
                f"{key}: unknown key {shown(name)}{_meant(name, known)}; known: {', '.join(sorted(known))}"
            )
    for name in sorted(required):
        if name not in value:
            raise ConfigError(f"{key}: {name} is missing")
    return value


class Named(Protocol):
    """What a list in a scenario holds: records tell them apart by name."""

    @property
    def name(self) -> str:
        """Of this one alone."""
        ...


_Named = TypeVar("_Named", bound=Named)


def named_list(
    value: object, key: str, kind: str, parse: Callable[[object, str], _Named], most: int | None = None
) -> tuple[_Named, ...]:
    """A list of entries with names of their own, each read by ``parse(entry, key)``; ConfigError otherwise."""
    if not isinstance(value, list) or (most is not None and len(value) > most):
        at_most = "" if most is None else f" of at most {most}"
        raise wrong(key, value, f"a list{at_most} (it may be empty)")
    found = tuple(parse(entry, f"{key}[{index}]") for index, entry in enumerate(value))
    names: set[str] = set()
    for item in found:
        if item.name in names:
            raise wrong(key, item.name, f"a different name for every {kind}")
        names.add(item.name)
    return found


def number(value: object, key: str, low: float, high: float) -> float:
    """A finite number from ``low`` to ``high``; ConfigError otherwise."""
    if isinstance(value, str):
        # PyYAML reads 1e3 as text; say so instead of leaving the user to wonder.
        raise wrong(key, value, f"a number from {low:g} to {high:g} (write 1000.0, not 1e3)")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong(key, value, f"a number from {low:g} to {high:g}")
    if not low <= value <= high:  # false for NaN too
        raise wrong(key, value, f"{low:g} to {high:g}")
    return float(value) + 0.0  # + 0.0: minus zero and zero have one digest


def flag(value: object, key: str) -> bool:
    """True or false; ConfigError otherwise."""
    if not isinstance(value, bool):
        raise wrong(key, value, "true or false")
    return value


def text(value: object, key: str) -> str:
    """A text that is not empty, and that can be shown in one line; ConfigError otherwise."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(key, value, "a text that is not empty")
    if len(value) > LONGEST_TEXT:
        raise wrong(key, value, f"at most {LONGEST_TEXT} characters, got {len(value)}")
    if (
        not value.isprintable()
    ):  # it goes into logs, markers and records: no line breaks, nothing that turns them
        raise wrong(key, value, "characters that can be printed, in one line")
    return value


def wrong(key: str, got: object, expected: str) -> ConfigError:
    """The error for a value that is not what was expected."""
    return ConfigError(f"{key}: got {shown(got)} ({type(got).__name__}), expected {expected}")


def _meant(name: object, known: frozenset[str]) -> str:
    """The known key that a misspelt one is close to, as a question; empty: none is."""
    close = (
        difflib.get_close_matches(name, sorted(known), 1) if isinstance(name, str) and len(name) < 60 else []
    )
    return f", did you mean {close[0]!r}?" if close else ""
