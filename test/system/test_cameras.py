# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two thermal cameras in one live graph: each an anchor of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
CONFIG = """
cameras:
  aft:
    remaps: {thermal/image_raw: /vidgen/thermal/image_raw, thermal/camera_info: /vidgen/thermal/camera_info}
    sync: {boresight_sigma_deg: 0.3}
"""


def test_a_second_camera_has_overlays_and_a_ledger_of_its_own(vidgen: Any, tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text(CONFIG)
    status, summary, err = vidgen.run(
        "up",
        "--preset",
        "sim",
        "--sim",
        "--config",
        config,
        "--set",
        "sim.thermal_rate_hz=5",
        "--seconds",
        "30",  # eleven processes start before the first frame
    )
    assert status == 0, err
    assert summary["restarts"] == {}
    assert summary["cameras"]["aft"]["verified"] is True
    assert summary["cameras"]["aft"]["records"] > 5
    assert summary["frames"]["overlay_out"] > 5
    assert (vidgen.run_dir / "logs" / "aft" / "generator_node.log").is_file()
    assert not vidgen.processes()
