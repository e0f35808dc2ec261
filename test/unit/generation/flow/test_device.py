# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The torch path solves what the host's does; on a GPU where there is one, else torch on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.flow.device import DeviceFlow, _slope
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid, Vent, make_domain
from vidgen_nodes.generation.flow.host import Numbers
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver

GRID = FlowGrid((-1.2, -1.2, 0.0), 0.2, (10, 12, 14))
FIRE = HeatSource((0.0, 0.0, 0.0), 0.6, 0.8, 80.0, 0.3, 0.004)
OUTSIDE = dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open")


def shelf() -> np.ndarray:
    solid = np.zeros(GRID.shape, dtype=bool)
    solid[6, 3:9, 3:9] = True
    return solid


SCENES = {
    "outside": Boundaries(OUTSIDE),
    "wind": Boundaries(OUTSIDE, None, (), (1.0, -0.5)),
    "closed": Boundaries({}),
    "shelf": Boundaries(OUTSIDE, shelf()),
    "room": Boundaries(
        {},
        shelf(),
        (Vent("west", (-0.6, 0.0), (0.6, 0.6)), Vent("ceiling", (0.0, 0.0), (0.6, 0.6), 0.05, 20.0, 1e-4)),
    ),
}


def on_torch(solver: SmokeSolver) -> SmokeSolver:
    """The same solver with its air moved by torch, on the CPU where there is no GPU."""
    name = "cuda" if torch.cuda.is_available() else "cpu"
    numbers = Numbers(293.15, 0.0, solver.params.eddy, solver.params.divergence_limit)
    inflow = tuple(
        np.asarray(293.15 * plane / (293.15 + plane), dtype=np.float32)
        for plane in solver.domain.inflow_rise_k
    )
    solver._flow = DeviceFlow(solver.domain, numbers, inflow, name)
    return solver


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_even_shear_is_as_strong_beside_a_side_of_the_box_as_inside_it(axis: int) -> None:
    ramp = torch.arange(7, dtype=torch.float32).reshape([7 if place == axis else 1 for place in range(3)])
    assert (_slope(ramp.expand([7 if place == axis else 4 for place in range(3)]), axis) == 2.0).all()


@pytest.mark.parametrize("name", sorted(SCENES))
def test_the_torch_path_gives_the_hosts_fields(name: str) -> None:
    host = SmokeSolver(GRID, SCENES[name], 3, SmokeParams())
    other = on_torch(SmokeSolver(GRID, SCENES[name], 3, SmokeParams()))
    for _ in range(8):
        one, two = host.step(0.05, [FIRE]), other.step(0.05, [FIRE])
    assert two.residuals.divergence <= 1e-5
    assert two.residuals.energy_error <= 1e-5
    speed = max(float(np.abs(item).max()) for item in one.velocity)
    for mine, theirs in zip(one.velocity, two.velocity, strict=True):
        assert np.abs(mine - theirs).max() <= 2e-3 * speed
    assert np.abs(one.lightness_k - two.lightness_k).max() <= 2e-3 * float(one.lightness_k.max())
    assert np.abs(one.soot_kg_per_m3 - two.soot_kg_per_m3).max() <= 2e-3 * float(one.soot_kg_per_m3.max())


def test_the_torch_path_repeats_itself() -> None:
    digests = set()
    for _ in range(2):
        solver = on_torch(SmokeSolver(GRID, SCENES["room"], 3, SmokeParams()))
        for _ in range(4):
            solver.step(0.05, [FIRE])
        digests.add(solver.snapshot().digest())
    assert len(digests) == 1


def test_what_the_device_path_does_not_do_is_refused() -> None:
    round_ = Boundaries({"west": "periodic", "east": "periodic"})
    with pytest.raises(ConfigError, match="periodic"):
        on_torch(SmokeSolver(GRID, round_, 3, SmokeParams()))
    thick = make_domain(GRID, Boundaries({}))
    with pytest.raises(ConfigError, match="viscosity"):
        DeviceFlow(thick, Numbers(293.15, 0.1, 0.1, 1e-5), thick.inflow_rise_k, "cpu")


@pytest.mark.parametrize("name", ["banana", "meta", "cuda:-2", "vulkan"])
def test_a_word_that_names_no_device_that_calculates_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{name}'; expected cpu"):
        SmokeSolver(GRID, Boundaries({}), 3, SmokeParams(), device=name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="cuda"):
        SmokeSolver(GRID, Boundaries({}), 3, SmokeParams(), device="cuda")
