# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a realistic size to be recorded."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidgen_nodes.custody.digest import RunDigests, run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.generation.generator import WorldState
from vidgen_nodes.generation.physics_record import parameters_sha256
from vidgen_nodes.packets import (
    Bundle,
    Cause,
    GateReport,
    Ignition,
    Overlay,
    PhysicsRef,
    RtkStatus,
    Scenario,
    SourceRef,
    ThermalFrame,
)
from vidgen_nodes.params import NodeParams, make_params
from vidgen_nodes.scene.compose import Scene

START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 20_000_000


def hash_of(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def sources_of(number: int) -> tuple[SourceRef, ...]:
    stamp_ns = START_NS + number * PERIOD_NS
    refs = [SourceRef("/vidgen/thermal/image_raw", "sensor_msgs/msg/Image", stamp_ns, hash_of("t", number))]
    for k in range(4):
        stamp = stamp_ns - k * 5_000_000
        refs.append(SourceRef("/vidgen/imu/data", "sensor_msgs/msg/Imu", stamp, hash_of("i", stamp)))
    return tuple(refs)


def scenario() -> Scenario:
    fire = Ignition("roof", (1.0, 2.0, 3.0), 0.0, 0.05, 2000.0, 1.5, 0.3, 0.1, 18000.0, 1.2)
    return Scenario("attic", START_NS, 7, 293.15, (fire,), True)


def frame(
    number: int = 0, *, height: int = 8, width: int = 10, causes: tuple[Cause, ...] = ()
) -> tuple[Any, ...]:
    """What ``append_frame`` takes after the digests: bundle, scene, world, overlay, report."""
    stamp_ns = START_NS + number * PERIOD_NS
    sources = sources_of(number)
    pixels = np.zeros((height, width), np.uint16)
    thermal = ThermalFrame(
        stamp_ns, "thermal_optical_frame", "mono16", pixels, number, None, False, math.nan, math.nan, 0.0, False,
        sources[:1],
    )  # fmt: skip
    bundle = Bundle(
        stamp_ns, number, 0, thermal, None, None, stamp_ns - 3_000_000, RtkStatus.FIXED, None, 1.25, causes,
        sources, {"map": 1} if number % 3 == 0 else {},
    )  # fmt: skip
    scene = Scene(
        stamp_ns, "thermal_optical_frame", width, height, None, None, None, None, scenario(), causes, 1.25
    )
    numbers = {f"constant_{k}": [0.1 * k, "m", "McCaffrey 1979"] for k in range(60)}
    flame = {"model": numbers, "state": {"heat_release": [10.0 + number // 3, "kW", "scenario"]}}
    ref = PhysicsRef("flame", "McCaffrey 1979 plume", "1", parameters_sha256(flame), 0)
    world = WorldState(number // 3, physics=(ref,), parameters={"flame": flame})
    rgba = np.full((height, width, 4), number % 256, np.uint8)
    overlay = Overlay(stamp_ns, "thermal_optical_frame", rgba, np.zeros((height, width), np.uint8), None)
    return bundle, scene, world, overlay, GateReport(12, 345, 0)


def copy_file(source: Path, target: Path) -> Path:
    target.write_bytes(source.read_bytes())
    return target


@pytest.fixture(scope="session")
def digests() -> RunDigests:
    from vidgen_nodes.params import GeneratorParams

    generator = make_params(GeneratorParams, {"mission": "drill", "origin": "sim"})
    return run_digests(NodeParams(generator=generator), None)


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., tuple[Any, ...]]:
    return frame


@pytest.fixture(scope="session")
def make_sources() -> Callable[[int], tuple[SourceRef, ...]]:
    return sources_of


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory, digests: RunDigests) -> Path:
    """A closed ledger: segment, six frames, segment, four frames. Not to be changed."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with Ledger.open(path, segment=digests.segment("start")) as ledger:
        for number in range(6):
            ledger.append_frame(digests, *frame(number))
        ledger.append_segment("clock_jump", {"behind_ns": 5_000_000_000})
        for number in range(6, 10):
            ledger.append_frame(digests, *frame(number))
    return path
