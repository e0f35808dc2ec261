# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles in; recorded overlays out. Nothing is published that is not durable in the ledger first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from vidgen.msg import SensorBundle, UncertaintyMap
from vidgen.srv import Review, SetScenario

from vidgen_nodes.errors import InputError, VidgenError
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.ros import convert, fill, qos, unpack
from vidgen_nodes.ros.frame_maker import FrameMaker
from vidgen_nodes.ros.frame_outputs import FrameOutputs
from vidgen_nodes.ros.loading import LoggedProgress
from vidgen_nodes.ros.node import VidgenLifecycleNode
from vidgen_nodes.ros.parameters import graph_params
from vidgen_nodes.ros.process import main_for
from vidgen_nodes.scheduling import Priority

_SWITCH_S = 0.001  # a frame that arrives waits no longer for the thread that draws (Python's default: 5 ms)
_REVIEW_FIELDS = ("leaf_index", "reviewer", "verdict", "comment", "seconds_viewed")


class GeneratorNode(VidgenLifecycleNode[GeneratorParams]):
    """``bundle`` and ``uncertainty/map`` to overlay, provenance and hazards; owns the one writer of the ledger."""

    def __init__(self) -> None:
        super().__init__("generator_node", GeneratorParams)
        self._inputs: list[Any] = []
        self._calibrations = unpack.CalibrationCache()
        self._maker: FrameMaker | None = None
        self._outputs = FrameOutputs(self)
        self.create_service(SetScenario, "~/set_scenario", self._on_set_scenario)
        self.create_service(Review, "~/review", self._on_review)

    def configure(self) -> None:
        """Make what makes frames, then listen: nothing is received before it can be recorded."""
        told = LoggedProgress(self.get_logger().info, self.params.building_file)
        self._maker = FrameMaker(
            graph_params(sys.argv, generator=self.params), self.health, self._outputs.publish, told
        )
        maps, quality = "uncertainty/map", qos.UNCERTAINTY_MAP
        self._inputs = [
            self.subscribe_frequent(UncertaintyMap, maps, quality, self._on_map, required=False),
            self.subscribe_frequent(SensorBundle, "bundle", qos.BUNDLE, self._on_bundle),
        ]

    def clean_up(self) -> None:
        """Stop listening, finish what waits, close the ledger."""
        for source in self._inputs:
            self.destroy_subscription(source.sub)
        self._inputs = []
        self.close()

    def _on_map(self, message: Any) -> None:
        if self._maker is not None:
            self._maker.add_map(unpack.uncertainty_map(message))

    def _on_bundle(self, message: Any) -> None:
        if self.is_active and self._maker is not None:
            umap = self._maker.find_map(unpack.digest(message.map_digest))
            self._maker.add_bundle(unpack.bundle(message, umap, self._calibrations))
        else:
            self.health.dropped["inactive"] += 1

    def _on_set_scenario(self, request: Any, response: Any) -> Any:
        def take(maker: FrameMaker) -> str:
            scenario = maker.set_scenario(
                request.yaml, convert.stamp_ns(request.start), bytes(request.review)
            )
            response.scenario_sha256 = fill.digest(scenario.digest)
            return f"scenario {scenario.name} is in force; its second 0 is {scenario.start_ns} ns"

        return self._answer(response, take)

    def _on_review(self, request: Any, response: Any) -> Any:
        def take(maker: FrameMaker) -> str:
            fields = {name: getattr(request, name) for name in _REVIEW_FIELDS}
            fields["last_leaf"] = request.last_leaf_index or request.leaf_index
            response.review_leaf_index = maker.review(fields, bytes(request.statement))
            return f"added as leaf {response.review_leaf_index}"

        return self._answer(response, take)

    def _answer(self, response: Any, action: Callable[[FrameMaker], str]) -> Any:
        try:
            if self._maker is None:
                raise InputError("not_configured", "the generator is not configured yet")
            response.message = action(self._maker)
            response.success = True
        except VidgenError as err:
            response.success, response.message = False, str(err)
        return response

    def on_tick(self) -> None:
        """A pipeline that broke ends the node: no record, no frame."""
        error = self._maker.error if self._maker else None
        if error is not None and not self.finished:
            self.fail(f"the pipeline stopped and nothing more is published: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Finish what waits, then close the ledger."""
        if self._maker is not None:
            self._maker.close()
            self._maker = None


def main() -> None:
    """Run the node."""
    sys.setswitchinterval(_SWITCH_S)
    main_for(GeneratorNode, Priority.FRAME)


if __name__ == "__main__":
    main()
