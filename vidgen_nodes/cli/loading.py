# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A bar while a large building model is read, for whoever waits at a terminal.

Guarantees: it is on standard error, is gone when the model is there, and is not drawn where nobody looks (no
terminal, ``--json``). Leaves out nodes, which log how far they are (``ros.loading``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from vidgen_nodes.scene.building import Progress as Told
from vidgen_nodes.scene.building import read_model_ahead


@contextmanager
def loading_bar(*, quiet: bool = False, console: Console | None = None) -> Iterator[Told]:
    """What to tell how far the reading of a building is.

    Args:
        quiet: draw nothing.
        console: to draw on; None: standard error.
    """
    shown = console or Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(
        *columns, console=shown, transient=True, disable=quiet or not shown.is_terminal
    ) as progress:
        task = progress.add_task("building", total=1.0)

        def tell(share: float, what: str) -> None:
            progress.update(task, completed=share, description=f"building: {what}")

        yield tell


def read_models_ahead(files: Iterable[str], *, quiet: bool = False) -> None:
    """Read the models of building files with a bar, before others wait for them in silence.

    Args:
        files: names of building files; empty ones count for nothing, and each is read once.
        quiet: draw nothing.

    Raises:
        ConfigError: a model that cannot be used.
    """
    named = [Path(name) for name in dict.fromkeys(files) if name]
    if not named:
        return
    with loading_bar(quiet=quiet) as tell:
        for path in named:
            read_model_ahead(path, tell)
