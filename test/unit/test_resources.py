# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files that come with the code are found: checkout, install, nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vidgen_nodes import resources
from vidgen_nodes.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def place(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    """Let the module believe that it lies in that folder."""
    package.mkdir(parents=True)
    copy = package / "resources.py"
    shutil.copy(ROOT / "vidgen_nodes" / "resources.py", copy)
    monkeypatch.setattr(resources, "__file__", str(copy))


def install(prefix: Path) -> Path:
    config = prefix / "share" / "vidgen" / "config"
    config.mkdir(parents=True)
    (config / "vidgen.yaml").write_text("")
    return config


def test_a_checkout_uses_its_own() -> None:
    assert resources.config_dir() == ROOT / "config"


@pytest.mark.parametrize("site", ["lib/python3.11/site-packages", "local/lib/python3.12/dist-packages", "."])
def test_an_install_finds_its_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: str) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    config = install(tmp_path)
    place(monkeypatch, tmp_path / site / "vidgen_nodes")
    assert resources.config_dir() == config.resolve()


def test_another_ament_prefix_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = install(tmp_path / "ws")
    place(monkeypatch, tmp_path / "elsewhere" / "vidgen_nodes")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'none'}:{tmp_path / 'ws'}")
    assert resources.config_dir() == config


def test_a_config_folder_of_somebody_else_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    place(monkeypatch, tmp_path / "vidgen_nodes")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "vidgen.yaml").write_text("")
    with pytest.raises(ConfigError, match="install vidgen again"):
        resources.config_dir()
