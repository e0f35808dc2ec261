# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A camera calibration as the ROS calibration tools write it (``camera_calibration_parsers``, YAML).

Guarantees the checks that a ``camera_info`` message gets. Reads ``image_width``, ``image_height``,
``camera_matrix``, ``distortion_model`` and ``distortion_coefficients``; leaves out rectification and
projection, which belong to stereo pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import CameraCalibration
from vidgen_nodes.sensing.calibration import checked_calibration

# A file has no time of measurement, and zero means "not set" in messages.
FILE_STAMP_NS: Final = 1


def load_calibration(file: str) -> CameraCalibration:
    """Read a calibration.

    Args:
        file: path, or the YAML itself (text of more than one line), as records of past runs hold it.

    Raises:
        ConfigError: a file that cannot be read, or intrinsics that cannot be.
    """
    if "\n" in file:
        return parse_calibration(file, "calibration_file in the record")
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"calibration_file {file}: cannot be read: {err}") from err
    return parse_calibration(text, f"calibration_file {file}")


def parse_calibration(text: str, name: str) -> CameraCalibration:
    """The calibration in YAML text; ``name`` is what errors call it.

    Raises:
        ConfigError: see :func:`load_calibration`.
    """
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise ConfigError(f"{name}: is no YAML: {err}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{name}: got {type(content).__name__}, expected a mapping with image_width, ...")
    size = (_whole(content, "image_width", name), _whole(content, "image_height", name))
    try:
        return checked_calibration(
            FILE_STAMP_NS,
            str(content.get("camera_name", "")),
            size,
            _data(content, "camera_matrix", name),
            str(content.get("distortion_model") or ""),
            _data(content, "distortion_coefficients", name),
        )
    except InputError as err:
        raise ConfigError(f"{name}: {err}") from err


def _whole(content: Mapping[str, Any], key: str, name: str) -> int:
    value = content.get(key)
    if type(value) is not int:
        raise ConfigError(f"{name}: {key}: got {value!r}, expected a whole number of pixels")
    return value


def _data(content: Mapping[str, Any], key: str, name: str) -> list[float]:
    body = content.get(key)
    values = body.get("data") if isinstance(body, dict) else None
    if not isinstance(values, list) or any(type(value) not in (int, float) for value in values):
        raise ConfigError(f"{name}: {key}: expected rows, cols and data, a list of numbers")
    try:
        return [float(value) for value in values]
    except OverflowError as err:
        raise ConfigError(f"{name}: {key}: a number is too large") from err
