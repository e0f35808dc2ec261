# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.errors import ConfigError
from vidgen_nodes.resources import embedded_file
from vidgen_nodes.sensing.correction import load_correction, make_correction

NONE_DEAD = np.zeros((12, 16), bool)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.4))
def test_fixed_pattern_and_dead_pixels_vanish_from_a_flat_scene(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    pattern = rng.integers(-300, 300, (12, 16))
    dead = rng.random((12, 16)) < share
    dead[0, 0] = False
    shutter = (30000 + pattern).astype(np.uint16)
    raw = (33000 + pattern).astype(np.uint16)
    raw[dead] = rng.integers(0, 65536, dead.sum())
    shutter[dead] = 0
    fixed = make_correction(None, shutter, dead).apply(raw, np.inf)
    assert np.ptp(fixed.astype(int)) == 0  # not even the dead pixels' own values are left
    assert abs(int(fixed[0, 0]) - 33000) <= 300


@given(st.integers(-70000, 70000), st.integers(0, 65535))
def test_counts_saturate_and_never_wrap(offset: int, count: int) -> None:
    correction = make_correction(np.full((12, 16), offset), None, NONE_DEAD)
    fixed = correction.apply(np.full((12, 16), count, np.uint16), np.inf)
    assert (fixed == min(max(count + offset, 0), 65535)).all()


def test_clipped_pixels_stay_at_the_top() -> None:
    raw = np.full((12, 16), 16000, np.uint16)
    raw[2, 2] = 16383
    fixed = make_correction(np.full((12, 16), -500), None, NONE_DEAD).apply(raw, 16383.0)
    assert fixed[2, 2] == 65535
    assert fixed[3, 3] == 15500


def test_a_cluster_takes_its_nearest_live_neighbours() -> None:
    dead = NONE_DEAD.copy()
    dead[4:7, 4:7] = True
    raw = np.tile(np.arange(16, dtype=np.uint16) * 100, (12, 1))
    fixed = make_correction(None, None, dead).apply(raw, np.inf)
    assert (fixed[4:7, 4] <= 400).all()
    assert (fixed[4:7, 6] >= 600).all()
    assert np.array_equal(fixed[~dead], raw[~dead])


def test_float_images_are_corrected_in_their_unit() -> None:
    raw = np.full((12, 16), 300.0, np.float32)
    raw[1, 1] = np.nan
    fixed = make_correction(np.full((12, 16), -0.5), None, NONE_DEAD).apply(raw, np.inf)
    assert fixed.dtype == np.float32
    assert fixed[0, 0] == pytest.approx(299.5)
    assert np.isnan(fixed[1, 1])


def test_a_picture_with_padded_rows_that_may_not_be_written_is_fine() -> None:
    padded = np.frombuffer(np.arange(12 * 17, dtype=np.uint16).tobytes(), np.uint8).reshape(12, 34)[:, :32]
    raw = padded.view(np.uint16)
    correction = make_correction(np.ones((12, 16)), None, NONE_DEAD)
    assert correction.fits(raw)
    assert np.array_equal(correction.apply(raw, np.inf), raw + 1)


def test_a_shutter_picture_is_a_correction_by_itself(tmp_path: Path) -> None:
    shutter = np.full((12, 16), 30000, np.uint16)
    shutter[3, 4] = 30070
    cv2.imwrite(str(tmp_path / "shutter.tiff"), shutter)
    correction = load_correction(str(tmp_path / "shutter.tiff"))
    assert correction.apply(shutter, np.inf)[3, 4] == 30000


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"offset": np.zeros((4, 4)), "dead": np.zeros((4, 5))}, "expected one \\(H, W\\)"),
        ({"offset": np.zeros(4)}, "expected one \\(H, W\\)"),
        ({"offset": np.full((4, 4), np.nan)}, "finite"),
        ({"offset": np.full((4, 4), "a")}, "finite"),
        ({"dead": np.ones((4, 4))}, "100 % of the pixels are dead"),
        ({"gain": np.ones((4, 4))}, "holds gain"),
        ({}, "holds nothing"),
        ({"offset": np.array([[None]], dtype=object)}, "cannot be read"),
    ],
)
def test_a_file_that_is_no_correction_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], words: str
) -> None:
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(ConfigError, match=words):
        load_correction(str(tmp_path / "c.npz"))


@pytest.mark.parametrize(
    "name", ["missing.npz", "missing.png", "bad.npz", "bad.png", "folder.npz", "folder.png"]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not much of an archive")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match="correction_file"):
        load_correction(str(tmp_path / name))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("c") / "c.npz"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        load_correction(str(path))


@pytest.mark.parametrize("name", ["fixed.npz", "shutter.png"])
def test_a_correction_that_stands_in_a_record_is_the_correction_of_the_file(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    shutter = np.random.default_rng(5).integers(2000, 2100, (12, 16)).astype(np.uint16)
    if path.suffix == ".npz":
        np.savez(path, shutter=shutter)
    else:
        cv2.imwrite(str(path), shutter)
    text = embedded_file(str(path))
    assert text != str(path)
    assert embedded_file(text) == text
    offset = load_correction(text).offset
    assert offset is not None
    np.testing.assert_array_equal(offset, load_correction(str(path)).offset)


@pytest.mark.parametrize("text", ["base64:", "base64:!!", "base64:UEsDBA==", "base64:AAAA"])
def test_a_recorded_correction_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="correction_file"):
        load_correction(text)
