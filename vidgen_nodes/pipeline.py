# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The page: bundle -> scene -> world -> overlay, persons kept in sight -> record.

``generator_node`` and ``vidgen render`` both call this, so the live graph and the offline renderer
make the same bytes from the same bundles. Nothing here reads a clock, a file or a random number.
"""

from __future__ import annotations

import math

from vidgen_nodes.custody.digest import RunDigests
from vidgen_nodes.custody.ledger import FrameRecorder
from vidgen_nodes.custody.scenario_review import ScenarioReviews
from vidgen_nodes.generation import render
from vidgen_nodes.generation.generator import World
from vidgen_nodes.generation.render import Renderer
from vidgen_nodes.packets import Bundle, Frame, Scenario
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.privacy import warm_bodies
from vidgen_nodes.privacy.reveal import reveal_persons
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
        ledger: FrameRecorder,
        digests: RunDigests,
        reviews: ScenarioReviews | None = None,
        *,
        smoke_wait_s: float = math.inf,
    ) -> None:
        """``smoke_wait_s``: how long a frame may wait for the solver of the smoke: 0 live."""
        self._params = params
        self._smoke_wait_s = smoke_wait_s
        self._building = building
        self._digests = digests
        self._reviews = reviews
        self.ledger = ledger
        self.world = World(params, None, building)
        self.set_world(self.world_of(scenario))
        self.renderer = Renderer(params)
        warm_bodies.prepare()
        render.prepare()

    def world_of(self, scenario: Scenario | None) -> World:
        """A world for :meth:`set_world`, made on whatever thread has the time; raises as :class:`World`."""
        return World(self._params, scenario, self._building, smoke_wait_s=self._smoke_wait_s)

    def set_world(self, world: World, *, if_reviewed: bool = False) -> bool:
        """Put another world, and so its scenario, in force from the next frame on.

        Without a review that holds, where one is asked, it is never drawn; ``if_reviewed``: nothing changes then.
        """
        review = b"" if self._reviews is None else self._reviews.of(world.scenario, world.constants)
        if review is None and if_reviewed:
            world.close(wait=False)
            return False
        self.close(wait=False)
        self.world, self._review = world, review
        return True

    def close(self, *, wait: bool = True) -> None:
        """Stop what works ahead; no frame can be made any more."""
        self.world.close(wait=wait)

    def process(self, bundle: Bundle, *, analytic: bool = False) -> Frame:
        """Make one frame; it is durable in the ledger when this returns.

        Args:
            bundle: what is known at its stamp.
            analytic: the record of this frame says that the solver of the smoke was late, and it is made again.

        Raises:
            CustodyError: the ledger refused the record. The frame must not be published.
        """
        scene, gate = self.look(bundle)
        world = self.world.at(bundle.stamp_ns, scene, gate, analytic=analytic)
        overlay = self.renderer.draw(world, gate, scene)
        overlay = reveal_persons(overlay, bundle.thermal, scene, self._params)
        report = audit_overlay(overlay, gate, scene, self._params.audit_pixels)
        record = self.ledger.append_frame(self._digests, bundle, scene, world, overlay, report)
        return Frame(overlay, world.hazards, record)

    def look(self, bundle: Bundle) -> tuple[Scene, Gate]:
        """What is where at a bundle, and what may be drawn there."""
        scene = compose_scene(bundle, self._building, self.world.scenario, self._review)
        return scene, open_gate(scene, self._params, self.world.leaks_on(scene.building))
