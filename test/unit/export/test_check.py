# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What an auditor's machine must hold to check a clip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.export.check import check_clip, pictures_of


def test_checking_needs_no_ros_no_model_and_no_recording() -> None:
    code = (
        "import sys, vidgen_nodes.cli.export as command; "
        "print([n for n in ('torch', 'rclpy', 'rosbags', 'numba', 'av') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x00\x00\x00\x18ftypisom" + bytes(40)])
def test_a_file_that_is_no_clip_gives_faults_not_a_crash(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    check = check_clip(path, bytes(32))
    assert any("content credentials" in fault for fault in check.faults)
    assert any("no picture" in fault for fault in check.faults)
    assert not check.claims
    with pytest.raises(VerificationError, match="cannot be read"):
        check_clip(tmp_path / "absent.mp4", bytes(32))


def test_pictures_and_videos_are_read_alike(tmp_path: Path) -> None:
    labelled = label_below(np.full((128, 160, 3), 9, np.uint8), FramePointer(1, 2, bytes(32)), "SYN")
    path = tmp_path / "one.png"
    path.write_bytes(png(labelled, Origin()))
    (picture,) = pictures_of(path)
    assert picture.shape == labelled.pixels.shape
