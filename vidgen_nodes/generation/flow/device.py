# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One sub-step of the air in torch, for a GPU: the same fluxes, forces and projection as ``host.py``.

Guarantees the host's numbers to rounding (a test holds both to each other on the CPU) and, for one machine and
one seed, the same bytes: every operation is a sum or a matrix product in one order. What a state holds travels to
the device and back in every sub-step, some megabytes; the work in between stays there. Leaves out periodic
axes and constant viscosity, which only verification has: a domain with either is refused.
"""

from __future__ import annotations

import numpy as np
import torch

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.fire import GRAVITY_MPS2
from vidgen_nodes.generation.flow.box_search import floor_of
from vidgen_nodes.generation.flow.domain import PERIODIC, Domain
from vidgen_nodes.generation.flow.eddies import MOST_EXCHANGED, MOST_PARTS, PRANDTL, lift_of, parts_for
from vidgen_nodes.generation.flow.host import MOST_LIGHT, After, Before, Numbers
from vidgen_nodes.generation.flow.inertia import LEAST_LEFT
from vidgen_nodes.generation.flow.momentum import Velocity
from vidgen_nodes.generation.flow.poisson import FastPoisson
from vidgen_nodes.generation.flow.projection import MOST_ITERATIONS, ROUNDS, Projected
from vidgen_nodes.packets import Float32Array

Fields = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class DeviceFlow:
    """A torch device.

    Args:
        domain: where.
        numbers: of the solver.
        inflow_lightness_k: of what enters through each side, on its plane.
        device: as torch names it.

    Raises:
        ConfigError: no such device here, a periodic axis, or a constant viscosity.
    """

    def __init__(
        self, domain: Domain, numbers: Numbers, inflow_lightness_k: tuple[Float32Array, ...], device: str
    ) -> None:
        named = _named(device)
        if named.type == "cuda" and (named.index or 0) >= torch.cuda.device_count():
            raise ConfigError(
                f"smoke solver: device {device!r} is not here; expected cpu, or a CUDA build of torch and its driver"
            )
        if any(low == PERIODIC for low, _ in domain.kinds) or numbers.viscosity_m2_per_s > 0.0:
            raise ConfigError(
                f"smoke solver: {device} takes no periodic axis and no constant viscosity; take cpu"
            )
        self._domain, self._numbers, self._device = domain, numbers, named
        self._open = self._up(domain.open_faces)
        self._fixed = self._up(domain.fixed_mps)
        self._free: Fields = tuple((item > 0.0).float() for item in self._open)  # type: ignore[assignment]
        self._air = self._tensor(domain.air.astype(np.float32))
        self._inflow_k = [self._tensor(item) for item in inflow_lightness_k]
        self._inflow_soot = [self._tensor(item) for item in domain.inflow_soot_kg_per_m3]
        fast = FastPoisson(domain.grid.shape, domain.kinds, floor_of(domain))
        self._inverse = self._tensor(fast.inverse)
        self._bases = [self._tensor(basis) for basis in fast.bases]
        self._pockets = [torch.from_numpy(pocket).to(self._device) for pocket in domain.pockets]

    def _tensor(self, array: Float32Array) -> torch.Tensor:
        return torch.from_numpy(np.array(array, dtype=np.float32)).to(self._device)

    def _up(self, arrays: Velocity) -> Fields:
        z, y, x = (self._tensor(item) for item in arrays)
        return z, y, x

    def still(self, velocity: Velocity) -> Velocity:
        """The nearest velocity that the domain lets be."""
        return _down(self._project(self._up(velocity), None)[0])

    def move(self, before: Before, dt_s: float) -> After:
        """The air a sub-step later."""
        numbers, scale = self._numbers, dt_s / self._domain.grid.cell_m
        ahead, now = self._up(before.ahead), self._up(before.now)
        given, pressure = self._tensor(before.lightness_k), self._tensor(before.pressure)
        heat, heat_in = self._carry(given, ahead, self._inflow_k, scale, before)
        soot, soot_in = self._carry(
            self._tensor(before.soot_kg_per_m3), ahead, self._inflow_soot, scale, before
        )
        light = self._light(given)
        velocity = self._force(self._up(before.velocity), light, pressure, dt_s)
        velocity = self._carried(velocity, light, ahead, scale, before)
        if numbers.eddy > 0.0 and min(self._domain.grid.shape) >= 3:
            share = (
                _strain(now, light, numbers.eddy**2 * scale, lift_of(self._domain.grid.cell_m)) * self._air
            )
            parts = parts_for(float(share.max()))
            share = share / parts
            for _ in range(parts):
                mixing = self._light(heat)
                velocity = tuple(
                    _rubbed(own, _beside(share, axis), 1.0 - _beside(mixing, axis))
                    for axis, own in enumerate(velocity)
                )  # type: ignore[assignment]
                heat, soot = (_exchanged(item, share, 1.0 / PRANDTL) for item in (heat, soot))
        velocity = self._force(velocity, self._light(heat), pressure, dt_s)
        velocity, change, how = self._project(velocity, self._tensor(before.grown))
        thinnest = 1.0 - min(float(heat.max()) / numbers.ambient_k, MOST_LIGHT)
        pressure = pressure + change * (thinnest / scale)
        back = [item.cpu().numpy() for item in (pressure, heat, soot)]
        return After(_down(velocity), back[0], back[1], back[2], heat_in, soot_in, how)

    def _carry(
        self, content: torch.Tensor, speeds: Fields, ends: list[torch.Tensor], scale: float, before: Before
    ) -> tuple[torch.Tensor, float]:
        entered = 0.0
        for sweep in range(before.sweeps):
            upward = before.upward == (sweep % 2 == 0)
            content, came = _swept(content, speeds, scale / before.sweeps, ends, upward)
            entered += came
        return content, entered

    def _carried(
        self, velocity: Fields, light: torch.Tensor, ahead: Fields, scale: float, before: Before
    ) -> Fields:
        wind = (0.0, self._domain.wind_mps[1], self._domain.wind_mps[0])
        found = []
        for axis, own in enumerate(velocity):
            speeds = tuple(_speed_beside(ahead[across], axis, across) for across in range(3))
            density = 1.0 - _beside(light, axis)
            for sweep in range(before.sweeps):
                ends = [_entering(own, axis, side, wind[axis]) for side in range(6)]
                upward = before.upward == (sweep % 2 == 0)
                own, density = _swept_by_mass(own, density, speeds, scale / before.sweeps, ends, upward)
            found.append(own)
        return found[0], found[1], found[2]

    def _light(self, heat: torch.Tensor) -> torch.Tensor:
        return (heat / self._numbers.ambient_k).clamp(max=MOST_LIGHT)

    def _force(self, velocity: Fields, light: torch.Tensor, pressure: torch.Tensor, dt_s: float) -> Fields:
        half_s = 0.5 * dt_s
        found = []
        for axis, own in enumerate(velocity):
            free = self._open[axis]
            beside = _beside(light, axis)
            gained = -free * (half_s / self._domain.grid.cell_m) * _gradient(pressure, axis)
            if axis == 0:
                gained = gained + (free > 0.0) * (half_s * GRAVITY_MPS2) * beside
            found.append(own + gained / (1.0 - beside))
        return found[0], found[1], found[2]

    def _project(
        self, velocity: Fields, expansion: torch.Tensor | None
    ) -> tuple[Fields, torch.Tensor, Projected]:
        velocity = tuple(
            own * free + fixed for own, free, fixed in zip(velocity, self._free, self._fixed, strict=True)
        )  # type: ignore[assignment]
        wanted = torch.zeros_like(self._air) if expansion is None else self._centred(expansion * self._air)
        fastest = max(float(own.abs().max()) for own in velocity)
        limit = self._numbers.divergence_limit
        least = limit * max(fastest, float(wanted.abs().max()) / 6.0, 1e-9)
        total, rounds = torch.zeros_like(wanted), 0
        most = ROUNDS if self._domain.is_plain else MOST_ITERATIONS
        while True:
            right = wanted - self._air * _divergence(velocity)
            left = float(right.abs().max())
            if (rounds and left <= least) or rounds >= most:
                return velocity, total, Projected(left * limit / least, rounds)
            if self._domain.is_plain:
                found, used = self._solve(right), 1
            else:
                found, used = self._search(right, 0.5 * least, most - rounds)
            velocity = self._pushed(velocity, found)
            total, rounds = total + found, rounds + used

    def _solve(self, right: torch.Tensor) -> torch.Tensor:
        z, y, x = self._bases
        found = torch.einsum("abc,ai,bj,ck->ijk", right, z, y, x)
        return torch.einsum("ijk,ai,bj,ck->abc", found * self._inverse, z, y, x)

    def _pushed(self, velocity: Fields, pressure: torch.Tensor) -> Fields:
        w, v, u = (own - self._open[axis] * _gradient(pressure, axis) for axis, own in enumerate(velocity))
        return w, v, u

    def _search(self, right: torch.Tensor, least: float, most: int) -> tuple[torch.Tensor, int]:
        """Preconditioned conjugate gradients, as in ``box_search.py``."""
        right = self._centred(right)
        found = torch.zeros_like(right)
        near = self._centred(self._solve(right) * self._air)
        way, power, used = near, float((right * near).sum()), 0
        nothing: Fields = tuple(torch.zeros_like(item) for item in self._open)  # type: ignore[assignment]
        while used < most:
            used += 1
            image = -self._air * _divergence(self._pushed(nothing, -way))
            along = power / float((way * image).sum())
            found, right = found + along * way, right - along * image
            if float(right.abs().max()) <= least:
                break
            near = self._centred(self._solve(right) * self._air)
            power, before = float((right * near).sum()), power
            way = near + (power / before) * way
        return found, used

    def _centred(self, values: torch.Tensor) -> torch.Tensor:
        flat = values.reshape(-1).clone()
        for pocket in self._pockets:
            flat[pocket] -= flat[pocket].mean()
        return flat.reshape(values.shape)


def _down(velocity: Fields) -> Velocity:
    w, v, u = (item.cpu().numpy() for item in velocity)
    return w, v, u


def _flux(courant: torch.Tensor, padded: torch.Tensor, axis: int) -> torch.Tensor:
    """As ``transport._flux``, limited, on every face across an axis; ``padded`` has two cells more at each end."""
    count = courant.shape[axis]
    a, b, d, e = (padded.narrow(axis, i, count) for i in range(4))
    forward, near = courant > 0.0, d - b
    far = torch.where(forward, b - a, e - d)
    slope = 0.5 * (near + far)
    least = 2.0 * torch.minimum(near.abs(), far.abs())
    most = torch.where(near * far > 0.0, least, torch.zeros_like(least))
    slope = torch.maximum(torch.minimum(slope, most), -most)
    along = torch.where(forward, slope, -slope)
    return courant * (torch.where(forward, b, d) + 0.5 * (1.0 - courant.abs()) * along)


def _swept(
    content: torch.Tensor, speeds: Fields, scale: float, ends: list[torch.Tensor], upward: bool
) -> tuple[torch.Tensor, float]:
    """One sweep over all axes, as ``transport.carry`` for heat and soot."""
    air, entered = torch.ones_like(content), 0.0
    for stage, axis in enumerate((0, 1, 2) if upward else (2, 1, 0)):
        low, high = (ends[2 * axis + end].unsqueeze(axis) for end in (0, 1))
        padded = torch.cat((low, low, content, high, high), axis)
        courant = scale * speeds[axis]
        flux = _flux(courant, padded, axis)
        held = air * content - flux.diff(dim=axis)
        air = air - courant.diff(dim=axis)
        content = held if stage == 2 else held / air
        first, last = flux.narrow(axis, 0, 1), flux.narrow(axis, flux.shape[axis] - 1, 1)
        entered += float(first.sum(dtype=torch.float64) - last.sum(dtype=torch.float64))
    return content, entered


def _swept_by_mass(
    content: torch.Tensor,
    density: torch.Tensor,
    speeds: tuple[torch.Tensor, ...],
    scale: float,
    ends: list[torch.Tensor],
    upward: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One sweep over all axes, as ``inertia.carry_momentum``."""
    mass, room = density, torch.ones_like(density)
    for axis in (0, 1, 2) if upward else (2, 1, 0):
        low, high = (ends[2 * axis + end].unsqueeze(axis) for end in (0, 1))
        padded, beyond = torch.cat((low, low, content, high, high), axis), torch.ones_like(low)
        dense = torch.cat((beyond, beyond, mass / room, beyond, beyond), axis)
        courant = scale * speeds[axis]
        count = courant.shape[axis]
        a, b, d, e = (padded.narrow(axis, i, count) for i in range(4))
        forward = courant > 0.0
        slope = 0.25 * (d - b + torch.where(forward, b - a, e - d))
        value = torch.where(forward, b + (1.0 - courant) * slope, d - (1.0 + courant) * slope)
        moved = _flux(courant, dense, axis)
        left = mass - moved.diff(dim=axis)
        found = (mass * content - (moved * value).diff(dim=axis)) / left
        room = room - courant.diff(dim=axis)
        least = LEAST_LEFT * room.clamp(min=LEAST_LEFT)
        enough = left > least
        content, mass = torch.where(enough, found, content), torch.where(enough, left, least)
    return content, mass


def _beside(cells: torch.Tensor, axis: int) -> torch.Tensor:
    """Mean of the two cells at each face; at a border that of its one cell."""
    first, last = cells.narrow(axis, 0, 1), cells.narrow(axis, cells.shape[axis] - 1, 1)
    padded = torch.cat((first, cells, last), axis)
    count = cells.shape[axis] + 1
    return 0.5 * (padded.narrow(axis, 0, count) + padded.narrow(axis, 1, count))


def _gradient(pressure: torch.Tensor, axis: int) -> torch.Tensor:
    """Difference over each face; beyond a border the pressure is 0."""
    nothing = torch.zeros_like(pressure.narrow(axis, 0, 1))
    return torch.cat((nothing, pressure, nothing), axis).diff(dim=axis)


def _divergence(velocity: Fields) -> torch.Tensor:
    return velocity[0].diff(dim=0) + velocity[1].diff(dim=1) + velocity[2].diff(dim=2)


def _speed_beside(speed: torch.Tensor, axis: int, across: int) -> torch.Tensor:
    """As ``momentum._speed_beside``: on the borders of the boxes around the faces of ``axis``."""
    if across != axis:
        return _beside(speed, axis)
    count = speed.shape[axis]
    inner = 0.5 * (speed.narrow(axis, 1, count - 1) + speed.narrow(axis, 0, count - 1))
    return torch.cat((speed.narrow(axis, 0, 1), inner, speed.narrow(axis, count - 1, 1)), axis)


def _entering(own: torch.Tensor, axis: int, side: int, outside: float) -> torch.Tensor:
    """As ``momentum._ends``: along its own axis half of its own where it enters, across it the wind's."""
    edge = own.select(side // 2, 0 if side % 2 == 0 else own.shape[side // 2] - 1)
    if side // 2 != axis:
        return torch.full_like(edge, outside)
    inward = edge > 0.0 if side % 2 == 0 else edge < 0.0
    return torch.where(inward, 0.5 * edge, edge)


def _strain(velocity: Fields, light: torch.Tensor, factor: float, lift: float) -> torch.Tensor:
    """As ``eddies._strain``."""
    total = torch.stack([2.0 * own.diff(dim=axis) ** 2 for axis, own in enumerate(velocity)]).sum(dim=0)
    middles = [0.5 * (own.narrow(axis, 1, own.shape[axis] - 1) + own.narrow(axis, 0, own.shape[axis] - 1))
               for axis, own in enumerate(velocity)]  # fmt: skip
    for first, second in ((0, 1), (0, 2), (1, 2)):
        turn = _slope(middles[first], second) + _slope(middles[second], first)
        total = total + 0.25 * turn**2
    step = 0.5 * _slope(light, 0)
    total = (total - lift * step / (1.0 - light)).clamp(min=0.0)
    found = (factor * torch.sqrt(total)).clamp(max=MOST_EXCHANGED * MOST_PARTS)
    count = found.shape[2]
    inner = found.narrow(2, 1, count - 2)
    return torch.cat((inner.narrow(2, 0, 1), inner, inner.narrow(2, count - 3, 1)), 2)


def _slope(cells: torch.Tensor, axis: int) -> torch.Tensor:
    """Difference of the neighbours on both sides, two cells apart; at a border twice that to the only one."""
    count = cells.shape[axis]
    first, second = cells.narrow(axis, 0, 1), cells.narrow(axis, 1, 1)
    last, before = cells.narrow(axis, count - 1, 1), cells.narrow(axis, count - 2, 1)
    padded = torch.cat((2.0 * first - second, cells, 2.0 * last - before), axis)
    return padded.narrow(axis, 2, count) - padded.narrow(axis, 0, count)


def _exchanged(content: torch.Tensor, share: torch.Tensor, factor: float) -> torch.Tensor:
    """As ``eddies._exchanged``."""
    found = content
    for axis in range(3):
        count = content.shape[axis]
        least = torch.minimum(share.narrow(axis, 1, count - 1), share.narrow(axis, 0, count - 1))
        moved = factor * least * content.diff(dim=axis)
        nothing = torch.zeros_like(moved.narrow(axis, 0, 1))
        found = found + torch.cat((moved, nothing), axis) - torch.cat((nothing, moved), axis)
    return found


def _rubbed(content: torch.Tensor, share: torch.Tensor, density: torch.Tensor) -> torch.Tensor:
    """As ``eddies._rubbed``."""
    gain, mass = torch.zeros_like(content), density
    for axis in range(3):
        count = content.shape[axis]
        least, lighter = (
            torch.minimum(item.narrow(axis, 1, count - 1), item.narrow(axis, 0, count - 1))
            for item in (share, density)
        )
        more = density.diff(dim=axis) / PRANDTL
        step = content.diff(dim=axis)
        down, up = (least * (lighter + side.clamp(min=0.0)) * step for side in (more, -more))
        nothing = torch.zeros_like(step.narrow(axis, 0, 1))
        gain = gain + torch.cat((down, nothing), axis) - torch.cat((nothing, up), axis)
        moved = least * more
        mass = mass + torch.cat((moved, nothing), axis) - torch.cat((nothing, moved), axis)
    return content + gain / mass


def _named(device: str) -> torch.device:
    """A device by its name; torch knows others too, some of which hold no numbers at all."""
    try:
        named = torch.device(device)
    except RuntimeError:
        named = None
    if named is None or named.type not in ("cpu", "cuda"):
        raise ConfigError(f"smoke solver: got device {device!r}; expected cpu, cuda or cuda:0")
    return named
