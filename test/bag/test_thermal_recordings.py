# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Real thermal pictures through the ingest: gain-controlled ones claim nothing, and fires clip nowhere by mistake."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import SourceRef, ThermalFrame, ThermalImage
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.replay import read_recording
from vidgen_nodes.scene.camera import lens_of
from vidgen_nodes.sensing.temperature import ObjectTemperature
from vidgen_nodes.sensing.thermal import ThermalIngest


def frames_of(pictures: list[Path], ingest: ThermalIngest) -> list[ThermalFrame]:
    made = []
    for number, path in enumerate(pictures, start=1):
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        encoding = "mono16" if pixels.dtype == np.uint16 else "mono8"
        source = SourceRef("image", "Image", number, b"i")
        made.append(
            ingest.process(ThermalImage(number * 40_000_000, "cam", encoding, np.asarray(pixels), source))
        )
    return made


@pytest.mark.parametrize("run", ["hit_uav_seq_60m_60deg", "hit_uav_seq_60m_70deg"])
def test_a_drones_gain_controlled_pictures_claim_no_temperature(shared_data: Path, run: str) -> None:
    ingest = ThermalIngest(ThermalParams())
    frames = frames_of(sorted((shared_data / "thermal" / run).glob("*.jpg")), ingest)
    assert len(frames) >= 20
    assert not any(frame.radiometric or frame.frozen for frame in frames)
    assert all(ObjectTemperature(ThermalParams()).of(frame) is None for frame in frames)
    assert "mono8 is gain-controlled" in ingest.why_not_radiometric


def test_bare_counts_of_a_fire_camera_claim_no_temperature(shared_data: Path) -> None:
    ingest = ThermalIngest(ThermalParams())
    frames = frames_of(sorted(shared_data.glob("fire_thermal/*/*.tiff")), ingest)
    assert len(frames) >= 30
    assert not any(frame.radiometric or frame.frozen or frame.saturated_fraction for frame in frames)
    assert "K at the median" in ingest.why_not_radiometric


def test_fires_stand_out_once_a_scale_is_given(shared_data: Path) -> None:
    """The data set states no calibration; tenths of a kelvin are assumed here, which puts the ground near 310 K."""
    params = ThermalParams(scale_k_per_count=0.1)
    frames = frames_of(sorted(shared_data.glob("fire_thermal/*/*.tiff")), ThermalIngest(params))
    temperatures = [ObjectTemperature(params).of(frame) for frame in frames]
    assert all(found is not None and np.isfinite(found).all() for found in temperatures)
    assert all(300.0 < np.median(found) < 330.0 for found in temperatures if found is not None)
    assert max(float(found.max()) for found in temperatures if found is not None) > 1400.0


def test_a_recorded_camera_goes_through_with_its_calibration_and_no_temperature(shared_data: Path) -> None:
    recording = read_recording(shared_data / "rosbag2" / "real_composite")
    ingest, frames = ThermalIngest(ThermalParams()), []
    for recorded in recording.messages():
        if recorded.topic not in ("thermal/image_raw", "thermal/camera_info"):
            continue
        message = recording.deserialize(recorded)
        source = convert.source_ref(recorded.topic, recorded.type_name, message, recorded.data)
        if recorded.topic == "thermal/camera_info":
            ingest.add_calibration(convert.camera_calibration(message), source)
        else:
            try:
                frames.append(ingest.process(convert.thermal_image(message, source)))
            except InputError as err:
                pytest.fail(f"a recorded image was refused: {err}")
    assert len(frames) == 30
    assert not any(frame.radiometric or frame.frozen for frame in frames)
    last = frames[-1].calibration
    assert last is not None
    lens = lens_of(last)
    across_deg = 2 * np.degrees(np.arctan(lens.width_px / 2 / lens.fx_px))
    assert across_deg == pytest.approx(24.6, abs=0.1)
