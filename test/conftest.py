# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No test makes keys in the home of whoever runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("VIDGEN_KEYS")
    os.environ["VIDGEN_KEYS"] = str(tmp_path_factory.mktemp("keys"))
    yield
    if before is None:
        del os.environ["VIDGEN_KEYS"]
    else:
        os.environ["VIDGEN_KEYS"] = before
