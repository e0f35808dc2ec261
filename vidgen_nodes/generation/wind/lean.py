# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How wind leans the flame of a fire and bends its plume, as a line in the plane of the wind.

The flame is straight, as long as in still air, and tilted by the correlation of the American Gas Association; from its
tip on the plume follows Briggs' two-thirds law for bent-over plumes, joined to the tip. Its base is drawn downwind by
as much as keeps its volume, as bases of pool fires are. Guarantees a line that goes up and downwind only, that is
upright without wind, and that goes no farther than the first surface downwind, where it rises. Leaves out what wind
does beside that: gusts, shorter and longer flames, and the air that a crossing wind mixes in faster (heat and soot thin
out along the line as they do in still air). Numbers are from memory of the sources named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidgen_nodes.generation import fire
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.packets import FloatArray

# AGA, LNG safety research program (1974), as Mudan & Croce give it in the SFPE Handbook: cos = 1 up to u* = 1, u*^-0.5
# from there. Thomas (1963, cribs: 0.7 u*^-0.49) leans flames farther, in a light wind much farther.
TILT_EXPONENT = -0.5
BRIGGS = 1.6  # Briggs, "Plume Rise" (1969): rise 1.6 F^(1/3) x^(2/3) / u
MOST_LEAN_DEG = 80.0  # assumed: a flame that lies on the ground is none that this can draw
MOST_STRETCH = 2.0  # assumed: level sections of a line that lies flatter than 60 degrees get no longer
LEAST_HEIGHT_M = 0.5  # assumed: the speed below that is the speed at it
_STEPS = 160  # of a line


@dataclass(frozen=True, slots=True)
class Axis:
    """The line of one fire at one instant; all (n,), by height above its foot."""

    height_m: FloatArray
    offset_m: FloatArray  # downwind
    path_m: FloatArray  # along the line
    tip_m: float  # height of the flame's tip
    lean_deg: float  # of the flame, from upright

    def path_at(self, height_m: FloatArray) -> FloatArray:
        """Way along the line to a height; any shape."""
        return np.interp(height_m, self.height_m, self.path_m)

    def offset_at(self, height_m: FloatArray) -> FloatArray:
        """How far downwind the line is at a height; any shape."""
        return np.interp(height_m, self.height_m, self.offset_m)

    def stretch_at(self, height_m: FloatArray) -> FloatArray:
        """Length of a level section along the wind over its breadth; any shape.

        Sections across the line are circles: what flows along it is the same through every level, and a flame has the
        volume that it has upright, as long as that takes no more than ``MOST_STRETCH``.
        """
        slope = np.interp(height_m, self.height_m, np.gradient(self.offset_m, self.height_m))
        return np.asarray(np.minimum(np.hypot(1.0, slope), MOST_STRETCH))


@dataclass(frozen=True, slots=True)
class Lean:
    """What leans one fire.

    Args:
        towards: (east, north), unit vector downwind.
        speed_mps: of the wind at ``height_m`` above the foot.
        height_m: see there.
        exponent: of the power law of speed over height.
        fuel_kg_per_m2_s: what burns on a m2 of the fire.
        radiative_fraction: of the heat that the plume does not carry.
        ambient_k: of the air.
        most_m: to the first surface downwind; inf: none.
    """

    towards: tuple[float, float]
    speed_mps: float
    height_m: float
    exponent: float
    fuel_kg_per_m2_s: float
    radiative_fraction: float
    ambient_k: float
    most_m: float = math.inf

    def speed_at_mps(self, height_m: float) -> float:
        """Speed at a height above the foot, by the power law."""
        return power_law_mps(self.speed_mps, self.height_m, self.exponent, height_m)

    def tilt_cosine(self, length_m: float, diameter_m: float) -> float:
        """Cosine of a flame's angle from upright: min(1, u*^-0.5), u* = u / (g m'' D / rho)^(1/3) (AGA 1974).

        The wind is that one flame length above the foot; vapour of the fuel is taken to be as dense as air.
        """
        density = float(fire.air_density_kg_per_m3(self.ambient_k))
        scale = (fire.GRAVITY_MPS2 * self.fuel_kg_per_m2_s * diameter_m / density) ** (1.0 / 3.0)
        star = self.speed_at_mps(length_m) / scale
        least = math.cos(math.radians(MOST_LEAN_DEG))
        return float(min(max(max(star, 1.0) ** TILT_EXPONENT, least), 1.0))

    def bend(self, heat_kw: float, length_m: float) -> float:
        """1.6 F^(1/3) / u of Briggs in m^(1/3), F = g Qc / (pi cp rho T)."""
        convected_kw = (1.0 - self.radiative_fraction) * heat_kw
        group = math.pi * fire.AIR_HEAT_CAPACITY_KJ_PER_KG_K * fire.AIR_DENSITY_TIMES_TEMPERATURE_KG_K_PER_M3
        flux = fire.GRAVITY_MPS2 * convected_kw / group
        return float(BRIGGS * flux ** (1.0 / 3.0) / self.speed_at_mps(length_m))

    def axis(self, heat_kw: float, diameter_m: float, top_m: float) -> Axis:
        """The line of a fire up to where its way along it is ``top_m`` or more."""
        length_m = fire.flame_height_m(heat_kw, diameter_m)
        cosine = self.tilt_cosine(length_m, diameter_m)
        # The burner's upwind side stays where it is.
        drawn_m = 0.5 * diameter_m * (min(1.0 / cosine, MOST_STRETCH) - 1.0)
        return self.line(heat_kw, length_m, cosine, top_m, drawn_m)

    def line(
        self, heat_kw: float, length_m: float, cosine: float, top_m: float, drawn_m: float = 0.0
    ) -> Axis:
        """The line of a flame of a length and a tilt up to where its way along it is ``top_m`` or more.

        Args:
            heat_kw: of the fire.
            length_m: of the flame, as in still air.
            cosine: of its angle from upright.
            top_m: see above.
            drawn_m: so far downwind begins the line.
        """
        tip_m = max(length_m * cosine, 1e-3)
        end_m = max(top_m, 1.01 * tip_m)
        height: FloatArray = np.concatenate(
            (np.linspace(0.0, tip_m, _STEPS // 4), np.linspace(tip_m, end_m, _STEPS)[1:])
        )
        bent = (height / self.bend(heat_kw, length_m)) ** 1.5
        bent_tip = (tip_m / self.bend(heat_kw, length_m)) ** 1.5
        tangent = math.sqrt(1.0 / cosine**2 - 1.0)
        offset = np.where(height <= tip_m, height * tangent, tip_m * tangent + bent - bent_tip)
        offset = np.minimum(offset + drawn_m, self.most_m)
        path = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(height), np.diff(offset)))))
        return Axis(height, offset, path, tip_m, math.degrees(math.acos(cosine)))

    def reach_m(self, heat_kw: float, diameter_m: float, top_m: float) -> tuple[float, float]:
        """Farthest downwind and highest point of a growing fire's line, of those within ``top_m`` along it.

        A small fire leans more than a large one, so several sizes on the way to the peak are asked.
        """
        farthest, highest = 0.0, 0.0
        for share in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02):
            axis = self.axis(share * heat_kw, math.sqrt(share) * diameter_m, top_m)
            end_m = float(np.interp(top_m, axis.path_m, axis.height_m))
            farthest = max(farthest, float(axis.offset_at(np.array(end_m))))
            highest = max(highest, end_m)
        return farthest, highest

    def record(self) -> Parameters:
        """Every number of it; ``lean_of_record`` reads it back."""
        return {
            "towards": entry(list(self.towards), "east, north", "scenario: wind.from_deg"),
            "speed_mps": entry(self.speed_mps, "m/s", "scenario"),
            "height_m": entry(self.height_m, "m above the foot", "scenario"),
            "exponent": entry(self.exponent, "1", "scenario: power law of speed over height"),
            "fuel_kg_per_m2_s": entry(self.fuel_kg_per_m2_s, "kg/(m2 s)", "peak release over area and heat"),
            "radiative_fraction": entry(self.radiative_fraction, "1", "scenario"),
            "ambient_k": entry(self.ambient_k, "K", "scenario"),
            "most_m": entry(
                self.most_m if math.isfinite(self.most_m) else None, "m", "first surface downwind, if any"
            ),
        }


def power_law_mps(speed_mps: float, measured_m: float, exponent: float, height_m: float) -> float:
    """Speed of a wind at a height: u (z / z_ref)^p; not slower than at ``LEAST_HEIGHT_M``."""
    return float(speed_mps * (max(height_m, LEAST_HEIGHT_M) / measured_m) ** exponent)


def lean_of_record(record: Parameters) -> Lean:
    """The lean that a ledger stores."""
    values = {name: item[0] for name, item in record.items()}
    most_m = values.pop("most_m")
    east, north = values.pop("towards")
    return Lean((east, north), **values, most_m=math.inf if most_m is None else most_m)


def lean_constants() -> Parameters:
    """The numbers of the correlations, for the ledger."""
    return {
        "tilt_exponent": entry(TILT_EXPONENT, "1", "AGA 1974, from memory of the SFPE Handbook"),
        "plume_rise": entry(BRIGGS, "1", "Briggs 1969, bent-over buoyant plume, from memory"),
        "most_lean": entry(MOST_LEAN_DEG, "deg", "assumed"),
        "most_stretch": entry(MOST_STRETCH, "1", "assumed: of a level section along the wind"),
        "least_height": entry(LEAST_HEIGHT_M, "m", "assumed: below it the wind is as fast as at it"),
    }
