# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``vidgen bench sensing``: synchronisation, LiDAR map and many cameras in one run; writes ``bench/sensing.json``.

What it measures is in ``sync.py``, ``uncertainty.py`` and ``cameras.py``; ``tools/readme_tables.py`` puts it into the
README. Absolute times are those of the machine; quote the ratios.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from bench import cameras, sync, uncertainty

RESULTS = Path(__file__).with_name("sensing.json")


def run(args: Any) -> int:
    """Measure, write and print."""
    figures, beside = sync.measure(args.seconds)
    content = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "sync": figures,
        "beside_sync": beside,
        "uncertainty": uncertainty.measure(),
        "cameras": cameras.many_cameras(cameras.CAMERAS, args.seconds, seed=1),
    }
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not args.json:
        print(tables(content))
    print(json.dumps(content))
    return 0


def tables(content: dict[str, Any]) -> str:
    """Markdown, as it stands in the README."""
    parts = (sync.table(content["sync"], content["beside_sync"]), lidar_table(content["uncertainty"]))
    return "\n\n".join((*parts, camera_table(content["cameras"])))


def lidar_table(r: dict[str, float]) -> str:
    """What a scan costs, and whether what is claimed of it holds."""
    falsely, allowed = (r[f"false_positive_rate{kind}"] * 100 for kind in ("", "_registered"))
    rows = (
        ("LiDAR map", "measured", "target"),
        ("---",) * 3,
        ("a scan of 60,000 points, one thread", f"{r['ms_per_scan_60k']:.1f} ms", "well under 100 ms"),
        ("a scan of 300,000 points", f"{r['ms_per_scan_300k']:.1f} ms", ""),
        (
            "cells of an intact slab that are claimed to have changed",
            f"{falsely:.2f} % ({allowed:.2f} % with 1 cm of registration error allowed for)",
            "5 ± 1.5 %",
        ),
        ("sag of 5 cm found, σ = 2 cm, 20 returns a cell", f"{r['sag_5cm_recall'] * 100:.1f} %", "≥ 95 %"),
        ("sag of 1 cm claimed", f"{r['sag_1cm_claimed'] * 100:.2f} %", "not claimed: under 5 %"),
    )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def camera_table(r: dict[str, float]) -> str:
    """Many low-rate cameras in one process."""
    rows = (
        (
            "cameras on one core",
            "core used",
            "frames with a pose (ten teach a camera's clock)",
            "p99 wait: slowest camera, middle one",
        ),
        ("---",) * 4,
        (
            f"{cameras.CAMERAS}, 1 to 5 Hz each, clocks up to a second apart",
            f"{r['core_share'] * 100:.0f} %",
            f"{r['posed_share'] * 100:.1f} % of {r['frames']:.0f}",
            f"{r['slowest_wait_p99_ms']:.1f} ms, {r['middle_wait_p99_ms']:.1f} ms",
        ),
    )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
