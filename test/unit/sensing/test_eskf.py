# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The equations of the filter against numerical derivatives, and what no update may break."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vidgen_nodes.packets import FloatArray
from vidgen_nodes.params import RtkParams
from vidgen_nodes.sensing import eskf
from vidgen_nodes.sensing.track import error_model, gate

DT_NS = 5_000_000
MODEL = error_model(RtkParams())


def nominal(seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    state = np.zeros(eskf.NOMINAL_SIZE)
    state[:6] = rng.normal(0, 10, 6)
    state[eskf.QUATERNION : eskf.GYRO_BIAS] = Rotation.random(random_state=seed % 2**32).as_quat()
    state[eskf.GYRO_BIAS : eskf.ACCELERATION_BIAS] = rng.normal(0, 0.01, 3)
    state[eskf.ACCELERATION_BIAS : eskf.ORIENTATION_ERROR] = rng.normal(0, 0.1, 3)
    state[eskf.ORIENTATION_ERROR : eskf.ORIENTATION_ZERO] = rng.normal(0, 0.01, 6)
    return state


def readings(seed: int) -> FloatArray:
    rng = np.random.default_rng(seed + 1)
    rows = np.zeros((2, eskf.READING_SIZE))
    rows[:, :3] = rng.normal(0, 1, 3) + rng.normal(0, 0.1, (2, 3))
    rows[:, 3:6] = np.array((0, 0, 9.8)) + rng.normal(0, 2, 3) + rng.normal(0, 0.1, (2, 3))
    return rows


def perturbed(state: FloatArray, error: FloatArray) -> FloatArray:
    """True state of a nominal one and an error (21,)."""
    out = state.copy()
    out[:6] += error[:6]
    turned = Rotation.from_rotvec(error[6:9]) * Rotation.from_quat(state[6:10])
    out[6:10] = turned.as_quat()
    out[10:22] += error[9:21]
    return out


def difference(true: FloatArray, state: FloatArray) -> FloatArray:
    error = np.zeros(eskf.SIZE)
    error[:6] = true[:6] - state[:6]
    error[6:9] = (Rotation.from_quat(true[6:10]) * Rotation.from_quat(state[6:10]).inv()).as_rotvec()
    error[9:] = true[10:22] - state[10:22]
    return error


def step(
    state: FloatArray, rows: FloatArray, covariance: FloatArray, model: FloatArray = MODEL
) -> tuple[FloatArray, FloatArray]:
    states, covariances = np.stack([state, state]), np.stack([covariance, covariance])
    eskf.run(
        0, 1, model, np.array((0, DT_NS)), rows, np.zeros((2, 4)), np.zeros(2, np.uint8), states, covariances
    )  # fmt: skip
    return states[1], covariances[1]


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_the_covariance_is_carried_by_the_derivative_of_the_motion(seed: int) -> None:
    state, rows = nominal(seed), readings(seed)
    quiet = MODEL.copy()
    quiet[[eskf.M_ACCELERATION, eskf.M_GYRO, eskf.M_ACCELERATION_WALK, eskf.M_GYRO_WALK]] = 0.0
    quiet[[eskf.M_TILT, eskf.M_HEADING, eskf.M_FIX_EAST, eskf.M_FIX_NORTH, eskf.M_FIX_UP]] = 0.0
    root = np.random.default_rng(seed).normal(0, 1, (eskf.SIZE, eskf.SIZE))
    moved, carried = step(state, rows, root @ root.T, quiet)
    transition, size = np.zeros((eskf.SIZE, eskf.SIZE)), 1e-5
    for k in range(eskf.SIZE):
        error = np.zeros(eskf.SIZE)
        error[k] = size
        ahead, _ = step(perturbed(state, error), rows, root, quiet)
        behind, _ = step(perturbed(state, -error), rows, root, quiet)
        transition[:, k] = (difference(ahead, moved) - difference(behind, moved)) / (2 * size)
    wanted = transition @ root @ root.T @ transition.T
    # The filter takes the mean of force and attitude over the 5 ms: the rest is of that order squared.
    np.testing.assert_allclose(carried, wanted, atol=2e-2 * np.abs(wanted).max())
    np.testing.assert_allclose(np.diag(carried), np.diag(wanted), rtol=2e-2, atol=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_a_position_is_weighed_by_its_derivative(seed: int) -> None:
    """One update equals the textbook's with numerical derivatives of the antenna's place."""
    state, lever = nominal(seed), np.array((0.3, -0.5, 0.8))
    root = np.random.default_rng(seed).normal(0, 0.1, (eskf.SIZE, eskf.SIZE))
    covariance, variance = root @ root.T, np.array((0.01, 0.02, 0.03))

    def antenna(s: FloatArray) -> FloatArray:
        return s[:3] + Rotation.from_quat(s[6:10]).apply(lever) + s[19:22]

    jacobian = np.zeros((3, eskf.SIZE))
    for k in range(eskf.SIZE):
        error = np.zeros(eskf.SIZE)
        error[k] = 1e-6
        jacobian[:, k] = (antenna(perturbed(state, error)) - antenna(perturbed(state, -error))) / 2e-6
    residual = np.array((0.02, -0.03, 0.01))
    s = jacobian @ covariance @ jacobian.T + np.diag(variance)
    gain = covariance @ jacobian.T @ np.linalg.inv(s)
    wanted = perturbed(state, gain @ residual)
    shrunk = covariance - gain @ s @ gain.T
    nis = eskf.use_position(state, covariance, antenna(state) + residual, variance, lever, np.inf)
    assert nis == pytest.approx(residual @ np.linalg.solve(s, residual), rel=1e-6)
    np.testing.assert_allclose(difference(state, wanted), 0, atol=1e-7)
    np.testing.assert_allclose(covariance, shrunk, atol=1e-7)


@settings(max_examples=30)
@given(
    st.floats(-math.pi, math.pi),
    st.floats(-0.5, 0.5),
    st.floats(-0.5, 0.5),
    st.floats(-3, 3),
    st.integers(-2, 2),
)
def test_a_heading_turns_base_to_it_whatever_the_turns_counted(
    yaw: float, pitch: float, roll: float, off: float, turns: int
) -> None:
    state = np.zeros(eskf.NOMINAL_SIZE)
    state[6:10] = Rotation.from_euler("ZYX", (yaw, pitch, roll)).as_quat()
    covariance = np.diag(np.full(eskf.SIZE, 1e-12))
    covariance[8, 8] = 100.0  # nothing is known of the turn about up, all of the rest
    eskf.use_heading(state, covariance, yaw + off + math.tau * turns, 1e-6, np.inf)
    found = Rotation.from_quat(state[6:10]).as_euler("ZYX")
    assert math.remainder(found[0] - yaw - off, math.tau) == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(found[1:], (pitch, roll), atol=1e-6)
    assert covariance[8, 8] == pytest.approx(1e-6, rel=1e-3)


def test_a_camera_straight_up_has_no_heading() -> None:
    state = np.zeros(eskf.NOMINAL_SIZE)
    state[6:10] = Rotation.from_euler("y", -80, degrees=True).as_quat()
    before = state.copy()
    assert eskf.use_heading(state, np.eye(eskf.SIZE), 0.0, 1.0, np.inf) < 0.0
    np.testing.assert_array_equal(state, before)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(0.1, 50.0))
def test_what_is_beyond_the_gate_changes_no_bit(seed: int, limit: float) -> None:
    state, covariance = nominal(seed), np.eye(eskf.SIZE)
    there = state[:3] + state[19:22]
    far = there + np.array((1.0, 0, 0)) * math.sqrt(2.01) * math.sqrt(limit) * 1.01
    before = state.copy()
    assert eskf.use_position(state, covariance, far, np.full(3, 0.01), np.zeros(3), limit) < 0.0
    np.testing.assert_array_equal(state, before)
    np.testing.assert_array_equal(covariance, np.eye(eskf.SIZE))


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.booleans())
def test_both_covers_of_an_orientation_are_one(seed: int, heading: bool) -> None:
    model = MODEL.copy()
    model[eskf.M_USE_HEADING] = heading
    results = []
    for sign in (1.0, -1.0):
        states = np.stack([nominal(seed)] * 2)
        covariances = np.stack([np.eye(eskf.SIZE) * 0.01] * 2)
        said = (
            sign * (Rotation.from_rotvec((0.01, 0.02, 0.03)) * Rotation.from_quat(states[0, 6:10])).as_quat()
        )
        eskf.run(
            0, 1, model, np.array((0, DT_NS)), readings(seed), np.stack([said, said]),
            np.array((0, eskf.HAS_ORIENTATION), np.uint8), states, covariances,
        )  # fmt: skip
        results.append(states[1])
    np.testing.assert_allclose(results[0], results[1], atol=1e-12)


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_a_long_run_keeps_the_covariance_symmetric_and_positive(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 400
    rows = np.zeros((n, eskf.READING_SIZE))
    rows[:, :3] = rng.normal(0, 0.3, (n, 3))
    rows[:, 3:6] = np.array((0, 0, 9.8)) + rng.normal(0, 1, (n, 3))
    states, covariances = np.zeros((n, eskf.NOMINAL_SIZE)), np.zeros((n, eskf.SIZE, eskf.SIZE))
    states[0, 9] = 1.0
    covariances[0] = np.diag(np.full(eskf.SIZE, 1e-2))
    bits = np.zeros(n, np.uint8)
    bits[::20] = eskf.HAS_ORIENTATION
    said = np.tile((0.0, 0.0, 0.0, 1.0), (n, 1))
    for first in range(0, n - 1, 21):
        last = min(first + 21, n - 1)
        eskf.run(first, last, MODEL, np.arange(n) * DT_NS, rows, said, bits, states, covariances)
        eskf.use_position(states[last], covariances[last], np.zeros(3), np.full(3, 1e-4), np.zeros(3), np.inf)
        np.testing.assert_array_equal(covariances[last], covariances[last].T)
        assert np.linalg.eigvalsh(covariances[last])[0] > -1e-12
        assert np.linalg.norm(states[last, 6:10]) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("sigma", "freedom", "wanted"), [(1.0, 1, 1.0), (5.0, 1, 25.0), (5.0, 3, 31.81), (100.0, 3, 1e300)]
)
def test_the_gate_is_as_improbable_as_that_many_sigma(sigma: float, freedom: int, wanted: float) -> None:
    assert gate(sigma, freedom) == pytest.approx(wanted, rel=0.02)
