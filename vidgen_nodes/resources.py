# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the files that come with the code: defaults, presets, scenarios, buildings.

They lie in ``config/`` of a checkout and in ``share/vidgen/config`` of an install, whether ament or
pip made it. Nothing here reads them.
"""

from __future__ import annotations

import os
from pathlib import Path

from vidgen_nodes.errors import ConfigError


def config_dir() -> Path:
    """The folder with ``vidgen.yaml``, ``presets/`` and the rest.

    The checkout comes first, then the install prefix that this file lies in, then every prefix of
    ``AMENT_PREFIX_PATH``.

    Raises:
        ConfigError: no such folder; the message lists where it was looked for.
    """
    here = Path(__file__).resolve()
    checkout = here.parents[1]
    candidates = [checkout / "config"] if (checkout / "package.xml").exists() else []
    candidates += [parent / "share" / "vidgen" / "config" for parent in here.parents]
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    candidates += [Path(prefix) / "share" / "vidgen" / "config" for prefix in prefixes if prefix]
    for candidate in candidates:
        if (candidate / "vidgen.yaml").is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise ConfigError(f"no folder with vidgen.yaml found, looked in {looked}; install vidgen again")
