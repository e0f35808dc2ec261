# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Derives the frames of a ledger again with several processes.

Sensing must run from the first message on, drawing need not: this process senses, hands bundles to the others as
long as they keep up, and draws the rest itself, also while the others are still starting. Guarantees: the frames do
not depend on the number of processes. Leaves out what one process does (``derivation.py``).
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from vidgen_nodes.errors import VerificationError, VidgenError
from vidgen_nodes.packets import Bundle, UncertaintyMap
from vidgen_nodes.ros.derivation import Derived, Redrawing, Task

_FEWEST = 150  # frames for each process: one takes seconds to start, in which this one draws as many
_WAITING = 3  # bundles that a process may have at a time: one drawn, two on their way
_READY = "ready"


@dataclass
class _Process:
    process: Any  # of the spawn context
    pipe: Connection
    ready: bool = False
    waiting: int = 0  # bundles sent for which nothing came back
    map_digest: bytes = b""  # of the map it was sent last


class DrawingProcesses:
    """Processes that draw beside this one; they start when this is made. A context manager."""

    def __init__(self, task: Task, frames: int, jobs: int) -> None:
        """Start as many as are worth it.

        Args:
            task: ledger and recording.
            frames: how many there are to draw.
            jobs: processes at most, this one among them.
        """
        self._processes: list[_Process] = []
        self._derived: list[Derived] = []
        self._progress: Callable[[], None] = lambda: None
        context = multiprocessing.get_context("spawn")  # torch does not survive a fork
        for _ in range(min(jobs, frames // _FEWEST) - 1):
            here, there = context.Pipe()
            process = context.Process(target=_draw, args=(task, there), daemon=True)
            process.start()
            there.close()
            self._processes.append(_Process(process, here))

    def derive(self, task: Task, progress: Callable[[], None]) -> list[Derived]:
        """Derive every frame of the recording again, by stamp.

        Args:
            task: the same, perhaps with more known about the names of its topics.
            progress: called in this process for each frame.

        Raises:
            BagError: the recording is damaged.
            VerificationError: the ledger's records cannot be used, or a process was killed.
        """
        self._progress = progress
        with Redrawing(task) as redrawing:
            for bundle in redrawing.bundles():
                self._collect(0.0)
                if not self._hand_over(bundle):
                    self._take(redrawing.derive(bundle))
        while any(one.waiting for one in self._processes):
            self._collect(None)
        return sorted(self._derived, key=lambda frame: frame.stamp_ns)

    def wait_until_ready(self) -> None:
        """Wait until every process can draw.

        Raises:
            VerificationError: one was killed, or cannot use the records.
        """
        while not all(one.ready for one in self._processes):
            self._collect(None)

    def _hand_over(self, bundle: Bundle) -> bool:
        free = [one for one in self._processes if one.ready and one.waiting < _WAITING]
        if not free:
            return False
        one = min(free, key=lambda item: item.waiting)
        umap = bundle.uncertainty_map
        if umap is not None and umap.digest == one.map_digest:  # it keeps the newest: a third of the bytes
            bundle = replace(bundle, uncertainty_map=None)
        elif umap is not None:
            one.map_digest = umap.digest
        try:
            one.pipe.send((bundle, umap is not None))
        except OSError as err:
            raise _killed() from err
        one.waiting += 1
        return True

    def _collect(self, timeout_s: float | None) -> None:
        """Take what came back; ``None``: wait until something does."""
        for pipe in wait([one.pipe for one in self._processes], timeout_s) if self._processes else ():
            one = next(item for item in self._processes if item.pipe is pipe)
            try:
                answer = one.pipe.recv()
            except (EOFError, OSError) as err:
                raise _killed() from err
            if isinstance(answer, VidgenError):
                raise answer
            if answer == _READY:
                one.ready = True
                continue
            one.waiting -= 1
            self._take(answer)

    def _take(self, derived: Derived | None) -> None:
        if derived is not None:
            self._derived.append(derived)
            self._progress()

    def close(self) -> None:
        """End the processes, also those that have not begun."""
        for one in self._processes:
            one.pipe.close()
            one.process.terminate()
        for one in self._processes:
            one.process.join()
        self._processes.clear()

    def __enter__(self) -> DrawingProcesses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _killed() -> VerificationError:
    return VerificationError("a process that derived frames was killed; try again with --jobs 1")


def _draw(task: Task, pipe: Connection) -> None:
    """What one of the processes does."""
    try:
        with Redrawing(task) as redrawing:
            redrawing.prepare()
            pipe.send(_READY)
            for bundle in _received(pipe):
                pipe.send(redrawing.derive(bundle))
    except VidgenError as err:
        pipe.send(err)
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # nobody asks any more


def _received(pipe: Connection) -> Iterator[Bundle]:
    """Bundles as they were, read by a thread, so that the sender never waits for a drawing."""
    inbox: queue.SimpleQueue[tuple[Bundle, bool] | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            while True:
                inbox.put(pipe.recv())
        except (EOFError, OSError):
            inbox.put(None)

    threading.Thread(target=read, name="bundles", daemon=True).start()
    newest: UncertaintyMap | None = None
    while (item := inbox.get()) is not None:
        bundle, has_map = item
        newest = bundle.uncertainty_map or newest
        yield replace(bundle, uncertainty_map=newest) if has_map else bundle
