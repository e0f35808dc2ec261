# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a clip: made again from the recording, or the overlays as they were saved.

Guarantees: a picture is used only if it is the one that its leaf names. From a recording: the overlay made again has
the frame hash of the leaf, and the camera's picture is among the inputs of the leaf. Saved overlays stand on black,
without the camera; their pixels are vouched for by no hash (the leaf's is over confidence too), so they serve only
where the recording is gone, and the clip says so. Leaves out labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.delivery.ar import blend, visible_rgb
from vidgen_nodes.delivery.label import rows_above_label
from vidgen_nodes.delivery.tag_strip import read_strip
from vidgen_nodes.errors import VerificationError
from vidgen_nodes.export.background import Anonymiser, PrivacyRecord, safe_background
from vidgen_nodes.export.claims import input_rows
from vidgen_nodes.export.frames import RecordedFrame
from vidgen_nodes.packets import Bundle, ByteArray, Frame
from vidgen_nodes.privacy.local_scale import local_px_per_m
from vidgen_nodes.ros.derivation import Task, building_of, derive_frames
from vidgen_nodes.scene.compose import compose_scene

Sink = Callable[[RecordedFrame, ByteArray, PrivacyRecord], None]
CAMERA, NONE = "camera", "none"


@dataclass(frozen=True)
class Source:
    """Where pictures come from."""

    ledger: Path
    bag: Path | None = None
    remaps: Mapping[str, str] = field(default_factory=dict)
    anonymiser: Anonymiser | None = None

    @property
    def background(self) -> str:
        """What is under the overlays."""
        return NONE if self.bag is None else CAMERA


def make_pictures(source: Source, frames: Sequence[RecordedFrame], sink: Sink) -> None:
    """Hand every frame's picture, (H, W, 3) rgb without a label, to ``sink``, in order.

    Raises:
        VerificationError: a picture that is not the recorded one, or is missing; names its leaf.
        BagError: the recording cannot be read.
    """
    if source.bag is None:
        for frame in frames:
            sink(frame, _saved(source.ledger.parent / "frames", frame), PrivacyRecord("no_background"))
        return
    _derived(source, source.bag, frames, sink)


def _derived(source: Source, bag: Path, frames: Sequence[RecordedFrame], sink: Sink) -> None:
    wanted = {frame.stamp_ns: frame for frame in frames}
    done: list[int] = []
    with LedgerReader(source.ledger) as reader:
        building = building_of(reader, frames[0].leaf)

        def take(bundle: Bundle, made: Frame) -> None:
            frame = wanted.get(bundle.stamp_ns)
            if frame is None:
                return
            _check(reader, frame, bundle, made)
            scene = compose_scene(bundle, building, None)
            rgb, record = safe_background(
                source.anonymiser,
                bundle.thermal,
                visible_rgb(bundle.thermal),
                local_px_per_m=local_px_per_m(scene),
            )
            picture = np.array(rgb, np.uint8)
            blend(picture, made.overlay.rgba)
            sink(frame, picture, record)
            done.append(frame.stamp_ns)

        task = Task(source.ledger, bag, dict(source.remaps))
        derive_frames(task, frames[0].stamp_ns, frames[-1].stamp_ns + 1, take)
    if len(done) < len(frames):
        missing = next(frame for frame in frames if frame.stamp_ns not in set(done))
        raise VerificationError(
            f"leaf {missing.pointer.leaf_index}: {bag} holds no thermal frame at {missing.stamp_ns} ns; "
            "is it the recording of this run?"
        )


def _check(reader: LedgerReader, frame: RecordedFrame, bundle: Bundle, made: Frame) -> None:
    index = frame.pointer.leaf_index
    if made.record.frame_sha256 != frame.leaf["frame"]:
        raise VerificationError(
            f"leaf {index}: the overlay made again is not the recorded one; 'vidgen verify --bag' says what differs"
        )
    named = {digest for _, _, _, digest in input_rows(reader, frame)}
    strangers = [
        ref for ref in bundle.thermal.sources if ref.sha256 not in named and _is_picture(ref.type_name)
    ]
    if strangers:
        raise VerificationError(
            f"leaf {index}: the camera's picture at {frame.stamp_ns} ns is not the one that was recorded"
        )


def _is_picture(type_name: str) -> bool:
    return type_name.endswith("/Image")


def _saved(folder: Path, frame: RecordedFrame) -> ByteArray:
    path = folder / f"{frame.stamp_ns}.png"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
        raise VerificationError(
            f"leaf {frame.pointer.leaf_index}: {path} is missing or no overlay; give the recording with --bag"
        )
    rgba = np.ascontiguousarray(picture[..., [2, 1, 0, 3]], np.uint8)
    rows, found = rows_above_label(rgba, frame.code), read_strip(rgba)
    if rows is None or found is None or found.prefix != frame.pointer.prefix:
        raise VerificationError(
            f"leaf {frame.pointer.leaf_index}: {path} does not carry the label and the tag of that leaf"
        )
    rgba = rgba[:rows]
    rgb = np.zeros((*rgba.shape[:2], 3), np.uint8)
    blend(rgb, rgba)
    return rgb
