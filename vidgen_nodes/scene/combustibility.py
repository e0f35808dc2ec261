# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an exposed face burns: what a model says of it, weighed.

Guarantees: an answer only where at least one source settles it and none contradicts; a contradiction is
unknown and says so. Leaves out reading the model (``scene.ifc_material``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vidgen_nodes.scene.materials import MaterialTable
from vidgen_nodes.scene.reaction_to_fire import parse_fire_label

_YES_OR_NO = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source that speaks on whether a face burns."""

    source: str  # e.g. "Pset_WallCommon.Combustible = False"
    burns: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all sources together say."""

    burns: bool | None
    decided_by: str  # the sources that decided, or why it stays unknown


def weigh(evidence: Iterable[Evidence]) -> Verdict:
    """One answer out of all evidence; the order of evidence does not matter."""
    found = sorted(set(evidence), key=lambda item: item.source)
    if not found:
        return Verdict(None, "no data: no property and no known material says whether it burns")
    said = "; ".join(item.source for item in found)
    if len({item.burns for item in found}) > 1:
        return Verdict(None, f"a contradiction: {said}")
    return Verdict(found[0].burns, said)


def property_evidence(name: str, value: object, *, is_one_material: bool) -> Evidence | None:
    """What one property of an element says of each of its faces, or None.

    ``Combustible`` is about the whole element: False holds for every layer of it, True only where there is
    one material, for of several nobody knows which one was meant. Written as a word it counts as well.
    """
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]  # chosen from an enumeration
    if isinstance(value, str) and name.endswith("Combustible"):
        value = _YES_OR_NO.get(value.strip(" .").lower())
    if isinstance(value, bool):
        if not name.endswith("Combustible") or (value and not is_one_material):
            return None
        return Evidence(f"{name} = {value}", value)
    if not isinstance(value, str) or not name.endswith(("SurfaceSpreadOfFlame", "FlammabilityRating")):
        return None  # FireRating above all: it is fire resistance
    label = parse_fire_label(value)
    return (
        None
        if label.burns is None
        else Evidence(f"{name} = {value!r} ({label.system} {label.grade})", label.burns)
    )


def material_evidence(name: str, table: MaterialTable) -> Evidence | None:
    """What the name of a material says, by the table, or None."""
    found = table.find(name)
    if found is None or found.burns is None:
        return None
    return Evidence(
        f"material {name!r} is {found.identity} of materials.yaml ({found.euroclass or 'no class'})",
        found.burns,
    )


def category_evidence(name: str, category: str, table: MaterialTable) -> Evidence | None:
    """What the category of a material says whose name the table does not know, or None."""
    found = material_evidence(category, table)
    return None if found is None else Evidence(f"of {name!r} its category: {found.source}", found.burns)
