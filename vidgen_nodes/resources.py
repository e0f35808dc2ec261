# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the files that come with the code: defaults, presets, scenarios, buildings, message definitions.

They lie in ``config/`` and ``msg/`` of a checkout and in ``share/vidgen/`` of an install, whether ament or
pip made it. Leaves out what they mean. A file that decides a picture may stand in a record as text (``embedded_file``).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from vidgen_nodes.errors import ConfigError

EMBEDDED = "base64:"  # begins a file that stands in a record instead of its path


def config_dir() -> Path:
    """The folder with ``vidgen.yaml``, ``presets/`` and the rest.

    Raises:
        ConfigError: no such folder; the message lists where it was looked for.
    """
    return _folder("config", "vidgen.yaml")


def message_dir() -> Path:
    """The folder with the definitions of our messages.

    Raises:
        ConfigError: no such folder; the message lists where it was looked for.
    """
    return _folder("msg", "SensorBundle.msg")


def _folder(name: str, holds: str) -> Path:
    """The checkout comes first, then the install prefix of this file, then those of ``AMENT_PREFIX_PATH``."""
    here = Path(__file__).resolve()
    checkout = here.parents[1]
    candidates = [checkout / name] if (checkout / "package.xml").exists() else []
    candidates += [parent / "share" / "vidgen" / name for parent in here.parents]
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    candidates += [Path(prefix) / "share" / "vidgen" / name for prefix in prefixes if prefix]
    for candidate in candidates:
        if (candidate / holds).is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise ConfigError(f"no folder with {holds} found, looked in {looked}; install vidgen again")


def embedded_file(file: str) -> str:
    """A file as text, for records; the name again if it is that already, or cannot be read."""
    try:
        return EMBEDDED + base64.b64encode(Path(file).read_bytes()).decode("ascii")
    except OSError:
        return file


def file_content(file: str) -> bytes:
    """What a file holds, by path or by what :func:`embedded_file` made of it; empty if it cannot be read."""
    try:
        if file.startswith(EMBEDDED):
            return base64.b64decode(file.removeprefix(EMBEDDED), validate=True)
        return Path(file).read_bytes()
    except (OSError, ValueError):
        return b""
