# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of sync_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class SyncParams(Checked):
    """sync_node: logical latencies, limits of age, and where the camera sits."""

    nav_delay_ms: float = param(
        15.0, "A navigation state takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    map_delay_ms: float = param(
        300.0, "An uncertainty map takes effect this long after its stamp.", unit="ms", low=0.0, high=5000.0
    )
    pose_stale_ms: float = param(
        200.0,
        "Navigation older than this at the thermal stamp hides the overlay.",
        unit="ms",
        low=1.0,
        high=10000.0,
    )
    pose_old_ms: float = param(
        50.0,
        "Navigation older than this at the thermal stamp marks the frame.",
        unit="ms",
        low=1.0,
        high=10000.0,
    )
    map_stale_ms: float = param(
        2000.0, "A map older than this hides the overlay.", unit="ms", low=1.0, high=60000.0
    )
    require_rtk: bool = param(True, "Hide the overlay unless an RTK-fixed position is recent.")
    rtk_stale_ms: float = param(
        1000.0, "An RTK-fixed position older than this counts as lost.", unit="ms", low=1.0, high=60000.0
    )
    clock_jump_ms: float = param(
        1000.0,
        "A thermal stamp this far behind the newest one starts a new segment.",
        unit="ms",
        low=1.0,
        high=1e7,
    )
    overtaken_ms: float = param(
        200.0,
        "A thermal frame that younger ones overtook still yields its bundle if it is at most this far behind.",
        unit="ms",
        low=0.0,
        high=10000.0,
    )
    replay_wait_ms: float = param(
        0.0,
        "Hold a frame until the inputs that count for it have come, at most so long (clock time). "
        "0 when live: the live path waits for nothing. Replay uses it so that a busy machine changes no frame.",
        unit="ms",
        low=0.0,
        high=60000.0,
    )
    replay_inputs: str = param(
        "",
        "Inputs that replay_wait_ms waits for even before the first of their kind came: those in the recording.",
        choices=("", "nav", "map", "nav,map", "nav,gimbal", "nav,map,gimbal"),
    )
    thermal_time_source: str = param(
        "header",
        "What time a thermal frame tells: that of its stamp, or of its arrival (less the transport's jitter).",
        choices=("header", "arrival"),
    )
    nav_time_source: str = param("header", "The same for navigation states.", choices=("header", "arrival"))
    map_time_source: str = param("header", "The same for uncertainty maps.", choices=("header", "arrival"))
    arrival_delays_ms: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0],
        "Least time from measuring to arriving of thermal frames, navigation states, maps; for time source arrival.",
        unit="ms",
    )
    clock_offset: str = param(
        "apply",
        "Constant offset of the camera's clock against navigation's: estimated from how the picture turns with the "
        "drone and taken out once it is known well, only measured, or not looked for (never with camera_on_gimbal: "
        "its picture does not turn with the drone).",
        choices=("apply", "measure", "off"),
    )
    clock_offset_sigma_ms: float = param(
        1.0,
        "An estimated offset is used once its own 1 sigma is this small.",
        unit="ms",
        low=0.01,
        high=100.0,
    )
    clock_offset_search_ms: float = param(
        100.0,
        "Offsets up to this, either way, are looked for; further ones where the arrival of messages shows them.",
        unit="ms",
        low=20.0,
        high=1000.0,
    )
    camera_on_gimbal: bool = param(
        False,
        "A gimbal turns the camera: where it looks comes from drone/gimbal_state, and without a recent attitude the "
        "overlay is hidden (no_gimbal, gimbal_stale).",
    )
    camera_translation_m: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0],
        "Thermal camera in base_link (FLU); with camera_on_gimbal: the point about which the gimbal turns.",
        unit="m",
    )
    camera_rpy_deg: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0],
        "Roll, pitch, yaw of the camera body (FLU, x along the optical axis) in base_link; pitch 45 looks down by 45. "
        "With camera_on_gimbal: in the body whose attitude the gimbal reports, 0 where that is the camera's.",
        unit="deg",
    )
    gimbal_lens_m: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "Lens of the camera from the gimbal's pivot, in the turned body (FLU).", unit="m"
    )
    gimbal_delay_ms: float = param(
        50.0,
        "A gimbal attitude takes effect this long after its stamp.",
        unit="ms",
        low=0.0,
        high=1000.0,
    )
    gimbal_stale_ms: float = param(
        300.0,
        "A gimbal attitude older than this at the thermal stamp hides the overlay.",
        unit="ms",
        low=1.0,
        high=10000.0,
    )
    gimbal_sigma_deg: float = param(
        0.3, "Error of the angles that the gimbal reports, per axis, 1 sigma.", unit="deg", low=0.0, high=45.0
    )
    boresight_sigma_deg: float = param(
        0.1, "Calibration error of the camera angles, 1 sigma.", unit="deg", low=0.0, high=10.0
    )
    time_sigma_ms: float = param(
        1.0, "Error of the thermal stamps against navigation, 1 sigma.", unit="ms", low=0.0, high=1000.0
    )
    typical_range_m: float = param(
        30.0, "Distance at which sigma_px is stated when no map is in force.", unit="m", low=0.1, high=10000.0
    )
