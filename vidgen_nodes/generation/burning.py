# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How much heat each burning piece of surface gives at any time, and what is left of it.

A piece grows as t^2 to the release of its material, holds it, and falls off linearly over its last fifth of fuel.
In a room that does not get air enough (1500 A sqrt(H) kW for the open vents, Kawagoe) its pieces share what there is:
their clock slows by what the vents let through, so that no fuel is lost and none burns twice. Guarantees: heat is
0 before arrival and after burn-out, never above the room's limit, and over time adds up to the fuel. Leaves out fuel
that burns outside the vent of a starved room, and the delay that starving gives to spread into other rooms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.physics_record import Parameters, entry
from vidgen_nodes.generation.spread import Spread
from vidgen_nodes.packets import FloatArray, Room

GROWTH_S = 20.0  # of one piece to its full release
DECAY_SHARE = 0.2  # of the fuel that burns while it falls off
VENT_KW_PER_M25 = (
    1500.0  # heat that a vent's air can burn: 0.5 kg/s of air per m^2.5, 3.0 MJ/kg of air (Kawagoe)
)
_MOST_STEPS = 5_000
_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Release of pieces by seconds of fire since arrival; all (n,), per m2."""

    peak_kw_per_m2: FloatArray
    growth_s: FloatArray
    hold_s: FloatArray
    decay_s: FloatArray

    @classmethod
    def of(cls, peak_kw_per_m2: FloatArray, load_kj_per_m2: FloatArray) -> Curve:
        """The curve that gives off exactly the load; thin fuel peaks early and holds nothing."""
        falls = DECAY_SHARE * load_kj_per_m2
        rises = load_kj_per_m2 - falls
        growth_s = np.minimum(GROWTH_S, 3.0 * rises / peak_kw_per_m2)
        hold_s = rises / peak_kw_per_m2 - growth_s / 3.0
        return cls(peak_kw_per_m2, growth_s, np.maximum(hold_s, 0.0), 2.0 * falls / peak_kw_per_m2)

    @property
    def life_s(self) -> FloatArray:
        """Seconds of fire from arrival to burn-out (n,)."""
        return self.growth_s + self.hold_s + self.decay_s

    def release_kw_per_m2(self, burning_s: FloatArray, part: slice | _Index = slice(None)) -> FloatArray:
        """Heat given off so long after arrival."""
        rise = np.clip(burning_s / self.growth_s[part], 0.0, 1.0) ** 2
        left_s = self.life_s[part] - burning_s
        return self.peak_kw_per_m2[part] * np.minimum(rise, np.clip(left_s / self.decay_s[part], 0.0, 1.0))

    def released_kj_per_m2(self, burning_s: FloatArray) -> FloatArray:
        """Heat given off from arrival until so long after it: the exact integral."""
        growing_s = np.clip(burning_s, 0.0, self.growth_s)
        holding_s = np.clip(burning_s - self.growth_s, 0.0, self.hold_s)
        falling_s = np.clip(burning_s - self.growth_s - self.hold_s, 0.0, self.decay_s)
        return self.peak_kw_per_m2 * (
            growing_s**3 / (3.0 * self.growth_s**2)
            + holding_s
            + falling_s
            - 0.5 * falling_s**2 / self.decay_s
        )


class Burning:
    """The pieces of one solution in order of arrival, and their clocks.

    Args:
        spread: what burns when.
        rooms: of the scenario; surfaces in none burn in the open.
        speedup: seconds of fire in a second of event time.

    Raises:
        ConfigError: a room names a surface that the building has not.
    """

    def __init__(self, spread: Spread, rooms: tuple[Room, ...], speedup: float) -> None:
        graph = self.graph = spread.graph
        self.points: _Index = spread.burning  # (n,) into the graph
        self.speedup = speedup
        self.arrival_s: FloatArray = spread.arrival_s[self.points]
        self.area_m2: FloatArray = graph.area_m2[self.points]
        fuels = [spread.fuels[index] for index in graph.material[self.points]]
        peak = np.array([fuel.release_kw_per_m2 for fuel in fuels if fuel is not None])
        load = np.array([fuel.load_kj_per_m2 for fuel in fuels if fuel is not None])
        self.curve = Curve.of(peak, load)
        self.fuel_kj = float((load * self.area_m2).sum())
        self._longest_s = float(self.curve.life_s.max(initial=0.0))
        self._room = np.full(len(self.points), -1, np.int32)
        for index, room in enumerate(rooms):
            unknown = sorted(set(room.surfaces) - set(graph.names))
            if unknown:
                raise ConfigError(
                    f"rooms: {room.name} names the surface {unknown[0]!r}, which the building has not"
                )
            self._room[np.isin(graph.surface[self.points], [graph.names.index(n) for n in room.surfaces])] = (
                index
            )
        self._clocks = [self._clock(index, room) for index, room in enumerate(rooms)]

    def burning_s(self, scenario_s: float) -> FloatArray:
        """Seconds of fire since arrival (n,) so long after scenario start; negative before."""
        return self._now_s(scenario_s) - self.arrival_s

    def release_kw(self, scenario_s: float) -> FloatArray:
        """Heat of each piece (n,) at an instant."""
        heat_kw: FloatArray = np.zeros(len(self.points))
        fire_s = scenario_s * self.speedup
        # Pieces are in order of arrival; room clocks only ever run late, so this part holds all that burn.
        first = 0 if self._clocks else int(np.searchsorted(self.arrival_s, fire_s - self._longest_s))
        part = slice(first, int(np.searchsorted(self.arrival_s, fire_s)))
        now_s = self._now_s(scenario_s)[part] if self._clocks else fire_s
        release = self.curve.release_kw_per_m2(now_s - self.arrival_s[part], part)
        heat_kw[part] = release * self.area_m2[part] * self._air(scenario_s)[self._room[part]]
        return heat_kw

    def released_kj(self, scenario_s: float) -> float:
        """Heat given off by all pieces since the start, in time of fire."""
        return float((self.curve.released_kj_per_m2(self.burning_s(scenario_s)) * self.area_m2).sum())

    def record(self) -> Parameters:
        """The numbers of the curve, for the ledger."""
        return {
            "growth": entry(GROWTH_S, "s", "assumed: of one piece to its full release"),
            "decay_share": entry(DECAY_SHARE, "1", "assumed: of the fuel, while it falls off"),
            "vent_limit": entry(VENT_KW_PER_M25, "kW/m2.5", "Kawagoe, 3.0 MJ per kg of air"),
            "fuel": entry(self.fuel_kj, "kJ", "area times load"),
        }

    def _now_s(self, scenario_s: float) -> FloatArray:
        """Each piece's own clock (n,)."""
        fire_s = max(scenario_s, 0.0) * self.speedup
        times = [float(np.interp(fire_s, steps, clock)) for steps, clock, _ in self._clocks]
        return np.array([*times, fire_s])[self._room]

    def _air(self, scenario_s: float) -> FloatArray:
        """Share of its air that each room gets, and 1 for the open (the last entry)."""
        fire_s = max(scenario_s, 0.0) * self.speedup
        shares = [
            float(air[min(int(np.searchsorted(steps, fire_s, "right")) - 1, len(air) - 1)])
            for steps, _, air in self._clocks
        ]
        return np.array([*shares, 1.0])

    def _clock(self, index: int, room: Room) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Seconds of fire, the room's own clock then, and the share of its air from then on; all (m,).

        The clock runs at ``min(1, limit / wanted)``: what the room's pieces would give off at that clock, over what
        the vents let them.
        """
        mine = np.flatnonzero(self._room == index)
        end_s = float((self.arrival_s + self.curve.life_s)[mine].max(initial=0.0))
        turns = [time for vent in room.vents for span in vent.open_s for time in span if time < 1e8]
        last_s = max([0.0, *(time * self.speedup for time in turns)])
        step_s = max(0.5, end_s / _MOST_STEPS)
        wanted = np.array(
            [self._wanted_kw(mine, at_s) for at_s in np.arange(0.0, end_s + 3 * step_s, step_s)]
        )
        clock, air = [0.0], list[float]()
        # Until all is burnt, or nothing more changes: a room without air keeps its fuel for ever.
        while len(air) < 10 * _MOST_STEPS:
            fire_s, now_s = len(air) * step_s, clock[-1]
            place = int(now_s / step_s)
            most_kw = float(wanted[place : place + 3].max(initial=0.0))
            limit_kw = vent_limit_kw(room, fire_s / self.speedup)
            air.append(1.0 if most_kw <= limit_kw else limit_kw / most_kw)
            if now_s >= end_s or (fire_s > last_s and limit_kw == 0.0):
                break
            clock.append(now_s + step_s * air[-1])
        steps: FloatArray = np.arange(len(air), dtype=np.float64) * step_s
        return steps, np.array(clock[: len(air)], np.float64), np.array(air, np.float64)

    def _wanted_kw(self, mine: _Index, at_s: float) -> float:
        release = self.curve.release_kw_per_m2(at_s - self.arrival_s[mine], mine)
        return float((release * self.area_m2[mine]).sum())


def vent_limit_kw(room: Room, scenario_s: float) -> float:
    """Heat that the vents open at a time let a room burn, 1500 A sqrt(H) each (Kawagoe)."""
    return sum(
        VENT_KW_PER_M25 * vent.width_m * vent.height_m * math.sqrt(vent.height_m)
        for vent in room.vents
        if any(low <= scenario_s < high for low, high in vent.open_s)
    )
