# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether values of a thermal image are temperatures, and which.

Guarantees: 8-bit and colour images are never a temperature, nor is an image whose values no scene can
have under the parameters (automatic gain control, a wrong scale, a camera without calibration); what is
claimed is always ``T = scale * value + offset`` in kelvin, Planck counts being brought to that form.
Leaves out emissivity and air (``temperature.py``).

``auto`` on 32FC1: degrees Celsius when the median is at most 200 (half an image at -73 degC is no
scene), kelvin when it is above 200 and the coldest twentieth at or above 150, and no claim in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.packets import FloatArray
from vidgen_nodes.params import ThermalParams
from vidgen_nodes.sensing.planck import PlanckConstants

Pixels = npt.NDArray[Any]

ZERO_CELSIUS_K: Final = 273.15
# No scene is colder at its coldest twentieth (a clear night sky looks like 200 K), none hotter at its median.
COLDEST_K: Final = 150.0
HOTTEST_MEDIAN_K: Final = 2300.0
_HOTTEST_K: Final = 3500.0
_KELVIN_MEDIAN: Final = 200.0
_COUNTS: Final = 65536


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of one image: ``T[K] = scale * value + offset``, or why nothing is."""

    scale_k_per_count: float = math.nan
    offset_k: float = math.nan
    why_not: str = ""  # empty: radiometric; else a short stable token, see WHY

    @property
    def radiometric(self) -> bool:
        """Values are temperature."""
        return not self.why_not


# By token, what a user reads. {encoding}, {low_k}, {median_k}: of the image.
WHY: Final = {
    "switched_off": "the parameter radiometry is none",
    "palette": "{encoding} is a palette for looking at, not a measurement: set the camera or its driver to 16-bit "
    "radiometric output (FLIR: TLinear; DJI and Hikvision streams have none)",
    "eight_bit": "{encoding} is gain-controlled for looking at, not a measurement: set the camera or its driver to "
    "16-bit radiometric output (FLIR: TLinear)",
    "encoding": "{encoding} does not fit the parameter radiometry: planck needs mono16 or 16UC1, kelvin and celsius "
    "need 32FC1",
    "implausible": "values would mean {low_k:.0f} K at the coldest twentieth and {median_k:.0f} K at the median: the "
    "camera is gain-controlled, not calibrated, or scale_k_per_count and offset_k are not its own",
    "unit": "float values have a median of {median:.0f} and a coldest twentieth of {low:.0f}, which is neither a "
    "scene in kelvin nor one in degrees Celsius: set radiometry to kelvin or celsius",
    "correction": "correction_file was made for images of another size or type",
}


class Radiometry:
    """The meaning of values under one set of parameters."""

    def __init__(self, params: ThermalParams) -> None:
        """Check and prepare.

        Raises:
            ConfigError: ``planck`` without constants, or a range upside down.
        """
        self._mode = params.radiometry
        self._linear = Claim(params.scale_k_per_count, params.offset_k)
        if 0.0 < params.range_high_k <= params.range_low_k:
            raise ConfigError(
                f"range_low_k {params.range_low_k:g} is not below range_high_k {params.range_high_k:g}"
            )
        self._high_k = params.range_high_k
        self.planck = planck_constants(params)
        self._planck_k: FloatArray | None = None
        if self.planck is not None:
            self._planck_k = self.planck.temperature_k(np.arange(_COUNTS))
            self._linear, self._table = _linear_table(self._planck_k)

    def claim(self, encoding: str, sample: Pixels) -> Claim:
        """What an image means; ``sample`` is some of its pixels, evenly spread."""
        if self._mode == "none":
            return Claim(why_not="switched_off")
        if sample.ndim == 3:
            return Claim(why_not="palette")
        if sample.dtype == np.uint8:
            return Claim(why_not="eight_bit")
        if (self._mode == "planck" and encoding == "32FC1") or (
            self._mode in ("kelvin", "celsius") and encoding != "32FC1"
        ):
            return Claim(why_not="encoding")
        low, median = spread(sample)
        claim = self._unit(low, median) if encoding == "32FC1" else self._linear
        if claim.why_not:
            return claim
        low_k, median_k = self._meaning(claim, encoding, low), self._meaning(claim, encoding, median)
        if low_k >= COLDEST_K and median_k <= HOTTEST_MEDIAN_K:
            return claim
        return Claim(why_not="implausible")

    def explain(self, claim: Claim, encoding: str, sample: Pixels) -> str:
        """The sentence that goes with a claim on an image; empty when the image is radiometric."""
        if not claim.why_not:
            return ""
        low, median = spread(sample) if sample.ndim == 2 else (math.nan, math.nan)
        meant = self._unit(low, median) if encoding == "32FC1" else self._linear
        return WHY[claim.why_not].format(
            encoding=encoding, low=low, median=median,
            low_k=self._meaning(meant, encoding, low), median_k=self._meaning(meant, encoding, median),
        )  # fmt: skip

    def clips_at(self, claim: Claim, dtype: np.dtype[np.generic]) -> float:
        """The lowest value that says no more than "hotter than range_high_k"; infinity when not known."""
        if not (self._high_k and claim.radiometric):
            return math.inf
        if dtype != np.uint16:
            return (self._high_k - claim.offset_k) / claim.scale_k_per_count
        if self.planck is not None:
            return round(float(self.planck.counts(self._high_k)))
        return round((self._high_k - claim.offset_k) / claim.scale_k_per_count)

    def linear_counts(self, counts: Pixels) -> Pixels:
        """Planck counts in the linear form that :meth:`claim` states; others as they are."""
        if self.planck is None or counts.dtype != np.uint16:
            return counts
        return np.asarray(self._table.take(counts))

    def _unit(self, low: float, median: float) -> Claim:
        if self._mode == "linear":
            return self._linear
        if self._mode == "kelvin" or (self._mode == "auto" and median > _KELVIN_MEDIAN and low >= COLDEST_K):
            return Claim(1.0, 0.0)
        if self._mode == "celsius" or not median > _KELVIN_MEDIAN:
            return Claim(1.0, ZERO_CELSIUS_K)
        return Claim(why_not="unit")

    def _meaning(self, claim: Claim, encoding: str, value: float) -> float:
        if self._planck_k is not None and encoding != "32FC1" and value >= 0.0:
            return float(self._planck_k[int(value)])
        return claim.scale_k_per_count * value + claim.offset_k


def planck_constants(params: ThermalParams) -> PlanckConstants | None:
    """The camera's constants when ``radiometry`` is ``planck``.

    Raises:
        ConfigError: they are asked for and missing.
    """
    if params.radiometry != "planck":
        return None
    return PlanckConstants(
        params.planck_r1, params.planck_b_k, params.planck_f, params.planck_o, params.planck_r2
    )


def spread(sample: Pixels) -> tuple[float, float]:
    """The value below which a twentieth of the pixels lies, and the median; NaN if no pixel is finite."""
    values = sample.ravel()
    if values.dtype == np.float32:
        values = values[np.isfinite(values)]
    if not values.size:
        return math.nan, math.nan
    low, middle = values.size // 20, values.size // 2
    ordered = np.partition(values, (low, middle))
    return float(ordered[low]), float(ordered[middle])


def _linear_table(planck_k: FloatArray) -> tuple[Claim, npt.NDArray[np.uint16]]:
    """The finest 16-bit linear scale over all temperatures that Planck counts can have, and the table to it."""
    usable = (planck_k >= COLDEST_K) & (planck_k <= _HOTTEST_K)
    if not usable.any():
        raise ConfigError(
            "planck_r1, _b, _f, _o, _r2: no 16-bit count has a temperature between "
            f"{COLDEST_K:.0f} and {_HOTTEST_K:.0f} K under these constants; are they the camera's own?"
        )
    low_k, high_k = float(planck_k[usable].min()), float(planck_k[usable].max())
    scale = max(high_k - low_k, 1.0) / (_COUNTS - 1)
    first = int(np.argmax(usable))
    # Counts before the first usable one are colder, those without a temperature after it hotter.
    filled = np.where(np.arange(_COUNTS) < first, low_k, np.where(usable, planck_k, high_k))
    return Claim(scale, low_k), np.rint((filled - low_k) / scale).astype(np.uint16)
