# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The ray march integrates a known medium correctly from every side."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.generation.march import march as march_within
from vidgen_nodes.generation.march import passage
from vidgen_nodes.generation.plume import HazardField

KAPPA, EMISSION = 0.5, 300.0


def block(shape: tuple[int, int, int] = (20, 10, 16), value: torch.Tensor | None = None) -> HazardField:
    """A uniform medium; the box is (nx, ny, nz) * 0.2 m with its corner at (1, 2, 3)."""
    kappa = torch.full(shape, KAPPA) if value is None else value
    return HazardField(
        (1.0, 2.0, 3.0),
        0.2,
        torch.full(shape, 900.0),
        kappa,
        kappa,
        (2.6, 3.0, 3.0),
        (50.0, 50.0),
        4.0,
        kappa * EMISSION,
        torch.zeros(shape),
        1350.0,
    )


def march(
    field: HazardField, eye: np.ndarray, rays: np.ndarray, depth_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of all rays, each as far as its depth."""
    within = passage(field, eye, rays).of(np.arange(len(rays)), depth_m)
    return march_within(field, eye, rays, within)


def towards(eye: tuple[float, float, float], target: tuple[float, float, float]) -> np.ndarray:
    direction = np.subtract(target, eye)
    return (direction / np.linalg.norm(direction)).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("eye", "path_m"),
    [
        ((-20.0, 3.0, 5.0), 3.2),
        ((30.0, 3.0, 5.0), 3.2),
        ((2.6, -20.0, 5.0), 2.0),
        ((2.6, 30.0, 5.0), 2.0),
        ((2.6, 3.0, 60.0), 4.0),
    ],
)
def test_optical_depth_is_extinction_times_path_from_every_side(
    eye: tuple[float, float, float], path_m: float
) -> None:
    rays = towards(eye, (2.6, 3.0, 5.0))
    depth, emitted = march(block(), np.array(eye), rays, np.full(1, np.inf, np.float32))
    assert float(depth[0]) == pytest.approx(KAPPA * path_m, rel=0.04)
    # Uniform source: radiance = source * (1 - exp(-tau)).
    assert float(emitted[0]) == pytest.approx(EMISSION * -math.expm1(-float(depth[0])), rel=2e-3)


def test_a_surface_in_front_hides_and_one_inside_cuts() -> None:
    eye = (-20.0, 3.0, 5.0)
    rays = towards(eye, (2.6, 3.0, 5.0))
    for limit_m, path_m in ((10.0, 0.0), (22.0, 1.0), (100.0, 3.2)):
        depth, _ = march(block(), np.array(eye), rays, np.full(1, limit_m, np.float32))
        assert float(depth[0]) == pytest.approx(KAPPA * path_m, abs=0.01)


def test_near_medium_hides_the_far_one() -> None:
    kappa = torch.zeros((20, 10, 16))
    kappa[:, :, :4] = 50.0  # the west is opaque
    kappa[:, :, 12:] = KAPPA
    field = block(value=kappa)
    field.emission_w_per_m3_sr[:, :, :4] = 50.0 * 100.0
    from_west = march(
        field,
        np.array([-20.0, 3.0, 5.0]),
        towards((-20.0, 3.0, 5.0), (2.6, 3.0, 5.0)),
        np.full(1, 1e9, np.float32),
    )
    from_east = march(
        field,
        np.array([30.0, 3.0, 5.0]),
        towards((30.0, 3.0, 5.0), (2.6, 3.0, 5.0)),
        np.full(1, 1e9, np.float32),
    )
    assert float(from_west[1][0]) == pytest.approx(100.0, rel=0.1)
    assert float(from_east[1][0]) > float(from_west[1][0])


def test_rays_that_miss_or_are_not_there_see_nothing() -> None:
    eye = np.array([-20.0, 3.0, 5.0])
    rays = np.stack(
        [
            towards(tuple(eye), (2.6, 30.0, 5.0))[0],
            np.full(3, np.nan, np.float32),
            -towards(tuple(eye), (2.6, 3.0, 5.0))[0],
        ]
    )
    depth, emitted = march(block(), eye, rays.astype(np.float32), np.full(3, np.inf, np.float32))
    assert not depth.any()
    assert not emitted.any()


def test_sheets_do_not_leak_into_each_other() -> None:
    kappa = torch.zeros((20, 10, 16))
    kappa[-1] = 40.0  # only the top layer
    eye = (-20.0, 3.0, 4.0)
    depth, _ = march(
        block(value=kappa), np.array(eye), towards(eye, (2.6, 3.0, 3.3)), np.full(1, np.inf, np.float32)
    )
    assert float(depth[0]) == 0.0


def test_from_inside_only_what_is_ahead_counts() -> None:
    eye = (2.6, 3.0, 5.0)
    depth, _ = march(block(), np.array(eye), towards(eye, (30.0, 3.0, 5.0)), np.full(1, np.inf, np.float32))
    assert float(depth[0]) == pytest.approx(KAPPA * 1.6, rel=0.04)


def test_a_ray_that_sees_something_meets_the_field() -> None:
    eye = np.array([-9.0, -4.0, 9.0])
    targets = np.random.default_rng(3).uniform((-2.0, -1.0, 1.0), (7.0, 7.0, 9.0), (400, 3))
    rays = np.concatenate([towards(tuple(eye), tuple(target)) for target in targets])
    depth, _ = march(block(), eye, rays, np.full(400, np.inf, np.float32))
    met = passage(block(), eye, rays).met
    assert 40 < np.count_nonzero(depth) < 360
    assert met[depth > 0.0].all()
    assert not met[depth == 0.0].all()


@pytest.mark.parametrize("opacity", [1e-6, 0.01, 0.2, 0.2499, 0.2501, 0.6, 3.0])
def test_thin_and_thick_pieces_add_up_to_the_same_law(opacity: float) -> None:
    """A piece a sheet, thinner and thicker than the border between the series and the exponential."""
    kappa = torch.full((20, 10, 16), opacity / 0.2)
    eye = (-20.0, 3.0, 5.0)
    rays = towards(eye, (2.6, 3.0, 5.0))
    depth, emitted = march(block(value=kappa), np.array(eye), rays, np.full(1, np.inf, np.float32))
    expected = opacity * 16
    if expected < 16.0:  # behind more than that nothing is looked for
        assert float(depth[0]) == pytest.approx(expected, rel=1e-5)
    else:
        assert float(depth[0]) > 16.0
    assert float(emitted[0]) == pytest.approx(EMISSION * -math.expm1(-expected), rel=3e-6)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), thickness=st.sampled_from([0.02, 0.5, 3.0, 30.0]))
def test_slanting_rays_sum_bilinear_samples_of_their_sheets(seed: int, thickness: float) -> None:
    """Against the sum in double precision, written out sheet by sheet with the exponential of every piece."""
    generator = np.random.default_rng(seed)
    kappa = torch.from_numpy(generator.uniform(0.0, thickness, (20, 10, 16)).astype(np.float32))
    source = generator.uniform(0.0, 500.0 * thickness, (20, 10, 16)).astype(np.float32)
    field = block(value=kappa)
    field.emission_w_per_m3_sr[:] = torch.from_numpy(source)
    eye = np.array([-3.0, *generator.uniform((2.5, 4.0), (3.5, 6.0))])
    ray = towards(tuple(eye), (4.2, *generator.uniform((2.5, 4.0), (3.5, 6.0))))
    depth, emitted = march(field, eye, ray, np.full(1, np.inf, np.float32))
    direction = ray[0].astype(np.float64)
    tau, light = 0.0, 0.0
    for sheet in range(16):
        along = (1.0 + (sheet + 0.5) * 0.2 - eye[0]) / direction[0]
        y, z = ((eye + along * direction - (1.0, 2.0, 3.0)) / 0.2 - 0.5)[1:]
        y, z = min(max(y, 0.0), 9.0), min(max(z, 0.0), 19.0)
        rows, cols = (int(z), min(int(z) + 1, 19)), (int(y), min(int(y) + 1, 9))
        weights = np.outer((1.0 - z % 1.0, z % 1.0), (1.0 - y % 1.0, y % 1.0))
        extinction, glow = (
            float((weights * layer[np.ix_(rows, cols)][..., sheet]).sum())
            for layer in (kappa.numpy(), source)
        )
        piece = extinction * 0.2 / direction[0]
        light += math.exp(-tau) * glow / extinction * -math.expm1(-piece)
        tau += piece
        if tau > 16.0:
            break
    assert float(depth[0]) == pytest.approx(tau, rel=3e-5)
    assert float(emitted[0]) == pytest.approx(light, rel=3e-5)


def test_a_reach_that_holds_the_box_cuts_no_ray_and_a_smaller_one_does() -> None:
    generator = np.random.default_rng(11)
    eye = np.array([-9.0, -4.0, 9.0])
    rays = np.concatenate(
        [towards(tuple(eye), tuple(at)) for at in generator.uniform((1, 2, 3), (4.2, 4, 7), (300, 3))]
    )
    corner_m = math.hypot(1.6, 1.0)  # of the box, from its middle
    lengths = []
    for reach_m in (50.0, corner_m, 0.999 * corner_m, 0.6):
        field = dataclasses.replace(block(), reach_m=(reach_m, reach_m))
        reach = passage(field, eye, rays).reach_m
        lengths.append(np.maximum(reach[:, 1] - reach[:, 0], 0.0))
    np.testing.assert_array_equal(lengths[0], lengths[1])
    np.testing.assert_allclose(lengths[2], lengths[0], atol=0.05)  # continuous where the short way begins
    assert (lengths[2] <= lengths[0] + 1e-12).all()
    assert lengths[3].sum() < 0.9 * lengths[0].sum()
