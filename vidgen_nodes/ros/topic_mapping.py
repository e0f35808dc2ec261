# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded topic is which input of ours, and what is said when that is not clear.

Inputs in standard axes are found by name, else by type when only one topic has it. A topic of a drone's stack goes
by its own name, of several versions the newest. What the user or a preset says outranks both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidgen_nodes.errors import BagError
from vidgen_nodes.ros.adapters.route import newest_version
from vidgen_nodes.ros.inputs import ANCHOR, INPUT_TYPES, Input, known_topics

# Types that carry what we need in a form only their own driver can decode.
FOREIGN_ADVICE = {
    "velodyne_msgs/msg/VelodyneScan": "raw LiDAR packets; run velodyne_pointcloud and record its PointCloud2",
    "livox_ros_driver2/msg/CustomMsg": "Livox's own format; start its driver with xfer_format 0 (PointCloud2)",
    "pandar_msgs/msg/PandarScan": "raw LiDAR packets; run the vendor's driver and record its PointCloud2",
    "nebula_msgs/msg/NebulaPackets": "raw LiDAR packets; run the Nebula decoder and record its PointCloud2",
    "sensor_msgs/msg/CompressedImage": "a compressed image; republish it as raw sensor_msgs/msg/Image",
    "nmea_msgs/msg/Sentence": "NMEA text; run nmea_navsat_driver and record its NavSatFix",
}


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic of a recording."""

    name: str
    type_name: str
    count: int


def parse_remaps(arguments: list[str]) -> dict[str, str]:
    """``/foreign:=thermal/image_raw`` strings as ``{recorded: ours}``.

    Raises:
        BagError: not of that form, or not an input of ours.
    """
    known = known_topics()
    result: dict[str, str] = {}
    for argument in arguments:
        foreign, sign, ours = argument.partition(":=")
        plain = ours.removeprefix("/vidgen/")
        ours = plain if plain in known else plain.lstrip("/")
        if not sign or not foreign:
            raise BagError(f"--remap {argument!r}: expected /recorded/topic:=our/topic, e.g. /cam0:={ANCHOR}")
        if ours not in known:
            raise BagError(
                f"--remap {argument!r}: {ours!r} is no input; inputs: {', '.join(INPUT_TYPES)}, and the topics of "
                "the drone's stack by their own names"
            )
        result["/" + foreign.lstrip("/")] = ours
    return result


def map_topics(
    path: Path, found: Sequence[TopicInfo], remaps: Mapping[str, str], inputs: Mapping[str, Input]
) -> dict[str, str]:
    """Recorded topic by input of ours; inputs that are not there are left out.

    Args:
        path: names the recording in errors.
        found: its topics.
        remaps: ``{recorded topic: our topic}``.
        inputs: what is read.

    Raises:
        BagError: a remap that cannot be, or several topics that could each be one input.
    """
    mapped = _checked_remaps(path, found, remaps, inputs)
    for ours, wanted in inputs.items():
        if ours in mapped:
            continue
        same_type = [
            i.name for i in found if i.type_name == wanted.type_name and i.name not in mapped.values()
        ]
        chosen = _choose(wanted, same_type, mapped)
        if len(chosen) > 1:
            raise BagError(
                f"{path}: {', '.join(chosen)} could each be {ours}; say which, e.g. --remap {chosen[0]}:={ours}"
            )
        if chosen:
            mapped[ours] = chosen[0]
    return {ours: mapped[ours] for ours in inputs if ours in mapped}


def listed(found: Sequence[TopicInfo]) -> str:
    """Topics with type and count."""
    return ", ".join(f"{i.name} ({i.type_name}, {i.count})" for i in found)


def no_thermal(path: Path, found: Sequence[TopicInfo]) -> str:
    """What is said of a recording without thermal images."""
    images = [i for i in found if i.type_name == INPUT_TYPES[ANCHOR]]
    lines = [
        f"{path}: no thermal images in it, and every frame hangs on one; nothing can be drawn.",
        f"It holds: {listed(found)}.",
    ]
    lines += [f"{i.name} is {FOREIGN_ADVICE[i.type_name]}." for i in found if i.type_name in FOREIGN_ADVICE]
    if images:
        lines.append(f"If one of the images is thermal, name it: --remap {images[0].name}:={ANCHOR}")
    else:
        lines.append(f"Record the thermal camera too ({INPUT_TYPES[ANCHOR]}, e.g. on /{ANCHOR}).")
    return "\n".join(lines)


def _checked_remaps(
    path: Path, found: Sequence[TopicInfo], remaps: Mapping[str, str], inputs: Mapping[str, Input]
) -> dict[str, str]:
    types = {info.name: info.type_name for info in found}
    result: dict[str, str] = {}
    for recorded, ours in remaps.items():
        if recorded not in types:
            raise BagError(f"{path}: --remap names {recorded}, which is not in it; it holds: {listed(found)}")
        if ours not in inputs:
            raise BagError(
                f"{path}: --remap {recorded}:={ours}: {ours} is not read with these parameters; read are: "
                f"{', '.join(inputs)}. Choose the --preset of the drone's stack"
            )
        if types[recorded] != inputs[ours].type_name:
            advice = FOREIGN_ADVICE.get(types[recorded], "")
            raise BagError(
                f"{path}: {recorded} is {types[recorded]}, but {ours} must be {inputs[ours].type_name}"
                + (f" ({advice})" if advice else "")
            )
        if ours in result:
            raise BagError(f"--remap gives {ours} two topics: {result[ours]} and {recorded}; give one")
        result[ours] = recorded
    return result


def _choose(wanted: Input, candidates: list[str], mapped: Mapping[str, str]) -> list[str]:
    """Candidates of the right type that fit best; several mean that it is not clear."""
    ours = wanted.topic
    if ours.startswith("/"):
        versioned = wanted.route is not None and wanted.route.versioned
        name = newest_version(ours, candidates) if versioned else ours
        return [name] if name in candidates else []
    if ours == "thermal/camera_info" and ANCHOR in mapped:
        beside = mapped[ANCHOR].rpartition("/")[0] + "/camera_info"
        if beside in candidates:
            return [beside]
    for fitting in (
        [name for name in candidates if name in (f"/{ours}", f"/vidgen/{ours}")],
        [name for name in candidates if name.endswith(f"/{ours}")],
    ):
        if fitting:
            return fitting
    if not wanted.is_guessable:
        return []
    if ours.startswith("thermal/"):
        # Any other camera may be in colour: only a name that says thermal will do.
        return [name for name in candidates if "thermal" in name.lower() or "infra" in name.lower()]
    return candidates
