# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""C2PA: trusted under one root key or refused, whatever was changed; and the certificates that lead there."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from vidgen_nodes.custody.keys import FileKey, KeyRing
from vidgen_nodes.custody.x509 import ROOT_FILE, UNIT_FILE, certify_unit_x509, export_key, root_of_key
from vidgen_nodes.delivery.content_credentials import Credentials, read_manifest
from vidgen_nodes.delivery.content_label import Origin, read_label
from vidgen_nodes.delivery.encode import jpeg, png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.delivery.video import VideoFile
from vidgen_nodes.errors import ConfigError, VerificationError

NOW = datetime.now(timezone.utc)
POINTER = FramePointer(3, 4, bytes(range(32)))
CLAIMS = {"leaves": [1, 2, 255], "name": "合成", "nested": {"half": 0.5, "none": None}}


def labelled(shade: int = 90) -> object:
    return label_below(np.full((128, 160, 3), shade, np.uint8), POINTER, "SYN")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"), int(NOW.timestamp()))


@pytest.fixture(scope="module")
def credentials(ring: KeyRing) -> Credentials:
    return Credentials(*export_key(ring, NOW))


def check(data: bytes, public: bytes) -> object:
    return read_manifest(data, lambda pem: root_of_key(pem, public))


@pytest.mark.parametrize("encode", [png, jpeg])
def test_a_signed_picture_is_trusted_and_gives_its_claims_back(
    encode: object, ring: KeyRing, credentials: Credentials
) -> None:
    data = encode(labelled(), Origin())  # type: ignore[operator]
    signed = credentials.sign(data, "SYN", Origin(), CLAIMS)
    manifest = check(signed, ring.root.public)
    assert manifest.claims == CLAIMS  # type: ignore[attr-defined]
    assert manifest.source_type == read_label(signed).source_type == read_label(data).source_type  # type: ignore[attr-defined]
    assert len(signed) - len(data) < 8192


def test_a_signed_video_is_trusted_and_leaves_no_other_file(
    ring: KeyRing, credentials: Credentials, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    with VideoFile(path, 25.0, Origin(), credentials, dict(CLAIMS)) as video:
        for shade in range(5):
            video.write(labelled(shade))  # type: ignore[arg-type]
    claims = check(path.read_bytes(), ring.root.public).claims  # type: ignore[attr-defined]
    assert {name: claims[name] for name in CLAIMS} == CLAIMS
    assert claims.keys() - CLAIMS.keys() == {"file"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_that_fails_leaves_nothing(credentials: Credentials, tmp_path: Path) -> None:
    def write() -> None:
        with VideoFile(tmp_path / "clip.mp4", 25.0, Origin(), credentials) as video:
            video.write(labelled())  # type: ignore[arg-type]
            video.write(label_below(np.zeros((64, 160, 3), np.uint8), POINTER, "SYN"))

    with pytest.raises(ConfigError, match="size or label changed"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_opencv_serves_where_pyav_is_missing(
    ring: KeyRing, credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgen_nodes.delivery.video.has_h264", lambda: False)
    path = tmp_path / "clip.mp4"
    with VideoFile(path, 25.0, Origin(), credentials, {}) as video:
        video.write(labelled())  # type: ignore[arg-type]
    check(path.read_bytes(), ring.root.public)
    assert read_label(path.read_bytes()).aigc.reserved == POINTER.leaf_hash.hex()


def test_a_signature_by_anybody_else_is_not_enough(ring: KeyRing, tmp_path: Path) -> None:
    """What c2pa calls Valid: it holds, but nobody we know made it."""
    stranger = KeyRing.open(tmp_path, int(NOW.timestamp()))
    private, chain, _ = export_key(stranger, NOW)
    _, _, our_root = export_key(ring, NOW)
    forged = Credentials(private, chain, our_root).sign(png(labelled(), Origin()), "SYN", Origin(), {})  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="Valid, expected Trusted"):
        check(forged, ring.root.public)
    with pytest.raises(VerificationError, match="another root key"):
        check(forged, stranger.root.public)


def test_a_changed_pixel_is_found(ring: KeyRing, credentials: Credentials) -> None:
    signed = bytearray(credentials.sign(png(labelled(), Origin()), "SYN", Origin(), {}))  # type: ignore[arg-type]
    place = bytes(signed).index(b"IDAT") + 40
    signed[place] ^= 1
    with pytest.raises(VerificationError, match="Invalid, expected Trusted"):
        check(bytes(signed), ring.root.public)


def test_a_file_without_credentials_is_refused(ring: KeyRing) -> None:
    with pytest.raises(VerificationError, match="there are none"):
        check(png(labelled(), Origin()), ring.root.public)  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="there are none"):
        check(b"nothing", ring.root.public)


def test_without_the_root_key_certificates_are_carried_in(ring: KeyRing, tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    shutil.copytree(ring.folder, unit)
    for name in ("root.key", ROOT_FILE, UNIT_FILE):
        (unit / name).unlink(missing_ok=True)
    here = KeyRing.open(unit, int(NOW.timestamp()))
    with pytest.raises(ConfigError, match="vidgen keys certify"):
        export_key(here, NOW)
    root = FileKey.load(ring.folder / "root.key")
    for name, pem in zip((ROOT_FILE, UNIT_FILE), certify_unit_x509(root, here.unit.public, NOW), strict=True):
        (unit / name).write_text(pem)
    _, chain, root_pem = export_key(here, NOW)
    assert len(x509.load_pem_x509_certificates(chain.encode())) == 2
    assert root_of_key(root_pem, ring.root.public) == root_pem


def test_certificates_of_another_unit_are_not_used(ring: KeyRing, tmp_path: Path) -> None:
    root = FileKey.load(ring.folder / "root.key")
    folder = tmp_path / "unit"
    shutil.copytree(ring.folder, folder)
    for name, pem in zip((ROOT_FILE, UNIT_FILE), certify_unit_x509(root, bytes(range(32)), NOW), strict=True):
        (folder / name).write_text(pem)
    again = KeyRing.open(folder, int(NOW.timestamp()))
    _, chain, _ = export_key(again, NOW)
    unit = x509.load_pem_x509_certificates(chain.encode())[1]
    assert unit.public_key().public_bytes_raw() == ring.unit.public  # type: ignore[union-attr]


def test_the_root_certificate_is_a_function_of_the_key(ring: KeyRing) -> None:
    root = FileKey.load(ring.folder / "root.key")
    first, second = (certify_unit_x509(root, ring.unit.public, NOW + timedelta(days=d))[0] for d in (0, 9))
    assert first == second


@pytest.mark.parametrize(
    "pem", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(pem: str) -> None:
    with pytest.raises(VerificationError, match="root certificate"):
        root_of_key(pem, bytes(32))


def test_the_claim_that_was_altered_is_named(ring: KeyRing, credentials: Credentials, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    claims = {
        "sensors": "thermal-and-lidar",
        "sop": "wall-fire",
        "reviews": "by-alice",
        "physics": "heskestad",
    }
    with VideoFile(path, 25.0, Origin(), credentials, dict(claims)) as video:
        video.write(labelled())  # type: ignore[arg-type]
    original = path.read_bytes()
    for name, text in claims.items():
        forged = original.replace(text.encode(), text[::-1].encode())
        assert forged != original
        with pytest.raises(VerificationError, match=f"what it says about '{name}' was altered"):
            check(forged, ring.root.public)


def test_a_claim_that_was_taken_out_is_missed(ring: KeyRing, credentials: Credentials) -> None:
    signed = credentials.sign(png(labelled(), Origin()), "SYN", Origin(), {"sop": "a", "physics": "b"})  # type: ignore[arg-type]
    with pytest.raises(VerificationError):
        check(signed.replace(b"vidgen.claim.sop", b"vidgen.klaim.sop"), ring.root.public)
