# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Bias and scatter of a model against references, by the estimator of NIST's FDS Validation Guide (SP 1018-3).

Guarantees the published formulas, and that no model is said to scatter less than what it is compared with.
Leaves out what is a pair: peak rises above ambient, or what a check says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import InputError

# Relative standard deviation of the reference, by quantity (FDS Validation Guide).
SIGMA_TEMPERATURE = 0.07
SIGMA_DEPTH = 0.05
SIGMA_VELOCITY = 0.08
SIGMA_HEAT_FLUX = 0.11
SIGMA_FLOW = 0.08
SIGMA_SMOKE = 0.19


@dataclass(frozen=True, slots=True)
class Score:
    """Bias factor and relative scatter of a model."""

    delta: float
    sigma: float
    pairs: int


def score(model: npt.ArrayLike, reference: npt.ArrayLike, sigma_reference: float) -> Score:
    """Bias and scatter of pairs of a model and its reference.

    Args:
        model: at least two values above 0.
        reference: as many.
        sigma_reference: relative standard deviation of the reference itself.

    m = mean ln(M/E); sigma_M^2 = var(ln(M/E)) - sigma_E^2, at least sigma_E^2;
    delta = exp(m + sigma_M^2 / 2 - sigma_E^2 / 2).

    Raises:
        InputError: other counts, or values that have no logarithm.
    """
    got, expected = (np.asarray(item, dtype=np.float64).ravel() for item in (model, reference))
    if len(got) != len(expected) or len(got) < 2:
        raise InputError(
            "no_pairs", f"score: got {len(got)} and {len(expected)} values, expected as many, two or more"
        )
    if not (np.isfinite(got).all() and np.isfinite(expected).all() and min(got.min(), expected.min()) > 0.0):
        raise InputError(
            "no_pairs", "score: a value is not finite or not above 0; leave such pairs out and say so"
        )
    ratio = np.log(got / expected)
    own = sigma_reference**2
    scatter = max(float(ratio.var(ddof=1)) - own, own)
    return Score(math.exp(float(ratio.mean()) + 0.5 * scatter - 0.5 * own), math.sqrt(scatter), len(got))
