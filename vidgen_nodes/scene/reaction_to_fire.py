# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a free-text label of a model says about reaction to fire.

``Combustible``, ``SurfaceSpreadOfFlame`` and ``FlammabilityRating`` of IFC are a boolean and two labels
without a vocabulary. Guarantees: only classes that settle whether a product burns give an answer; a label
of fire resistance ("REI 60", "2HR") is known for what it is and gives none; what is not understood gives
none and says so. Leaves out: how fast anything burns (``scene.materials``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# EN 13501-1 (fl: floors, L: pipes) and EN 13501-6 (ca: cables, which have B1 and B2).
_EUROCLASS = re.compile(
    r"(?:euro\s?-?class|en\s?13501(?:-\d)?:?|class)?\s*(a1|a2|b1|b2|b|c|d|e|f)\s*(fl|l|ca)?"
    r"(?:[\s,;-]*s[123][abd]?)?(?:[\s,;-]*d[012])?(?:[\s,;-]*a[123])?"
)
_EURO_HINT = re.compile(r"[\s,;-]s[123]|[\s,;-]d[012]|euro|13501|fl|ca\b")
_DIN = re.compile(r"(?:din\s?4102(?:-\d)?:?\s*)?(a1|a2|b1|b2|b3)")
_FRENCH = re.compile(r"m\s?([0-4])")
_BS476 = re.compile(r"(?:bs\s?476(?:[\s-]*(?:part\s?)?[67])?:?\s*)?class\s?([0-4])")
_E84_CLASS = re.compile(r"(?:astm\s?e\s?-?84:?\s*)?(?:type|class)\s?(a|b|c|i{1,3})")
_E84_INDEX = re.compile(r"(?:fsi|flame\s?spread(?:\s?index)?)\D{0,3}(\d{1,3})(?:\D.*)?")
_RESISTANCE = re.compile(
    r"(?:r|re|rei|ei|ew|e|fd|fr|f|t|g|k)\s?-?\s?(?:15|20|30|45|60|90|120|180|240|360)(?:\s?-?\s?(?:min|minutes|a|ab|b|s|m|c|sa|s200))?"
    r"|\d+(?:[.,/]\d+)?\s?-?\s?(?:hr|hrs|h|hour|hours|min|mins|minutes)(?:\b.*)?"
    r"|(?:ei|ew|e)\s?\d?\s?(?:15|30|45|60|90|120)-?[cs]?\d?.*"
)
_DOES_NOT_BURN = frozenset(
    ("noncombustible", "not combustible", "incombustible", "nicht brennbar", "nichtbrennbar", "unbrennbar")
)
_BURNS = frozenset(
    ("combustible", "flammable", "highly flammable", "brennbar", "normalentflammbar", "leichtentflammbar")
)


@dataclass(frozen=True, slots=True)
class FireLabel:
    """One label, understood."""

    text: str  # as it was written
    system: (
        str  # EN 13501 | DIN 4102 | NF P 92-507 | BS 476 | ASTM E84 | ... | fire resistance | not understood
    )
    grade: str  # in that system, e.g. A2; empty where there is none
    burns: bool | None  # None: the label does not tell


def parse_fire_label(text: str) -> FireLabel:
    """Understand one label.

    A label that fits several systems ("Class B", "A2", "B1") burns only as all of them agree; they do for
    all that can be mistaken. Class 0 and 1 of BS 476 and class A of ASTM E84 say that flames spread little,
    not that the product cannot burn: they settle nothing.
    """
    words = " ".join(text.lower().replace("_", " ").split()).strip(" .;,")
    for reader in (_plain, _resistance, _euroclass, _spread_index, _national):
        found = reader(words)
        if found is not None:
            system, grade, burns = found
            return FireLabel(text, system, grade, burns)
    return FireLabel(text, "not understood", "", None)


_Found = tuple[str, str, "bool | None"]


def _plain(words: str) -> _Found | None:
    bare = words.replace("-", "").replace("non combustible", "noncombustible")
    if bare in _DOES_NOT_BURN or words in _DOES_NOT_BURN:
        return "plain words", bare, False
    if words in _BURNS:
        return "plain words", words, True
    return None


def _resistance(words: str) -> _Found | None:
    """How long a thing keeps a fire out: says nothing about whether it burns."""
    return ("fire resistance", words, None) if _RESISTANCE.fullmatch(words) else None


def _euroclass(words: str) -> _Found | None:
    match = _EUROCLASS.fullmatch(words)
    if match is None or (match[1] in ("b1", "b2") and match[2] != "ca"):
        return None
    grade = match[1].upper()
    if words.startswith("class") and not _EURO_HINT.search(words):
        # "Class A" to "Class F" without more: ASTM's A, B, C or EN's B to F; those from B on burn in both.
        return "EN 13501 or ASTM E84", grade, _burns_by_class(grade)
    return "EN 13501", grade + (match[2] or ""), _burns_by_class(grade)


def _burns_by_class(grade: str) -> bool | None:
    """B to E burn, if less and more; F may mean that nobody tested."""
    return None if grade == "F" else grade not in ("A1", "A2")


def _spread_index(words: str) -> _Found | None:
    match = _E84_INDEX.fullmatch(words)
    if match is None:
        return None
    index = int(match[1])
    return "ASTM E84", f"FSI {index}", True if index > 25 else None


def _national(words: str) -> _Found | None:
    if match := _DIN.fullmatch(words):
        return "DIN 4102", match[1].upper(), not match[1].startswith("a")
    if match := _FRENCH.fullmatch(words):
        return "NF P 92-507", f"M{match[1]}", match[1] != "0"
    if match := _BS476.fullmatch(words):
        return "BS 476", f"class {match[1]}", True if match[1] in "234" else None
    if match := _E84_CLASS.fullmatch(words):
        return "ASTM E84", f"class {match[1].upper()}", None if match[1] in ("a", "i") else True
    return None
