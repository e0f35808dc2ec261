# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what a drone publishes fits what the parameters expect: one sentence a misfit, with what to do.

Looks for the mistakes that give wrong pictures in silence: the preset of another stack, heights above sea level
beside heights above the ellipsoid, a LiDAR on a clock of its own, a camera whose values are no temperature,
accelerations without gravity. It uses the adapters and parsers of the nodes, so what fits here fits there.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix, SourceRef
from vidgen_nodes.params import NodeParams
from vidgen_nodes.ros import convert
from vidgen_nodes.ros.adapters import STACKS
from vidgen_nodes.ros.adapters.heard import Heard, named
from vidgen_nodes.ros.replay import FOREIGN_ADVICE
from vidgen_nodes.ros.samples import Stream
from vidgen_nodes.sensing.frames import gravity_fault
from vidgen_nodes.sensing.lidar_dialect import clock_doubt, span_words
from vidgen_nodes.sensing.site import SiteFrame
from vidgen_nodes.sensing.thermal import explain_radiometry

FITS, DOUBTFUL, WRONG = "ok", "warn", "FAIL"
_CLOCKS_APART_S = 0.5
_FEW_SAMPLES = 100
# A geoid lies this far from the ellipsoid somewhere on Earth; less than the first is no evidence.
_UNDULATION_M = (10.0, 110.0)


class Verdict(NamedTuple):
    """One line: how bad, what, and how to fix it."""

    level: str
    what: str
    fix: str = ""


def judge(streams: Mapping[str, Stream], params: NodeParams, inputs: Mapping[str, str]) -> Iterator[Verdict]:
    """Every line that there is to say.

    Args:
        streams: what is published, by topic.
        params: of the graph.
        inputs: our relative topic to the topic that stands for it.
    """
    yield from _stack(streams, params, inputs)
    yield from _navigation(streams, params, inputs)
    yield from _lidar(streams, params, inputs)
    yield from _thermal(streams, params, inputs)
    yield from _clocks(streams, inputs)


def _absent(
    stack: str, streams: Mapping[str, Stream], inputs: Mapping[str, str], *, with_positions: bool = True
) -> list[str]:
    """Topics that a stack needs and that are not there with its type."""
    needed = [
        route
        for route in Heard(stack, inputs).adapter.routes
        if route.required and (with_positions or not route.gives_position)
    ]
    names = [(route, named(route, streams, inputs)) for route in needed]
    return [
        name for route, name in names if name not in streams or streams[name].type_name != route.type_name
    ]


def _stack(streams: Mapping[str, Stream], params: NodeParams, inputs: Mapping[str, str]) -> Iterator[Verdict]:
    chosen = params.rtk.stack
    absent = _absent(chosen, streams, inputs, with_positions=not params.rtk.nmea_source)
    if not absent:
        yield Verdict(FITS, f"the topics of the stack {chosen} are there")
        return
    fitting = [stack for stack in STACKS if stack != chosen and not _absent(stack, streams, inputs)]
    missing = f"nothing is on {', '.join(absent)}, which the stack {chosen} reads"
    if fitting:
        yield Verdict(
            WRONG,
            f"{missing}; but the topics of the stack {fitting[0]} are there",
            f"use --preset {fitting[0]} instead",
        )
    else:
        yield Verdict(
            DOUBTFUL, f"{missing}: there will be no pose", "start its driver, remap it, or choose the preset"
        )


def _navigation(
    streams: Mapping[str, Stream], params: NodeParams, inputs: Mapping[str, str]
) -> Iterator[Verdict]:
    heard = Heard(params.rtk.stack, inputs).listen(streams)
    for topic, reasons in heard.refused.items():
        reason, count = reasons.most_common(1)[0]
        of = len(streams[topic].messages)
        yield Verdict(
            WRONG if count == of else DOUBTFUL,
            f"{topic}: {count} of {of} messages are refused ({reason}): {heard.sentences[topic, reason]}",
        )
    if len(heard.accelerations) >= _FEW_SAMPLES:
        fault = gravity_fault(heard.accelerations)
        yield (
            Verdict(WRONG, f"IMU: {fault}", "correct the driver")
            if fault
            else Verdict(
                FITS, f"IMU: gravity points up and is 9.8 m/s^2, over {len(heard.accelerations)} samples"
            )
        )
    yield from _heights(heard.fixes, streams, params)


def _heights(fixes: list[Fix], streams: Mapping[str, Stream], params: NodeParams) -> Iterator[Verdict]:
    try:
        site = SiteFrame(params.rtk)
    except ConfigError:
        return  # told with the parameters
    yield from _psdk_heights(streams, params)
    if fixes and all(fix.altitude_m == 0.0 for fix in fixes):
        yield Verdict(
            WRONG, f"{fixes[0].source.topic}: every height is 0: the receiver does not measure it",
            "configure it for 3-D positions",
        )  # fmt: skip
        return
    placed = [_up_m(site, fix) for fix in fixes]
    ups = [up for up in placed if isinstance(up, float)]
    mixed = next((up for up in placed if isinstance(up, str) and up), "")
    if mixed:
        yield Verdict(WRONG, f"heights of two datums meet: {mixed}", "set rtk.geoid_undulation_m")
    datum_given = not math.isnan(params.rtk.datum_altitude_m)
    if ups and datum_given and _UNDULATION_M[0] <= -min(ups) <= _UNDULATION_M[1]:
        yield Verdict(
            DOUBTFUL,
            f"the first positions lie {-min(ups):.0f} m below the datum, which a geoid would explain: "
            "one height counts from the sea, the other from the ellipsoid",
            "compare rtk.height_datum with what the receiver sends, and rtk.datum_altitude_m with the survey",
        )


def _up_m(site: SiteFrame, fix: Fix) -> float | str:
    """Height over the datum; or why there is none, where the heights are to blame."""
    try:
        return float(site.position_m(fix)[2])
    except InputError as err:
        return str(err) if err.reason == "mixed_heights" else ""


def _psdk_heights(streams: Mapping[str, Stream], params: NodeParams) -> Iterator[Verdict]:
    """DJI sends both heights: their difference is the geoid undulation that everybody looks for."""
    root = "/wrapper/psdk_ros2"
    both = [streams.get(f"{root}/{name}") for name in ("gps_position_fused", "rtk_position")]
    altitudes = [[float(m.altitude) for _, m, _ in stream.messages] if stream else [] for stream in both]
    if all(altitudes) and params.rtk.geoid_grid == "" and math.isnan(params.rtk.geoid_undulation_m):
        undulation_m = statistics.median(altitudes[0]) - statistics.median(altitudes[1])
        yield Verdict(
            DOUBTFUL,
            f"psdk_ros2 sends heights of two datums: gps_position_fused lies {undulation_m:.1f} m above rtk_position",
            "the geoid undulation is about that, as well as GPS knows: look it up and set rtk.geoid_undulation_m",
        )


def _lidar(streams: Mapping[str, Stream], params: NodeParams, inputs: Mapping[str, str]) -> Iterator[Verdict]:
    for stream in streams.values():
        if stream.type_name in FOREIGN_ADVICE:
            advice = FOREIGN_ADVICE[stream.type_name]
            yield Verdict(DOUBTFUL, f"{stream.topic} is {stream.type_name}, which is not read: {advice}")
    topic = inputs.get("points", "")
    if topic not in streams:
        return
    own = params.lidar
    for _, message, _ in streams[topic].messages:
        source = SourceRef(topic, streams[topic].type_name, 0, b"")
        try:
            scan = convert.point_scan(
                message, source, min_range_m=own.min_range_m, max_range_m=own.max_range_m, dialect=own.dialect
            )
        except InputError as err:
            yield Verdict(WRONG, f"{topic}: refused ({err.reason}): {err}")
            return
        what, fix = clock_doubt(scan.dialect, scan.clock, scan.clock_offset_s)
        if what:
            yield Verdict(DOUBTFUL, f"{topic}: {what}", fix)
        else:
            yield Verdict(FITS, f"{topic}: {scan.dialect} layout, per-point times: {scan.clock}")
        return


def _thermal(
    streams: Mapping[str, Stream], params: NodeParams, inputs: Mapping[str, str]
) -> Iterator[Verdict]:
    topic = inputs.get("thermal/image_raw", "")
    if topic not in streams or not streams[topic].messages:
        yield Verdict(
            DOUBTFUL, "no thermal image: every frame hangs on one", "start the camera or remap its topic"
        )
        return
    _, message, _ = streams[topic].messages[0]
    try:
        image = convert.thermal_image(message, SourceRef(topic, streams[topic].type_name, 0, b""))
        why = explain_radiometry(params.thermal, image)
    except InputError as err:
        yield Verdict(WRONG, f"{topic}: refused ({err.reason}): {err}")
        return
    except ConfigError:
        return  # told with the parameters
    if why:
        yield Verdict(
            DOUBTFUL, f"{topic} is not radiometric: {why}", "no temperature is claimed; the overlay works"
        )
    else:
        yield Verdict(FITS, f"{topic}: {image.encoding}, radiometric")
    if inputs.get("thermal/camera_info", "") not in streams and not params.thermal.calibration_file:
        yield Verdict(
            DOUBTFUL,
            "the thermal camera has no camera_info: overlays stay transparent",
            "calibrate it, and set thermal.calibration_file",
        )


def _clocks(streams: Mapping[str, Stream], inputs: Mapping[str, str]) -> Iterator[Verdict]:
    """Delays between stamp and arrival: what differs between topics is another clock."""
    delays_s = {}
    for ours, topic in inputs.items():
        found = (
            [_delay_s(arrived_ns, m) for arrived_ns, m, _ in streams[topic].messages]
            if topic in streams
            else []
        )
        if found:
            delays_s[ours] = statistics.median(found)
    if not delays_s:
        return
    usual_s = statistics.median(delays_s.values())
    for ours, delay_s in delays_s.items():
        apart_s = delay_s - usual_s
        if abs(apart_s) > _CLOCKS_APART_S:
            lidar = ours == "points"
            yield Verdict(
                DOUBTFUL,
                f"{inputs[ours]}: its stamps are {span_words(-apart_s)} those of the other inputs: "
                + ("the LiDAR's clock is not synchronised" if lidar else "its clock is not theirs"),
                "synchronise it by PTP (a LiDAR without counts from its start)"
                if lidar
                else "synchronise the clocks",
            )
    if abs(usual_s) > 1.0:
        yield Verdict(
            DOUBTFUL,
            f"stamps are {span_words(-usual_s)} the clock that received them",
            "set the clocks (a replay brings its own)",
        )


def _delay_s(arrived_ns: int, message: Any) -> float:
    return (arrived_ns - convert.stamp_ns(message.header.stamp)) * 1e-9
