# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No test makes keys in the home of whoever runs it, or fails by the clock; what tests share lies beside this file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parent))
# Machines are noisy: how long an example takes is no property of what is tested. A commit is green or it is not: the
# same examples every time. To look for new ones: pytest --hypothesis-profile=explore.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("vidgen", settings.get_profile("explore"), derandomize=True)
settings.load_profile("vidgen")


@pytest.fixture(scope="session", autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("VIDGEN_KEYS")
    os.environ["VIDGEN_KEYS"] = str(tmp_path_factory.mktemp("keys"))
    yield
    if before is None:
        del os.environ["VIDGEN_KEYS"]
    else:
        os.environ["VIDGEN_KEYS"] = before
