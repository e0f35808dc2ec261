# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PhiFlow's steps of a 2-D plume, one for each line on standard input: the peer process of ``bench/generation.py``.

Runs in any interpreter that has PhiFlow (``pip install phiflow``), which the rest of the project never needs, and so
imports nothing of the project. A closed box of square cells, smoke by MacCormack, speed semi-Lagrangian, pressure to a
relative 1e-3, absolute 1e-5, as PhiFlow's own examples do it. Each answer is one line of JSON. Leaves out choosing:
of the solvers and backends that run, the caller takes the quickest.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

WARM = 3


def main() -> int:
    """``phiflow_peer.py CELLS SOLVER BACKEND``: says ``ready`` after the first steps, then steps once a line."""
    cells, solver, backend = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    try:
        plume = _Plume(cells, solver, backend)
        for _ in range(WARM):
            plume.step()
        _say({"ready": importlib.import_module("phi").__version__})
        for line in sys.stdin:
            if line.strip() != "step":
                break
            begin_s = time.process_time()
            plume.step()
            _say({"ms": (time.process_time() - begin_s) * 1e3, "divergence": plume.divergence()})
    except Exception as err:  # noqa: BLE001 (whatever another project's solver says is the result here)
        _say({"failed": f"{type(err).__name__}: {err}"})
    return 0


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


class _Plume:
    """Smoke that rises in a box of ``cells`` x ``cells``."""

    def __init__(self, cells: int, solver: str, backend: str) -> None:
        flow = self._flow = importlib.import_module(
            f"phi.{backend}.flow" if backend != "numpy" else "phi.flow"
        )
        self._solver = solver
        box = flow.Box(x=cells, y=cells)
        self._speed = flow.StaggeredGrid(0, 0, x=cells, y=cells, bounds=box)
        self._smoke = flow.CenteredGrid(0, flow.ZERO_GRADIENT, x=cells, y=cells, bounds=box)
        sphere = flow.Sphere(x=cells / 2, y=cells / 10, radius=cells / 12)
        self._source = flow.resample(sphere, to=self._smoke, soft=True)
        self._pressure: Any = None

    def step(self) -> None:
        flow = self._flow
        self._smoke = flow.advect.mac_cormack(self._smoke, self._speed, 1.0) + 0.2 * self._source
        lifted = flow.resample(self._smoke * (0, 0.1), to=self._speed)
        speed = flow.advect.semi_lagrangian(self._speed, self._speed, 1.0) + lifted
        solve = flow.Solve(self._solver, 1e-3, 1e-5, x0=self._pressure)
        self._speed, self._pressure = flow.fluid.make_incompressible(speed, (), solve)

    def divergence(self) -> float:
        """Largest left, times cell width (1) over the largest speed."""
        flow = self._flow
        left = flow.math.max(abs(flow.field.divergence(self._speed).values))
        return float(left) / max(float(flow.math.max(abs(self._speed.values))), 1e-12)


if __name__ == "__main__":
    sys.exit(main())
