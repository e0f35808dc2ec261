# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.errors import InputError
from vidgen_nodes.scene.camera import Camera, lens_of
from vidgen_nodes.sensing.calibration import COEFFICIENTS, checked_calibration

MODELS = [
    ("plumb_bob", (), 1e-6),
    ("plumb_bob", (0.0, 0.0, 0.0, 0.0, 0.0), 1e-6),
    ("plumb_bob", (-0.28, 0.07, 1e-3, -5e-4, 0.0), 1e-6),
    ("rational_polynomial", (0.2, -0.1, 1e-4, 2e-4, 0.01, 0.3, -0.05, 0.01), 1e-6),
    ("equidistant", (0.0, 0.0, 0.0, 0.0), 1e-6),
    ("equidistant", (0.02, -0.01, 0.003, -0.0005), 1e-6),
]


@pytest.mark.parametrize(("model", "distortion", "tolerance_px"), MODELS)
def test_ray_of_a_pixel_projects_to_the_pixel(make, model, distortion, tolerance_px):
    camera = Camera(
        make.calibration(model=model, distortion=distortion), make.look_at((3.0, -8.0, 9.0), (0, 1, 0))
    )
    x, y = np.meshgrid(np.arange(0.0, 160.0, 7.0), np.arange(0.0, 128.0, 7.0))
    pixels = np.column_stack((x.ravel(), y.ravel()))
    for distance_m in (0.3, 20.0):
        found, depth_m = camera.project(camera.centre_m + distance_m * camera.directions(pixels))
        assert np.abs(found - pixels).max() < tolerance_px
        assert (depth_m > 0).all()
    found, _ = camera.project(camera.centre_m + 20.0 * camera.ray_at(pixels).astype(float))
    assert np.abs(found - pixels).max() < max(tolerance_px, 1e-3)  # single precision


@settings(max_examples=60)
@given(
    position=st.tuples(*[st.floats(-50, 50)] * 3),
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    pixel=st.tuples(st.floats(0, 159), st.floats(0, 127)),
    distance_m=st.floats(0.1, 200.0),
)
def test_round_trip_holds_at_any_pose(make, position, quaternion, pixel, distance_m):
    from vidgen_nodes.packets import Pose

    pose = Pose(np.array(position), np.array(quaternion) / np.linalg.norm(quaternion))
    camera = Camera(make.calibration(), pose)
    direction = camera.directions(np.array([pixel]))
    assert np.linalg.norm(direction) == pytest.approx(1.0, abs=1e-12)
    found, _ = camera.project(camera.centre_m + distance_m * direction)
    assert np.abs(found - pixel).max() < 1e-6


def test_looks_along_its_axis_with_y_down(make):
    camera = Camera(make.calibration(), make.look_at((0.0, -10.0, 2.0), (0.0, 0.0, 2.0)))
    pixels, depth_m = camera.project(np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [0.0, 0.0, 3.0]]))
    assert depth_m == pytest.approx([10.0, 10.0, 10.0])
    assert pixels == pytest.approx(np.array([[79.5, 63.5], [94.5, 63.5], [79.5, 48.5]]))


@pytest.mark.parametrize(("model", "distortion", "tolerance_px"), MODELS)
def test_point_behind_has_no_pixel(make, model, distortion, tolerance_px):
    camera = Camera(
        make.calibration(model=model, distortion=distortion), make.look_at((0.0, -10.0, 2.0), (0.0, 0.0, 2.0))
    )
    points = np.array([[0.0, -20.0, 2.0], [3.0, -10.0, 2.0], [0.0, -10.0, 2.0], [0.0, 0.0, 2.0]])
    pixels, depth_m = camera.project(points)
    assert (depth_m[:3] <= 1e-9).all()
    assert np.isnan(pixels[:3]).all()
    assert np.isfinite(pixels[3]).all()
    assert camera.project(np.empty((0, 3)))[0].shape == (0, 2)


def test_folding_polynomial_does_not_bring_far_points_into_view(make):
    # With k1 = -0.28 alone the image radius r - 0.28 r^3 falls again beyond r = 1.09 and is 0 at r = 1.89.
    camera = Camera(
        make.calibration(model="plumb_bob", distortion=(-0.28, 0.0, 0.0, 0.0)),
        make.look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    )
    pixels, depth_m = camera.project(np.array([[1.85, 1.0, 0.0], [0.3, 1.0, 0.0]]))
    assert (depth_m > 0).all()
    assert np.isnan(pixels[0]).all()
    assert np.isfinite(pixels[1]).all()


def test_pixel_that_the_lens_cannot_show_has_no_ray(make):
    camera = Camera(
        make.calibration(focal=60.0, model="plumb_bob", distortion=(-0.4, 0.0, 0.0, 0.0)),
        make.look_at((0, 0, 0), (0, 1, 0)),
    )
    rays = camera.ray_at(np.array([[0.0, 0.0], [79.5, 63.5]]))
    assert np.isnan(rays[0]).all()
    assert rays[1] == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("stride_px", [1, 4, 7])
def test_rays_go_through_the_centres_of_the_blocks(make, stride_px):
    camera = Camera(
        make.calibration(model="plumb_bob", distortion=(-0.2, 0.05, 0, 0)),
        make.look_at((1, -9, 5), (0, 0, 0)),
    )
    centre, rays = camera.rays(stride_px)
    assert rays.shape == (-(-128 // stride_px), -(-160 // stride_px), 3)
    assert rays.dtype == np.float32
    block = np.array([[2, 3], [5, 9]])  # (row, col)
    pixels = block[:, ::-1] * stride_px + (stride_px - 1) / 2
    assert rays[block[:, 0], block[:, 1]] == pytest.approx(camera.ray_at(pixels), abs=1e-6)
    assert centre == pytest.approx([1, -9, 5])


def test_rays_follow_the_calibration_not_the_object(make):
    pose = make.look_at((1, -9, 5), (0, 0, 0))
    narrow, wide = (Camera(make.calibration(focal=f), pose).rays(4)[1] for f in (300.0, 150.0))
    again = Camera(make.calibration(focal=300.0), pose).rays(4)[1]
    assert np.array_equal(narrow, again)
    assert not np.allclose(narrow, wide)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "kannala"}, "kannala"),
        ({"distortion": (0.1,)}, "got 1 coefficients"),
        ({"model": "equidistant", "distortion": ()}, "expected 4"),
        ({"focal": 0.0}, "focal"),
        ({"focal": float("nan")}, "finite"),
    ],
)
def test_bad_calibration_is_refused_by_name(make, change, words):
    with pytest.raises(InputError, match=words) as refusal:
        Camera(make.calibration(**change), make.look_at((1, -9, 5), (0, 0, 0)))
    assert refusal.value.reason == "bad_camera_info"


def numpy_pixels(tangents, matrix, model, distortion):
    """The lens models as their papers write them (Brown; Kannala and Brandt), apart from OpenCV."""
    x, y = tangents.T
    if model == "equidistant":
        r = np.hypot(x, y)
        theta = np.arctan(r)
        k = distortion
        bent = theta * (1 + k[0] * theta**2 + k[1] * theta**4 + k[2] * theta**6 + k[3] * theta**8)
        factor = np.where(r > 1e-12, bent / np.maximum(r, 1e-12), 1.0)
        xd, yd = x * factor, y * factor
    else:
        k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = np.pad(
            np.asarray(distortion, float), (0, 12 - len(distortion))
        )
        r2 = x * x + y * y
        radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
        xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + s1 * r2 + s2 * r2**2
        yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + s3 * r2 + s4 * r2**2
    return np.column_stack((matrix[0, 0] * xd + matrix[0, 2], matrix[1, 1] * yd + matrix[1, 2]))


LENSES = [(model, distortion) for model, distortion, _ in MODELS] + [
    ("plumb_bob", (-0.38, 0.16, 1e-3, -5e-4, -0.03)),
    ("rational_polynomial", (0.2, -0.1, 1e-4, 2e-4, 0.01, 0.3, -0.05, 0.01, 1e-3, -1e-4, 2e-3, 1e-4)),
]


@pytest.mark.parametrize(("model", "distortion"), LENSES)
@pytest.mark.parametrize("focal", [150.0, 702.0])
def test_lens_models_are_right_to_a_millionth_of_a_pixel(make, model, distortion, focal):
    calibration = make.calibration(focal=focal, model=model, distortion=distortion)
    lens = lens_of(calibration)
    x, y = np.meshgrid(np.linspace(0, 159, 33), np.linspace(0, 127, 29))
    pixels = np.column_stack((x.ravel(), y.ravel()))
    tangents = lens.undistort(pixels)
    assert np.isfinite(tangents).all()
    assert np.abs(numpy_pixels(tangents, calibration.matrix_px, model, distortion) - pixels).max() <= 1.1e-6
    assert np.abs(lens.distort(tangents) - pixels).max() <= 1.1e-6


def test_rays_near_the_fold_of_a_strong_lens_are_found_and_none_beyond_it(make):
    # r (1 - 0.3 r^2) turns at r = 1 / sqrt(0.9), where it is 2 / 3 of that.
    lens = lens_of(make.calibration(focal=60.0, model="plumb_bob", distortion=(-0.3, 0.0, 0.0, 0.0, 0.0)))
    fold = 60.0 * (2.0 / 3.0) / np.sqrt(0.9)
    radii = np.array([0.5, 0.99, 0.9999, 1.0001, 1.2]) * fold
    tangents = lens.undistort(np.column_stack((79.5 + radii, np.full(5, 63.5))))
    assert np.isfinite(tangents).all(axis=1).tolist() == [True, True, True, False, False]
    assert (tangents[:3, 0] < 1.0 / np.sqrt(0.9)).all()  # on the near side of the fold


@settings(max_examples=200)
@given(
    model=st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant"]),
    size=st.sampled_from([0, 4, 5, 8, 12, 14]),
    coefficient=st.floats(-1e6, 1e6),
    focal=st.floats(1.3, 1e5),
)
def test_any_lens_gives_rays_that_come_back_or_none(make, model, size, coefficient, focal):
    calibration = make.calibration(focal=focal, model=model, distortion=(coefficient,) * size)
    try:
        lens = lens_of(calibration)
    except InputError:
        return
    pixels = np.array([[0.0, 0.0], [159.0, 127.0], [79.5, 63.5], [80.0, 10.0]])
    tangents = lens.undistort(pixels)
    seen = np.isfinite(tangents).all(axis=1)
    assert np.abs(lens.distort(tangents[seen]) - pixels[seen]).max(initial=0.0) <= 1.1e-6


def test_every_lens_that_comes_in_can_be_drawn_with(make):
    for model, sizes in COEFFICIENTS.items():
        for size in sizes:
            checked = checked_calibration(
                1, "c", (160, 128), (150, 0, 80, 0, 150, 64, 0, 0, 1), model, (0.01,) * size
            )
            Camera(checked, make.look_at((1, -9, 5), (0, 0, 0)))
