# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One worker thread behind a bounded queue that keeps the newest.

Whatever must not run in a callback runs here: torch (always on this one thread), slow encoders, the ledger.
A full queue drops its oldest item; ``merge`` hands what must not be lost on to the item after it. The first
exception of the work ends the thread and is kept in ``error``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class LatestWorker(Generic[T]):
    """Runs ``work(item)`` for items put in, newest kept."""

    def __init__(
        self,
        name: str,
        work: Callable[[T], None],
        *,
        size: int,
        merge: Callable[[T, T], T] | None = None,
        dropped: Callable[[], None] = lambda: None,
        idle: Callable[[], Iterable[None]] = tuple,
    ) -> None:
        """Start the thread.

        Args:
            name: of the thread.
            work: called on the thread for each item.
            size: items that may wait.
            merge: ``merge(dropped, next)`` gives the item that takes the place of the next.
            dropped: called, on the caller's thread, for each item dropped.
            idle: steps taken on the thread after an item, as long as nothing waits between two of them.
        """
        self._work, self._size, self._merge, self._dropped = work, size, merge, dropped
        self._idle = idle
        self._items: deque[T] = deque()
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue an item; returns at once."""
        with self._wake:
            if len(self._items) >= self._size:
                oldest = self._items.popleft()
                self._dropped()
                if self._merge is not None and self._items:
                    self._items[0] = self._merge(oldest, self._items[0])
                elif self._merge is not None:
                    item = self._merge(oldest, item)
            self._items.append(item)
            self._wake.notify()

    def call(self, function: Callable[[], R]) -> Future[R]:
        """Run a function on the thread, before waiting items; the future has its result."""
        future: Future[R] = Future()
        with self._wake:
            if self._stopping or self.error is not None:
                future.set_exception(self.error or RuntimeError("the worker has stopped"))
                return future
            self._calls.append((function, future))
            self._wake.notify()
        return future

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Work off what waits, then end the thread; False if it did not end in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._items or self._calls or self._stopping):
                    self._wake.wait()
                call = self._calls.popleft() if self._calls else None
                item = self._items.popleft() if call is None and self._items else None
                if call is None and item is None:
                    return
            if call is not None:
                self._answer(*call)
                continue
            try:
                assert item is not None
                self._work(item)
                self._use_idle_time()
            except BaseException as err:  # noqa: BLE001 (kept, and raised by whoever owns the worker)
                self.error = err
                return

    def _use_idle_time(self) -> None:
        if self._must_go_on():
            return
        for _ in self._idle():
            if self._must_go_on():
                return

    def _must_go_on(self) -> bool:
        return bool(self._items or self._calls or self._stopping)

    @staticmethod
    def _answer(function: Callable[[], Any], future: Future[Any]) -> None:
        try:
            future.set_result(function())
        except BaseException as err:  # noqa: BLE001 (belongs to the caller)
            future.set_exception(err)
