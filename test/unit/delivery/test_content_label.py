# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The label for machines: exactly one AIGC field of the standard's form, one source type, pixels untouched."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nodes.delivery import iptc, mp4_metadata, picture_metadata
from vidgen_nodes.delivery.aigc_metadata import AigcField, aigc_field
from vidgen_nodes.delivery.content_label import Origin, labelled_movie, read_label
from vidgen_nodes.delivery.encode import jpeg, png
from vidgen_nodes.delivery.label import label_below
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.delivery.xmp import aigc_values, source_types, xmp_packet
from vidgen_nodes.errors import ConfigError, InputError, VerificationError

POINTER = FramePointer(12, 13, bytes(range(32)))
MEMBERS = [
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
]


def picture(encode: object = png) -> bytes:
    labelled = label_below(np.full((128, 160, 3), 90, np.uint8), POINTER, "SYN")
    return encode(labelled, Origin())  # type: ignore[operator, no-any-return]


def movie(tmp_path: object) -> bytes:
    path = tmp_path / "x.mp4"  # type: ignore[operator]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (64, 48))
    for shade in range(4):
        writer.write(np.full((48, 64, 3), 60 * shade, np.uint8))
    writer.release()
    return path.read_bytes()  # type: ignore[no-any-return]


@given(
    producer=st.text(st.sampled_from([chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"\\']), min_size=1),
    code=st.sampled_from(["SYN", "AIGC"]),
    index=st.integers(0, 2**40),
)
def test_a_field_has_the_seven_members_in_allowed_characters_and_parses(
    producer: str, code: str, index: int
) -> None:
    field = aigc_field(producer, FramePointer(index, index + 1, bytes(32)), code)
    members = json.loads(field.text())
    assert list(members) == MEMBERS
    assert members["Label"] == ("1" if code == "AIGC" else "2")
    assert (members["ContentPropagator"], members["PropagateID"]) == (producer, members["ProduceID"])
    assert all(0x21 <= ord(letter) <= 0x7E for value in members.values() for letter in value)
    assert AigcField.parse(field.text()) == field


@pytest.mark.parametrize(("code", "label"), [("SYN", "2"), ("AIGC", "1")])
def test_the_documentation_says_which_value_a_label_code_gives(code: str, label: str) -> None:
    text = " ".join((Path(__file__).parents[3] / "docs" / "CUSTODY.md").read_text(encoding="utf-8").split())
    said = {"SYN": f'label code `SYN`, AIGC label "{label}"', "AIGC": f'(`AIGC`, "{label}")'}[code]
    assert said in text
    assert json.loads(aigc_field("unit", POINTER, code).text())["Label"] == label


@pytest.mark.parametrize("producer", ["", "a b", 'a"b', "a\\b", "合成", "a\n"])
def test_a_producer_that_the_form_cannot_hold_is_refused(producer: str) -> None:
    with pytest.raises(ConfigError, match="GB 45438"):
        aigc_field(producer, POINTER, "SYN")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"Label":"1"}',
        json.dumps(dict.fromkeys(MEMBERS, "9")),
        json.dumps(dict.fromkeys(MEMBERS, 1)),
    ],
)
def test_a_field_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(VerificationError, match="AIGC field"):
        AigcField.parse(text)


@pytest.mark.parametrize(
    ("code", "camera", "kind"),
    [
        ("SYN", True, "compositeSynthetic"),
        ("AIGC", True, "compositeWithTrainedAlgorithmicMedia"),
        ("SYN", False, "algorithmicMedia"),
        ("AIGC", False, "trainedAlgorithmicMedia"),
    ],
)
def test_the_source_type_says_what_is_in_the_picture(code: str, camera: bool, kind: str) -> None:
    assert iptc.digital_source_type(code, camera=camera) == iptc.NAMESPACE + kind


@given(aigc=st.text(max_size=60), source=st.text(max_size=60))
def test_xmp_gives_back_what_went_in(aigc: str, source: str) -> None:
    plain = [value.replace("\r", "").replace("\0", "") for value in (aigc, source)]
    packet = xmp_packet(plain[1], plain[0])
    assert source_types(packet) == [plain[1]]
    assert aigc_values(packet) == ([plain[0]] if plain[0] else [])


@pytest.mark.parametrize("encode", [png, jpeg])
def test_a_second_field_is_seen(encode: object) -> None:
    data = picture(encode)
    assert read_label(data).aigc.reserved == POINTER.leaf_hash.hex()
    twice = picture_metadata.with_xmp(data, xmp_packet("x", "{}"))
    with pytest.raises(VerificationError, match="got 2 AIGC fields"):
        read_label(twice)


def test_a_field_as_an_element_under_another_prefix_is_counted_too() -> None:
    packet = b'<rdf:Description><t:AIGC>{"Label":"3"}</t:AIGC></rdf:Description>'
    assert aigc_values(packet) == ['{"Label":"3"}']


@pytest.mark.parametrize("encode", [png, jpeg])
def test_pixels_do_not_change(encode: object) -> None:
    data = picture(encode)
    again = picture_metadata.with_xmp(data, xmp_packet("x"))
    before, after = (
        cv2.imdecode(np.frombuffer(part, np.uint8), cv2.IMREAD_UNCHANGED) for part in (data, again)
    )
    np.testing.assert_array_equal(before, after)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(InputError, match="PNG or JPEG"):
        picture_metadata.with_xmp(b"GIF89a", b"")
    with pytest.raises(VerificationError, match="got 0 AIGC fields"):
        read_label(b"GIF89a")


def test_a_movie_has_one_field_that_other_programs_read(tmp_path: object) -> None:
    data = labelled_movie(movie(tmp_path), POINTER, "SYN", Origin("acme"))
    assert read_label(data).aigc.producer == "acme"
    assert read_label(data).source_type == iptc.COMPOSITE_SYNTHETIC
    again = labelled_movie(
        data[: data.index(b"uuid") - 4], POINTER, "SYN", Origin("other")
    )  # the label is replaced
    assert read_label(again).aigc.producer == "other"
    path = tmp_path / "y.mp4"  # type: ignore[operator]
    path.write_bytes(data)
    assert int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        assert json.loads(container.metadata["AIGC"])["ContentProducer"] == "acme"


def test_a_movie_written_as_ffmpeg_does_is_read(tmp_path: object) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "f.mp4"  # type: ignore[operator]
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata["AIGC"] = "{}"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    assert ("AIGC", "{}") in mp4_metadata.metadata_entries(path.read_bytes())


def test_a_movie_whose_samples_would_move_is_refused(tmp_path: object) -> None:
    data = movie(tmp_path)
    moov = data.index(b"moov") - 4
    front = data[:28] + data[moov:] + data[28:moov]
    with pytest.raises(InputError, match="moov last"):
        mp4_metadata.with_metadata(front, {}, b"")


@settings(max_examples=60)
@given(
    cut=st.integers(0, 3000), flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), max_size=8)
)
def test_damaged_files_give_errors_and_nothing_else(
    cut: int, flips: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for data in (_movie(tmp_path_factory), picture()):
        damaged = bytearray(data[: len(data) - cut] if cut < len(data) else b"")
        for place, bits in flips:
            if place < len(damaged):
                damaged[place] ^= bits
        try:
            read_label(bytes(damaged))
        except VerificationError as err:
            assert str(err)  # noqa: PT017


_MOVIES: list[bytes] = []


def _movie(factory: pytest.TempPathFactory) -> bytes:
    if not _MOVIES:
        _MOVIES.append(labelled_movie(movie(factory.mktemp("movie")), POINTER, "SYN", Origin()))
    return _MOVIES[0]
