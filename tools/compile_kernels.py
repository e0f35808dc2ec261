# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Compiles what the nodes use, so that the first start of a node does not wait for the compiler.

``make setup`` runs it after the code; numba keeps the results beside the sources (``vidgen_nodes/compiled.py``).
Runs each kernel once in earnest, on the simulated house: there is no other way to compile what will be used.
"""

from __future__ import annotations

import time

import numpy as np

from vidgen_nodes.packets import Grid
from vidgen_nodes.params import RtkParams
from vidgen_nodes.resources import config_dir


def navigation() -> None:
    """Prediction and corrections of the filter."""
    from vidgen_nodes.sensing.pose import NavFilter

    NavFilter(RtkParams())


def building() -> None:
    """The tree of the triangles, what walks it, and the fuel of cells."""
    from vidgen_nodes.scene.building import load_building
    from vidgen_nodes.scene.height_march import march_heights

    house = load_building(config_dir() / "buildings" / "sim_house.yaml")
    house.prepare()
    house.solid_voxels(np.zeros(3), 0.5, (4, 4, 4))
    grid = Grid(0.0, 0.0, 1.0, 4, 4)
    down = np.array([[0.0, 0.0, -1.0]], np.float32)
    march_heights(np.zeros((4, 4), np.float32), grid, np.array([2.0, 2.0, 5.0]), down)


def drawing() -> None:
    """What finds the open pixels and marches through fields."""
    from vidgen_nodes.generation.render import prepare

    prepare()


def steam() -> None:
    """What looks along the ground from the mouth of a leak."""
    from vidgen_nodes.generation.generator import World
    from vidgen_nodes.params import GeneratorParams
    from vidgen_nodes.scenario.timeline import load_scenario
    from vidgen_nodes.scene.building import load_building

    house = load_building(config_dir() / "buildings" / "sim_house.yaml")
    World(GeneratorParams(), load_scenario(config_dir() / "scenarios" / "sim_leaks.yaml", 0), house)


def persons() -> None:
    """What finds warm bodies."""
    from vidgen_nodes.privacy.warm_bodies import prepare

    prepare()


def custody() -> None:
    """What hashes the cells of a map."""
    from vidgen_nodes.custody.sha256_lanes import sha256_many

    sha256_many(np.zeros((1, 1), np.uint8))


def mapping() -> None:
    """What sorts returns into cells."""
    from vidgen_nodes.params import LidarParams
    from vidgen_nodes.sensing.uncertainty import UncertaintyMapper

    UncertaintyMapper(LidarParams())


def flight() -> None:
    """What paints and casts rays in the simulated flight."""
    from vidgen_nodes.params import SimParams
    from vidgen_nodes.sim import Flight

    Flight(SimParams()).thermal(0.0, 0)


def smoke() -> None:
    """What moves the air: a fire beside a wall, and a still moment."""
    from vidgen_nodes.generation.smoke_box import SmokeBox
    from vidgen_nodes.generation.smoke_layer import SmokeLayer
    from vidgen_nodes.scenario.timeline import load_scenario
    from vidgen_nodes.scene.building import load_building

    house = load_building(config_dir() / "buildings" / "sim_house.yaml")
    scenario = load_scenario(config_dir() / "scenarios" / "sim_wall_fire.yaml", 0)
    for building in (house, None):
        SmokeLayer(scenario.ignitions, 0, scenario.ambient_k, SmokeBox(), building)


def main() -> None:
    """Compile everything."""
    for part in (navigation, building, drawing, steam, persons, custody, mapping, flight, smoke):
        start_s = time.monotonic()
        part()
        print(f"{part.__name__}: {time.monotonic() - start_s:.1f} s")


if __name__ == "__main__":
    main()
