# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One writer a ledger.

Guarantees: of all processes and threads of a host only one holds the lock, and the system frees it
however the holder ends. Leaves out other hosts: a ledger belongs on a local disk.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vidgen_nodes.errors import CustodyError


def take_lock(path: Path) -> int:
    """Take the lock on a file beside the ledger.

    Returns:
        A file descriptor; closing it frees the lock.

    Raises:
        CustodyError: another writer holds it (named by process id), or the folder cannot be written.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as err:
        raise CustodyError(f"{path}: cannot be written: {err}") from err
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise CustodyError(
            f"{path}: process {holder} is writing it; a ledger has one writer. Stop that one or name another file"
        ) from None
    except OSError as err:
        os.close(lock)
        raise CustodyError(f"{path}: cannot be locked: {err}") from err
    return lock
