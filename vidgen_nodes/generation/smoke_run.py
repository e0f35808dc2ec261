# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The smoke of a scenario, solved ahead of the frames that show it, on a thread of its own.

What burns when is known from the scenario, so the solver need not wait for event time: it runs ahead of the
newest tick that was asked for, and a frame finds its tick done. A frame never waits here unless it says so:
a tick that is not done, or gone, is None, and the frame is drawn from the analytic layer and says that.

Guarantees that the state of a tick is a function of scenario and tick alone (every run starts at tick 0 and
takes every tick), that memory is bounded by ``kept`` states, and that a solver that refuses stops the run and
names the reason. Numba and the matrix products release the interpreter's lock while they work. Leaves out
what may be drawn where (the gate) and the analytic layer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeSolver, SmokeState

SourcesAt = Callable[[float], Sequence[HeatSource]]  # by seconds since tick 0


class SmokeRun:
    """Steps one solver from tick to tick, ahead of whoever asks.

    Args:
        solver: at rest; from now on the run's own.
        tick_s: length of a tick.
        sources_at: what burns at a time; a pure function.
        ahead: how many ticks the run may be ahead of the newest one asked for.
        kept: how many states are kept; at least ``ahead`` and two more.

    Raises:
        ConfigError: fewer states kept than the run is ahead.
    """

    def __init__(
        self, solver: SmokeSolver, tick_s: float, sources_at: SourcesAt, ahead: int = 10, kept: int = 16
    ) -> None:
        if ahead < 1 or kept < ahead + 2:
            raise ConfigError(
                f"smoke run: {kept} states kept and {ahead} ticks ahead; expected at least 1 ahead and 2 more kept"
            )
        self._solver, self._tick_s, self._sources_at = solver, tick_s, sources_at
        self._ahead, self._kept = ahead, kept
        self._states: OrderedDict[int, SmokeState] = OrderedDict({0: solver.snapshot()})
        self._newest, self._asked = 0, 0
        self._changed = threading.Condition()
        self._failure: InputError | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="smoke", daemon=True)
        self._thread.start()

    def at(self, tick: int, timeout_s: float = 0.0) -> SmokeState | None:
        """The state at a tick; None where it is not done within ``timeout_s``, or no longer kept.

        Args:
            tick: since the start; the run goes on to ``ahead`` ticks beyond it.
            timeout_s: how long to wait for it; live frames take 0.

        Raises:
            InputError: the solver refused a step; the reason is its own.
        """
        with self._changed:
            if tick > self._asked:
                self._asked = tick
                self._changed.notify_all()
            if timeout_s > 0.0:
                self._changed.wait_for(lambda: self._newest >= tick or self._failure is not None, timeout_s)
            found = self._states.get(tick)
            if found is None and self._failure is not None:
                raise self._failure
            return found

    @property
    def newest(self) -> int:
        """The last tick that is done."""
        return self._newest

    def close(self) -> None:
        """Stop, and wait for the step that is being taken."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending or self._newest < self._asked + self._ahead)
                if self._ending:
                    return
                tick = self._newest + 1
            try:
                state = self._solver.step(self._tick_s, self._sources_at((tick - 0.5) * self._tick_s))
            except InputError as err:
                with self._changed:
                    self._failure = err
                    self._changed.notify_all()
                return
            with self._changed:
                self._states[tick] = state
                self._newest = tick
                # The oldest go, but not what is still asked for.
                while len(self._states) > self._kept:
                    self._states.popitem(last=False)
                self._changed.notify_all()
