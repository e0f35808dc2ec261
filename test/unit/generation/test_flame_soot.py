# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The soot of a drawn flame sends out the share of the heat that the fire radiates, whatever its size."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.black_body import STEFAN_BOLTZMANN_KW_PER_M2_K4
from vidgen_nodes.generation import fire
from vidgen_nodes.generation.flame_soot import FlameSoot
from vidgen_nodes.generation.march import march, passage
from vidgen_nodes.generation.plume import HazardField, Plume
from vidgen_nodes.generation.plume_model import PlumeModel, model_parameters
from vidgen_nodes.packets import Ignition

MODEL = PlumeModel()
SOOT = FlameSoot(MODEL)


@settings(max_examples=200)
@given(
    heat_kw=st.floats(5.0, 1e5),
    per_m2_kw=st.floats(100.0, 20000.0),
    radiated=st.floats(0.0, 0.7),
)
def test_a_flame_radiates_its_share_or_stands_at_a_limit(
    heat_kw: float, per_m2_kw: float, radiated: float
) -> None:
    diameter_m = math.sqrt(4.0 * heat_kw / (math.pi * per_m2_kw))
    glow = SOOT.glow(radiated * heat_kw, diameter_m, fire.flame_height_m(heat_kw, diameter_m))
    least, most = MODEL.least_absorption_per_m, MODEL.most_absorption_per_m
    assert least <= glow.absorption_per_m <= most
    if glow.absorption_per_m == least:
        assert glow.radiated_kw >= radiated * heat_kw * (1.0 - 1e-9) or glow.radiated_kw == 0.0
    elif glow.absorption_per_m == most:
        assert glow.radiated_kw <= radiated * heat_kw * (1.0 + 1e-9)
    else:
        assert glow.radiated_kw == pytest.approx(radiated * heat_kw, rel=1e-9)


def test_the_same_heat_in_a_smaller_flame_has_denser_soot_and_more_heat_too() -> None:
    by_size = [SOOT.glow(200.0, size_m, 2.5).absorption_per_m for size_m in (0.4, 0.6, 1.0, 2.0)]
    assert by_size == sorted(by_size, reverse=True)
    by_heat = [SOOT.glow(heat_kw, 1.0, 2.5).absorption_per_m for heat_kw in (60.0, 120.0, 300.0, 800.0)]
    assert by_heat == sorted(by_heat)


def test_a_thin_flame_emits_four_kappa_sigma_t4_of_its_volume() -> None:
    """Against the volume counted in the drawn mean flame: the mean of the share over a long time."""
    model = dataclasses.replace(MODEL, luminous_soot_k=3000.0, least_absorption_per_m=1e-6)  # makes it thin
    ignition = Ignition("f", (0.0, 0.0, 0.0), 0.0, 1e3, 1000.0, 1.0, 0.35, 0.015, 14500.0, 0.8)
    plume = Plume(ignition, 4, 293.15, 0.1, model)
    state = plume.state(60.0)
    assert state is not None
    luminous = []
    for number in range(40):
        state = plume.state(60.0 + 0.37 * number)
        assert state is not None
        found = plume.field(state, np.ones(plume.shape, np.float32))
        assert found is not None
        luminous.append(float(found.flame_absorption_per_m.sum(dtype=None)) * 0.1**3)
    emitted_kw = 4.0 * STEFAN_BOLTZMANN_KW_PER_M2_K4 * 3000.0**4 * float(np.mean(luminous))
    assert emitted_kw == pytest.approx(350.0, rel=0.1)


def sent_kw(field: HazardField) -> float:
    """Radiance of the drawn soot over parallel rays from twelve sides, times the area across them."""
    glow = STEFAN_BOLTZMANN_KW_PER_M2_K4 * field.luminous_k**4 / math.pi
    luminous = field.flame_absorption_per_m
    flame = dataclasses.replace(
        field, extinction_lwir_per_m=luminous, emission_w_per_m3_sr=luminous * glow, reach_m=(1e3, 1e3)
    )
    size_m = np.array(luminous.shape[::-1]) * field.resolution_m
    middle_m, side_m = np.array(field.origin_m) + 0.5 * size_m, float(np.linalg.norm(size_m))
    steps = (np.arange(36) + 0.5) / 36.0 - 0.5
    total = 0.0
    for up in (-0.75, -0.25, 0.25, 0.75):  # bands of equal area of the sphere
        for turn in (0.3 + up, 2.4 + up, 4.5 + up):
            level = math.sqrt(1.0 - up * up)
            towards = np.array([level * math.cos(turn), level * math.sin(turn), up])
            beside = np.cross(towards, (0.0, 0.0, 1.0)) / level
            first, second = (item.ravel()[:, None] for item in np.meshgrid(steps, steps))
            way = towards + (first * beside + second * np.cross(towards, beside)) / 300.0
            way = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(np.float32)
            eye_m = middle_m - 300.0 * side_m * towards
            total += float(march(flame, eye_m, way, passage(flame, eye_m, way))[1].sum(dtype=np.float64))
    return total * (side_m / 36.0) ** 2 * 4.0 * math.pi / 12.0


@pytest.mark.parametrize(
    ("heat_kw", "diameter_m", "radiated"), [(40.0, 0.25, 0.35), (700.0, 0.9, 0.2), (9000.0, 2.6, 0.45)]
)
def test_fires_of_other_sizes_than_the_validated_ones_send_out_their_share(
    heat_kw: float, diameter_m: float, radiated: float
) -> None:
    ignition = Ignition("f", (0.0, 0.0, 0.0), 0.0, 1e4, heat_kw, diameter_m, radiated, 0.015, 14500.0, 0.8)
    plume = Plume(ignition, 2, 293.15, diameter_m / 10.0, MODEL)
    sent = []
    for number in range(4):
        state = plume.state(60.0 + 3.25 * number / fire.puffing_frequency_hz(diameter_m))
        assert state is not None
        found = plume.field(state, np.ones(plume.shape, np.float32))
        assert found is not None
        sent.append(sent_kw(found))
    assert np.mean(sent) == pytest.approx(radiated * heat_kw, rel=0.15)


def test_a_fire_that_has_no_flame_above_its_burner_sends_nothing_and_divides_by_nothing() -> None:
    glow = SOOT.glow(100.0, 3.0, 0.0)
    assert glow.absorption_per_m == MODEL.least_absorption_per_m
    assert glow.radiated_kw == 0.0


def test_the_mean_flame_is_the_burner_at_the_foot_and_half_lit_at_the_tip() -> None:
    at = np.array([0.0, 1.0, 2.4])
    middle = 1.0 - at
    share = 0.5 * (1.0 + np.vectorize(math.erf)(middle / SOOT.spread(at) / math.sqrt(2.0)))
    assert share[0] > 0.999
    assert share[1] == pytest.approx(0.5)
    assert share[2] < 0.01


def test_every_number_of_it_is_in_the_record_of_the_model() -> None:
    record = model_parameters(MODEL)
    for name in (
        "luminous_soot_k", "least_absorption_per_m", "most_absorption_per_m", "mean_beam_length",
        "stefan_boltzmann", "edge_softness", "ragged_base", "ragged_tip", "puff_height", "field_height",
    ):  # fmt: skip
        assert name in record
