# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of the hazard field that no cited formula gives, each with its unit and meaning.

Guarantees that the record of a frame names every one of them. Leaves out the field itself (``plume.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from vidgen_nodes.black_body import STEFAN_BOLTZMANN_KW_PER_M2_K4
from vidgen_nodes.generation.physics_record import Parameters, entry

# Hottel: of a body that is not thin, 3.6 volumes over its surface is the path that gives its emissivity.
MEAN_BEAM_LENGTH = 3.6


def _look(default: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True)
class PlumeModel:
    """Every number of the field that is not in a cited formula. All are assumptions of this project."""

    least_heat_kw: float = _look(5.0, "kW", "below this nothing is drawn")
    field_height: float = _look(
        2.5, "flame heights", "smoke is drawn up to here and fades over the top fifth"
    )
    field_half_widths: float = _look(2.5, "half widths", "horizontal reach of the field")
    convection_fraction: float = _look(0.6, "1", "eddies rise at this share of the centreline velocity")
    flame_rise_k: float = _look(900.0, "K", "rise inside a luminous eddy, at most")
    luminous_soot_k: float = _look(1350.0, "K", "soot of the visible flame, whose light the eye sees")
    least_absorption_per_m: float = _look(
        0.1, "1/m", "of that soot; published flames have 0.4 to 5.3, from memory"
    )
    most_absorption_per_m: float = _look(10.0, "1/m", "the same")
    puff_height: float = _look(0.25, "1", "amplitude of the flame height at the puffing frequency")
    puff_width: float = _look(0.35, "1", "amplitude of the flame's cross-section at the puffing frequency")
    ragged_base: float = _look(0.12, "1", "noise on the flame surface at the base")
    ragged_tip: float = _look(0.28, "1", "noise on the flame surface added at the tip")
    edge_softness: float = _look(0.5, "1", "width of the flame surface; about one voxel")
    eddy_size: float = _look(
        0.14, "burner diameters", "standard deviation of the smallest drawn eddy, across"
    )
    eddy_length: float = _look(0.24, "burner diameters", "the same, along the flow")
    eddy_ratio: float = _look(2.3, "1", "size of the larger eddies over that of the small ones")
    sway: float = _look(0.1, "half widths", "standard deviation of the axis")
    gas_noise: float = _look(0.25, "1", "relative standard deviation of the gas temperature")
    soot_noise: float = _look(0.5, "1", "relative standard deviation of the soot density")
    edge_fade_m: float = _look(0.2, "m", "the field fades so far inside the border of the open columns")
    smoke_from: float = _look(0.4, "flame heights", "soot leaves the flame from here up to the tip")


def model_parameters(model: PlumeModel) -> Parameters:
    """Every number of the model with its unit and what it means."""
    assumed = {
        item.name: entry(
            getattr(model, item.name), item.metadata["unit"], f"assumed: {item.metadata['source']}"
        )
        for item in fields(model)
    }
    return {
        **assumed,
        "mean_beam_length": entry(MEAN_BEAM_LENGTH, "volumes over surface", "Hottel"),
        "stefan_boltzmann": entry(STEFAN_BOLTZMANN_KW_PER_M2_K4, "kW/(m2 K4)", "CODATA 2018"),
    }
