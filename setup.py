# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml cannot say: a wheel carries ``config/`` to where an ament install has it too.

``vidgen_nodes.resources.config_dir`` finds it there. The ament build does not use this file.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent


def config_files() -> list[tuple[str, list[str]]]:
    """Every folder under ``config/`` with its files, as setuptools wants them."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "config").rglob("*") if path.is_file())
    folders = sorted({path.parent for path in files})
    return [
        (f"share/vidgen/{folder}", [str(path) for path in files if path.parent == folder])
        for folder in folders
    ]


setup(data_files=config_files())
