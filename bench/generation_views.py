# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Views of the simulated flight's burning house for ``bench/generation.py``.

Guarantees that what is timed is a whole view: the state holds fire, smoke and debris, depth against the model and the
map ends rays, and the gate cuts pixels (``shows`` says how much of each, and refuses a state without). Every view has
a camera of its own, so that nothing is kept from one to the next which a flight would not keep.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.flight import flight_bundles
from vidgen_nodes.errors import ConfigError
from vidgen_nodes.generation.generator import World, WorldState
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import CameraCalibration, Overlay, Pose
from vidgen_nodes.scene.compose import Scene, compose_scene, seen_from
from vidgen_nodes.scene.gate import open_gate, pixel_mask
from vidgen_nodes.sim.viewpoint import looking_at

SIZES = {
    "view_640x512_ms": (640, 512),
    "view_1080p_ms": (1920, 1080),
    "view_4k_ms": (3840, 2160),
    "view_320x256_ms": (320, 256),
}
VIEWERS = (1, 2, 4, 8, 16)
FIRES = (1, 2, 4, 8, 16)
_NEAR = looking_at((12.0, -4.0, 6.0), (6.2, -0.6, 3.6))  # the burning wall fills much of the picture


class Views:
    """The last frame of the flight, seen from many places."""

    def __init__(self) -> None:
        bundles, building, scenario, params = flight_bundles()
        bundle = bundles[-1]
        self._scene = compose_scene(bundle, building, scenario)
        self._gate = open_gate(self._scene, params)
        world = World(params, scenario, building)
        self._params, self._stamp_ns, self._plan = params, bundle.stamp_ns, scenario
        self._state = world.at(bundle.stamp_ns, self._scene, self._gate)
        if self._scene.camera is None or self._scene.calibration is None:
            raise ConfigError(f"the flight's last frame has no camera: {self._scene.causes}")
        self._lens, self._pose = self._scene.calibration, self._scene.camera.map_T_camera
        self._renderer = Renderer(params)
        self._moved = itertools.count()
        self.fires = FIRES

    def calls(self) -> dict[str, Callable[[], object]]:
        """What is timed, by name."""
        found: dict[str, Callable[[], object]] = {}
        for name, size in SIZES.items():
            lens = _resized(self._lens, *size)
            found[name] = functools.partial(self._draw, self._state, lens)
        found["new tick"] = lambda: self._draw(_unseen(self._state), self._lens)
        found["near"] = lambda: self._draw(self._state, self._lens, pose=_NEAR)
        for count in VIEWERS:
            found[f"viewers {count}"] = functools.partial(self._draw_all, count)
        for count in FIRES:
            state = dataclasses.replace(self._state, fields=_copies(self._state.fields[:1], count), debris=())
            found[f"fires {count}"] = functools.partial(self._draw, state, self._lens)
            found[f"tick {count}"] = self._ticks(count)
        return found

    def _ticks(self, count: int) -> Callable[[], object]:
        """A world with so many fires and nothing that spreads; a call is the next tick of it."""
        assert self._plan is not None
        (first, *_), step_ns = self._plan.ignitions, round(self._params.world_tick_ms * 1e6)
        x, y, z = first.position_m
        fires = tuple(
            dataclasses.replace(first, name=f"fire {number}", position_m=(x + 0.1 * number, y, z))
            for number in range(count)
        )
        plan = dataclasses.replace(self._plan, ignitions=fires, spread=None, debris=False)
        world, stamps = World(self._params, plan), itertools.count(self._stamp_ns, step_ns)
        return lambda: world.at(next(stamps), self._scene, self._gate)

    def shows(self) -> dict[str, int]:
        """What the timed view holds.

        Raises:
            ConfigError: it lacks something that a view has to show.
        """
        overlay = self._draw(self._state, self._lens, pose=self._pose)
        bare = dataclasses.replace(self._scene, building=None)
        free = self._draw(self._state, self._lens, scene=bare, pose=self._pose)
        near = self._draw(self._state, self._lens, pose=_NEAR)
        drawn = np.count_nonzero(overlay.rgba[..., 3])
        hidden = np.count_nonzero((free.rgba != overlay.rgba).any(axis=2))
        without = self._draw(dataclasses.replace(self._state, debris=()), self._lens, pose=self._pose)
        found = {
            "fields": len(self._state.fields),
            "flame_voxels": sum(int((item.temperature_k > 800.0).sum()) for item in self._state.fields),
            "smoke_voxels": sum(
                int((item.extinction_visible_per_m > 0.1).sum()) for item in self._state.fields
            ),
            "debris_pieces": len(self._state.debris),
            "pixels_drawn": int(drawn),
            "pixels_drawn_near": int(np.count_nonzero(near.rgba[..., 3])),
            "pixels_of_debris": int(np.count_nonzero((without.rgba != overlay.rgba).any(axis=2))),
            "pixels_that_the_building_changes": int(hidden),
            "pixels_the_gate_opens": int(np.count_nonzero(pixel_mask(self._gate, self._scene.camera))),  # type: ignore[arg-type]
        }
        lacking = [name for name, count in found.items() if count == 0]
        if lacking:
            raise ConfigError(f"the view that is timed has no {', '.join(lacking)}: {found}")
        return found

    def _draw_all(self, count: int) -> list[Overlay]:
        return [self._draw(self._state, self._lens, float(viewer)) for viewer in range(count)]

    def _draw(
        self,
        state: WorldState,
        lens: CameraCalibration,
        beside_m: float = 0.0,
        scene: Scene | None = None,
        pose: Pose | None = None,
    ) -> Overlay:
        """From ``pose``, or some millimetres beside the draw before."""
        if pose is None:
            shift_m = 0.5 * beside_m + 1e-3 * (next(self._moved) % 50)
            pose = Pose(self._pose.translation_m + np.array([shift_m, 0.0, 0.0]), self._pose.quaternion_xyzw)
        seen = seen_from(scene or self._scene, lens, pose, self._scene.sigma_px)
        return self._renderer.draw(state, self._gate, seen)


def _resized(lens: CameraCalibration, width_px: int, height_px: int) -> CameraCalibration:
    """The same lens with more pixels; the field of view across is kept."""
    scale = width_px / lens.width_px
    matrix = np.diag([scale, scale, 1.0]) @ lens.matrix_px
    matrix[1, 2] = 0.5 * height_px
    return dataclasses.replace(lens, width_px=width_px, height_px=height_px, matrix_px=matrix)


def _unseen(state: WorldState) -> WorldState:
    """The same state, whose fields nobody has drawn yet."""
    return dataclasses.replace(state, fields=_copies(state.fields, 1))


def _copies(fields: tuple[HazardField, ...], count: int) -> tuple[HazardField, ...]:
    """Fields one decimetre beside each other."""
    found: list[Any] = []
    for number, item in itertools.product(range(count), fields):
        x, y, z = item.origin_m
        axis_x, axis_y, axis_z = item.axis_m
        found.append(
            dataclasses.replace(
                item,
                origin_m=(x + 0.1 * number, y, z),
                axis_m=(axis_x + 0.1 * number, axis_y, axis_z),
            )
        )
    return tuple(found)
