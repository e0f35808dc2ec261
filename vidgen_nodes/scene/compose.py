# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One bundle, one building and one scenario become the scene of a frame.

Guarantees: whatever a frame needs and does not have is named in ``causes``, and any cause closes the
gate. Leaves out: a missing building, which is no cause of its own: it forbids flames, not debris.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidgen_nodes.errors import InputError
from vidgen_nodes.packets import Bundle, CameraCalibration, Cause, Pose, Scenario, UncertaintyMap
from vidgen_nodes.scene.building import Building
from vidgen_nodes.scene.camera import Camera

_MAP_CAUSES = frozenset((Cause.NO_MAP, Cause.MAP_STALE, Cause.MAP_MISSING))
_POSE_CAUSES = frozenset(
    (Cause.NO_POSE, Cause.POSE_STALE, Cause.RTK_LOST, Cause.NO_GIMBAL, Cause.GIMBAL_STALE)
)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that decides what may be drawn in one frame."""

    stamp_ns: int
    frame_id: str
    width_px: int
    height_px: int
    calibration: CameraCalibration | None
    camera: Camera | None  # None unless calibration and pose are known and fit the image
    uncertainty_map: UncertaintyMap | None
    building: Building | None
    scenario: Scenario | None
    causes: tuple[Cause, ...]  # in the order found, each once; any of them closes the gate
    sigma_px: float  # expected placement error, 1 sigma; NaN without pose
    review: bytes = (
        b""  # signed statement by which the scenario was validated; empty: none, and none is asked
    )


def seen_from(scene: Scene, calibration: CameraCalibration, map_T_camera: Pose, sigma_px: float) -> Scene:
    """The same moment through another camera: glasses, a robot, a second drone.

    Args:
        scene: of the thermal frame; its causes hold for every viewer.
        calibration: of the viewer; its frame id and size are those of the picture.
        map_T_camera: its optical frame (z forward) in ``map``.
        sigma_px: expected placement error for it, 1 sigma; NaN unknown.

    Raises:
        InputError: ``bad_camera_info``.
    """
    return replace(
        scene,
        frame_id=calibration.frame_id,
        width_px=calibration.width_px,
        height_px=calibration.height_px,
        calibration=calibration,
        camera=Camera(calibration, map_T_camera),
        sigma_px=sigma_px,
    )


def compose_scene(
    bundle: Bundle, building: Building | None, scenario: Scenario | None, review: bytes | None = b""
) -> Scene:
    """Put together what one frame is drawn from; never raises, doubts become causes.

    Args:
        bundle: one thermal frame and what is known at it.
        building: the model; None: no flame.
        scenario: None: nothing is drawn.
        review: signed statement by which the scenario was validated; empty: none is asked; None: one is asked
            and there is none that holds.
    """
    thermal = bundle.thermal
    height_px, width_px = thermal.pixels.shape[:2]
    calibration = thermal.calibration
    causes = list(bundle.causes)
    if thermal.frozen:
        causes.append(Cause.FROZEN_THERMAL)
    if calibration is None:
        causes.append(Cause.NO_CAMERA_INFO)
    elif (calibration.width_px, calibration.height_px) != (width_px, height_px):
        causes.append(Cause.CAMERA_INFO_MISMATCH)
    if bundle.map_T_camera is None and not _POSE_CAUSES.intersection(causes):
        causes.append(Cause.NO_POSE)
    if bundle.uncertainty_map is None and not _MAP_CAUSES.intersection(causes):
        causes.append(Cause.NO_MAP)
    if scenario is None:
        causes.append(Cause.NO_SCENARIO)
    elif review is None:
        causes.append(Cause.NOT_REVIEWED)
    camera = None
    if (
        calibration is not None
        and bundle.map_T_camera is not None
        and Cause.CAMERA_INFO_MISMATCH not in causes
    ):
        try:
            camera = Camera(calibration, bundle.map_T_camera)
        except InputError:
            causes.append(Cause.NO_CAMERA_INFO)  # a calibration that cannot be used is none
    return Scene(
        stamp_ns=bundle.stamp_ns,
        frame_id=thermal.frame_id,
        width_px=width_px,
        height_px=height_px,
        calibration=calibration,
        camera=camera,
        uncertainty_map=bundle.uncertainty_map,
        building=building,
        scenario=scenario,
        causes=tuple(dict.fromkeys(causes)),
        sigma_px=bundle.sigma_px,
        review=review or b"",
    )
