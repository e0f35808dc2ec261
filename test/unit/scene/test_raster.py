# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.raster import see_boxes

LENSES = [
    ("plumb_bob", ()),
    ("plumb_bob", (-0.28, 0.07, 1e-3, -5e-4, 0.0)),
    ("rational_polynomial", (0.2, -0.1, 1e-4, 2e-4, 0.01, 0.3, -0.05, 0.01)),
    ("equidistant", (0.02, -0.01, 0.003, -0.0005)),
]


def rays_of_all_pixels(camera, shift=(0.0, 0.0)):
    x, y = np.meshgrid(np.arange(camera.width_px) + shift[0], np.arange(camera.height_px) + shift[1])
    return camera.directions(np.column_stack((x.ravel(), y.ravel())))


def meets_each(camera, rays, boxes):
    """(boxes, H, W): whether each pixel's ray meets each box, one face at a time."""
    centre = camera.centre_m
    found = np.zeros((len(boxes), len(rays)), bool)
    for index, box in enumerate(boxes):
        found[index] = bool(((box[:3] <= centre) & (centre <= box[3:])).all())
        for axis in range(3):
            others = [other for other in range(3) if other != axis]
            for face in (box[axis], box[axis + 3]):
                with np.errstate(all="ignore"):
                    along = (face - centre[axis]) / rays[:, axis]
                    at = centre[others] + along[:, None] * rays[:, others]
                    on_face = ((at >= box[others]) & (at <= box[[other + 3 for other in others]])).all(axis=1)
                    found[index] |= on_face & (along > 0) & np.isfinite(along)
    return found.reshape(len(boxes), camera.height_px, camera.width_px)


def a_camera(make, lens, position, target, size=(80, 64), focal=70.0):
    calibration = make.calibration(*size, focal, lens[0], lens[1])
    return Camera(calibration, make.look_at(position, target))


@settings(max_examples=70)
@given(
    seed=st.integers(0, 10**9),
    lens=st.sampled_from(LENSES),
    focal=st.sampled_from((25.0, 70.0, 300.0)),
    close=st.booleans(),
)
def test_no_pixel_too_many_and_none_missing_but_at_silhouettes(make, seed, lens, focal, close):
    rng = np.random.default_rng(seed)
    position = rng.uniform((-6, -6, -1), (6, 6, 8)) * (0.5 if close else 2.0)
    camera = a_camera(make, lens, position, rng.uniform((-3, -3, 0), (3, 3, 3)), focal=focal)
    low = rng.uniform((-4, -4, 0), (3, 3, 3), (rng.integers(1, 12), 3))
    if rng.random() < 0.5:
        low[:, :2] = np.round(low[:, :2] * 2) / 2  # as cells: shared faces
    boxes = np.hstack(
        (low, low + np.where(rng.random(low.shape) < 0.5, 0.5, rng.uniform(0.05, 5, low.shape)))
    )
    mask = see_boxes(boxes, camera)
    assert mask.shape == (64, 80)
    met = meets_each(camera, rays_of_all_pixels(camera), boxes)
    assert not (mask & ~met.any(axis=0)).any()
    if np.abs(boxes.reshape(-1, 2, 3) - position).min() < 0.2:
        return  # so close that the near plane cuts off what can be seen
    # A convex box that holds the pixel's surroundings is not only touched: the pixel must be there.
    margin_px = 0.05 if not lens[1] else 2.5
    for shift in ((margin_px, 0), (-margin_px, 0), (0, margin_px), (0, -margin_px)):
        met &= meets_each(camera, rays_of_all_pixels(camera, shift), boxes)
    if lens[1]:
        tangents = camera.lens.undistort(
            np.stack(np.meshgrid(np.arange(80), np.arange(64)), 2).reshape(-1, 2)
        )
        met &= (np.abs(tangents).max(axis=1) < 3.9).reshape(64, 80)
    assert not (met.any(axis=0) & ~mask).any()


@pytest.mark.parametrize("lens", LENSES)
def test_gap_thinner_than_a_pixel_does_not_close(make, lens):
    # Two plates leave a slit of 0.02 m, 0.14 px wide here: pixel centres in the slit stay out.
    camera = a_camera(make, lens, (0.0, 0.0, 10.0), (0.0, 0.0, 0.0), (160, 128), 70.0)
    slit_m = camera.centre_m[2] / 70.0 * 0.5  # the centre of pixel column 79.5 +- 0.5
    boxes = np.array([[-9, -9, -1, slit_m - 0.01, 9, 0], [slit_m + 0.01, -9, -1, 9, 9, 0.0]])
    mask = see_boxes(boxes, camera)
    met = meets_each(camera, rays_of_all_pixels(camera), boxes).any(axis=0)
    assert not (mask & ~met).any()
    row = mask[64, 70:90]
    assert row.sum() >= 18  # the slit takes away the pixels beside it at most, not the plates
    assert met.sum() - mask.sum() <= (0 if not lens[1] else 2 * 128 + 2 * 160)


@pytest.mark.parametrize("lens", LENSES)
def test_shared_faces_leave_no_crack(make, lens):
    camera = a_camera(make, lens, (0.3, 0.2, 10.0), (0.0, 0.1, 0.0), (160, 128), 70.0)
    corners = np.array([(x, y) for x in np.arange(-6, 6, 0.5) for y in np.arange(-6, 6, 0.5)])
    boxes = np.column_stack((corners, np.zeros(len(corners)), corners + 0.5, np.full(len(corners), 0.6)))
    one = np.array([[-6, -6, 0, 6, 6, 0.6]])
    assert (see_boxes(one, camera) & ~see_boxes(boxes, camera)).sum() <= (0 if not lens[1] else 40)


@pytest.mark.parametrize("lens", LENSES)
def test_camera_inside_a_box_sees_it_everywhere(make, lens):
    camera = a_camera(make, lens, (0.0, 0.0, 2.0), (1.0, 1.0, 2.0))
    assert see_boxes(np.array([[-1.0, -1, 0, 1, 1, 9]]), camera).all()


@pytest.mark.parametrize("lens", LENSES)
def test_box_behind_is_not_seen(make, lens):
    camera = a_camera(make, lens, (0.0, 0.0, 2.0), (1.0, 0.0, 2.0))
    assert not see_boxes(np.array([[-9.0, -9, 0, -0.5, 9, 9]]), camera).any()
    assert not see_boxes(np.empty((0, 6)), camera).any()


def test_box_across_the_camera_plane_is_cut(make):
    camera = a_camera(make, LENSES[0], (0.03, 0.17, 5.02), (10.0, 0.4, 4.9))
    boxes = np.array([[-8.0, -3.0, 0.0, 8.0, 3.0, 4.0]])
    mask = see_boxes(boxes, camera)
    met = meets_each(camera, rays_of_all_pixels(camera), boxes)[0]
    assert met[63].any()
    assert (mask != met).sum() <= 4  # within the margin of the silhouette
    assert not (mask & ~met).any()
