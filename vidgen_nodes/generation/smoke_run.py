# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The smoke of a scenario, solved ahead of the frames that show it, on a thread of its own.

What burns when is known from the scenario, so the solver need not wait for event time: it runs ahead of the
newest tick that was asked for, and a frame finds its tick done. A frame never waits here unless it says so:
a tick that is not done, or gone, is None, and the frame is drawn from the analytic layer and says that.

Guarantees that the state of a tick is a function of scenario and tick alone (every run starts at tick 0 and
takes every tick; whoever waits for a tick that is gone gets it from a second run from tick 0), that memory is
bounded by ``kept`` states, and that a solver that refuses stops the run and names the reason. The thread starts
with the first question. Numba and the matrix products release the interpreter's lock while they work. Leaves out
what may be drawn where (the gate) and the analytic layer.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.nudging import Nudging
from vidgen_nodes.generation.smoke import SmokeSolver, SmokeState
from vidgen_nodes.scheduling import yield_to_frames

SourcesAt = Callable[[float], Sequence[HeatSource]]  # by seconds since tick 0


class SmokeRun:
    """Steps one solver from tick to tick, ahead of whoever asks.

    Args:
        solver: at rest; from now on the run's own.
        tick_s: length of a tick.
        sources_at: what burns at a time; a pure function.
        ahead: how many ticks the run may be ahead of the newest one asked for.
        kept: how many states are kept; at least ``ahead`` and two more.
        nudging: pulls each state towards the analytic means; None: nothing does.

    Raises:
        ConfigError: fewer states kept than the run is ahead.
    """

    def __init__(
        self,
        solver: SmokeSolver,
        tick_s: float,
        sources_at: SourcesAt,
        ahead: int = 10,
        kept: int = 16,
        nudging: Nudging | None = None,
    ) -> None:
        if ahead < 1 or kept < ahead + 2:
            raise ConfigError(
                f"smoke run: {kept} states kept and {ahead} ticks ahead; expected at least 1 ahead and 2 more kept"
            )
        self._solver, self._tick_s, self._sources_at = solver, tick_s, sources_at
        self._ahead, self._kept = ahead, kept
        self._nudging = nudging
        self._start = solver.snapshot()
        self._states: OrderedDict[int, SmokeState] = OrderedDict({0: self._start})
        self._newest, self._asked, self._runs = 0, 0, 1
        self._changed = threading.Condition()
        self._failure: InputError | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="smoke", daemon=True)

    def at(self, tick: int, timeout_s: float = 0.0) -> SmokeState | None:
        """The state at a tick; None where it is not done within ``timeout_s``, or no longer kept.

        Args:
            tick: since the start; the run goes on to ``ahead`` ticks beyond it.
            timeout_s: how long to wait for it; live frames take 0; inf: until it is done.

        Raises:
            InputError: the solver refused a step; the reason is its own.
        """
        with self._changed:
            if not self._ending and self._thread.ident is None:
                self._thread.start()
            if timeout_s > 0.0 and tick < next(iter(self._states)):
                self._begin_again()
            if tick > self._asked:
                self._asked = tick
                self._changed.notify_all()
            if timeout_s > 0.0:
                self._changed.wait_for(
                    lambda: self._newest >= tick or self._failure is not None or self._ending,
                    None if math.isinf(timeout_s) else timeout_s,
                )
            found = self._states.get(tick)
            if found is None and self._failure is not None:
                raise self._failure
            return found

    @property
    def newest(self) -> int:
        """The last tick that is done."""
        return self._newest

    @property
    def states_kept(self) -> int:
        """How many states are held now; never more than ``kept``."""
        return len(self._states)

    @property
    def is_running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def close(self, *, wait: bool = True) -> None:
        """Stop; ``wait``: for the step that is being taken, too. What is asked for from now on is None."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if wait and self._thread.ident is not None:
            self._thread.join()

    def _begin_again(self) -> None:
        """From tick 0: a state that is gone is asked for by somebody who has the time. The lock is held."""
        self._runs += 1
        self._states = OrderedDict({0: self._start})
        self._newest, self._asked, self._failure = 0, 0, None
        self._changed.notify_all()

    def _work(self) -> None:
        yield_to_frames()
        try:
            wanted = self._next(0)
            while wanted is not None:
                self._do(*wanted)
                wanted = self._next(wanted[0])
        finally:  # whoever waits must not wait for a thread that is gone
            with self._changed:
                if not self._ending:
                    self._failure = InputError("solver_broke", "smoke run: the solver broke off; see the log")
                self._ending = True
                self._changed.notify_all()

    def _next(self, run: int) -> tuple[int, int] | None:
        """Wait for what is wanted: the run, and its next tick; None: nothing any more. A new run begins at rest."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._ending
                    or run != self._runs
                    or (self._failure is None and self._newest < self._asked + self._ahead)
                )
            )
            if self._ending:
                return None
            if run != self._runs:
                self._solver.restore(self._start)
                if self._nudging is not None:
                    self._nudging.reset()
            return self._runs, self._newest + 1

    def _do(self, run: int, tick: int) -> None:
        state: SmokeState | None = None
        failure: InputError | None = None
        try:
            state = self._step(tick)
        except InputError as err:
            failure = err
        with self._changed:
            if run != self._runs:
                return  # meanwhile somebody asked for an older tick
            self._failure = failure
            if state is not None:
                self._states[tick] = state
                self._newest = tick
            # The oldest go, but not what is still asked for.
            while len(self._states) > self._kept:
                self._states.popitem(last=False)
            self._changed.notify_all()

    def _step(self, tick: int) -> SmokeState:
        sources = self._sources_at((tick - 0.5) * self._tick_s)
        state = self._solver.step(self._tick_s, sources)
        if self._nudging is not None:
            state = self._nudging.applied(state, sources, self._tick_s)
            self._solver.restore(state)
        return state
