# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of ar_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class ArParams(Checked):
    """ar_node: streams for glasses and ground stations."""

    compressed_rate_hz: float = param(10.0, "PNG streams at most so often.", unit="Hz", low=0.1, high=60.0)
    marker_rate_hz: float = param(
        5.0, "World-locked markers at most so often.", unit="Hz", low=0.1, high=60.0
    )
    content_producer: str = param(
        "vidgen", "Who answers for the pictures, in the label of every file (GB 45438): ASCII without spaces."
    )
    marker_lifetime_s: float = param(1.0, "Markers vanish after this.", unit="s", low=0.1, high=60.0)
    head_mosaic_px_per_m: float = param(
        125.0,
        "In composites a head becomes a mosaic from this resolution on; a face is told from 125 to 250 on.",
        unit="px/m",
        low=25.0,
        high=250.0,
    )
    nearest_person_m: float = param(
        0.0,
        "Nobody comes nearer to the camera than this, so that smaller warm things are no heads; 0: not known.",
        unit="m",
        low=0.0,
        high=1000.0,
    )
