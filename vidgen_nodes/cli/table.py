# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The live table: one row a node with rate, age, drops and CPU.

Shown on stderr, and only on a terminal; results go to stdout. Costs one redraw every half second.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from types import TracebackType

    from vidgen_nodes.ros.probe import NodeHealth

_REDRAW_S = 0.5
_LEVEL_STYLES = {0: "green", 1: "yellow", 2: "red", 3: "red"}


class GraphTable:
    """Use as a context manager; does nothing where ``shown`` is false."""

    def __init__(self, title: str, *, shown: bool) -> None:
        self._title = title
        self._console = Console(stderr=True)
        self._shown = shown and self._console.is_terminal
        self._live = Live(console=self._console, auto_refresh=False) if self._shown else None
        self._next_s = 0.0
        self._processes: dict[int, psutil.Process] = {}

    def __enter__(self) -> GraphTable:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(
        self,
        pids: Mapping[str, int],
        nodes: Mapping[str, NodeHealth],
        restarts: Mapping[str, int],
        overlays: int,
    ) -> None:
        """Redraw, at most every half second."""
        now_s = time.monotonic()
        if self._live is None or now_s < self._next_s:
            return
        self._next_s = now_s + _REDRAW_S
        table = Table(title=f"{self._title}   {overlays} overlays")
        for heading in ("node", "rate [Hz]", "age [s]", "drops", "CPU [%]", "restarts", "state"):
            table.add_column(heading, justify="left" if heading in ("node", "state") else "right")
        for name in sorted({*pids, *nodes}):  # some share a process with another
            health = nodes.get(name)
            values = health.values if health is not None else {}
            state = "starting" if health is None else (health.message or "ok")
            style = "dim" if health is None else _LEVEL_STYLES.get(health.level, "red")
            table.add_row(
                name,
                _first(values, " rate_hz", after=" published"),
                _first(values, " age_s"),
                str(drops(values)),
                self._cpu(pids[name]) if name in pids else "",
                str(restarts.get(name, 0)),
                f"[{style}]{escape(state)}[/]",
            )
        self._live.update(table, refresh=True)

    def _cpu(self, pid: int) -> str:
        try:
            process = self._processes.setdefault(pid, psutil.Process(pid))
            return f"{process.cpu_percent():.0f}"
        except psutil.Error:  # it ended a moment ago
            return ""


def _first(values: Mapping[str, str], suffix: str, after: str = "") -> str:
    """The first value whose key ends so; with ``after``: of the first topic that has such a key too."""
    topics = [key.removesuffix(after) for key in values if key.endswith(after)] if after else None
    for key, value in values.items():
        if key.endswith(suffix) and (topics is None or key.removesuffix(suffix) in topics):
            return value
    return ""


def drops(values: Mapping[str, str]) -> int:
    """Sum of the drop counters in a node's diagnostics."""
    return sum(int(value) for key, value in values.items() if key.startswith("dropped") and value.isdigit())
