# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who goes first where all cores are busy.

Guarantees nothing where the system does not allow it: then all are equal, and frames wait longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Priority(Enum):
    """Who goes first where all cores are busy. The value is the nice value."""

    FRAME = -10  # every thermal frame passes through it
    NORMAL = 0
    BACKGROUND = 5  # no frame waits for it


def set_priority(priority: Priority) -> None:
    """Ask for a place in the scheduler's queue; call it before the process has other threads.

    ``FRAME`` asks for the lowest real-time priority (SCHED_RR 1): otherwise a thread that a frame wakes may wait for
    the kernel's next tick, 4 ms, at each of four hops. Where that is not allowed (``ulimit -r``, ``LimitRTPRIO=1``,
    CAP_SYS_NICE) or not wanted (``VIDGEN_REALTIME=0``), a nice value has to do; without the right to lower that, it
    stays as it is. The kernel keeps a twentieth of each core for others.

    Where Linux groups processes by session (autogroup, usual on desktops), a nice value counts only within
    the session, and each node is a session of its own: the group's value is set as well.
    """
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, priority.value)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(priority.value), encoding="ascii")
    if priority is not Priority.FRAME:
        yield_to_frames()
    elif os.environ.get("VIDGEN_REALTIME") != "0":
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def yield_to_frames() -> None:
    """Give up what this thread inherited of ``Priority.FRAME``: nothing waits for it."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with suppress(PermissionError):  # Linux counts a nice value by thread
        os.setpriority(os.PRIO_PROCESS, 0, max(Priority.NORMAL.value, os.getpriority(os.PRIO_PROCESS, 0)))


def beside_frames(start: Callable[[], T]) -> T:
    """Call what starts a process, so that the process has none of ``Priority.FRAME`` from its first instant on.

    A process inherits from the thread that starts it; before its own code could give that up, it would have loaded
    its libraries ahead of every frame.
    """
    with ThreadPoolExecutor(1, initializer=yield_to_frames) as yielding:
        return yielding.submit(start).result()
