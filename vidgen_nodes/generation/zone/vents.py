# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What flows through a room's openings and fans when a hot layer hangs in it.

Guarantees Bernoulli's flow with one discharge coefficient, and that an opening lets in or out what fans leave over.
Leaves out cold air that an exhaust pulls through a thin layer, and that the lower layer is warmer than the air outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.zone.room import Room

_DISCHARGE = 0.68  # of openings (Emmons, SFPE)
_HALVINGS = 60  # of the search for the neutral plane


@dataclass(frozen=True, slots=True)
class Fans:
    """What the air conditioning moves, kg/s and kW above the air outside.

    Args:
        blown_upper, blown_upper_kw: into the upper layer, and the heat in that.
        blown_lower, blown_lower_kw: into the lower one.
        drawn_upper, drawn_lower: out of the layers.
    """

    blown_upper: float = 0.0
    blown_upper_kw: float = 0.0
    blown_lower: float = 0.0
    blown_lower_kw: float = 0.0
    drawn_upper: float = 0.0
    drawn_lower: float = 0.0

    @property
    def net(self) -> float:
        """Into the room, less what is drawn out of it."""
        return self.blown_upper + self.blown_lower - self.drawn_upper - self.drawn_lower


def fans(room: Room, face_m: float, upper_k: float, lower_k: float) -> Fans:
    """Each grille moves the layer that it lies in."""
    found = dict.fromkeys(Fans.__slots__, 0.0)
    for item in room.airflows:
        layer, inside_k = ("upper", upper_k) if item.height_m >= face_m else ("lower", lower_k)
        if item.flow_m3_per_s >= 0.0:
            supplied_k = item.temperature_k or room.ambient_k
            flow = item.flow_m3_per_s * float(fire.air_density_kg_per_m3(supplied_k))
            found[f"blown_{layer}"] += flow
            found[f"blown_{layer}_kw"] += (
                flow * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * (supplied_k - room.ambient_k)
            )
        else:
            found[f"drawn_{layer}"] -= item.flow_m3_per_s * float(fire.air_density_kg_per_m3(inside_k))
    return Fans(**found)


def outflow_kg_per_s(room: Room, face_m: float, upper_k: float, net_kg_per_s: float) -> float:
    """What buoyancy drives out of the layer, through the opening above its neutral plane and the ceiling vent.

    The neutral plane lies at the layer's face or where inflow and outflow balance, whichever is higher. With fans it
    lies where the opening lets in what they draw out beyond what they blow in, or the other way.

    Args:
        room: with its openings.
        face_m: height of the layers' face.
        upper_k: of the upper layer.
        net_kg_per_s: that fans blow in beyond what they draw out.
    """
    rise_k = upper_k - room.ambient_k
    if rise_k <= 0.0:
        return 0.0
    density = float(fire.air_density_kg_per_m3(upper_k))
    pull = 2.0 * fire.GRAVITY_MPS2 * rise_k / room.ambient_k
    flow = 0.0
    if room.opening_m2 > 0.0:
        width_m = room.opening_m2 / room.opening_height_m
        ratio = math.pow(upper_k / room.ambient_k, 1.0 / 3.0)
        plane_m = room.opening_height_m / (1.0 + ratio)  # of a layer down to the opening's foot
        if room.airflows:
            plane_m = plane_with_fans_m(room, face_m, upper_k, net_kg_per_s)
        above_m = max(room.opening_height_m - max(plane_m, face_m), 0.0)
        flow += _DISCHARGE * width_m * density * math.sqrt(pull) * (2.0 / 3.0) * math.pow(above_m, 1.5)
    depth_m = room.height_m - face_m
    return flow + _DISCHARGE * room.ceiling_vent_m2 * density * math.sqrt(pull * depth_m)


def plane_with_fans_m(room: Room, layer_m: float, upper_k: float, net_kg_per_s: float) -> float:
    """Height of the neutral plane at which an opening lets out ``net_kg_per_s`` more than it lets in.

    Pressure against the outside grows upwards through the layer and is even below it. A plane above the opening lets
    nothing out, one at the layer's face or below it nothing in.
    """
    light = (
        1.0 - room.ambient_k / upper_k
    )  # by which the layer is lighter than the air outside, as a share of it
    face_m, top_m = min(layer_m, room.opening_height_m), room.opening_height_m
    width_m = room.opening_m2 / room.opening_height_m
    outside = float(fire.air_density_kg_per_m3(room.ambient_k))
    inside = float(fire.air_density_kg_per_m3(upper_k))
    speed = math.sqrt(2.0 * fire.GRAVITY_MPS2 * light)

    def let_in_kg_per_s(plane_m: float) -> float:
        over_m = min(max(plane_m - face_m, 0.0), 50.0)
        slice_m = 2.0 / 3.0 * (over_m**1.5 - max(plane_m - top_m, 0.0) ** 1.5)
        down = _DISCHARGE * width_m * outside * speed * (face_m * math.sqrt(over_m) + slice_m)
        up_m = max(top_m - plane_m, 0.0) ** 1.5
        up = _DISCHARGE * width_m * inside * math.sqrt(outside / inside) * speed * 2.0 / 3.0 * up_m
        return float(down - up)

    low_m, high_m = face_m, top_m + 50.0
    for _ in range(_HALVINGS):
        middle_m = 0.5 * (low_m + high_m)
        if let_in_kg_per_s(middle_m) < -net_kg_per_s:
            low_m = middle_m
        else:
            high_m = middle_m
    return 0.5 * (low_m + high_m)
