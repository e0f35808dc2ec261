# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PhiFlow as a peer: its process, and our solver on the same plane of cells.

Guarantees that the peer is the quickest of PhiFlow's solvers and backends that get through a few steps, and that a
PhiFlow that is not there, or fails, is said in words and never taken for a figure.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from vidgen_nodes.generation.flow.domain import Boundaries, FlowGrid
from vidgen_nodes.generation.flow.release import HeatSource
from vidgen_nodes.generation.smoke import SmokeParams, SmokeSolver

INTERPRETER = "VIDGEN_PHIFLOW_PYTHON"
SOLVERS = ("auto", "CG", "CG-adaptive", "scipy-direct")
BACKENDS = ("numpy", "torch")
_TRIAL_STEPS = 2


class LeftOut(Exception):  # noqa: N818 (no error: PhiFlow is optional)
    """Why there is no peer."""


class PhiFlow:
    """One process that steps PhiFlow's plume."""

    def __init__(self, python: str, cells: int, solver: str, backend: str) -> None:
        script = Path(__file__).with_name("phiflow_peer.py")
        try:
            self._process = subprocess.Popen(
                [python, str(script), str(cells), solver, backend],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        except OSError as err:
            raise LeftOut(f"{INTERPRETER}: {python} cannot be started: {err.strerror}") from err
        self.divergence = 0.0
        ready = self._answer()
        self.what = f"PhiFlow {ready.get('ready')}, {solver} on {backend}"

    @classmethod
    def quickest(cls, cells: int) -> PhiFlow:
        """The quickest that runs.

        Raises:
            LeftOut: none does.
        """
        python = os.environ.get(INTERPRETER, "")
        if not python and importlib.util.find_spec("phi") is None:
            raise LeftOut(
                f"PhiFlow is not installed: pip install phiflow, or name an interpreter that has it in {INTERPRETER}"
            )
        best: tuple[float, PhiFlow] | None = None
        said: dict[str, str] = {}
        for backend in BACKENDS:
            for solver in SOLVERS:
                with contextlib.ExitStack() as stack:
                    try:
                        found = cls(python or sys.executable, cells, solver, backend)
                        stack.callback(found.close)
                        spent = min(found.step_ms() for _ in range(_TRIAL_STEPS))
                    except LeftOut as why:
                        said[str(why)] = f"{solver} on {backend}"
                        continue
                    if best is None or spent < best[0]:
                        if best is not None:
                            best[1].close()
                        best = spent, found
                        stack.pop_all()
        if best is None:
            raise LeftOut(f"PhiFlow does not run on {cells} x {cells} cells: {'; '.join(said)}")
        return best[1]

    def step_ms(self) -> float:
        """Processor time of one step."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("step\n")
            self._process.stdin.flush()
        except BrokenPipeError as err:
            raise LeftOut("its process ended") from err
        answer = self._answer()
        self.divergence = float(answer["divergence"])
        return float(answer["ms"])

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"failed": "its process ended without a word"}
        if "failed" in answer:
            self.close()
            raise LeftOut(str(answer["failed"]))
        return answer


class Plane:
    """Our solver on an upright plane of as many cells; a call is a step."""

    def __init__(self, cells: int) -> None:
        grid = FlowGrid((0.0, 0.0, 0.0), 9.6 / cells, (cells, 1, cells))
        self._solver = SmokeSolver(
            grid, Boundaries({"south": "periodic", "north": "periodic"}), 1, SmokeParams()
        )
        self._fire = [HeatSource((4.8, 0.5 * grid.cell_m, 0.0), 1.6, 1.6, 60.0 * grid.cell_m, 0.0, 0.001)]
        for _ in range(20):
            self()

    def __call__(self) -> None:
        self._solver.step(0.02, self._fire)

    @property
    def divergence(self) -> float:
        """Largest left by the last step, times cell width over the largest speed."""
        return self._solver.state.residuals.divergence
