# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen types that pass between stages.

Everything is checked once, at the border (``ros/convert.py``); past it, code trusts these types.
Stamps are integer nanoseconds of event time. Rotations are quaternions ``(x, y, z, w)``. ``map`` is
ENU about the datum, ``base`` is FLU, optical frames look along +z with x right and y down
(REP-103, REP-105). NaN means "not known" and never zero. Arrays are not to be written to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]


class Cause(str, Enum):
    """Why an overlay is fully transparent (fail closed). The value is what users read."""

    NO_CAMERA_INFO = "no_camera_info"
    CAMERA_INFO_MISMATCH = "camera_info_mismatch"
    FROZEN_THERMAL = "frozen_thermal"
    NO_POSE = "no_pose"
    POSE_STALE = "pose_stale"
    RTK_LOST = "rtk_lost"
    NO_GIMBAL = "no_gimbal"
    GIMBAL_STALE = "gimbal_stale"
    NO_MAP = "no_map"
    MAP_STALE = "map_stale"
    MAP_MISSING = "map_missing"
    NO_BUILDING = "no_building"
    NO_SCENARIO = "no_scenario"
    NOT_REVIEWED = "not_reviewed"


class Mark(str, Enum):
    """A doubt about a frame that is shown with it and hides nothing. The value is what users read."""

    POSE_OLD = "pose_old"


class LeakCause(str, Enum):
    """Why the gate keeps one leak of steam shut; the rest of the frame is drawn. The value is what users read."""

    OFF_MAP = "leak_off_map"
    UNOBSERVED = "leak_unobserved"
    STALE = "leak_stale"
    UNCERTAIN = "leak_uncertain"
    COVERED = "leak_covered"
    UNSUPPORTED = "leak_unsupported"
    BLOCKED = "leak_blocked"
    TOO_SMALL = "leak_too_small"


class RtkStatus(IntEnum):
    """Quality of the newest position fix; order means "better"."""

    NONE = 0
    SINGLE = 1
    FLOAT = 2
    FIXED = 3


class CellFlag(IntFlag):
    """What an uncertainty map says of a cell besides its numbers; as in ``UncertaintyMap.msg``."""

    HOLE = 1  # hit before, silent now though in view: glass, water, range or a gap; not damage
    DISTURBED = 2  # plane residual over 3 sigma, or over 2 sigma and not planar
    CHANGED = 4  # deviation above the level of detection
    GHOST = 8  # unconfirmed returns above the surface in the newest scan (smoke)


class Origin(IntEnum):
    """Where the sensor streams of this run come from. A SIM frame can never pass for LIVE."""

    LIVE = 0
    SIM = 1
    REPLAY = 2


@dataclass(frozen=True, slots=True)
class SourceRef:
    """One input message: where it came in, its event time and the hash of its serialised bytes."""

    topic: str
    type_name: str
    stamp_ns: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Pose:
    """``parent_T_child``: a point p in child is ``rotation * p + translation_m`` in parent."""

    translation_m: FloatArray  # (3,)
    quaternion_xyzw: FloatArray  # (4,), unit


@dataclass(frozen=True, slots=True)
class CameraCalibration:
    """Intrinsics of one camera, as in ``sensor_msgs/CameraInfo``."""

    stamp_ns: int
    frame_id: str
    width_px: int
    height_px: int
    matrix_px: FloatArray  # (3, 3) K
    distortion_model: str  # plumb_bob | rational_polynomial | equidistant
    distortion: FloatArray  # (n,)


@dataclass(frozen=True, slots=True)
class ThermalImage:
    """A thermal image as it came in, before anything is claimed about temperature."""

    stamp_ns: int
    frame_id: str
    encoding: str  # mono8 | mono16 | 16UC1 | 32FC1 | rgb8 | bgr8
    pixels: npt.NDArray[np.generic]  # (H, W) or (H, W, 3)
    source: SourceRef


@dataclass(frozen=True, slots=True)
class ThermalFrame:
    """A thermal image with what is known of its calibration and radiometry."""

    stamp_ns: int
    frame_id: str
    encoding: str
    pixels: npt.NDArray[np.generic]  # (H, W) counts, or (H, W, 3) palettised
    sequence: int
    calibration: CameraCalibration | None
    radiometric: bool
    scale_k_per_count: float  # NaN unless radiometric
    offset_k: float  # NaN unless radiometric; T = scale * counts + offset
    saturated_fraction: float
    frozen: bool  # pixel-identical to earlier frames with new stamps
    sources: tuple[SourceRef, ...]  # every message that newly took effect with this frame


@dataclass(frozen=True, slots=True)
class ImuSample:
    """One IMU sample in ``base``."""

    stamp_ns: int
    map_q_base: FloatArray | None  # orientation map_q_base (x, y, z, w); None if not measured
    angular_velocity_radps: FloatArray  # (3,) FLU
    acceleration_mps2: FloatArray  # (3,) FLU, includes gravity
    source: SourceRef
    also: tuple[SourceRef, ...] = ()  # further messages in it (PX4 sends attitude apart)


@dataclass(frozen=True, slots=True)
class Fix:
    """One position fix."""

    stamp_ns: int
    latitude_deg: float
    longitude_deg: float
    altitude_m: float  # NaN if not measured; datum by parameter
    covariance_m2: FloatArray  # (3, 3) ENU
    rtk: RtkStatus
    source: SourceRef
    height_datum: str = ""  # of altitude_m: ellipsoidal | orthometric; "": as the parameter says
    also: tuple[SourceRef, ...] = ()  # further messages in it (many stacks send the RTK status apart)


@dataclass(frozen=True, slots=True)
class Heading:
    """Where base's x axis points, from a source that knows it without moving (dual antenna)."""

    stamp_ns: int
    yaw_rad: float  # in map: 0 = east, counter-clockwise (REP-103)
    sigma_rad: float  # NaN if the source does not say
    source: SourceRef
    also: tuple[SourceRef, ...] = ()


@dataclass(frozen=True, slots=True)
class GimbalAttitude:
    """How the gimbal's camera body (FLU, x along the optical axis) is turned."""

    stamp_ns: int
    quaternion_xyzw: FloatArray  # (4,), unit: parent_q_gimbal
    parent: str  # map | base_link
    source: SourceRef


@dataclass(frozen=True, slots=True)
class NavState:
    """The drone's state in ``map`` at ``stamp_ns``, from IMU and the fixes in effect by then."""

    stamp_ns: int
    map_T_base: Pose
    velocity_mps: FloatArray  # (3,) in map
    acceleration_mps2: FloatArray  # (3,) in map, gravity removed
    angular_velocity_radps: FloatArray  # (3,) in base
    covariance: FloatArray  # (6, 6) x y z [m], then rotation x y z [rad], in map
    rtk: RtkStatus
    rtk_fixed_ns: int  # stamp of the newest RTK-fixed fix in the state; 0 if there was none
    sources: tuple[SourceRef, ...]  # messages that entered since the previous state


@dataclass(frozen=True, slots=True)
class PointScan:
    """One LiDAR scan, checked and filtered."""

    stamp_ns: int
    frame_id: str
    points_m: Float32Array  # (N, 3) in the LiDAR frame, finite
    times_s: Float32Array | None  # (N,) relative to stamp, if the driver gives it
    refused: dict[str, int]  # points refused, by reason (nan, zero, range, time)
    source: SourceRef
    intensity: Float32Array | None = None  # (N,) in the driver's unit
    ring: npt.NDArray[np.uint16] | None = None  # (N,) laser number
    dialect: str = "unknown"  # whose layout it is (see sensing.lidar_dialect)
    clock: str = "none"  # what times_s was counted against: relative, synchronised, own_clock, constant, none
    clock_offset_s: float = math.nan  # sensor clock minus stamp; NaN unless the driver gives absolute times


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular grid of square cells in ``map``; cell (row, col) spans
    ``origin + (col, row) * resolution`` to one resolution further: rows grow north, columns east.
    """

    origin_east_m: float
    origin_north_m: float
    resolution_m: float
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``, the shape of every layer."""
        return (self.rows, self.cols)


@dataclass(frozen=True, slots=True)
class UncertaintyMap:
    """What the LiDAR says of each cell. All layers have shape ``(rows, cols)``."""

    stamp_ns: int
    grid: Grid
    elevation_m: Float32Array  # NaN: never seen
    variance_m2: Float32Array  # of the elevation; NaN: never seen
    uncertainty: Float32Array  # structural uncertainty U in [0, 1]; NaN: never seen
    entropy: Float32Array  # [0, 1] bit, 1 = never seen
    roughness_m: Float32Array  # plane residual; NaN: too few points
    deviation_m: Float32Array  # elevation minus baseline; NaN: no baseline
    surface_variation: Float32Array  # l0 / (l0 + l1 + l2), 0..1/3; NaN: too few points
    lod95_m: Float32Array  # level of detection of the deviation; NaN: none stated
    observations: npt.NDArray[np.uint16]  # returns counted, saturating
    observed_ns: npt.NDArray[np.int64]  # event time of the newest return; 0: never
    flags: ByteArray  # CellFlag bits
    digest: bytes  # SHA-256 of stamp, grid and layers (see custody.digest.map_digest)
    sources: tuple[SourceRef, ...]  # scans that entered since the previous map


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that is known at one thermal frame, chosen by logical latency (see ``sync.anchored``)."""

    stamp_ns: int
    sequence: int
    segment: int  # grows by one at every clock jump or restart
    thermal: ThermalFrame
    map_T_camera: Pose | None
    pose_covariance: FloatArray | None  # (6, 6) of the camera pose in map
    nav_stamp_ns: int  # newest nav state used; 0 if none
    rtk: RtkStatus
    uncertainty_map: UncertaintyMap | None
    sigma_px: float  # expected placement error: 95 % are shorter than 1.96 of it; NaN without pose
    causes: tuple[Cause, ...]  # doubts that force a transparent overlay
    sources: tuple[SourceRef, ...]  # every message that entered since the previous bundle
    late: dict[str, int]  # inputs that came too late to count, by name, since the previous bundle
    marks: tuple[Mark, ...] = ()  # doubts that hide nothing
    clock_offset_ns: int = 0  # camera clock minus navigation's, taken out of the stamp to place


@dataclass(frozen=True, slots=True)
class Ignition:
    """One fire of a scenario."""

    name: str
    position_m: tuple[float, float, float]  # in map, on a combustible surface
    start_s: float  # after scenario start
    growth_kw_per_s2: float  # alpha of the t-squared fire
    peak_kw: float
    diameter_m: float
    radiative_fraction: float
    soot_yield: float  # kg soot per kg fuel
    heat_of_combustion_kj_per_kg: float
    flame_absorption_per_m: float  # grey LWIR absorption coefficient of the flame


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """How the fires of a scenario go over to the building."""

    speedup: float = 1.0  # seconds of fire in a second of event time
    resolution_m: float = 0.25  # of the points on the surfaces
    fuel_depth_m: float = 0.02  # of a burning surface that burns away
    preheat_k: float = 0.0  # surfaces are at least so warm; 0: only the flame warms what is next to it
    wind_towards_deg: float = 0.0  # 0 north, 90 east: where fire on level surfaces runs
    wind_head_ratio: float = 1.0  # its speed there over that in still air
    wind_length_to_breadth: float = 1.0  # of the ellipse it burns; 1: no wind


@dataclass(frozen=True, slots=True)
class Vent:
    """An opening of a room."""

    name: str
    width_m: float
    height_m: float
    open_s: tuple[tuple[float, float], ...]  # from and to, after scenario start


@dataclass(frozen=True, slots=True)
class Room:
    """Surfaces whose fire gets its air through vents."""

    name: str
    surfaces: tuple[str, ...]  # names in the building
    vents: tuple[Vent, ...]


@dataclass(frozen=True, slots=True)
class ImportedField:
    """A field of another engine, and where and when it is played: ``map_T_field`` is this yaw, then translation."""

    file: str  # as the scenario names it; found beside the scenario's file
    engine: str  # "": as the file says
    version: str  # "": as the file says
    start_s: float  # second 0 of the engine's clock, after scenario start
    translation_m: tuple[float, float, float]  # in map
    yaw_rad: float  # counter-clockwise about z


@dataclass(frozen=True, slots=True)
class Leak:
    """A hole in a vessel or pipe of dry steam."""

    name: str
    position_m: tuple[float, float, float]  # in map
    direction: tuple[float, float, float]  # unit vector in map, out of the hole
    start_s: float  # after scenario start
    pressure_pa: float  # inside, absolute
    temperature_k: float  # inside
    diameter_m: float  # of the hole
    discharge: float  # coefficient of the hole


@dataclass(frozen=True, slots=True)
class Wind:
    """Air that moves over the site, the same for the whole run."""

    speed_mps: float  # at height_m
    from_deg: float  # where it comes from: 0 north, 90 east
    height_m: float = 10.0  # above the foot of what burns
    exponent: float = 0.14  # of the power law by which speed grows with height; 0: one speed all over
    sheltered: tuple[str, ...] = ()  # names of ignitions and leaks that it does not reach


@dataclass(frozen=True, slots=True)
class Grille:
    """An opening of the air conditioning through which a fan blows air into a room, or draws it out."""

    name: str
    side: str  # of the room: floor | ceiling | south | north | west | east
    position_m: tuple[float, float, float]  # in map, its middle
    size_m: tuple[float, float]  # along the axes of its side, in the order east, north, up
    flow_m3_per_s: float  # into the room above 0, out of it below
    temperature_k: float  # of the air that is blown in; 0: that of the air outside
    on_s: tuple[tuple[float, float], ...]  # from and to, after scenario start


# Not written down where it has its default, so that a scenario without it keeps the hash it had before.
_IF_SAID: dict[str, bool] = {"if_said": True}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What burns when: the fires of one run."""

    name: str
    start_ns: int  # event time of scenario second 0
    seed: int
    ambient_k: float
    ignitions: tuple[Ignition, ...]
    debris: bool
    digest: bytes = field(repr=False, default=b"")
    spread: SpreadPlan | None = None  # None: fires stay where they are lit
    rooms: tuple[Room, ...] = ()
    imported: tuple[ImportedField, ...] = ()  # fields that other engines computed
    leaks: tuple[Leak, ...] = ()  # of steam
    wind: Wind | None = field(default=None, metadata=_IF_SAID)  # None: still air
    grilles: tuple[Grille, ...] = field(default=(), metadata=_IF_SAID)  # of the air conditioning


@dataclass(frozen=True, slots=True)
class Hazard:
    """One synthetic thing in the world, as robots and AR markers see it."""

    identity: str
    kind: str  # flame | smoke | steam | debris
    position_m: tuple[float, float, float]  # map, centre of the base
    radius_m: float
    height_m: float
    heat_release_kw: float  # 0 for debris
    confidence: float  # [0, 1]
    permitted_by: tuple[str, ...]  # rule, cells and building path that opened the gate


@dataclass(frozen=True, slots=True)
class PhysicsRef:
    """Which physics drew an element, and the hash under which its numbers are stored."""

    element: str  # flame | smoke | smoke/solver | steam | spread | debris | ...
    source: str
    version: str
    parameters_sha256: bytes
    seed: int


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the independent audit of one overlay counted."""

    cells_open: int
    pixels_drawn: int
    pixels_outside: int
    leaks_closed: tuple[LeakCause, ...] = ()  # one for each leak of the scenario that the gate keeps shut
    withheld: tuple[str, ...] = ()  # leaks and ignitions that it keeps shut, and why: a sentence each


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is shown: straight-alpha RGBA; alpha 0 = nothing synthetic."""

    stamp_ns: int
    frame_id: str
    rgba: ByteArray  # (H, W, 4)
    confidence: ByteArray  # (H, W), 0 where nothing is drawn
    calibration: CameraCalibration | None


@dataclass(frozen=True, slots=True)
class Record:
    """The custody record of one frame, after it became durable."""

    mission: str
    sequence: int
    stamp_ns: int
    leaf_index: int
    leaf_hash: bytes
    tree_size: int
    root: bytes
    frame_sha256: bytes
    inputs_sha256: bytes
    scenario_sha256: bytes
    physics_sha256: bytes
    software_sha256: bytes
    config_sha256: bytes
    map_sha256: bytes  # zero bytes without a map
    label_code: str
    origin: Origin
    causes: tuple[Cause, ...]
    gate: GateReport
    sigma_px: float
    physics: tuple[PhysicsRef, ...]
    marks: tuple[Mark, ...] = ()  # of the bundle: doubts that hide nothing


@dataclass(frozen=True, slots=True)
class Frame:
    """One generated frame: what is shown, what is there, and the record that binds it."""

    overlay: Overlay
    hazards: tuple[Hazard, ...]
    record: Record
