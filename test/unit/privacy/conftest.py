# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal pictures with persons of known place and size, and the labelled recordings."""

from __future__ import annotations

import math
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidgen_nodes.packets import ThermalFrame

SHARED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
SCALE_K = 0.01
# middle above the feet, half height, half width in m, warmer than the ground by K
PARTS = ((0.45, 0.48, 0.20, 10.0), (1.12, 0.36, 0.25, 12.0), (1.60, 0.15, 0.10, 16.0))


def thermal(
    pixels: np.ndarray, encoding: str, *, stamp_ns: int = 1, radiometric: bool = False
) -> ThermalFrame:
    scale = SCALE_K if radiometric else math.nan
    offset = 0.0 if radiometric else math.nan
    return ThermalFrame(stamp_ns, "t", encoding, pixels, 0, None, radiometric, scale, offset, 0.0, False, ())


def standing(
    px_per_m: float, feet_px: tuple[int, int], shape: tuple[int, int] = (512, 640), warmer: float = 1.0
) -> np.ndarray:
    """Kelvin: uneven ground at 285 K with somebody upright on it, seen from the side."""
    ground = cv2.GaussianBlur(np.random.default_rng(7).standard_normal(shape), (0, 0), 12.0)
    kelvin = 285.0 + 0.15 * ground / ground.std()
    return add_person(kelvin, px_per_m, feet_px, warmer)


def add_person(
    kelvin: np.ndarray, px_per_m: float, feet_px: tuple[int, int], warmer: float = 1.0
) -> np.ndarray:
    for middle_m, half_m, width_m, more_k in PARTS:
        centre = (feet_px[0], round(feet_px[1] - middle_m * px_per_m))
        axes = (max(1, round(width_m * px_per_m)), max(1, round(half_m * px_per_m)))
        cv2.ellipse(kelvin, centre, axes, 0, 0, 360, 285.0 + warmer * more_k, -1)
    return kelvin


def as_frame(kelvin: np.ndarray, encoding: str = "mono16", stamp_ns: int = 1) -> ThermalFrame:
    """The picture as a camera of that encoding sends it: counts with a temperature, or grey levels without."""
    if encoding in ("mono16", "16UC1"):
        return thermal((kelvin / SCALE_K).astype(np.uint16), encoding, stamp_ns=stamp_ns, radiometric=True)
    if encoding == "32FC1":
        frame = thermal(kelvin.astype(np.float32), encoding, stamp_ns=stamp_ns)
        return ThermalFrame(stamp_ns, "t", encoding, frame.pixels, 0, None, True, 1.0, 0.0, 0.0, False, ())
    grey = ((kelvin - kelvin.min()) * (255.0 / max(float(np.ptp(kelvin)), 1.0))).astype(np.uint8)
    return thermal(
        grey if encoding == "mono8" else np.stack([grey] * 3, axis=-1), encoding, stamp_ns=stamp_ns
    )


@pytest.fixture(scope="session")
def labelled() -> list[tuple[ThermalFrame, np.ndarray]]:
    """Frames of HIT-UAV (8-bit) with the boxes (n, 4) of their persons."""
    pictures = sorted((SHARED / "thermal").glob("hit_uav_seq_*/*.jpg"))
    if not pictures:
        pytest.skip(f"no labelled persons at {SHARED / 'thermal'}; set VIDGEN_SHARED_DATA")
    return [(thermal(cv2.imread(str(p), cv2.IMREAD_GRAYSCALE), "mono8"), boxes_of(p)) for p in pictures]


def boxes_of(picture: Path) -> np.ndarray:
    found = []
    for item in ET.parse(picture.with_suffix(".xml")).getroot().iter("object"):
        box = item.find("bndbox")
        if item.findtext("name") == "Person" and box is not None:
            found.append([int(box.findtext(side, "0")) for side in ("xmin", "ymin", "xmax", "ymax")])
    return np.array(found, int).reshape(-1, 4)


@pytest.fixture(scope="session")
def pictures() -> SimpleNamespace:
    """The functions above, for tests, which cannot import them."""
    return SimpleNamespace(thermal=thermal, standing=standing, add_person=add_person, as_frame=as_frame)
