# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The page: bundle -> scene -> world -> overlay -> record.

``generator_node`` and ``vidgen render`` both call this, so the live graph and the offline renderer
make the same bytes from the same bundles. Nothing here reads a clock, a file or a random number.
"""

from __future__ import annotations

from vidgen_nodes.custody.digest import RunDigests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import Bundle, Frame, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.compose import Scene, compose_scene
from vidgen_nodes.scene.gate import Gate, audit_overlay, open_gate


class Pipeline:
    """Turns bundles into recorded frames, one after the other."""

    def __init__(
        self,
        params: GeneratorParams,
        building: Building | None,
        scenario: Scenario | None,
        ledger: Ledger,
        digests: RunDigests,
    ) -> None:
        self._params = params
        self._building = building
        self._ledger = ledger
        self._digests = digests
        self._world = World(params, scenario)
        self._renderer = Renderer(params)
        self._newest: tuple[int, Scene, Gate] | None = None

    def set_scenario(self, scenario: Scenario | None) -> None:
        """Put another scenario in force from the next frame on."""
        self._world = World(self._params, scenario)

    def process(self, bundle: Bundle) -> Frame:
        """Make one frame; it is durable in the ledger when this returns.

        Raises:
            CustodyError: the ledger refused the record. The frame must not be published.
        """
        scene = compose_scene(bundle, self._building, self._world.scenario)
        gate = open_gate(scene, self._params)
        self._newest = (bundle.stamp_ns, scene, gate)
        world = self._world.at(bundle.stamp_ns, scene, gate)
        overlay = self._renderer.draw(world, gate, scene)
        report = audit_overlay(overlay, gate, scene, self._params.audit_pixels)
        record = self._ledger.append_frame(self._digests, bundle, scene, world, overlay, report)
        return Frame(overlay, world.hazards, record)

    def look_ahead(self) -> None:
        """Step the world to its next tick, if the newest frame's gate stays as it is.

        Saves the next frame the wait and changes no byte: the world is a function of event time and gate.
        """
        if self._newest is not None:
            stamp_ns, scene, gate = self._newest
            self._world.at(stamp_ns + self._world.tick_ns, scene, gate)
