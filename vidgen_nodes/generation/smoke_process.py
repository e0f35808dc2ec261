# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The smoke of a scenario, solved ahead of the frames that show it, in a process of its own.

On a thread of the process that draws, the solver holds the interpreter's lock now and then; where all cores are busy it
may lose its core while it does, and the frame waits for both. Apart, it has a lock, a place in the scheduler's queue
and an end of its own. Guarantees that whoever asks never waits longer than they say, that what they get is what
``SmokePlan.run`` gives (same bytes), that memory is bounded by ``KEPT`` states of heat and soot, and that a solver that
refuses or ends is named. The process ends with whoever started it. Leaves out ticks that are gone: they stay gone.
"""

from __future__ import annotations

import dataclasses
import json
import math
import mmap
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.generation.smoke import Residuals, SeenAir, SmokeAir
from vidgen_nodes.generation.smoke_plan import SmokePlan
from vidgen_nodes.packets import Float32Array
from vidgen_nodes.scheduling import Priority, beside_frames, set_priority

AHEAD = 10  # ticks
KEPT = AHEAD + 6  # slots: one that is asked for, or the one before it, is never written over
_MODULE = "vidgen_nodes.generation.smoke_process"
_LONGEST_NOTE = 1 << 16


class SmokeProcess:
    """Has one plan worked out; for one thread. It starts at once.

    Raises:
        ConfigError: the process cannot be started.
    """

    def __init__(self, plan: SmokePlan) -> None:
        self._slots, memory = _slots(plan)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = beside_frames(lambda: _started(plan, theirs.fileno(), memory))
        except OSError as err:
            raise ConfigError(f"smoke solver: its process cannot be started: {err}") from err
        finally:
            theirs.close()
            os.close(memory)
        self._closing = weakref.finalize(self, _end, self._process, self._ours)
        self._known: OrderedDict[int, tuple[int, Residuals]] = OrderedDict({0: (0, Residuals())})
        self._asked = 0
        self._failure: InputError | None = None

    def at(self, tick: int, timeout_s: float = 0.0) -> SeenAir | None:
        """The air at a tick; None where it is not done within ``timeout_s``, or no longer kept.

        Args:
            tick: since the start; the process goes on to ``AHEAD`` ticks beyond it.
            timeout_s: how long to wait for it; live frames take 0; inf: until it is done.

        Returns:
            Views that hold until two ticks further are asked for.

        Raises:
            InputError: the solver refused a step, or its process ended; the reason says which.
        """
        if not self._closing.alive:
            return None
        if tick > self._asked:
            self._ask(tick)
        self._listen(tick, timeout_s)
        known = self._known.get(tick)
        if known is None:
            if self._failure is not None:
                raise self._failure
            return None
        heat, soot = self._slots[tick % KEPT]
        return SeenAir(known[0], heat, soot, known[1])

    @property
    def newest(self) -> int:
        """The last tick that is known to be done."""
        return next(reversed(self._known))

    @property
    def states_kept(self) -> int:
        """How many states are held now; never more than ``KEPT``."""
        return len(self._known)

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process.poll() is None

    def close(self, *, wait: bool = True) -> None:
        """End the process; what is asked for from now on is None."""
        del wait  # it is over within milliseconds
        self._closing()

    def _ask(self, tick: int) -> None:
        """Say what is wanted; a process that does not listen keeps nobody waiting, and is asked again."""
        try:
            self._ours.send(str(tick).encode(), socket.MSG_DONTWAIT)
            self._asked = tick
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            return

    def _listen(self, tick: int, timeout_s: float) -> None:
        """Take in what the process has said, and wait for a tick."""
        until_s = time.monotonic() + timeout_s
        while self._failure is None:
            left_s = 0.0 if tick in self._known else max(until_s - time.monotonic(), 0.0)
            if not select.select([self._ours], [], [], None if math.isinf(left_s) else left_s)[0]:
                return
            try:
                said = self._ours.recv(_LONGEST_NOTE)
            except ConnectionResetError:
                said = b""
            self._take(json.loads(said) if said else {"refused": ["solver_broke", self._ending()]})

    def _take(self, said: dict[str, Any]) -> None:
        if "refused" in said:
            self._failure = InputError(*said["refused"])
            return
        residuals = Residuals(**{**said["residuals"], "notes": tuple(said["residuals"]["notes"])})
        self._known[said["tick"]] = said["steps"], residuals
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _ending(self) -> str:
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return (
            f"smoke solver: its process ended with {how}; see the log, or take fewer cells if memory ran out"
        )


def _slots(plan: SmokePlan) -> tuple[Float32Array, int]:
    """Memory that both processes see, (KEPT, heat and soot, nz, ny, nx), and its file descriptor."""
    shape = (KEPT, 2, *plan.grid.shape)
    memory = os.memfd_create("vidgen-smoke", os.MFD_CLOEXEC)
    os.ftruncate(memory, 4 * math.prod(shape))
    return _seen(memory, plan), memory


def _seen(memory: int, plan: SmokePlan) -> Float32Array:
    return np.frombuffer(mmap.mmap(memory, 0), np.float32).reshape(KEPT, 2, *plan.grid.shape)


def _started(plan: SmokePlan, their_end: int, memory: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    # By memory and not by a pipe: nobody waits until the process has started and reads.
    with os.fdopen(os.memfd_create("vidgen-smoke-plan"), "w+b") as asked:
        pickle.dump(plan, asked)
        asked.seek(0)
        return subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(their_end), str(memory)],
            stdin=asked,
            pass_fds=(their_end, memory),
            env=environment,
            start_new_session=True,  # Ctrl-C is for whoever started it, who then ends it
        )


def _end(process: subprocess.Popen[bytes], ours: socket.socket) -> None:
    ours.close()
    process.kill()  # it owns nothing that needs an end in good order
    process.wait()


def main() -> int:
    """Work out the plan of standard input, as far as is asked for; ends when nobody asks any more."""
    set_priority(Priority.BACKGROUND)
    theirs = socket.socket(fileno=int(sys.argv[1]))
    plan: SmokePlan = pickle.load(sys.stdin.buffer)  # noqa: S301 (of the process that started this one)
    slots = _seen(int(sys.argv[2]), plan)
    run = plan.run(ahead=1, kept=3)
    asked, done = 0, 0
    try:
        while True:
            is_behind = done < asked + AHEAD
            if not is_behind or select.select([theirs], [], [], 0.0)[0]:
                said = theirs.recv(_LONGEST_NOTE)
                if not said:
                    return 0
                asked = int(said)
                continue
            _say(theirs, _done(run.at(done + 1, math.inf), done + 1, slots))
            done += 1
    except InputError as err:
        _say(theirs, {"refused": [err.reason, str(err)]})
        theirs.recv(_LONGEST_NOTE)
        return 0
    except (BrokenPipeError, ConnectionResetError):
        return 0
    finally:
        run.close(wait=False)


def _done(air: SmokeAir | None, tick: int, slots: Float32Array) -> dict[str, object]:
    assert air is not None
    slots[tick % KEPT, 0] = air.lightness_k
    slots[tick % KEPT, 1] = air.soot_kg_per_m3
    return {"tick": tick, "steps": air.steps, "residuals": dataclasses.asdict(air.residuals)}


def _say(theirs: socket.socket, note: dict[str, object]) -> None:
    theirs.send(json.dumps(note).encode())


if __name__ == "__main__":
    sys.exit(main())
