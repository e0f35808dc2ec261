# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidgen_nodes.packets import Cause, Grid, Overlay
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.audit import _sample
from vidgen_nodes.scene.compose import compose_scene
from vidgen_nodes.scene.gate import audit_overlay, open_gate, pixel_mask

GRID = Grid(-4.0, -4.0, 0.5, 16, 16)
LENSES = [("plumb_bob", ()), ("plumb_bob", (-0.2, 0.05, 1e-3, 0.0)), ("equidistant", (0.02, 0.0, 0.0, 0.0))]


@pytest.fixture(params=LENSES, ids=["pinhole", "plumb_bob", "equidistant"])
def scene(request, make):
    uncertain = np.zeros(GRID.shape)
    uncertain[3:9, 4:11] = 0.9
    model, distortion = request.param
    bundle = make.bundle(
        make.uncertainty_map(GRID, uncertainty=uncertain),
        make.look_at((1.0, -9.0, 8.0), (0.0, 0.0, 0.0)),
        make.calibration(model=model, distortion=distortion),
    )
    building = make.building(make.wall("wall", 1, 1.2, 3, 1.2))
    return compose_scene(bundle, building, make.scenario(make.ignition("foot", 1.5, 1.2)))


def overlay_of(mask, stamp_ns=5):
    rgba = np.zeros((*mask.shape, 4), np.uint8)
    rgba[mask] = (255, 90, 0, 7)
    return Overlay(stamp_ns, "thermal", rgba, np.ascontiguousarray(rgba[..., 3]), None)


def test_all_that_the_mask_allows_passes(scene):
    gate = open_gate(scene, GeneratorParams())
    mask = pixel_mask(gate, scene.camera)
    assert mask.sum() > 1000
    for limit in (1, 256, 10**6):
        report = audit_overlay(overlay_of(mask), gate, scene, limit)
        assert report == (type(report))(gate.cells_open, int(mask.sum()), 0)


def test_an_ignition_that_opens_nothing_is_told_and_a_cause_of_the_whole_frame_is_not(scene, make):
    stray = replace(scene, scenario=make.scenario(make.ignition("in the air", 1.5, 1.2, 30.0)))
    gate = open_gate(stray, GeneratorParams())
    told = audit_overlay(overlay_of(np.zeros((128, 160), bool)), gate, stray, 10).withheld
    assert len(told) == 1
    assert told[0].startswith("ignition in the air at (1.50, 1.20, 30.00) m is not within half a cell")
    doubtful = replace(stray, causes=(Cause.NO_POSE,))
    gate = open_gate(doubtful, GeneratorParams())
    assert audit_overlay(overlay_of(np.zeros((128, 160), bool)), gate, doubtful, 10).withheld == ()


def test_every_pixel_off_the_columns_is_found(scene):
    gate = open_gate(scene, GeneratorParams())
    mask = pixel_mask(gate, scene.camera)
    mask[5, 5] = mask[120, 3] = True
    assert audit_overlay(overlay_of(mask), gate, scene, 10**6).pixels_outside == 2


def test_leak_of_the_whole_mask_by_some_pixels_is_found_in_a_sample(scene):
    gate = open_gate(scene, GeneratorParams())
    mask = np.roll(pixel_mask(gate, scene.camera), 6, axis=1)
    for stamp_ns in range(50):
        assert audit_overlay(overlay_of(mask, stamp_ns), gate, scene, 64).pixels_outside > 0


def test_nothing_drawn_is_nothing_outside(scene):
    gate = open_gate(scene, GeneratorParams())
    report = audit_overlay(overlay_of(np.zeros((128, 160), bool)), gate, scene, 256)
    assert (report.pixels_drawn, report.pixels_outside) == (0, 0)


def test_all_that_is_drawn_under_a_closed_gate_is_outside(scene):
    doubtful = replace(scene, causes=(Cause.RTK_LOST,))
    gate = open_gate(doubtful, GeneratorParams())
    mask = np.zeros((128, 160), bool)
    mask[40:60, 40:60] = True
    report = audit_overlay(overlay_of(mask), gate, doubtful, 16)
    assert (report.cells_open, report.pixels_drawn, report.pixels_outside) == (0, 400, 400)


def test_all_that_is_drawn_without_a_camera_is_outside(scene):
    gate = open_gate(scene, GeneratorParams())
    mask = np.ones((128, 160), bool)
    assert audit_overlay(overlay_of(mask), gate, replace(scene, camera=None), 16).pixels_outside == 128 * 160


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 256, 5000])
@pytest.mark.parametrize("shape", ["blob", "dots", "full", "line", "corner"])
def test_sample_is_of_drawn_pixels_each_once_and_the_same_every_time(limit, shape):
    alpha = np.zeros((90, 110), np.uint8)
    if shape == "blob":
        alpha[20:70, 30:100] = 9
    elif shape == "dots":
        alpha[::4, ::4] = 1
    elif shape == "full":
        alpha[:] = 255
    elif shape == "line":
        alpha[:, 50] = 3
    else:
        alpha[:2, :2] = 3
    drawn = int((alpha > 0).sum())
    for stamp_ns in (0, 1, 10**18, -5, *range(1000, 1040)):
        pixels = _sample(alpha, drawn, stamp_ns, limit)
        x, y = pixels.astype(int).T
        assert (alpha[y, x] > 0).all()
        assert len(set(zip(x, y, strict=True))) == len(pixels)
        assert min(limit, drawn) >= len(pixels) >= min(limit, drawn) // 2
        assert np.array_equal(pixels, _sample(alpha, drawn, stamp_ns, limit))


def test_sample_prefers_the_edge_of_the_drawing():
    alpha = np.zeros((90, 110), np.uint8)
    alpha[20:70, 30:100] = 9
    x, y = _sample(alpha, 3500, 77, 100).T
    on_edge = (x == 30) | (x == 99) | (y == 20) | (y == 69)
    assert on_edge.sum() == 75
    assert (~on_edge).sum() >= 10
