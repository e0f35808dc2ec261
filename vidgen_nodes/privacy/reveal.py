# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons are never hidden by what is drawn: over a warm body the overlay is thin, and the body is outlined.

Done before the overlay is hashed and recorded, so every viewer gets it and anyone can check it. Guarantees: a
pure function of overlay, thermal frame, scene and parameters, with no memory of other frames; no pixel is
drawn that was not, and none is undrawn; where persons could not be told at all (range unknown, or a person
smaller than two pixels) the whole overlay is thin. Leaves out whom ``warm_bodies`` does not find.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle, drawn_patches
from vidgen_nodes.packets import ByteArray, Overlay, ThermalFrame
from vidgen_nodes.params import GeneratorParams
from vidgen_nodes.privacy.resolution import px_per_m
from vidgen_nodes.privacy.warm_bodies import warm_bodies
from vidgen_nodes.scene.compose import Scene

OUTLINE_RGB: Final = (0, 229, 255)  # neither fire nor smoke nor any grey has it
# Persons are looked for patch by patch: what lies between two patches hides nobody, and range differs less within one.
_GAP_PX: Final = 16
_MOST_PATCHES: Final = 6
_OUTLINE: Final = int.from_bytes(bytes((*OUTLINE_RGB, 255)), "little")


def reveal_persons(overlay: Overlay, thermal: ThermalFrame, scene: Scene, params: GeneratorParams) -> Overlay:
    """The overlay with its alpha capped and an outline drawn over warm bodies; the same object if there are none.

    Args:
        overlay: as drawn.
        thermal: the frame it belongs to.
        scene: of that frame, with the thermal camera's pose.
        params: ``person_alpha_cap`` and ``person_polarity``.
    """
    windows = drawn_patches(
        overlay.confidence, _GAP_PX, _MOST_PATCHES
    )  # its confidence is 0 where nothing is drawn
    rgba = None
    for window, scales in zip(windows, px_per_m(scene, windows), strict=True):
        bodies = _bodies(thermal, scales, window, params.person_polarity)
        if bodies is not None and not cv2.countNonZero(bodies):
            continue
        if rgba is None:
            rgba = overlay.rgba.copy()
        left, top, right, bottom = window
        _thin(rgba[top:bottom, left:right], bodies, round(255.0 * params.person_alpha_cap))
    if rgba is None:
        return overlay
    rgba.setflags(write=False)
    return replace(overlay, rgba=rgba)


def _bodies(
    thermal: ThermalFrame, scales: tuple[float, ...], window: Rectangle, polarity: str
) -> ByteArray | None:
    """(H, W) of the window, 1 where a body is; None: nobody can say."""
    if not scales:
        return None
    found = warm_bodies(thermal, scales[0], polarity, window)
    for scale in scales[1:]:
        found = found | warm_bodies(thermal, scale, polarity, window)
    return found


def _thin(part: ByteArray, bodies: ByteArray | None, cap: int) -> None:
    """Cap the alpha of a part of the picture over bodies (everywhere if None), in place, and outline them."""
    if bodies is None:
        np.minimum(part[..., 3], cap, out=part[..., 3])
        return
    x, y, width, height = cv2.boundingRect(bodies)
    # With room for the outline; most of what is drawn lies over nobody.
    around = np.s_[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
    part, bodies = part[around], bodies[around]
    alpha = part[..., 3]
    np.minimum(alpha, cap, out=alpha, where=bodies.view(np.bool_))
    grown = cv2.dilate(bodies, np.ones((3, 3), np.uint8))
    edge = (grown != bodies) & (alpha > 0)
    np.copyto(part.view("<u4")[..., 0], np.uint32(_OUTLINE), where=edge)
