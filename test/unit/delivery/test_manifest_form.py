# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No byte of a signed file can change unseen, those that C2PA leaves unsigned included; a video says where."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from c2pa import Context, Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.x509 import export_key, root_of_key
from vidgen_nodes.delivery.content_credentials import Credentials, read_manifest
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.encode import jpeg, png
from vidgen_nodes.delivery.label import Labelled, label_below
from vidgen_nodes.delivery.manifest_form import check_form
from vidgen_nodes.delivery.manifest_store import find_store
from vidgen_nodes.delivery.movie_parts import altered_parts, movie_parts
from vidgen_nodes.delivery.mp4_metadata import boxes
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.delivery.video import VideoFile
from vidgen_nodes.errors import VerificationError

NOW = datetime.now(timezone.utc)


def labelled(shade: int) -> Labelled:
    noise = np.random.default_rng(shade).integers(0, 256, (128, 160, 3)).astype(np.uint8)
    return label_below(noise, FramePointer(3, 4, bytes(range(32))), "SYN")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"), int(NOW.timestamp()))


@pytest.fixture(scope="module")
def credentials(ring: KeyRing) -> Credentials:
    return Credentials(*export_key(ring, NOW))


@pytest.fixture(scope="module")
def files(credentials: Credentials, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoFile(path, 25.0, Origin(), credentials, {"frames": []}) as video:
        for shade in range(4):
            video.write(labelled(shade))
    long = {"text": "x" * 70_000}  # more than one segment of a JPEG takes
    return {
        "mp4": path.read_bytes(),
        "png": credentials.sign(png(labelled(1), Origin()), "SYN", Origin(), {}),
        "jpeg": credentials.sign(jpeg(labelled(1), Origin()), "SYN", Origin(), long),
    }


@pytest.fixture(scope="module")
def read(ring: KeyRing) -> Callable[[bytes], None]:
    """Raises where something does not hold."""

    def check(data: bytes) -> None:
        manifest = read_manifest(data, lambda pem: root_of_key(pem, ring.root.public))
        if "file" in manifest.claims and (faults := altered_parts(data, manifest.claims["file"])):
            raise VerificationError("; ".join(faults))

    return check


@pytest.mark.parametrize("kind", ["mp4", "png", "jpeg"])
def test_what_was_not_altered_passes(
    kind: str, files: dict[str, bytes], read: Callable[[bytes], None]
) -> None:
    read(files[kind])
    check_form(files[kind])


def test_any_c2pa_reader_that_is_given_our_root_trusts_the_clip(
    files: dict[str, bytes], credentials: Credentials, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(files["mp4"])
    settings = {"verify": {"verify_trust": True}, "trust": {"trust_anchors": credentials.root_pem}}
    with Context.from_dict(settings) as context, Reader(str(path), context=context) as reader:
        assert reader.get_validation_state() == "Trusted"


@settings(max_examples=150)
@given(st.data())
@pytest.mark.parametrize("kind", ["mp4", "png", "jpeg"])
def test_every_flipped_bit_is_found(
    kind: str, files: dict[str, bytes], read: Callable[[bytes], None], data: st.DataObject
) -> None:
    original = files[kind]
    store = find_store(original)
    inside = st.integers(0, len(store.body) - 1).map(store.place)  # half of the tries hit the manifest
    place = data.draw(st.integers(0, len(original) - 1) | inside)
    damaged = bytearray(original)
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VerificationError):
        read(bytes(damaged))


def unsigned_places(clip: bytes) -> dict[str, int]:
    """Bytes that no signature of C2PA covers."""
    return {
        "major brand": 8,
        "compatible brand": 28,
        "version of the manifest's box": 32 + 8 + 16 + 1,
        "name of the store": clip.index(b"\x03c2pa\0") + 1,
        "name of the assertions": clip.index(b"c2pa.assertions\0") + 3,
        "name of the claim": clip.index(b"c2pa.claim.v2\0") + 5,
        "name of the signature": clip.index(b"c2pa.signature\0") + 5,
        "name of the padding": clip.index(b"cpadY") + 1,
        "padding": clip.index(b"cpadY") + 40,
        "payload": clip.index(b"\0\0\xf6X@") + 2,
    }


@pytest.mark.parametrize(
    "what", list(unsigned_places(b"\3c2pa\0c2pa.assertions\0c2pa.claim.v2\0c2pa.signature\0cpadY\0\0\xf6X@"))
)
def test_what_c2pa_leaves_unsigned_is_found_to_the_byte(
    what: str, files: dict[str, bytes], read: Callable[[bytes], None], credentials: Credentials
) -> None:
    damaged = bytearray(files["mp4"])
    place = unsigned_places(files["mp4"])[what]
    damaged[place] ^= 1
    settings = {"verify": {"verify_trust": True}, "trust": {"trust_anchors": credentials.root_pem}}
    with (
        Context.from_dict(settings) as context,
        Reader("video/mp4", io.BytesIO(bytes(damaged)), context=context) as reader,
    ):
        assert reader.get_validation_state() == "Trusted"  # that is why
    with pytest.raises(VerificationError, match=r"byte \d+ of the file|bytes 0 to 31 \(ftyp\)"):
        read(bytes(damaged))


def test_an_altered_picture_is_placed(files: dict[str, bytes], read: Callable[[bytes], None]) -> None:
    clip = files["mp4"]
    (media,) = ((low, high) for kind, low, high in boxes(clip, 0, len(clip)) if kind == b"mdat")
    for place in (media[0], media[0] + 5000, media[1] - 1):
        damaged = bytearray(clip)
        damaged[place] ^= 1
        with pytest.raises(
            VerificationError, match=r"bytes \d+ to \d+ \(mdat, \d+ % to \d+ % of the pictures' bytes"
        ) as caught:
            read(bytes(damaged))
        low, high = (int(word) for word in str(caught.value).split("bytes ")[1].split(" (")[0].split(" to "))
        assert low <= place <= high < low + 4096


def test_an_altered_index_is_told_from_altered_pictures(
    files: dict[str, bytes], read: Callable[[bytes], None]
) -> None:
    damaged = bytearray(files["mp4"])
    damaged[files["mp4"].index(b"mvhd") + 20] ^= 1
    with pytest.raises(VerificationError, match="every part listed in it is as it was"):
        read(bytes(damaged))


def test_what_is_appended_cut_off_or_put_in_is_found(
    files: dict[str, bytes], read: Callable[[bytes], None]
) -> None:
    for kind, clip in files.items():
        store = find_store(clip).place(0)
        changed = [clip + b"\0", clip[:-1], clip + b"\0\0\0\x08free", clip[:store] + b"\0" + clip[store:]]
        if kind == "mp4":
            changed.append(clip[:32] + b"\0\0\0\x08free" + clip[32:])
        for other in changed:
            with pytest.raises(VerificationError):
                read(other)


def test_parts_are_the_same_with_and_without_the_manifest(files: dict[str, bytes]) -> None:
    clip = files["mp4"]
    size = int.from_bytes(clip[32:36], "big")
    bare = clip[:32] + clip[32 + size :]
    assert movie_parts(bare) == movie_parts(clip)
    assert altered_parts(clip, movie_parts(bare)) == []
    assert altered_parts(clip, None) != []
    assert altered_parts(clip, movie_parts(bare)[:-1]) != []


def test_every_byte_of_every_header_counts(files: dict[str, bytes], read: Callable[[bytes], None]) -> None:
    clip = files["mp4"]
    headers = [low - 8 for _, low, _ in boxes(clip, 0, len(clip))]
    assert len(headers) >= 5
    for start in headers:
        for place in range(start, start + 8):
            damaged = bytearray(clip)
            damaged[place] ^= 1
            with pytest.raises(VerificationError):
                read(bytes(damaged))
