# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every node: default, unit, range and meaning, in one frozen dataclass per node.

The nodes declare their ROS parameters from these (``ros/node.py``), the offline renderer builds the
same objects from the same YAML, and tests hold ``config/vidgen.yaml`` and the README against them.
A value out of range is refused, never clamped.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from vidgen_nodes.errors import ConfigError

P = TypeVar("P")


def param(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field with what a ROS ``ParameterDescriptor`` needs. Bounds are inclusive."""
    metadata = {"doc": doc, "unit": unit, "low": low, "high": high, "choices": choices}
    if isinstance(default, list):
        default = tuple(default)
    return field(default=default, metadata=metadata)


class _Checked:
    """Refuses values of the wrong type, out of range or not among the choices."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            name = f"{type(self).__name__}.{item.name}"
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, item.name, value)
            if isinstance(item.default, float) and type(value) is int:
                value = float(value)
                object.__setattr__(self, item.name, value)
            if isinstance(item.default, tuple):
                if not isinstance(value, tuple) or len(value) != len(item.default):
                    raise ConfigError(f"{name}: got {value!r}, expected {len(item.default)} numbers")
                if any(type(v) not in (int, float) or not math.isfinite(v) for v in value):
                    raise ConfigError(f"{name}: got {value!r}, expected finite numbers")
                object.__setattr__(self, item.name, tuple(float(v) for v in value))
            elif type(value) is not type(item.default):
                raise ConfigError(
                    f"{name}: got {value!r} ({type(value).__name__}), expected {type(item.default).__name__}"
                )
            self._check_range(name, value, item.metadata)

    @staticmethod
    def _check_range(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
        low, high, choices = metadata["low"], metadata["high"], metadata["choices"]
        unit = f" {metadata['unit']}" if metadata["unit"] else ""
        if choices and value not in choices:
            raise ConfigError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            raise ConfigError(f"{name}: got {value}{unit}, expected {low} to {high}{unit}")


@dataclass(frozen=True, slots=True)
class ThermalParams(_Checked):
    """thermal_node: what the counts mean and when a calibration counts."""

    radiometry: str = param(
        "auto",
        "What counts mean: linear (scale and offset below), none (no temperature is ever claimed), "
        "auto (linear for mono16/16UC1 when scale is set, kelvin for 32FC1, none for 8-bit).",
        choices=("auto", "linear", "none"),
    )
    scale_k_per_count: float = param(
        0.01, "Kelvin per count of a linear camera.", unit="K", low=1e-6, high=10.0
    )
    offset_k: float = param(0.0, "Kelvin at count 0 of a linear camera.", unit="K", low=-1000.0, high=1000.0)
    camera_info_delay_ms: float = param(
        20.0, "A camera_info takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    frozen_frames: int = param(
        5,
        "So many pixel-identical frames in a row mean that the camera hangs; 0 turns the check off.",
        low=0,
        high=1000,
    )


@dataclass(frozen=True, slots=True)
class RtkParams(_Checked):
    """rtk_node: datum, antenna and filter."""

    datum_latitude_deg: float = param(
        math.nan, "Latitude of the origin of map; NaN: the first fix becomes the datum.", unit="deg"
    )
    datum_longitude_deg: float = param(
        math.nan, "Longitude of the origin of map; NaN: the first fix.", unit="deg"
    )
    datum_altitude_m: float = param(
        math.nan, "Height of the origin of map, in height_datum; NaN: the first fix.", unit="m"
    )
    height_datum: str = param(
        "ellipsoidal",
        "What NavSatFix.altitude and the datum height mean.",
        choices=("ellipsoidal", "orthometric"),
    )
    antenna_m: tuple[float, float, float] = param([0.0, 0.0, 0.0], "Antenna in base_link (FLU).", unit="m")
    fix_delay_ms: float = param(
        40.0, "A fix takes effect this long after its stamp.", unit="ms", low=0.0, high=1000.0
    )
    output_rate_hz: float = param(100.0, "At most so many states a second.", unit="Hz", low=1.0, high=1000.0)
    acceleration_noise_mps2: float = param(
        0.3, "White noise on the accelerometer that the filter assumes.", unit="m/s^2", low=1e-4, high=100.0
    )
    outlier_gate_sigma: float = param(
        5.0, "Fixes further off than this many sigma are refused.", low=1.0, high=100.0
    )
    orientation_sigma_deg: tuple[float, float] = param(
        [0.2, 0.5], "Error of the IMU's orientation, 1 sigma: tilt, heading.", unit="deg"
    )


@dataclass(frozen=True, slots=True)
class LidarParams(_Checked):
    """lidar_node: where the LiDAR sits and how the map is cut."""

    lidar_translation_m: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "LiDAR in base_link (FLU).", unit="m"
    )
    lidar_rpy_deg: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "Roll, pitch, yaw of the LiDAR in base_link.", unit="deg"
    )
    map_center_m: tuple[float, float] = param(
        [0.0, 0.0], "Centre of the map window, east and north.", unit="m"
    )
    map_size_m: float = param(40.0, "Edge of the square map window.", unit="m", low=1.0, high=2000.0)
    resolution_m: float = param(0.5, "Edge of a cell.", unit="m", low=0.02, high=10.0)
    sensor_sigma_m: float = param(0.02, "Range noise of the LiDAR, 1 sigma.", unit="m", low=1e-4, high=1.0)
    min_range_m: float = param(0.5, "Nearer returns are refused.", unit="m", low=0.0, high=1000.0)
    max_range_m: float = param(120.0, "Farther returns are refused.", unit="m", low=1.0, high=10000.0)
    pose_wait_ms: float = param(
        150.0,
        "A scan waits at most this long (event time) for the pose at its stamp.",
        unit="ms",
        low=0.0,
        high=2000.0,
    )
    building_file: str = param(
        "", "Building YAML whose roofs are the baseline of the map; empty: no baseline."
    )


@dataclass(frozen=True, slots=True)
class SyncParams(_Checked):
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
        choices=("", "nav", "map", "nav,map"),
    )
    camera_translation_m: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0], "Thermal camera in base_link (FLU).", unit="m"
    )
    camera_rpy_deg: tuple[float, float, float] = param(
        [0.0, 0.0, 0.0],
        "Roll, pitch, yaw of the camera body (FLU, x along the optical axis) in base_link; pitch 45 looks down by 45.",
        unit="deg",
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


@dataclass(frozen=True, slots=True)
class GeneratorParams(_Checked):
    """generator_node: what may be drawn where, how the world steps, and where the ledger lies."""

    mission: str = param("unnamed", "Name of the run; part of every record.")
    origin: str = param("live", "Where the sensor streams come from.", choices=("live", "sim", "replay"))
    scenario_file: str = param("", "Scenario YAML; empty: no scenario, nothing is drawn.")
    scenario_start_ns: int = param(
        0, "Event time of scenario second 0; 0: the stamp of the first bundle.", unit="ns", low=0
    )
    building_file: str = param("", "Building YAML (surfaces and materials); empty: no building, no flame.")
    ledger: str = param("vidgen_out/ledger.db", "Ledger file; made if missing, continued if present.")
    segment_file: str = param(
        "",
        "What is being replayed, for the leaf that opens the ledger (see custody/segment_file.py); empty: none.",
    )
    world_tick_ms: float = param(
        50.0, "The world steps on this grid of event time.", unit="ms", low=5.0, high=1000.0
    )
    field_resolution_m: float = param(
        0.15, "Edge of a voxel of the hazard field.", unit="m", low=0.02, high=2.0
    )
    render_stride_px: int = param(
        4, "Rays are cast every so many pixels and interpolated between.", low=1, high=32
    )
    tau_uncertainty: float = param(
        0.5, "Obstacles only over cells with structural uncertainty at or above this.", low=0.0, high=1.0
    )
    min_observations: int = param(5, "... that so many returns confirm.", low=1, high=65535)
    cell_fresh_ms: float = param(
        3000.0, "... the newest of which is not older than this.", unit="ms", low=1.0, high=3600000.0
    )
    flame_standoff_m: float = param(
        0.75, "How far a flame may stand off a combustible cell it burns from.", unit="m", low=0.0, high=5.0
    )
    audit_pixels: int = param(
        96,
        "So many drawn pixels per frame are checked against the gate by an independent ray test.",
        low=1,
        high=4000000,
    )


@dataclass(frozen=True, slots=True)
class ArParams(_Checked):
    """ar_node: streams for glasses and ground stations."""

    compressed_rate_hz: float = param(10.0, "PNG streams at most so often.", unit="Hz", low=0.1, high=60.0)
    marker_rate_hz: float = param(
        5.0, "World-locked markers at most so often.", unit="Hz", low=0.1, high=60.0
    )
    marker_lifetime_s: float = param(1.0, "Markers vanish after this.", unit="s", low=0.1, high=60.0)


@dataclass(frozen=True, slots=True)
class RobotParams(_Checked):
    """robot_node: advisory masks for planners."""

    publish_rate_hz: float = param(
        1.0, "Masks at most so often, and on change.", unit="Hz", low=0.1, high=20.0
    )
    keepout_kw_per_m2: float = param(
        2.5,
        "Radiant flux at or above this is keep-out (tenability limit for people).",
        unit="kW/m^2",
        low=0.1,
        high=100.0,
    )
    slow_kw_per_m2: float = param(
        1.0, "Radiant flux at or above this asks for slow travel.", unit="kW/m^2", low=0.01, high=100.0
    )
    slow_percent: float = param(
        30.0, "Speed limit in slow cells, share of the full speed.", unit="%", low=1.0, high=100.0
    )
    publish_hazard_points: bool = param(False, "Also publish robot/hazard_points (opt-in).")


@dataclass(frozen=True, slots=True)
class CustodyParams(_Checked):
    """custody_node: the auditor beside the writer."""

    ledger: str = param("vidgen_out/ledger.db", "Ledger file that the generator writes; read only here.")
    audit_period_s: float = param(
        1.0, "New leaves are re-checked this often.", unit="s", low=0.1, high=3600.0
    )


@dataclass(frozen=True, slots=True)
class SimParams(_Checked):
    """sim_node: the built-in flight."""

    seed: int = param(1, "Seed of every random number of the flight.", low=0)
    duration_s: float = param(0.0, "Stop publishing after this; 0: fly on.", unit="s", low=0.0, high=1e6)
    thermal_rate_hz: float = param(50.0, "Thermal frames.", unit="Hz", low=1.0, high=60.0)
    imu_rate_hz: float = param(200.0, "IMU samples.", unit="Hz", low=10.0, high=1000.0)
    fix_rate_hz: float = param(10.0, "Position fixes.", unit="Hz", low=0.5, high=50.0)
    lidar_rate_hz: float = param(10.0, "LiDAR scans.", unit="Hz", low=0.5, high=20.0)
    lidar_points: int = param(30000, "Points of a scan.", low=100, high=1000000)
    jitter_ms: float = param(
        0.0, "Uniform jitter on the stamps, plus or minus.", unit="ms", low=0.0, high=100.0
    )
    drop_fraction: float = param(0.0, "Share of messages lost, each stream alike.", low=0.0, high=1.0)
    reorder_fraction: float = param(0.0, "Share of messages swapped with their successor.", low=0.0, high=1.0)
    thermal_clock_offset_ms: float = param(
        0.0, "The thermal camera's clock is ahead by this.", unit="ms", low=-10000.0, high=10000.0
    )


@dataclass(frozen=True, slots=True)
class NodeParams:
    """The parameters of the whole graph; field names are node names less ``_node``."""

    thermal: ThermalParams = field(default_factory=ThermalParams)
    rtk: RtkParams = field(default_factory=RtkParams)
    lidar: LidarParams = field(default_factory=LidarParams)
    sync: SyncParams = field(default_factory=SyncParams)
    generator: GeneratorParams = field(default_factory=GeneratorParams)
    ar: ArParams = field(default_factory=ArParams)
    robot: RobotParams = field(default_factory=RobotParams)
    custody: CustodyParams = field(default_factory=CustodyParams)
    sim: SimParams = field(default_factory=SimParams)


def make_params(cls: type[P], values: Mapping[str, Any]) -> P:
    """Build one parameter object.

    Raises:
        ConfigError: unknown name (the nearest known ones are listed), wrong type or range.
    """
    known = {item.name for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"{cls.__name__}: unknown parameter {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )
    return cls(**values)


def load_node_params(
    files: Sequence[Path], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> NodeParams:
    """Defaults, then each file in turn (ROS parameter YAML), then ``{node: {name: value}}``.

    Args:
        files: YAML in the form ``/**/thermal_node: {ros__parameters: {...}}``.
        overrides: by node name without ``_node``.

    Raises:
        ConfigError: a file that cannot be read, an unknown node or parameter, a bad value.
    """
    merged: dict[str, dict[str, Any]] = {item.name: {} for item in dataclasses.fields(NodeParams)}
    for path in files:
        for node, values in _read_ros_yaml(path).items():
            if node not in merged:
                raise ConfigError(f"{path}: unknown node {node}_node; known: {', '.join(merged)}")
            merged[node].update(values)
    for node, settings in (overrides or {}).items():
        if node not in merged:
            raise ConfigError(f"override for unknown node {node!r}; known: {', '.join(merged)}")
        merged[node].update(settings)
    built = {
        item.name: make_params(type(getattr(NodeParams(), item.name)), merged[item.name])
        for item in dataclasses.fields(NodeParams)
    }
    return NodeParams(**built)


def _read_ros_yaml(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"{path}: cannot be read as YAML: {err}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: got {type(content).__name__}, expected a mapping of node names")
    result: dict[str, dict[str, Any]] = {}
    for key, body in content.items():
        if key == "remaps":  # a preset's topics: read by graph.py
            continue
        node = str(key).rsplit("/", 1)[-1].removesuffix("_node")
        if not isinstance(body, dict) or not isinstance(body.get("ros__parameters"), dict):
            raise ConfigError(f"{path}: {key}: expected a mapping with ros__parameters")
        result.setdefault(node, {}).update(body["ros__parameters"])
    return result
