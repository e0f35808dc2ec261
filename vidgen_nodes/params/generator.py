# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of generator_node."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.params.checked import Checked, param


@dataclass(frozen=True, slots=True)
class GeneratorParams(Checked):
    """generator_node: what may be drawn where, how the world steps, and where the ledger lies."""

    mission: str = param("unnamed", "Name of the run; part of every record.")
    origin: str = param("live", "Where the sensor streams come from.", choices=("live", "sim", "replay"))
    scenario_file: str = param("", "Scenario YAML; empty: no scenario, nothing is drawn.")
    scenario_start_ns: int = param(
        0, "Event time of scenario second 0; 0: the stamp of the first bundle.", unit="ns", low=0
    )
    building_file: str = param("", "Building YAML (surfaces and materials); empty: no building, no flame.")
    require_review: bool = param(
        False, "Draw only scenarios that a person of reviewers_file validated (vidgen review scenario)."
    )
    review_file: str = param(
        "", "Review of the scenario, as vidgen review scenario wrote it; empty: none at the start."
    )
    reviewers_file: str = param(
        "", "YAML of who may review, with public keys; empty: nobody's review counts."
    )
    require_signed_reviews: bool = param(
        False, "Take verdicts on frames only with the signature of a person of reviewers_file."
    )
    ledger: str = param("vidgen_out/ledger.db", "Ledger file; made if missing, continued if present.")
    segment_file: str = param(
        "",
        "What is being replayed, for the leaf that opens the ledger (see custody/segment_file.py); empty: none.",
    )
    world_tick_ms: float = param(
        80.0, "The world steps on this grid of event time.", unit="ms", low=5.0, high=1000.0
    )
    field_resolution_m: float = param(
        0.15, "Edge of a voxel of the hazard field.", unit="m", low=0.02, high=2.0
    )
    smoke_model: str = param(
        "analytic",
        "Smoke of the fires that the scenario lights: correlations with texture, or a 3-D solver that runs ahead of "
        "the frames in a process of its own.",
        choices=("analytic", "solver"),
    )
    smoke_cell_m: float = param(0.3, "Edge of a cell of the solver.", unit="m", low=0.05, high=2.0)
    smoke_cells_wide: int = param(32, "Cells of the solver east and north.", low=8, high=128)
    smoke_cells_high: int = param(24, "Cells of the solver from the lowest ignition up.", low=8, high=128)
    smoke_tick_ms: float = param(
        160.0,
        "The solver steps on this grid of scenario time; between its ticks the smoke is interpolated.",
        unit="ms",
        low=10.0,
        high=1000.0,
    )
    smoke_nudging_s: float = param(
        0.5,
        "Time constant within which solved plumes that stand free are drawn to the analytic centreline, with at most "
        "a fifth of the heat they carry; 0: never.",
        unit="s",
        low=0.0,
        high=60.0,
    )
    smoke_device: str = param(
        "cpu",
        "Where the solver works: cpu, or a device as torch names it (cuda, cuda:1). Each rounds in its own way: a "
        "ledger is derived again on the device that its record names.",
    )
    render_stride_px: int = param(
        4, "Rays are cast every so many pixels and interpolated between.", low=1, high=32
    )
    sensor_hottest_degc: float = param(
        907.0,
        "Hottest temperature that the thermal camera tells apart (150, 550): what is hotter has the last colour.",
        unit="degC",
        low=50.0,
        high=2000.0,
    )
    sensor_netd_mk: float = param(
        50.0,
        "Noise of the thermal camera at 300 K, 1 sigma; drawn where it reaches a tenth of a display step.",
        unit="mK",
        low=0.0,
        high=5000.0,
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
    person_alpha_cap: float = param(
        0.35, "Over a warm body the overlay is at most so opaque, and outlined.", low=0.02, high=0.6
    )
    person_polarity: str = param(
        "warm",
        "Persons are warmer than their surroundings, colder (black-hot pictures, ground in the sun) or both.",
        choices=("warm", "cold", "both"),
    )
    raw_access: str = param(
        "never",
        "Whether the camera's pictures may leave without mosaics over persons: never, or logged in the ledger.",
        choices=("never", "logged"),
    )
