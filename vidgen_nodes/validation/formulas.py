# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of formulas: what has a published number is compared with it.

Guarantees no run of a solver: these take milliseconds. Leaves out the flow (``plume_runs.py``, ``room_runs.py``,
``numerics.py``).
"""

from __future__ import annotations

import math

import numpy as np

from vidgen_nodes.black_body import band_radiance_w_per_m2_sr
from vidgen_nodes.generation import fire, steam
from vidgen_nodes.generation.zone import formulas as zone_formulas
from vidgen_nodes.generation.zone.room import Room
from vidgen_nodes.validation.check import Check, bounded

_FLAMES = (
    (100.0, 0.3, 1.177),
    (500.0, 0.6, 2.211),
    (1000.0, 1.0, 2.704),
    (1500.0, 1.13, 3.228),
    (5000.0, 2.0, 5.050),
)
_PLANCK = (
    (273.15, 35.152),
    (293.15, 49.373),
    (300.0, 54.934),
    (373.15, 136.778),
    (573.15, 545.62),
    (873.15, 1472.12),
    (1273.15, 2961.56),
)


def formula_checks() -> list[Check]:
    """Every check that needs no flow."""
    return [
        _flame_height(),
        *_plume_vectors(),
        *_radiation(),
        _growth(),
        *_optics(),
        *_layer_vectors(),
        _planck(),
        *_steam(),
    ]


def _flame_height() -> Check:
    worst = max(abs(fire.flame_height_m(heat, size) / height - 1.0) for heat, size, height in _FLAMES)
    return bounded("K1", "flame height, analytic, 5 published vectors (Heskestad), relative", worst, 1e-3)


def _plume_vectors() -> list[Check]:
    mccaffrey = float(fire.centreline_temperature_rise_k(6.0, 1245.0, 295.0)) + 22.0 - 153.21
    size = math.sqrt(4.0 * 1.075 / math.pi)
    heskestad = float(fire.plume_temperature_rise_k(6.0, 1245.0, size, 0.40, 295.0)) + 22.0 - 133.78
    return [
        bounded("K2", "centreline of McCaffrey against NIST's vector, analytic", mccaffrey, 0.5, "K"),
        bounded("K2", "centreline of Heskestad against NIST's vector, analytic", heskestad, 1.5, "K"),
    ]


def _radiation() -> list[Check]:
    point = fire.radiant_flux_kw_per_m2(1000.0, 0.35, 5.0)
    exact = 0.35 * 1000.0 / (4.0 * math.pi * 25.0)
    # The same flux from the flame's volume, cell by cell: what an integral over a rendered field gives.
    height = fire.flame_height_m(1000.0, 1.0)
    z = (np.arange(400) + 0.5) / 400.0 * height
    level = (1.0 - z / height) ** 2
    level /= level.sum()
    source = height / 3.0  # the height that NIST's correlation code gives the point
    far = float((level * 350.0 / (4.0 * math.pi * (25.0 + (z - source) ** 2))).sum())
    ratio = far / exact
    return [
        bounded(
            "K8", "radiant flux of a point source at 5 m, 1 MW, analytic, relative", point / exact - 1.0, 1e-6
        ),
        bounded(
            "K8",
            "flux of the flame's cone over that of the point, minus 1",
            ratio - 1.0,
            0.15,
            "",
            "0.88/0.39",
        ),
    ]


def _growth() -> Check:
    growth = {600.0: 0.00293, 300.0: 0.01172, 150.0: 0.04689, 75.0: 0.18756}
    worst = max(abs(fire.heat_release_kw(t, 1055.0 / t**2, 1e9) - 1055.0) for t in growth)
    return bounded("K9", "t-squared growth reaches 1055 kW at its time, 4 classes", worst, 1e-6, "kW")


def _optics() -> list[Check]:
    lit = 8.0 / float(fire.soot_extinction_per_m(0.092e-3)) - 10.0
    dark = 3.0 / float(fire.soot_extinction_per_m(0.0345e-3)) - 10.0
    release = fire.soot_release_kg_per_s(1000.0, 0.015, 12000.0) * 12000.0 / 15.0 - 1.0
    return [
        bounded(
            "K10",
            "visibility 10 m at the published soot densities (C = 3 and 8)",
            max(abs(lit), abs(dark)),
            0.05,
            "m",
        ),
        bounded("K10", "soot released y_s Q / dHc, relative", release, 0.01),
    ]


def _layer_vectors() -> list[Check]:
    room = Room(100.0, 5.0)
    published = {60.0: (1.54, 1.93, 1.46), 120.0: (0.57, 1.08, 0.03)}
    worst = 0.0
    for time_s, heights in published.items():
        found = (
            zone_formulas.nfpa_layer_height_m(time_s, 1000.0, room),
            zone_formulas.yamana_tanaka_height_m(time_s, 1000.0, room),
            zone_formulas.aset_height_m(time_s, 1000.0, room, 0.3),
        )
        worst = max(worst, *(abs(a - b) for a, b in zip(found, heights, strict=True)))
    return [bounded("K6", "layer height formulas against 6 published vectors", worst, 0.1, "m")]


def _planck() -> Check:
    worst = max(abs(float(band_radiance_w_per_m2_sr(t)) / value - 1.0) for t, value in _PLANCK)
    return bounded("K15", "band radiance 8-14 um, 7 published vectors, relative", worst, 1e-3)


def _steam() -> list[Check]:
    share = np.linspace(0.0, 1.0, 41)
    mixture = steam.mixed(share, 420.0, 293.15)
    water = mixture.vapour + mixture.liquid
    after = steam.enthalpy_kj_per_kg(mixture.temperature_k, 1.0 - water, water)
    ends = after[0] + share * (after[-1] - after[0])
    return [
        bounded(
            "1.12", "steam and air mix: enthalpy after over before, latent heat once, relative",
            float(np.abs(after / ends - 1.0).max()), 1e-6,
        ),
    ]  # fmt: skip
