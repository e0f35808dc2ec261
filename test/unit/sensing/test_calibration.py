# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics from messages and files: what is taken, what is refused, and what a window does to them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import CameraCalibration
from vidgen_nodes.sensing.calibration import Window, checked_calibration
from vidgen_nodes.sensing.calibration_file import load_calibration, parse_calibration

K = (600.0, 0.0, 320.0, 0.0, 610.0, 256.0, 0.0, 0.0, 1.0)
D = (-0.2, 0.05, 0.0, 0.0, 0.0)


WHOLE = Window()


def calibration(window: Window = WHOLE, **changes: Any) -> CameraCalibration:
    given_ = {"size_px": (640, 512), "matrix": K, "model": "plumb_bob", "coefficients": D, **changes}
    return checked_calibration(5, "cam", **given_, window=window)


def document(**changes: Any) -> dict[str, Any]:
    return {
        "image_width": 640, "image_height": 512, "camera_name": "boson", "distortion_model": "plumb_bob",
        "camera_matrix": {"rows": 3, "cols": 3, "data": list(K)},
        "distortion_coefficients": {"rows": 1, "cols": 5, "data": list(D)}, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"matrix": (*K[:1], 30.0, *K[2:])}, "bad_matrix"),
        ({"matrix": (*K[:2], 9000.0, *K[3:])}, "bad_matrix"),
        ({"matrix": (0.0091, *K[1:4], 0.0091, *K[5:])}, "bad_matrix"),
        ({"matrix": (1e9, *K[1:])}, "bad_matrix"),
        ({"matrix": "abc"}, "wrong_size"),
        ({"model": "equidistant", "coefficients": ()}, "distortion_size"),
        ({"model": "rational_polynomial", "coefficients": D}, "distortion_size"),
        ({"coefficients": (1e9, 0.0, 0.0, 0.0)}, "distortion_size"),
        ({"coefficients": [[1.0, 2.0], [3.0]]}, "wrong_size"),
    ],
)
def test_what_no_lens_can_have_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        calibration(**changes)
    assert caught.value.reason == reason


def test_fisheye_is_the_equidistant_model_by_another_name() -> None:
    assert calibration(model="fisheye", coefficients=(0.1, 0.0, 0.0, 0.0)).distortion_model == "equidistant"


@pytest.mark.parametrize(
    "window",
    [
        Window(600, 0, 100, 512), Window(0, 400, 640, 200), Window(0, 0, 640, 513), Window(0, 0, 0, 0, 641, 1),
        Window(2**32 - 1, 0, 1, 1), Window(0, 0, 2**32 - 1, 1), Window(binning_x=0),
    ],
)  # fmt: skip
def test_a_window_off_the_sensor_is_refused(window: Window) -> None:
    with pytest.raises(InputError) as caught:
        calibration(window)
    assert caught.value.reason == "window"


@given(
    st.integers(0, 300),
    st.integers(0, 200),
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0, 300),
    st.floats(0, 200),
)
def test_a_window_moves_and_thins_the_pixels_of_the_sensor(
    left: int, top: int, bin_x: int, bin_y: int, u: float, v: float
) -> None:
    """A sensor pixel keeps its direction: its place in the window, counted from the edge, shrinks by the binning."""
    cut = calibration(Window(left, top, 340, 312, bin_x, bin_y))
    assert (cut.width_px, cut.height_px) == (340 // bin_x, 312 // bin_y)
    x, y = left + u, top + v  # on the sensor
    shown = ((x - left + 0.5) / bin_x - 0.5, (y - top + 0.5) / bin_y - 0.5)
    tangents = ((x - 320.0) / 600.0, (y - 256.0) / 610.0)
    found = [cut.matrix_px[i, i] * tangents[i] + cut.matrix_px[i, 2] for i in range(2)]
    assert found == pytest.approx(shown, abs=1e-9)


def test_a_file_says_what_a_message_says(tmp_path: Path) -> None:
    path = tmp_path / "cam.yaml"
    path.write_text(yaml.safe_dump(document()))
    found, expected = load_calibration(str(path)), calibration()
    assert np.array_equal(found.matrix_px, expected.matrix_px)
    assert np.array_equal(found.distortion, expected.distortion)
    assert (found.width_px, found.height_px, found.frame_id) == (640, 512, "boson")
    assert np.array_equal(load_calibration(path.read_text()).matrix_px, expected.matrix_px)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_width": "640"}, "image_width: got '640'"),
        ({"image_height": None}, "image_height"),
        ({"image_width": 0}, "0x512"),
        ({"camera_matrix": list(K)}, "camera_matrix"),
        ({"camera_matrix": {"data": [1, 2]}}, "2 numbers, expected 9"),
        ({"camera_matrix": {"data": [10**400, *K[1:]]}}, "too large"),
        ({"camera_matrix": {"data": [math.nan, *K[1:]]}}, "NaN"),
        ({"camera_matrix": {"data": ["x", *K[1:]]}}, "list of numbers"),
        ({"distortion_coefficients": {"data": [0.1]}}, "1 coefficients"),
        ({"distortion_model": "kannala"}, "'kannala'"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused_with_its_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_calibration(yaml.safe_dump(document(**changes)), "cam.yaml")
    assert "cam.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("none.yaml", "bytes.yaml", ""):
        with pytest.raises(ConfigError, match="cannot be read"):
            load_calibration(str(tmp_path / name))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(document())), PLAIN, st.booleans())
def test_any_value_in_any_key_of_a_file_is_taken_or_refused(key: str, value: Any, inside: bool) -> None:
    content = document()
    if inside and isinstance(content[key], dict):
        content[key]["data"] = value
    else:
        content[key] = value
    try:
        found = parse_calibration(yaml.safe_dump(content), "cam.yaml")
    except ConfigError:
        return
    assert np.isfinite(found.matrix_px).all()
    assert found.width_px > 0


@given(st.text(max_size=60))
def test_any_text_is_no_calibration_and_says_so(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_calibration(text, "cam.yaml")
