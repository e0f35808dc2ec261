# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The world drawn through any calibrated camera: a straight-alpha overlay with a confidence for each pixel.

One world state serves every viewpoint (``scene.compose.seen_from``) in either band: LWIR for thermal cameras,
visible for glasses and robots.

Guarantees that no pixel outside the gate's pixel mask is drawn, that a pixel that is not drawn is
exactly (0, 0, 0, 0) with confidence 0, that fire ends at the first modelled or measured surface along each ray, and
that any cause of doubt gives a fully transparent frame. The arrays of an overlay are read-only. Leaves
out the thermal frame behind it: compositing is ``delivery/ar.py``.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vidgen_nodes.generation.appearance import Band, visible_rgba
from vidgen_nodes.generation.debris import FACES, DebrisBox
from vidgen_nodes.generation.finish_kernel import take_away
from vidgen_nodes.generation.march import march, passage
from vidgen_nodes.generation.palette import Palette
from vidgen_nodes.generation.plume import HazardField
from vidgen_nodes.generation.thermal_sensor import ThermalSensor
from vidgen_nodes.packets import (
    BoolArray,
    ByteArray,
    CameraCalibration,
    Float32Array,
    FloatArray,
    Grid,
    Overlay,
    Pose,
)
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.scene.camera import Camera
from vidgen_nodes.scene.gate import pixel_mask
from vidgen_nodes.scene.height_march import march_heights
from vidgen_nodes.scene.measured import measured_depth
from vidgen_nodes.scene.raster import see_boxes

if TYPE_CHECKING:
    from vidgen_nodes.generation.generator import WorldState
    from vidgen_nodes.scene.compose import Scene
    from vidgen_nodes.scene.gate import Gate

_STRIDE_WIDTH_PX = 640  # width that ``render_stride_px`` is meant for
CONFIDENCE_SCALE_PX = 10.0  # placement error at which the confidence has fallen to 1/e
_LEAST_ALPHA = 4  # of 255; fainter pixels are not drawn
_DEBRIS_ALPHA = 235
# Debris lies where the LiDAR measured, which in a hole is under the modelled, intact roof: a surface
# hides a piece only if it is more than this nearer.
_SAG_ALLOWANCE_M = 1.0
# Under an open sky what faces up mirrors its cold: in long waves tops are darker than sides. By more than the few
# kelvin that it is, so that pieces keep their shape.
_COLD_SKY = 0.4
_LIGHT = np.array([0.35, 0.25, 0.9]) / math.sqrt(0.35**2 + 0.25**2 + 0.9**2)  # for the shading of faces

_Rect = tuple[int, int, int, int]  # x0, y0, x1, y1; upper bounds excluded


class Renderer:
    """Draws worlds; keeps nothing from frame to frame."""

    def __init__(self, params: GeneratorParams) -> None:
        self._stride_px = params.render_stride_px
        self._sensor = ThermalSensor(params.sensor_hottest_degc, params.sensor_netd_mk)

    def draw(self, world: WorldState, gate: Gate, scene: Scene, band: Band = Band.LWIR) -> Overlay:
        """Draw what the gate lets be seen from the scene's camera."""
        camera = scene.camera
        if scene.causes or camera is None or not (world.fields or world.debris):
            return _transparent(scene)
        mask = pixel_mask(gate, camera).view(np.uint8)
        x, y, width, height = cv2.boundingRect(mask)
        if width == 0:
            return _transparent(scene)
        rgba = np.zeros((scene.height_px, scene.width_px, 4), dtype=np.uint8)
        view: _Rect = (x, y, x + width, y + height)
        canvas = rgba[y : y + height, x : x + width]
        pieces = _visible_debris(world.debris, scene, gate, camera, band, self._sensor.palette)
        fire_m = min((_distance_m(field, camera.centre_m) for field in world.fields), default=math.inf)
        behind = _paint_debris(canvas, pieces, pieces.away_m >= fire_m, view, camera)
        burning = self._paint_fire(
            rgba, world.fields, view, scene, gate, camera, band, onto_empty=behind is None
        )
        before = _paint_debris(canvas, pieces, pieces.away_m < fire_m, view, camera)
        area = _union([behind, burning, before])
        if area is not None and band is Band.LWIR:
            self._sensor.add_noise(rgba, area, scene.stamp_ns)
        return _finish(rgba, mask, area, scene)

    def _paint_fire(
        self,
        rgba: ByteArray,
        fields: tuple[HazardField, ...],
        view: _Rect,
        scene: Scene,
        gate: Gate,
        camera: Camera,
        band: Band,
        *,
        onto_empty: bool,
    ) -> _Rect | None:
        """March through the fields at low resolution, then blend the enlarged picture over ``rgba``."""
        boxes = [_cut(_box_on_image(field, camera), view) for field in fields]
        area = _union(boxes)
        if area is None:
            return None
        stride = self._stride(camera)
        left, top = area[0] // stride, area[1] // stride
        right, bottom = -(-area[2] // stride), -(-area[3] // stride)
        centre_m, rays = camera.rays(stride, (slice(top, bottom), slice(left, right)))
        shape = rays.shape[:2]
        palette = self._sensor.palette
        small = _seen(fields, scene, gate, centre_m, rays.reshape(-1, 3), band, palette).reshape(*shape, 4)
        large = cv2.resize(small, None, fx=stride, fy=stride, interpolation=cv2.INTER_LINEAR)
        x0, y0 = left * stride, top * stride
        target = rgba[y0 : y0 + large.shape[0], x0 : x0 + large.shape[1]]
        drawn = np.asarray(large[: target.shape[0], : target.shape[1]], dtype=np.uint8)
        if onto_empty:
            target[:] = drawn
        else:
            _blend_over(target, drawn)
        return (x0, y0, x0 + target.shape[1], y0 + target.shape[0])

    def _stride(self, camera: Camera) -> int:
        """A larger picture of the same view gets no more rays: the field has no more to tell."""
        return self._stride_px * max(1, round(camera.width_px / _STRIDE_WIDTH_PX))


def _seen(
    fields: tuple[HazardField, ...],
    scene: Scene,
    gate: Gate,
    centre_m: FloatArray,
    rays: Float32Array,
    band: Band,
    palette: Palette,
) -> ByteArray:
    """RGBA (N, 4) of the fields along rays (N, 3), the nearer over the farther."""
    near_first = sorted(fields, key=lambda item: _distance_m(item, centre_m))
    passages = [passage(item, centre_m, rays) for item in near_first]
    # Most rays of a rectangle pass every plume by: what hides is only asked for the others.
    met = np.flatnonzero(functools.reduce(np.logical_or, [item.met for item in passages]))
    at = np.take(rays, met, axis=0)  # several times as fast as indexing
    ends_m = functools.reduce(np.maximum, [item.reach_m[:, 1] for item in passages])[met]
    depth_m = _depth_m(scene, gate, centre_m, at, ends_m)
    # One ray more, that sees nothing: its colour is that of the others, so that edges do not darken when enlarged.
    optical_depth, radiance = np.zeros((2, len(at) + 1), dtype=np.float32)
    white = np.zeros_like(radiance) if any(item.whiteness > 0.0 for item in fields) else None
    for item, through in zip(near_first, passages, strict=True):
        depth, emitted = march(item, centre_m, at, through.of(met, depth_m), band)
        before = np.exp(-optical_depth[:-1])
        radiance[:-1] += before * emitted
        if white is not None and item.whiteness > 0.0:
            white[:-1] += before * -np.expm1(-depth) * np.float32(item.whiteness)
        optical_depth[:-1] += depth
    colours = (
        _colour(optical_depth, radiance, palette)
        if band is Band.LWIR
        else visible_rgba(optical_depth, radiance, white)
    )
    words = colours.view("<u4")[:, 0]  # a pixel at once
    rgba = np.full(len(rays), words[-1])
    rgba[met] = words[:-1]
    found: ByteArray = rgba.view(np.uint8).reshape(-1, 4)
    return found


def prepare() -> None:
    """Compile or load what is compiled, so that the first frame with something drawn does not wait for it."""
    matrix_px = np.array([[4.0, 0.0, 2.0], [0.0, 4.0, 2.0], [0.0, 0.0, 1.0]])
    calibration = CameraCalibration(0, "", 4, 4, matrix_px, "plumb_bob", np.zeros(0))
    camera = Camera(calibration, Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])))
    see_boxes(np.array([[-1.0, -1.0, 1.0, 1.0, 1.0, 2.0]]), camera)
    centre_m, rays = camera.rays(1)
    rays = rays.reshape(-1, 3)
    layer = torch.zeros((2, 2, 2))
    axis = ((0.0, 0.0, 1.0), (1.0, 1.0), 1.0)
    field = HazardField((-1.0, -1.0, 1.0), 1.0, layer, layer, layer, *axis, layer, layer, 1.0)
    march(field, centre_m, rays, passage(field, centre_m, rays))
    rgba, plain = np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    take_away(rgba.view("<u4")[..., 0], plain, (0, 0, 4, 4), _LEAST_ALPHA << 24, 1, plain)
    march_heights(np.zeros((2, 2), np.float32), Grid(-1.0, -1.0, 1.0, 2, 2), centre_m, rays)


def placement_confidence(sigma_px: float) -> int:
    """Confidence byte of a drawn pixel: 255 exp(-sigma_px / 10), at least 1; 1 where sigma is unknown.

    It says how far the place can be trusted, not how likely a fire is.
    """
    if not math.isfinite(sigma_px):
        return 1
    return max(1, round(255.0 * math.exp(-max(sigma_px, 0.0) / CONFIDENCE_SCALE_PX)))


def _finish(rgba: ByteArray, mask: ByteArray, area: _Rect | None, scene: Scene) -> Overlay:
    """Take away what is outside the mask or too faint, and add the confidence; ``area`` holds all that was painted."""
    if area is None:
        return _transparent(scene)
    words = rgba.view("<u4")[..., 0]  # a pixel at once, alpha in its highest byte
    confidence = np.zeros(rgba.shape[:2], dtype=np.uint8)
    take_away(words, mask, area, _LEAST_ALPHA << 24, placement_confidence(scene.sigma_px), confidence)
    return _overlay(rgba, confidence, scene)


def _overlay(rgba: ByteArray, confidence: ByteArray, scene: Scene) -> Overlay:
    rgba.setflags(write=False)
    confidence.setflags(write=False)
    return Overlay(scene.stamp_ns, scene.frame_id, rgba, confidence, scene.calibration)


def _transparent(scene: Scene) -> Overlay:
    rgba, confidence = _nothing(scene.height_px, scene.width_px)
    return _overlay(rgba, confidence, scene)


@functools.lru_cache(maxsize=4)
def _nothing(height_px: int, width_px: int) -> tuple[ByteArray, ByteArray]:
    return np.zeros((height_px, width_px, 4), dtype=np.uint8), np.zeros((height_px, width_px), dtype=np.uint8)


def _colour(optical_depth: Float32Array, radiance: Float32Array, palette: Palette) -> ByteArray:
    """RGBA (N, 4): alpha is the emissivity 1 - exp(-tau), the colour that of the source's own radiance."""
    alpha = -np.expm1(-optical_depth)
    words = palette.words_of(radiance / np.maximum(alpha, np.float32(1e-6)))
    words |= (alpha * np.float32(255.0)).round().astype("<u4") << np.uint32(24)
    rgba: ByteArray = words.view(np.uint8).reshape(-1, 4)
    return rgba


def _blend_over(below: ByteArray, above: ByteArray) -> None:
    """Straight-alpha ``above`` over ``below``, in place."""
    covered: BoolArray = below[..., 3] > 0
    if not covered.any():
        below[:] = above
        return
    old, new = below[covered].astype(np.float32), above[covered].astype(np.float32)
    share = new[:, 3:] / 255.0
    rest = old[:, 3:] / 255.0 * (1.0 - share)
    alpha = share + rest
    colour = (new[:, :3] * share + old[:, :3] * rest) / np.maximum(alpha, np.float32(1e-6))
    below[:] = above
    below[covered] = np.concatenate((colour, alpha * 255.0), axis=1).round().astype(np.uint8)


def _depth_m(
    scene: Scene, gate: Gate, centre_m: FloatArray, rays: Float32Array, ends_m: FloatArray
) -> Float32Array:
    """How far rays (N, 3) go: to the first surface of the building or of what was measured beside it.

    What was measured beyond ``ends_m`` (N,) is not looked for.
    """
    depth_m = np.full(len(rays), np.inf, dtype=np.float32)
    if scene.building is not None:
        depth_m = scene.building.occlusion_depth(centre_m, rays)
    if scene.uncertainty_map is not None:
        # An open cell hides nothing of what stands in it.
        ends_m = np.minimum(ends_m, depth_m)
        measured_m = measured_depth(scene.uncertainty_map, gate.open_cells, centre_m, rays, ends_m)
        depth_m = np.minimum(depth_m, measured_m)
    return depth_m


def _distance_m(field: HazardField, centre_m: FloatArray) -> float:
    half_m = 0.5 * field.resolution_m
    counts = field.temperature_k.shape[::-1]
    middle_m = [low + half_m * count for low, count in zip(field.origin_m, counts, strict=True)]
    return math.dist(middle_m, centre_m)


def _corners_m(field: HazardField) -> FloatArray:
    counts = np.array(field.temperature_k.shape[::-1], dtype=np.float64)
    bits = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)], dtype=np.float64)
    return np.asarray(np.array(field.origin_m) + bits * counts * field.resolution_m)


def _box_on_image(field: HazardField, camera: Camera) -> _Rect:
    """A rectangle that holds the field's image; the whole image when a corner has no pixel."""
    pixels, depth_m = camera.project(_corners_m(field))
    if not np.all(np.isfinite(pixels)) or depth_m.min() <= 0.0:
        return (0, 0, camera.width_px, camera.height_px)
    # A lens bends the box's edges outwards of its corners: leave room.
    room_px = 2.0 if camera.lens.is_pinhole else 2.0 + 0.1 * float(np.ptp(pixels, axis=0).max())
    low, high = np.floor(pixels.min(axis=0) - room_px), np.ceil(pixels.max(axis=0) + room_px)
    low, high = low.clip(-1e6, 1e6), high.clip(-1e6, 1e6)
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Debris that no surface hides, from far to near."""

    corners_m: FloatArray  # (n, 8, 3)
    facing: BoolArray  # (n, 6) whether the camera sees each of the FACES from outside
    colours_rgb: FloatArray  # (n, 6, 3) of the faces, whole numbers
    away_m: FloatArray  # (n,) from the camera


@functools.lru_cache(maxsize=4)
def _shapes(boxes: tuple[DebrisBox, ...], band: Band, palette: Palette) -> tuple[FloatArray, ...]:
    """What does not depend on the camera, by the identity of the boxes: they stay from map to map.

    Returns:
        Corners (n, 8, 3), middles (n, 3), outward axes (n, 3, 3), half lengths along them (n, 3), and the
        colour of each of the ``FACES`` (n, 6, 3): to the eye its own under a fixed light, in long waves the grey of
        what is as warm as the air.
    """
    corners_m = np.stack([box.corners_m for box in boxes])
    edges_m = corners_m[:, (4, 2, 1)] - corners_m[:, :1]  # along the normals of the face pairs
    lengths_m = np.sqrt((edges_m**2).sum(axis=2))
    axes = edges_m / lengths_m[..., None]
    facing = axes[..., 2] if band is Band.LWIR else axes @ _LIGHT
    turned = np.maximum(
        np.stack((-facing, facing), axis=2).reshape(-1, 6), 0.0
    )  # to the sky, or to the light
    if band is Band.LWIR:
        colours_rgb = np.full((len(boxes), 3), palette.of(np.zeros(1, np.float32))[0], np.float64)
        shade = 1.0 - _COLD_SKY * turned
    else:
        colours_rgb = np.array([box.colour_rgb for box in boxes], dtype=np.float64)
        shade = 0.45 + 0.55 * turned
    colours = (shade[..., None] * colours_rgb[:, None, :]).round()
    return corners_m, corners_m.mean(axis=1), axes, 0.5 * lengths_m, colours


def _visible_debris(
    boxes: tuple[DebrisBox, ...], scene: Scene, gate: Gate, camera: Camera, band: Band, palette: Palette
) -> _Pieces:
    if not boxes:
        return _Pieces(np.empty((0, 8, 3)), np.empty((0, 6), bool), np.empty((0, 6, 3)), np.empty(0))
    corners_m, middles_m, axes, half_m, colours = _shapes(boxes, band, palette)
    towards_m = middles_m - camera.centre_m
    away_m = np.sqrt((towards_m**2).sum(axis=1))
    free_m = _depth_m(scene, gate, camera.centre_m, (towards_m / away_m[:, None]).astype(np.float32), away_m)
    order = np.argsort(-away_m, kind="stable")
    order = order[away_m[order] <= free_m[order] + _SAG_ALLOWANCE_M]
    along_m = -np.einsum("nij,nj->ni", axes, towards_m)  # of the camera, from the middle of the box
    facing = np.stack((along_m < -half_m, along_m > half_m), axis=2).reshape(-1, 6)
    return _Pieces(corners_m[order], facing[order], colours[order], away_m[order])


def _paint_debris(
    canvas: ByteArray, pieces: _Pieces, chosen: BoolArray, view: _Rect, camera: Camera
) -> _Rect | None:
    """Fill the faces that look at the camera; returns what may be painted.

    Args:
        canvas: the part of the picture that ``view`` names.
        pieces: what may be painted.
        chosen: which of them (n,).
        view: in pixels of the picture.
        camera: that looks.
    """
    if not chosen.any():
        return None
    corners_m = pieces.corners_m[chosen]
    pixels = camera.project(corners_m.reshape(-1, 3))[0].reshape(-1, 8, 2) - view[:2]
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    size_px = np.array([view[2] - view[0], view[3] - view[1]])
    shown: BoolArray = ((high >= 0.0) & (low <= size_px)).all(axis=1)  # false for NaN
    if not shown.any():
        return None
    # OpenCV wants 32-bit coordinates; only a piece at the very lens reaches so far.
    corners_px = np.round(np.where(shown[:, None, None], pixels, 0.0).clip(-8000.0, 8000.0)).astype(np.int32)
    quads_px = np.ascontiguousarray(corners_px[:, FACES])  # (n, 6, 4, 2)
    painted = np.nonzero(pieces.facing[chosen] & shown[:, None])  # in order: pieces from far to near
    colours = pieces.colours_rgb[chosen][painted].tolist()
    for quad_px, colour in zip(quads_px[painted], colours, strict=True):
        cv2.fillConvexPoly(canvas, quad_px, (*colour, _DEBRIS_ALPHA))
    x0, y0 = (corners_px[shown].min(axis=(0, 1)) + view[:2]).tolist()
    x1, y1 = (corners_px[shown].max(axis=(0, 1)) + view[:2] + 1).tolist()
    return _cut((x0, y0, x1, y1), view)


def _cut(rect: _Rect | None, by: _Rect) -> _Rect | None:
    if rect is None:
        return None
    x0, y0, x1, y1 = max(rect[0], by[0]), max(rect[1], by[1]), min(rect[2], by[2]), min(rect[3], by[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _union(rects: list[_Rect | None]) -> _Rect | None:
    found = [rect for rect in rects if rect is not None]
    if not found:
        return None
    x0, y0, x1, y1 = zip(*found, strict=True)
    return (min(x0), min(y0), max(x1), max(y1))
