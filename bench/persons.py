# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Who is found: recall on the labelled persons of the recordings, with its 95 % interval, and what it costs.

Thermal: HIT-UAV, 51 frames of one night and place, the same few people again and again, 8-bit pictures without
temperature; the contrasts of ``privacy/warm_bodies.py`` were chosen with these pictures in sight. So the interval
(Wilson 1927, persons taken as independent) is narrower than the truth for other nights, places and cameras. Visible
light: no labelled recording is at hand, so nothing is measured there and nothing is claimed. A person counts as found
if at least half of the labelled box is covered (``live``: thin and outlined; ``export``: mosaicked). One thread.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import BoolArray, ThermalFrame
from vidgen_nodes.privacy.detector import Detector, load_detectors
from vidgen_nodes.privacy.heads import find_heads
from vidgen_nodes.privacy.persons import PersonFinder
from vidgen_nodes.privacy.warm_bodies import prepare, warm_bodies

SHARED = Path(os.environ.get("VIDGEN_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
HEIGHT_M = 60.0
FOCAL_PX = 320.0 / math.tan(math.radians(24.6 / 2.0))  # the lens that the recordings are used with
PITCH_DEG = {"hit_uav_seq_60m_60deg": 60.0, "hit_uav_seq_60m_70deg": 70.0}
FRAME_NS = 100_000_000
COVERED = 0.5
BESIDE_PX = 6  # around a label: not counted as mistaken
CROP_PX, ENLARGED = 64, (4, 6)  # detectors on persons as if nearer
Z95 = 1.959964


@dataclass(frozen=True)
class Labelled:
    """One frame with its persons."""

    sequence: str
    frame: ThermalFrame
    boxes: tuple[Rectangle, ...]
    px_per_m: float


def recordings() -> list[Labelled]:
    """Every labelled frame.

    Raises:
        InputError: they are not here.
    """
    found = []
    for name, pitch_deg in PITCH_DEG.items():
        scale = FOCAL_PX * math.sin(math.radians(pitch_deg)) / HEIGHT_M
        for index, path in enumerate(sorted((SHARED / "thermal" / name).glob("*.jpg"))):
            grey: Any = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            frame = ThermalFrame(
                (index + 1) * FRAME_NS,
                "t",
                "mono8",
                grey,
                index,
                None,
                False,
                math.nan,
                math.nan,
                0.0,
                False,
                (),
            )
            found.append(Labelled(name, frame, boxes_of(path.with_suffix(".xml")), scale))
    if not found:
        raise InputError("no_labels", f"no labelled persons at {SHARED / 'thermal'}; set VIDGEN_SHARED_DATA")
    return found


def boxes_of(path: Path) -> tuple[Rectangle, ...]:
    """Labelled persons of a frame."""
    found: list[Rectangle] = []
    for item in ET.parse(path).getroot().iter("object"):  # noqa: S314  # our own recordings
        box = item.find("bndbox")
        if item.findtext("name") == "Person" and box is not None:
            left, top, right, bottom = (
                int(box.findtext(side, "0")) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            found.append((left, top, right, bottom))
    return tuple(found)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); everything is possible where nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, spread = hits / count, Z95**2 / count
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = Z95 * math.sqrt(share * (1.0 - share) / count + spread / (4.0 * count)) / (1.0 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def recall(frames: list[Labelled], covered_by: Callable[[Labelled], BoolArray]) -> dict[str, Any]:
    """Recall, its interval, the share of the picture taken for a person that is none, and the median cost."""
    hits, count, mistaken, taken_ms = 0, 0, [], []
    for item in frames:
        started_s = time.perf_counter()
        mask = covered_by(item)
        taken_ms.append((time.perf_counter() - started_s) * 1e3)
        elsewhere = mask.copy()
        for left, top, right, bottom in item.boxes:
            count += 1
            hits += int(mask[top:bottom, left:right].mean() >= COVERED)
            beside = np.s_[
                max(0, top - BESIDE_PX) : bottom + BESIDE_PX, max(0, left - BESIDE_PX) : right + BESIDE_PX
            ]
            elsewhere[beside] = False
        mistaken.append(float(elsewhere.mean()))
    return {
        "persons": count,
        "found": hits,
        "recall": round(hits / count, 4) if count else None,
        "interval95": [round(bound, 4) for bound in wilson(hits, count)],
        "mistaken_area": round(statistics.mean(mistaken), 4) if mistaken else None,
        "ms_per_frame": round(statistics.median(taken_ms), 2) if taken_ms else None,
    }


def live(item: Labelled) -> BoolArray:
    """Where the overlay would be thin, if something were drawn everywhere."""
    return warm_bodies(item.frame, item.px_per_m).astype(np.bool_)


def exported(frames: list[Labelled], detectors: tuple[Detector, ...], off: float | None) -> dict[str, Any]:
    """Mosaics of an export; sequences apart, as persons are held.

    Args:
        frames: in order.
        detectors: what looks besides the search for warm bodies.
        off: the range that the export believes in over the true one; None: it knows none.
    """
    finders = {name: PersonFinder(detectors) for name in PITCH_DEG}
    shares: list[float] = []

    def covered(item: Labelled) -> BoolArray:
        local = None if off is None else np.full((1, 1), item.px_per_m / off)
        found = finders[item.sequence].find(item.frame, local)
        mask = _filled(tuple(part.box for part in found.parts), item.frame)
        shares.append(float(mask.mean()))
        return mask

    return {**recall(frames, covered), "mosaicked_area": round(statistics.mean(shares), 4)}


def alone(frames: list[Labelled], detector: Detector) -> dict[str, Any]:
    """One detector on whole pictures, and on crops enlarged as if the persons were nearer."""
    found: dict[str, Any] = {
        "pictures": recall(frames, lambda item: _filled(detector.find(item.frame.pixels), item.frame))  # type: ignore[arg-type]
    }
    for factor in ENLARGED:
        hits, count = 0, 0
        for item in frames:
            for box in item.boxes:
                grey, inside = _crop(item, box, factor)
                count += 1
                hits += any(_touch(inside, part) for part in detector.find(grey))
        found[f"crops_x{factor}"] = {
            "persons": count,
            "found": hits,
            "interval95": [round(bound, 4) for bound in wilson(hits, count)],
        }
    return found


def costs_ms(frame: ThermalFrame, px_per_m: float) -> dict[str, float]:
    """Medians: the live search under a flame of 220 x 180 px, in a whole picture, and the search for heads."""
    window = (200, 150, 420, 330)
    timed: dict[str, Callable[[], object]] = {
        "live_flame": lambda: warm_bodies(frame, px_per_m, window=window),
        "live_whole": lambda: warm_bodies(frame, px_per_m),
        "heads": lambda: find_heads(frame),
    }
    return {name: round(_median_ms(call), 3) for name, call in timed.items()}


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    cv2.setNumThreads(1)
    prepare()
    frames = recordings()
    result: dict[str, Any] = {"thermal": {"live": recall(frames, live)}}
    for name in PITCH_DEG:
        result["thermal"][f"live_{name}"] = recall([item for item in frames if item.sequence == name], live)
    for factor in (0.7, 1.4):  # the range is off by so much
        off = [Labelled(i.sequence, i.frame, i.boxes, i.px_per_m * factor) for i in frames]
        result["thermal"][f"live_scale_x{factor}"] = recall(off, live)
    detectors = load_detectors()
    result["thermal"]["export"] = exported(frames, detectors, 1.0)
    for off in (1.4, 0.7):
        result["thermal"][f"export_range_x{off}"] = exported(frames, detectors, off)
    result["thermal"]["export_range_unknown"] = exported(frames, detectors, None)
    few = frames[::3]  # detectors take a quarter of a second a picture
    result["thermal"]["detectors_alone"] = {item.name: alone(few, item) for item in detectors}
    result["visible"] = {"persons": 0, "recall": None, "interval95": [0.0, 1.0]}
    result["costs_ms"] = costs_ms(frames[0].frame, frames[0].px_per_m)
    if getattr(args, "json", False):
        print(json.dumps(result))
    else:
        json.dump(result, sys.stdout, indent=2)
        print()
    return 0


def _filled(parts: tuple[Rectangle, ...], frame: ThermalFrame) -> BoolArray:
    mask = np.zeros(frame.pixels.shape[:2], np.bool_)
    for left, top, right, bottom in parts:
        mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return mask


def _crop(item: Labelled, box: Rectangle, factor: int) -> tuple[Any, Rectangle]:
    height, width = item.frame.pixels.shape[:2]
    left = min(max((box[0] + box[2]) // 2 - CROP_PX // 2, 0), width - CROP_PX)
    top = min(max((box[1] + box[3]) // 2 - CROP_PX // 2, 0), height - CROP_PX)
    part: Any = item.frame.pixels[top : top + CROP_PX, left : left + CROP_PX]
    large = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    inside = (
        (box[0] - left) * factor,
        (box[1] - top) * factor,
        (box[2] - left) * factor,
        (box[3] - top) * factor,
    )
    return large, inside


def _touch(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _median_ms(call: Callable[[], object], runs: int = 50) -> float:
    call()
    taken = []
    for _ in range(runs):
        started_s = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started_s) * 1e3)
    return statistics.median(taken)
