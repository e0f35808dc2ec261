# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.smoke import SmokeParams
from vidgen_nodes.generation.smoke_plan import SmokePlan
from vidgen_nodes.generation.smoke_process import AHEAD, KEPT, SmokeProcess
from vidgen_nodes.generation.smoke_sources import SmokeSources
from vidgen_nodes.packets import Ignition

FIRE = Ignition("heap", (0.0, 0.0, 0.0), 0.0, 50.0, 200.0, 0.8, 0.3, 0.02, 17000.0, 1.5)
OUTSIDE = Boundaries(dict.fromkeys(("ceiling", "south", "north", "west", "east"), "open"))
PLAN = SmokePlan(
    FlowGrid((-2.0, -2.0, 0.0), 0.4, (9, 10, 10)),
    OUTSIDE,
    5,
    SmokeParams(),
    0.1,
    SmokeSources((FIRE,), {"heap": FIRE.position_m}, 1.0),
    nudging_s=0.5,
)


@pytest.fixture
def apart() -> Iterator[SmokeProcess]:
    made = SmokeProcess(PLAN)
    yield made
    made.close()


def test_it_makes_the_bytes_that_a_thread_makes(apart: SmokeProcess) -> None:
    run = PLAN.run()
    try:
        for tick in (1, 2, 17, 40):
            other, own = apart.at(tick, math.inf), run.at(tick, math.inf)
            assert other is not None
            assert own is not None
            assert np.array_equal(other.lightness_k, own.lightness_k)
            assert np.array_equal(other.soot_kg_per_m3, own.soot_kg_per_m3)
            assert (other.steps, other.residuals) == (own.steps, own.residuals)
    finally:
        run.close()


def test_who_does_not_wait_gets_nothing_at_once_and_the_tick_later(apart: SmokeProcess) -> None:
    assert apart.at(7) is None
    assert apart.at(7, 60.0) is not None
    assert apart.newest >= 7


def test_it_runs_ahead_by_so_much_and_keeps_so_much(apart: SmokeProcess) -> None:
    assert apart.at(30, math.inf) is not None
    assert apart.at(30 + AHEAD, math.inf) is not None  # asked for meanwhile: further is allowed now
    assert apart.states_kept <= KEPT
    assert apart.at(1) is None
    assert apart.at(29 + AHEAD, math.inf) is not None


def test_what_it_gave_stays_until_two_ticks_further_are_asked_for(apart: SmokeProcess) -> None:
    seen = apart.at(5, math.inf)
    assert seen is not None
    before = seen.lightness_k.copy()
    assert apart.at(6, math.inf) is not None
    while apart.newest < 6 + AHEAD:  # as far as it may go
        assert apart.at(6) is not None
    assert np.array_equal(seen.lightness_k, before)


def test_a_step_that_the_solver_refuses_is_named_with_its_reason() -> None:
    torn = dataclasses.replace(PLAN, params=SmokeParams(cells_a_step=0.1, most_substeps=1))
    made = SmokeProcess(torn)
    try:
        with pytest.raises(InputError, match="sub-steps") as told:
            made.at(60, 60.0)
        assert told.value.reason == "step_too_long"
        assert made.at(0) is not None  # what was done is still there
    finally:
        made.close()


def test_a_process_that_is_killed_is_named_and_nobody_waits_for_it(apart: SmokeProcess) -> None:
    assert apart.at(1, math.inf) is not None
    os.kill(apart._process.pid, signal.SIGKILL)
    with pytest.raises(InputError, match="SIGKILL") as told:
        apart.at(5000, math.inf)
    assert told.value.reason == "solver_broke"


def test_a_process_that_hangs_keeps_nobody_waiting(apart: SmokeProcess) -> None:
    assert apart.at(1, math.inf) is not None
    os.kill(apart._process.pid, signal.SIGSTOP)
    for tick in range(100, 3000):  # more than any socket holds
        apart.at(tick)
    assert apart.at(3000) is None


def test_closed_it_answers_nothing_and_leaves_no_process(apart: SmokeProcess) -> None:
    apart.close()
    apart.close()
    assert not apart.is_running
    assert apart.at(1, math.inf) is None


def test_it_ends_with_whoever_started_it() -> None:
    here = Path(__file__).parent
    program = textwrap.dedent(
        f"""
        import math, os, sys
        sys.path.insert(0, {str(here)!r})
        from test_smoke_process import PLAN
        from vidgen_nodes.generation.smoke_process import SmokeProcess
        made = SmokeProcess(PLAN)
        made.at(1, math.inf)
        print(made._process.pid, flush=True)
        os.kill(os.getpid(), 9)
        """
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    orphan = os.pidfd_open(int(told.stdout)) if _lives(int(told.stdout)) else None
    if orphan is not None:
        assert select.select([orphan], [], [], 30.0)[0], "the solver outlived its world"
        os.close(orphan)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
