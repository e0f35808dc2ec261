# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

THREADS = """
import os, threading
from vidgen_nodes.scheduling import Priority, set_priority, yield_to_frames
set_priority(Priority.{priority})
found = []
def inherited(): found.append(os.sched_getscheduler(0))
def yielding(): yield_to_frames(); found.append(os.sched_getscheduler(0))
for target in (inherited, yielding):
    thread = threading.Thread(target=target); thread.start(); thread.join()
print(os.sched_getscheduler(0), *found, os.nice(0))
"""


def may_be_real_time() -> bool:
    asks = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", asks], capture_output=True, check=False).returncode == 0


def policies(priority: str, **environment: str) -> list[int]:
    """Of the main thread, of one that it starts and of one that yields; and the nice value."""
    made = subprocess.run(
        [sys.executable, "-c", THREADS.format(priority=priority)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in made.stdout.split()]


@pytest.mark.skipif(not may_be_real_time(), reason="this user may not ask for SCHED_RR: ulimit -r is 0")
def test_what_frames_pass_through_goes_first_with_its_threads_but_for_those_that_yield() -> None:
    assert policies("FRAME")[:3] == [os.SCHED_RR, os.SCHED_RR, os.SCHED_OTHER]


STARTED = """
import subprocess, sys
from vidgen_nodes.scheduling import Priority, beside_frames, set_priority
set_priority(Priority.FRAME)
asks = [sys.executable, "-c", "import os; print(os.sched_getscheduler(0), os.nice(0))"]
print(subprocess.check_output(asks, text=True), beside_frames(lambda: subprocess.check_output(asks, text=True)))
"""


@pytest.mark.skipif(not may_be_real_time(), reason="this user may not ask for SCHED_RR: ulimit -r is 0")
def test_a_process_started_beside_frames_has_nothing_of_their_priority_from_the_first() -> None:
    made = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True)
    inherited, _, quiet, nice = (int(word) for word in made.stdout.split())
    assert inherited == os.SCHED_RR
    assert quiet == os.SCHED_OTHER
    assert nice >= 0


def test_real_time_is_not_asked_for_where_it_is_not_wanted() -> None:
    assert policies("FRAME", VIDGEN_REALTIME="0")[:3] == [os.SCHED_OTHER] * 3


def test_what_no_frame_waits_for_is_nice() -> None:
    *asked, nice = policies("BACKGROUND")
    assert asked == [os.SCHED_OTHER] * 3
    assert nice >= 5
