# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What was understood of a building, in lines a person reads before trusting it.

Guarantees: areas of what burns, does not burn and is unknown add up to the whole; every correction on the
way in is there. Leaves out pictures.
"""

from __future__ import annotations

from collections import Counter

from vidgen_nodes.scene.building import Building

_MOST = 8  # materials listed


def building_summary(building: Building) -> tuple[str, ...]:
    """Lines of text: name and place, elements by kind, areas by what is known, materials, corrections."""
    elements = {surface.path or surface.name: surface.kind for surface in building.surfaces}
    kinds = Counter(elements.values())
    area_m2 = {True: 0.0, False: 0.0, None: 0.0}
    unknown_m2: dict[str, float] = {}
    burning_m2: dict[str, float] = {}
    for surface in building.surfaces:
        area_m2[surface.combustible] += surface.area_m2
        if surface.combustible is None:
            unknown_m2[surface.material] = unknown_m2.get(surface.material, 0.0) + surface.area_m2
        elif surface.combustible:
            burning_m2[surface.material] = burning_m2.get(surface.material, 0.0) + surface.area_m2
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    lines = [
        f"{building.name}: {building.placement}",
        f"{len(elements)} elements ({listed}), {len(building.surfaces)} surfaces",
        f"burns {area_m2[True]:.1f} m2, does not burn {area_m2[False]:.1f} m2, unknown {area_m2[None]:.1f} m2",
    ]
    for title, found in (("burns", burning_m2), ("unknown", unknown_m2)):
        if found:
            ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
            more = f", and {len(ordered) - _MOST} more" if len(ordered) > _MOST else ""
            parts = ", ".join(f"{name} {area:.1f} m2" for name, area in ordered[:_MOST])
            lines.append(f"{title}: {parts}{more}")
    return (*lines, *(f"note: {note}" for note in building.notes))
