# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How a process of ours starts, spins and ends: the one place for it, used by every node and by the supervisor.

Guarantees, once :func:`prepare_process` has run before ``rclpy``, ``torch`` or ``cv2`` is imported: large images
cross processes without loss (our Fast DDS profile), memory is kept between messages, numeric libraries use one
thread. :func:`transport_faults` says in plain sentences what of this is not in force. :func:`run_until_stopped`
ends a node exactly once on SIGINT or SIGTERM, so that Fast DDS removes its shared memory.

Left out: other middlewares. They work, at their own speed; we only say what is lost.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

PROFILE = Path(__file__).with_name("fastdds.xml")
SEGMENT_BYTES = 67_108_864  # segment_size in fastdds.xml
RMW = "rmw_fastrtps_cpp"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (where POSIX shared memory is)
END_S = 3.0  # the middleware has this long to leave; `ros2 launch` kills after 10 s
SPIN_S = 0.1  # a signal that arrives inside the middleware is seen after at most this

# The second name is the one of Fast DDS 2; with Fast DDS 3 it works too, at the price of a warning at every start.
_PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
_FASTDDS_2_DISTRIBUTIONS = ("humble", "iron", "jazzy")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# glibc mallopt: M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD, M_ARENA_MAX. Memory given back to the kernel after
# every image costs its page faults again with the next one: more than the copies themselves.
_MALLOPT = ((-4, 0), (-1, 2**31 - 1), (-2, 64 * 2**20), (-8, 1))
_SEGMENT = re.compile(r"(fastdds|fastrtps)_[0-9a-f]{16}")
_YOUNG_S = 10.0
# A thread that wakes for its message waits at most this long for one that computes, instead of 5 ms.
_SWITCH_S = 5e-4

_SIGEV_THREAD = 2

_malloc_fault = "prepare_process() has not run in this process."


def process_environment() -> dict[str, str]:
    """The environment in which a process of ours is to start: ours where the user has said nothing."""
    environment = dict(os.environ)
    if not any(environment.get(name) for name in _PROFILE_VARIABLES):
        old = environment.get("ROS_DISTRO") in _FASTDDS_2_DISTRIBUTIONS
        environment.update(dict.fromkeys(_PROFILE_VARIABLES[: 2 if old else 1], str(PROFILE)))
    return {**dict.fromkeys(_THREAD_VARIABLES, "1"), **environment}


def use_one_thread() -> None:
    """One thread a numeric library, where the user has said nothing; call it before numpy or torch is imported.

    More are slower on busy cores, and sum in another order: pictures would not be those of the live graph.
    """
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


def prepare_process() -> None:
    """Set this process up; call it before rclpy, torch or cv2 is imported. A second call changes nothing."""
    global _malloc_fault
    os.environ.update(process_environment())
    sys.setswitchinterval(_SWITCH_S)
    if _malloc_fault:
        _malloc_fault = _keep_pages()


def _keep_pages() -> str:
    """Tell glibc to keep its pages; returns what went wrong, empty if nothing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return "this C library has no mallopt: every image costs its page faults, about 1 ms a hop."
    refused = [name for name, value in _MALLOPT if mallopt(name, value) != 1]
    return f"mallopt refused options {refused}: images cost page faults, about 1 ms a hop." if refused else ""


def transport_faults() -> list[str]:
    """What is not in force in this process: one plain sentence each, with what to do. Empty: all is well."""
    faults = [*_middleware_faults(), *_profile_faults()]
    if _malloc_fault:
        faults.append(f"Memory is not kept between messages: {_malloc_fault}")
    faults += [
        f"{name}={os.environ.get(name)!r}: more than one thread on busy cores makes numeric code 3 to 40 times "
        "slower; set it to 1."
        for name in _THREAD_VARIABLES
        if os.environ.get(name) != "1"
    ]
    if not os.access(SHARED_MEMORY, os.W_OK):
        faults.append(f"{SHARED_MEMORY} cannot be written: images go over UDP, at several times the cost.")
    else:
        space = os.statvfs(SHARED_MEMORY)
        free = space.f_bavail * space.f_frsize
        if free < 10 * SEGMENT_BYTES:
            faults.append(
                f"{SHARED_MEMORY} has {free >> 20} MiB free; ten nodes with 64 MiB segments may need 640 MiB. Enlarge "
                "it (docker: --shm-size=1g) or remove stale segments with `vidgen doctor --sweep`."
            )
    return faults


def _middleware_faults() -> Iterator[str]:
    name = os.environ.get("RMW_IMPLEMENTATION") or RMW
    if "rclpy" in sys.modules:
        from rclpy.utilities import get_rmw_implementation_identifier

        name = get_rmw_implementation_identifier()
    if name != RMW:
        yield (
            f"The middleware is {name}, not {RMW}: our shared-memory profile is not in force; expect slower hops and "
            f"lost images. Install {RMW} and unset RMW_IMPLEMENTATION, or give {name} large buffers of its own."
        )
    if os.environ.get("FASTDDS_BUILTIN_TRANSPORTS"):
        yield (
            f"FASTDDS_BUILTIN_TRANSPORTS={os.environ['FASTDDS_BUILTIN_TRANSPORTS']} is set; it competes with the "
            "transport profile. Unset it."
        )


def _profile_faults() -> Iterator[str]:
    named = next((os.environ[v] for v in _PROFILE_VARIABLES if os.environ.get(v)), "")
    if not named:
        yield (
            "No Fast DDS profile is set: best-effort images of more than 512 KiB are mostly lost. Start the node "
            f"with `vidgen up` or set {_PROFILE_VARIABLES[0]}={PROFILE}."
        )
        return
    try:
        text = Path(named).read_text(encoding="utf-8", errors="replace")
    except OSError as err:
        yield f"The Fast DDS profile {named} cannot be read ({err.strerror}): Fast DDS runs on its defaults."
        return
    sizes = [int(size) for size in re.findall(r"<segment_size>\s*(\d+)\s*</segment_size>", text)]
    if max(sizes, default=0) < SEGMENT_BYTES:
        yield (
            f"The Fast DDS profile {named} gives shared memory {max(sizes, default=0)} bytes, less than "
            f"{SEGMENT_BYTES}: large images may be lost. Raise segment_size or use {PROFILE}."
        )


def sweep_stale_segments(directory: Path = SHARED_MEMORY) -> list[str]:
    """Remove the shared-memory segments that processes of ours left when they were killed.

    Only segments of this user and at least as large as our profile makes them. Fast DDS holds an exclusive
    ``flock`` on ``<segment>_el`` as long as the owner lives; whoever gets that lock knows the owner is dead.
    The kernel drops the lock with the process, so a live segment is never taken, whatever its age.

    Returns:
        The names removed.
    """
    removed = []
    for path in sorted(directory.glob("fast*_*")):
        with suppress(OSError):
            status = path.stat()
            if (
                not _SEGMENT.fullmatch(path.name)
                or status.st_uid != os.getuid()
                or status.st_size < SEGMENT_BYTES
            ):
                continue
            lock_path = path.with_name(path.name + "_el")
            if not lock_path.exists():
                # Fast DDS makes the lock first; without one the owner has gone, unless it is just starting.
                if time.time() - status.st_ctime < _YOUNG_S:
                    continue
                path.unlink()
                removed.append(path.name)
                continue
            with lock_path.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: alive
                path.unlink()
                lock_path.unlink()
                removed.append(path.name)
    return removed


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's sight; call it once, before spinning.

    A full collection walks everything that torch and rclpy brought along: a pause of several frames.
    """
    gc.collect()
    gc.freeze()


class Spinner(Protocol):
    """What :func:`run_until_stopped` needs of an executor."""

    def spin_until_future_complete(self, future: Any, timeout_sec: float) -> None:
        """Handle what comes until the future is done, at most for so long."""


class StopRequest:
    """Set by the first SIGINT or SIGTERM; later ones change nothing, so that shutdown runs once and whole."""

    def __init__(self) -> None:
        self.is_set = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        """Be a signal handler."""
        self.is_set = True


def leave_on_signals() -> None:
    """Until :func:`stop_on_signals` takes over, a signal ends the process at once, cleanly: nothing is open yet."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # a second signal finds nobody


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGINT and SIGTERM into a flag while inside; after it the handlers before are back, unless replaced."""
    stop = StopRequest()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


class _TimerEvent(ctypes.Structure):
    """``struct sigevent`` of 64-bit Linux, with the members for SIGEV_THREAD."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("unused", ctypes.c_byte * 32),
    )


class _TimerSpan(ctypes.Structure):
    """``struct itimerspec``."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def end_within(limit_s: float, status: int) -> None:
    """From here on nothing but the end: signals change nothing more, and after ``limit_s`` the process has ended.

    Fast DDS, as built for the wheels, can spin for ever while it destroys its participant, when other nodes leave
    at the same moment (eProsima/Fast-DDS issue 6513), and rclpy holds the interpreter meanwhile: no Python code
    could help. So a timer of the C library calls ``_exit(status)``. The shared memory that then stays behind is
    what :func:`sweep_stale_segments` removes.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError, AttributeError):  # no such C library: the process ends without a limit
        libc = ctypes.CDLL(None)
        library = libc if hasattr(libc, "timer_create") else ctypes.CDLL("librt.so.1")
        leave = ctypes.cast(libc["_exit"], ctypes.c_void_p).value
        event = _TimerEvent(value=status, notify=_SIGEV_THREAD, function=leave)
        span = _TimerSpan(value_s=int(limit_s), value_ns=int(limit_s % 1 * 1e9))
        timer = ctypes.c_void_p()
        if library.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) == 0:
            library.timer_settime(timer, 0, ctypes.byref(span), None)


def make_executor(context: Any) -> Any:
    """The events executor where rclpy has one (0.3 to 0.5 ms less a hop), else the single-threaded one."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        from rclpy.executors import SingleThreadedExecutor

        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)


def run_until_stopped(
    executor: Spinner, stop: StopRequest, finished: Callable[[], bool] = lambda: False
) -> None:
    """Spin until a signal asks to stop or ``finished()``; both are looked at every ``SPIN_S``.

    Never ``spin()``: the events executor of rclpy 9.1.2 takes a core there and delivers nothing. And not
    ``spin_once`` either: to leave and enter the middleware for every message costs 0.05 ms of the 0.15 that a
    small one takes. So it waits for a future that nobody completes; a new one each time, because each keeps
    what was once registered with it.
    """
    from rclpy.task import Future

    while not stop.is_set and not finished():
        executor.spin_until_future_complete(Future(), timeout_sec=SPIN_S)
