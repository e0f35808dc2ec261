# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml cannot say: a wheel carries ``config/`` and ``msg/`` to where an ament install has them too.

``vidgen_nodes.resources`` finds them there. The ament build does not use this file.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent


def data_files() -> list[tuple[str, list[str]]]:
    """Every folder under ``config/`` and ``msg/`` with its files, as setuptools wants them."""
    found = [path for name in ("config", "msg") for path in (ROOT / name).rglob("*") if path.is_file()]
    files = sorted(path.relative_to(ROOT) for path in found)
    folders = sorted({path.parent for path in files})
    return [
        (f"share/vidgen/{folder}", [str(path) for path in files if path.parent == folder])
        for folder in folders
    ]


setup(data_files=data_files())
