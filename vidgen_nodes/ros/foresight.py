# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which bundles will come, as far as that can be told: frames keep their pace, maps come into force when their time is.

What is worked out for them ahead of time no frame has to wait for. Guarantees nothing: a wrong guess costs idle time
and changes no byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from vidgen_nodes.packets import Bundle, UncertaintyMap
from vidgen_nodes.pipeline import Pipeline

_LONGEST_PERIOD_NS = 500_000_000  # of frames whose next is worth foreseeing


class Foresight:
    """Remembers the newest bundle and the pace.

    Args:
        map_delay_ns: so old is a map when it comes into force.
        tick_ns: of the world.
    """

    def __init__(self, map_delay_ns: int, tick_ns: int) -> None:
        self._map_delay_ns, self._tick_ns = map_delay_ns, tick_ns
        self._newest: Bundle | None = None
        self._period_ns = 0
        self._drawn: deque[bytes] = deque(maxlen=8)  # gates
        self._done: deque[tuple[int, bytes]] = deque(maxlen=8)  # tick and map

    def note(self, bundle: Bundle) -> None:
        """A bundle has come."""
        before_ns = 0 if self._newest is None else self._newest.stamp_ns
        self._newest, self._period_ns = bundle, bundle.stamp_ns - before_ns

    def bundles(self, maps: Iterable[UncertaintyMap]) -> Iterator[Bundle]:
        """The next bundle, the first of the next tick, and the first of each map that waits; the soonest first.

        Args:
            maps: that are known, in any order.
        """
        newest, period_ns = self._newest, self._period_ns
        if newest is None or newest.causes or not 0 < period_ns < _LONGEST_PERIOD_NS:
            return
        known = sorted(maps, key=lambda item: item.stamp_ns)
        next_tick_ns = (newest.stamp_ns // self._tick_ns + 1) * self._tick_ns
        begins_ns = [umap.stamp_ns + self._map_delay_ns for umap in known]
        frames = {1} | {-((newest.stamp_ns - time_ns) // period_ns) for time_ns in (next_tick_ns, *begins_ns)}
        for frame in sorted(frames):
            if frame < 1:
                continue
            stamp_ns = newest.stamp_ns + frame * period_ns
            in_force = [umap for umap, time_ns in zip(known, begins_ns, strict=True) if time_ns <= stamp_ns]
            yield replace(
                newest,
                stamp_ns=stamp_ns,
                uncertainty_map=in_force[-1] if in_force else newest.uncertainty_map,
            )

    def work(self, pipeline: Pipeline, maps: Iterable[UncertaintyMap]) -> Iterator[None]:
        """Work out what these frames will need, a few milliseconds a step.

        Changes no byte of any frame, whether the guess was right or wrong: every stage is a function of its inputs,
        and what it keeps only saves time.
        """
        for bundle in self.bundles(maps):
            umap = bundle.uncertainty_map
            what = bundle.stamp_ns // self._tick_ns, b"" if umap is None else umap.digest
            if what in self._done:
                continue
            scene, gate = pipeline.look(bundle)
            yield
            pipeline.world.survey(scene, gate)
            yield
            world = pipeline.world.at(bundle.stamp_ns, scene, gate)
            yield
            if gate.digest not in self._drawn:
                self._drawn.append(gate.digest)
                pipeline.renderer.draw(world, gate, scene)
                yield
            pipeline.ledger.foresee(scene, world)
            self._done.append(what)
            yield
