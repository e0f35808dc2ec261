# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What ``vidgen doctor`` says of a recording, or of drivers that publish now, held against the preset."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from vidgen_nodes.cli.checks import FAIL, WARN, Finding
from vidgen_nodes.errors import BagError, ConfigError


def recording_fit(args: argparse.Namespace) -> list[Finding]:
    """Findings on ``args.bag``."""
    from vidgen_nodes.cli.options import resolved
    from vidgen_nodes.graph import preset_remaps
    from vidgen_nodes.ros.fitness import judge
    from vidgen_nodes.ros.replay import INPUT_TYPES, read_recording
    from vidgen_nodes.ros.samples import from_recording, topics_of

    try:
        params, remaps = resolved(args, {}), dict(preset_remaps(args.preset))
        streams = from_recording(args.bag)
    except (ConfigError, BagError) as err:
        return [Finding(FAIL, str(err))]
    found: list[Finding] = []
    inputs = {ours: topic for ours, topic in remaps.items() if topic in streams}
    known = {
        topic: ours for ours, topic in inputs.items() if _has_type(streams, topic, INPUT_TYPES.get(ours))
    }
    try:
        inputs = {**read_recording(args.bag, known, need_anchor=False).inputs, **inputs}
    except (
        BagError
    ) as err:  # several topics could be one of our inputs: no matter where a stack names its own
        if params.rtk.stack == "generic":
            found.append(Finding(WARN, str(err)))
        single = {ours: topics_of(streams, type_name) for ours, type_name in INPUT_TYPES.items()}
        inputs = {**{ours: topics[0] for ours, topics in single.items() if len(topics) == 1}, **inputs}
    return [*found, *(Finding(*line) for line in judge(streams, params, inputs))]


def graph_fit(args: argparse.Namespace) -> list[Finding]:
    """Findings on what is published in this ROS domain; none when no driver publishes."""
    from vidgen_nodes.cli.options import resolved
    from vidgen_nodes.graph import NAMESPACE, preset_remaps

    try:
        from vidgen_nodes.ros.adapters.route import without_version
        from vidgen_nodes.ros.fitness import judge
        from vidgen_nodes.ros.replay import INPUT_TYPES
        from vidgen_nodes.ros.samples import from_graph

        params, remaps = resolved(args, {}), dict(preset_remaps(args.preset))
    except (ConfigError, ImportError):
        return []  # told already
    inputs = {ours: remaps.get(ours, f"{NAMESPACE}/{ours}") for ours in (*INPUT_TYPES, "gimbal")}
    wanted = {*inputs.values(), *_stack_topics(remaps)}
    streams = from_graph(args.graph_seconds, lambda topic, _: without_version(topic) in wanted)
    return [Finding(*line) for line in judge(streams, params, inputs)] if streams else []


def _stack_topics(remaps: Mapping[str, str]) -> set[str]:
    from vidgen_nodes.ros.adapters import STACKS
    from vidgen_nodes.ros.adapters.heard import Heard

    return {
        remaps.get(route.topic, route.topic) for stack in STACKS for route in Heard(stack, {}).adapter.routes
    }


def _has_type(streams: Mapping[str, object], topic: str, type_name: str | None) -> bool:
    return getattr(streams[topic], "type_name", None) == type_name
