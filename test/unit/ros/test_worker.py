# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from vidgen_nodes.ros.worker import LatestWorker

WAIT_S = 10.0


class Held:
    """Work that waits to be let go, so that a test fills the queue behind it."""

    def __init__(self) -> None:
        self.started, self.let_go = threading.Event(), threading.Event()
        self.done: list[list[int]] = []

    def __call__(self, item: list[int]) -> None:
        self.started.set()
        assert self.let_go.wait(WAIT_S)
        self.done.append(item)


def test_full_queue_drops_the_oldest_and_hands_its_content_on() -> None:
    held, drops = Held(), []
    worker = LatestWorker[list[int]](
        "t", held, size=2, merge=lambda a, b: a + b, dropped=lambda: drops.append(1)
    )
    worker.put([0])
    assert held.started.wait(WAIT_S)
    for number in range(1, 6):
        worker.put([number])
    held.let_go.set()
    assert worker.stop(WAIT_S)
    assert held.done == [[0], [1, 2, 3, 4], [5]]
    assert len(drops) == 3


def test_queue_of_one_merges_into_the_new_item() -> None:
    held = Held()
    worker = LatestWorker[list[int]]("t", held, size=1, merge=lambda a, b: a + b)
    worker.put([0])
    assert held.started.wait(WAIT_S)
    for number in (1, 2, 3):
        worker.put([number])
    held.let_go.set()
    assert worker.stop(WAIT_S)
    assert held.done == [[0], [1, 2, 3]]


def test_call_runs_on_the_same_thread_as_the_work() -> None:
    names: list[str] = []
    worker = LatestWorker[int]("the one", lambda _: names.append(threading.current_thread().name), size=2)
    worker.put(1)
    assert worker.call(lambda: threading.current_thread().name).result(WAIT_S) == "the one"
    assert worker.stop(WAIT_S)
    assert names == ["the one"]


def test_error_of_a_call_belongs_to_the_caller_and_does_not_end_the_worker() -> None:
    worker = LatestWorker[int]("t", lambda _: None, size=2)
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 // 0).result(WAIT_S)
    assert worker.call(lambda: 7).result(WAIT_S) == 7
    assert worker.stop(WAIT_S)


def test_error_of_the_work_ends_the_worker_and_is_kept() -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    worker = LatestWorker[int]("t", fail, size=2)
    worker.put(1)
    assert worker.stop(WAIT_S)
    assert isinstance(worker.error, OSError)
    with pytest.raises(OSError, match="disk full"):
        worker.call(lambda: 1).result(WAIT_S)


def test_stop_works_off_what_waits() -> None:
    held = Held()
    worker = LatestWorker[list[int]]("t", held, size=2)
    for number in (1, 2):
        worker.put([number])
    held.let_go.set()
    assert worker.stop(WAIT_S)
    assert held.done == [[1], [2]]


def test_idle_steps_stop_where_an_item_waits() -> None:
    steps: list[int] = []
    second, done = threading.Event(), threading.Event()
    seen: list[tuple[int, int]] = []  # item, idle steps before it

    def idle() -> Iterator[None]:
        for step in range(5):
            steps.append(step)
            if len(seen) == 1 and step == 2:
                worker.put(2)  # comes in the midst of a step
                second.set()
            yield
        done.set()

    worker = LatestWorker[int]("t", lambda item: seen.append((item, len(steps))), size=2, idle=idle)
    worker.put(1)
    assert second.wait(WAIT_S)
    assert done.wait(WAIT_S)
    assert worker.stop(WAIT_S)
    assert seen == [(1, 0), (2, 3)]
    assert steps == [0, 1, 2, 0, 1, 2, 3, 4]
