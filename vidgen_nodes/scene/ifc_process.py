# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reads an IFC model in a process of its own.

The library under it is C++, and a damaged model (an element placed relative to itself, say) can end the process that
reads it, or keep it busy for ever. Then it is read again element by element, and without those that break the
library: they are named in the notes. Guarantees that the caller lives on and gets a model or a ``ConfigError``, that
reading takes at most ``MOST_BYTES`` of memory, which is given back at the end, that one step into the library takes
at most ``MOST_STEP_S`` of processor time, and that a reader which says nothing for ``MOST_SILENT_S`` is ended.
Leaves out what is read (``scene.ifc_model``).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.scene import building_cache
from vidgen_nodes.scene.ifc_model import Caution, IfcContent, read_ifc
from vidgen_nodes.scene.materials import material_table
from vidgen_nodes.scheduling import beside_frames

MOST_BYTES = 8 << 30  # of address space; a model of 5 million lines takes 1.6 GiB
MOST_SILENT_S = 900.0
REPEATED_S = 2.0  # opening a large model is one step of the library, and takes half a minute
MOST_STEP_S = 60.0  # of processor time, for one element
MOST_BROKEN = 8  # elements of a model that break the library; with more it is damaged as a whole
_MODULE = "vidgen_nodes.scene.ifc_process"


@dataclass(slots=True)
class _Attempt:
    """What a reader is told of those before it, and what it said before it ended."""

    one_by_one: bool = False
    left_out: dict[int, str] = field(default_factory=dict)
    refused: str = ""
    begun: int | None = None  # id of the element that it took up last
    share: float = 0.0  # done, the most that was told of


def read_apart(
    path: Path,
    *,
    metres_per_unit: float | None = None,
    material_names: Mapping[str, str] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> IfcContent:
    """As :func:`vidgen_nodes.scene.ifc_model.read_ifc`, in another process.

    Raises:
        ConfigError: as that, and where the reader ended or got stuck.
    """
    attempt = _Attempt()
    with tempfile.TemporaryDirectory(prefix="vidgen-ifc-") as folder, _repeated(progress) as tell:
        into = Path(folder) / "content"
        asked = {
            "path": str(path),
            "most_bytes": MOST_BYTES,
            "most_step_s": MOST_STEP_S,
            "metres_per_unit": metres_per_unit,
            "material_names": dict(material_names or {}),
            "into": str(into),
        }
        while True:
            told = {**asked, "one_by_one": attempt.one_by_one, "left_out": sorted(attempt.left_out.items())}
            with _reader(json.dumps(told)) as (process, stuck):
                _follow(process, stuck, tell, attempt)
            if attempt.refused:
                raise ConfigError(attempt.refused)
            if not process.returncode:
                return building_cache.unpacked(into.read_bytes())
            if not _can_go_on(attempt, process.returncode, stuck):
                raise ConfigError(f"{path}: {_ending(process.returncode, stuck)}")


@contextmanager
def _repeated(progress: Callable[[float, str], None] | None) -> Iterator[Callable[[float, str], None] | None]:
    """``progress``, which is told the last again while nothing new comes: who waits sees that it goes on."""
    if progress is None:
        yield None
        return
    last = (0.0, "starting the reader")
    over, one_at_a_time = threading.Event(), threading.Lock()

    def tell(share: float, what: str) -> None:
        nonlocal last
        with one_at_a_time:
            last = (share, what)
            progress(share, what)

    def repeat() -> None:
        while not over.wait(REPEATED_S):
            with one_at_a_time:
                progress(*last)

    repeater = threading.Thread(target=repeat, name="progress", daemon=True)
    repeater.start()
    try:
        yield tell
    finally:
        over.set()
        repeater.join()


def _can_go_on(attempt: _Attempt, status: int, watch: _Watch) -> bool:
    """Whether there is another attempt: one by one first, then without the element that ended the last one."""
    if watch.has_ended_it or status > 0 or len(attempt.left_out) >= MOST_BROKEN:
        return False
    if attempt.one_by_one:
        if attempt.begun is None:
            return False
        how = signal.Signals(-status).name
        slow = f"take more than {MOST_STEP_S:g} s to make"
        attempt.left_out[attempt.begun] = slow if how == "SIGPROF" else f"break the library ({how})"
    attempt.one_by_one, attempt.begun = True, None
    return True


@contextmanager
def _reader(asked: str) -> Iterator[tuple[subprocess.Popen[str], _Watch]]:
    """The process, told what to read, and the watch over it; it is over when the context ends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    try:
        process = beside_frames(
            lambda: subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
        )
    except OSError as err:
        raise ConfigError(f"the reader of IFC models cannot be started: {err}") from err
    watch = _Watch(process)
    try:
        assert process.stdin is not None
        process.stdin.write(asked)
        process.stdin.close()
        yield process, watch
    finally:
        watch.stop()
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


class _Watch:
    """Ends a process that has said nothing for too long."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.has_ended_it = False
        self._timer: threading.Timer | None = None
        self.start()

    def start(self) -> None:
        """From now on."""
        self.stop()
        self._timer = threading.Timer(MOST_SILENT_S, self._end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """No longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.has_ended_it = True
        self._process.kill()


def _follow(
    process: subprocess.Popen[str],
    watch: _Watch,
    progress: Callable[[float, str], None] | None,
    attempt: _Attempt,
) -> None:
    """Pass on how far the reader is until it ends, and note why it refused the model, and what it took up last."""
    assert process.stdout is not None
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # what the library prints itself
        if not isinstance(said, dict):
            continue
        watch.start()
        if "refused" in said:
            attempt.refused = str(said["refused"])
            return
        if "begun" in said:
            attempt.begun = int(said["begun"])
        if progress is not None and "share" in said:
            attempt.share = max(attempt.share, float(said["share"]))
            progress(attempt.share, str(said["what"]) + (", one by one" if attempt.one_by_one else ""))
    process.wait()


def _ending(status: int, watch: _Watch) -> str:
    if watch.has_ended_it:
        return f"the reader made no headway for {MOST_SILENT_S:.0f} s; check the model, or export less of it"
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return (
        f"the reader ended with {how}: the model is damaged (an element that refers to itself, say), or takes more "
        f"than {MOST_BYTES >> 20} MiB; check it with the program that made it, and export it again"
    )


def main() -> int:
    """Read what standard input asks for; progress and refusals go to standard output, a line of JSON each."""
    asked = json.load(sys.stdin)
    say = _own_output()
    _bound_memory(asked["most_bytes"])
    last = [-1.0]

    def tell(share: float, what: str) -> None:
        if share - last[0] >= 0.002 or share in (0.0, 1.0):
            last[0] = share
            say({"share": share, "what": what})

    try:
        content = read_ifc(
            Path(asked["path"]),
            material_table(),
            metres_per_unit=asked["metres_per_unit"],
            material_names=asked["material_names"],
            progress=tell,
            caution=_caution(asked, say),
        )
    except (ConfigError, MemoryError) as err:
        too_much = (
            f"{asked['path']}: takes more than {asked['most_bytes'] >> 20} MiB of memory; export less of it"
        )
        said = too_much if isinstance(err, MemoryError) else str(err)
        say({"refused": said})
        return 0
    Path(asked["into"]).write_bytes(building_cache.packed(content))
    return 0


def _caution(asked: Mapping[str, Any], say: Callable[[dict[str, object]], None]) -> Caution:
    """As it was asked for: a step of the library that takes too long ends this process."""

    def begin(element: Any) -> None:
        signal.setitimer(signal.ITIMER_PROF, asked["most_step_s"])
        if element is not None:
            say({"begun": element.id()})

    def end() -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    return Caution(asked["one_by_one"], dict(asked["left_out"]), begin, end)


def _own_output() -> Callable[[dict[str, object]], None]:
    """Writes a line of JSON to standard output, which from now on nothing else reaches: the library prints there."""
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def say(answer: dict[str, object]) -> None:
        sink.write(json.dumps(answer) + "\n")
        sink.flush()

    return say


def _bound_memory(most_bytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        return  # not on this system: the bound on the file's size holds


if __name__ == "__main__":
    sys.exit(main())
