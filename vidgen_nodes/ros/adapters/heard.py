# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What an adapter makes of a few messages, for whoever judges whether a stack fits. No node, no filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Fix, GimbalAttitude, Heading, ImuSample, SourceRef
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.route import Adapter, Route, newest_version
from vidgen_nodes.ros.samples import Stream


class Heard:
    """A sink that keeps what an adapter makes of a few messages."""

    def __init__(self, stack: str, inputs: Mapping[str, str]) -> None:
        self.fixes: list[Fix] = []
        self.accelerations: list[list[float]] = []
        self.refused: dict[str, Counter[str]] = {}
        self.sentences: dict[tuple[str, str], str] = {}
        self._inputs = inputs
        self.adapter: Adapter = STACKS[stack](self)

    def fix(self, fix: Fix) -> None:
        """Keep."""
        self.fixes.append(fix)

    def imu(self, sample: ImuSample) -> None:
        """Keep its acceleration."""
        self.accelerations.append(sample.acceleration_mps2.tolist())

    def heading(self, heading: Heading) -> None:
        """Nothing is judged of it."""

    def gimbal(self, attitude: GimbalAttitude) -> None:
        """Nothing is judged of it."""

    def listen(self, streams: Mapping[str, Stream]) -> Heard:
        """Take the messages of every route, in the order of arrival."""
        arrivals = [
            (arrived_ns, route, topic, message)
            for route in self.adapter.routes
            for topic in [named(route, streams, self._inputs)]
            for arrived_ns, message, _ in (streams[topic].messages if topic in streams else ())
        ]
        for _, route, topic, message in sorted(arrivals, key=lambda item: item[0]):
            self._take(route, topic, message)
        return self

    def _take(self, route: Route, topic: str, message: Any) -> None:
        try:
            stamp_ns = route.stamp_ns(message)
            route.handler(message, SourceRef(topic, route.type_name, stamp_ns, b""))
        except InputError as err:
            self.refused.setdefault(topic, Counter())[err.reason] += 1
            self.sentences[topic, err.reason] = str(err)


def named(route: Route, streams: Mapping[str, Stream], inputs: Mapping[str, str]) -> str:
    """The topic that a route reads here."""
    topic = inputs.get(route.topic, route.topic)
    return newest_version(topic, streams) if route.versioned else topic
