# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Equal content, equal bytes; different content, different hash."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import struct
from enum import Enum

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.custody.digest import (
    canonical,
    dataclass_record,
    frame_digest,
    inputs_digest,
    map_digest,
    run_digests,
    sha256,
)
from vidgen_nodes.errors import CustodyError, RecordError
from vidgen_nodes.packets import Cause, Grid, Origin, Overlay
from vidgen_nodes.params import NodeParams

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda v: v + 0.0)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_plain_values_come_back_and_encode_to_the_same_bytes(value):
    encoded = canonical(value)
    assert cbor2.loads(encoded) == value
    assert canonical(cbor2.loads(encoded)) == encoded


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_count(record):
    assert canonical(dict(reversed(record.items()))) == canonical(record)


def test_bytes_of_a_known_record():
    assert canonical({"bb": 1, "a": [0.5, None, b"\x01"]}).hex() == "a2616183f93800f64101626262" + "01"


def test_unknown_and_minus_zero_are_normalised():
    assert canonical(math.nan) == canonical(None)
    assert canonical(-0.0) == canonical(0.0)
    assert canonical([{"a": -0.0}]) == canonical([{"a": 0.0}])
    assert canonical(struct.unpack("<d", b"\1\0\0\0\0\0\xf8\xff")[0]) == canonical(None)


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, 1 << 64, object(), {1: 2}, {(0, 1): 2}, 1j, np.float32("inf")]
)
def test_what_has_no_canonical_form_is_refused_as_a_custody_and_value_error(value):
    with pytest.raises(RecordError) as caught:
        canonical(value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, CustodyError)


def test_a_refusal_says_where():
    with pytest.raises(RecordError, match=r"flame\.rise\.2: got inf"):
        canonical({"flame": {"rise": [1.0, 2.0, math.inf]}})


def test_numbers_of_numpy_and_enums_count_as_what_they_say():
    assert canonical([np.float64(0.25), np.int32(7), np.bool_(True)]) == canonical([0.25, 7, True])
    assert canonical(np.array([[1.0, math.nan]])) == canonical([[1.0, None]])
    assert canonical([Cause.NO_POSE, Origin.SIM]) == canonical(["no_pose", 1])

    class Colour(Enum):
        RED = -0.0

    assert canonical(Colour.RED) == canonical(0.0)


def overlay(rgba, confidence):
    return Overlay(0, "thermal_optical_frame", rgba, confidence, None)


def test_frame_digest_is_the_hash_of_tag_size_and_what_is_drawn():
    rgba, confidence = np.zeros((5, 7, 4), np.uint8), np.zeros((5, 7), np.uint8)
    rgba[1:3, 2:5] = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    confidence[3, 2] = 9
    rectangle = rgba[1:4, 2:5].tobytes() + confidence[1:4, 2:5].tobytes()
    content = b"vidgen/frame/2\0" + struct.pack("<6I", 7, 5, 2, 1, 5, 4) + rectangle
    assert frame_digest(overlay(rgba, confidence)) == hashlib.sha256(content).digest()


def test_an_empty_frame_has_the_digest_of_its_size():
    content = b"vidgen/frame/2\0" + struct.pack("<6I", 7, 5, 0, 0, 0, 0)
    empty = overlay(np.zeros((5, 7, 4), np.uint8), np.zeros((5, 7), np.uint8))
    assert frame_digest(empty) == hashlib.sha256(content).digest()


def test_the_same_drawing_at_another_place_has_another_digest():
    digests = set()
    for row, col in ((0, 0), (0, 1), (1, 0), (4, 6)):
        rgba = np.zeros((5, 7, 4), np.uint8)
        rgba[row, col] = 200
        digests.add(frame_digest(overlay(rgba, np.zeros((5, 7), np.uint8))))
    assert len(digests) == 4


def test_frame_digest_does_not_depend_on_memory_layout():
    rgba = np.arange(4 * 6 * 4, dtype=np.uint8).reshape(4, 6, 4)
    confidence = np.arange(24, dtype=np.uint8).reshape(4, 6)
    strided = overlay(np.asfortranarray(rgba)[::2, ::-1], confidence[::2, ::-1])
    packed = overlay(rgba[::2, ::-1].copy(), confidence[::2, ::-1].copy())
    assert frame_digest(strided) == frame_digest(packed)


@given(place=st.integers(0, 2 * 3 * 5 - 1), change=st.integers(1, 255))
def test_any_changed_byte_of_a_frame_changes_its_digest(place, change):
    content = np.zeros(30, np.uint8)
    before = frame_digest(overlay(content[:24].reshape(2, 3, 4), content[24:].reshape(2, 3)))
    content[place] ^= change
    assert frame_digest(overlay(content[:24].reshape(2, 3, 4), content[24:].reshape(2, 3))) != before


def test_the_shape_of_a_frame_counts():
    wide, tall = np.zeros((2, 6, 4), np.uint8), np.zeros((6, 2, 4), np.uint8)
    assert frame_digest(overlay(wide, wide[..., 0])) != frame_digest(overlay(tall, tall[..., 0]))


@pytest.mark.parametrize(
    ("rgba", "confidence"),
    [
        (np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint8)),
        (np.zeros((2, 3, 4), np.uint8), np.zeros((3, 2), np.uint8)),
        (np.zeros((2, 3, 4), np.float32), np.zeros((2, 3), np.uint8)),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8)),
    ],
)
def test_a_frame_of_another_form_is_refused(rgba, confidence):
    with pytest.raises(RecordError, match="overlay"):
        frame_digest(overlay(rgba, confidence))


GRID = Grid(-2.0, -1.0, 0.5, 2, 3)


def layers():
    return [np.full((2, 3), 1.5, np.float32), np.arange(6, dtype=np.uint16).reshape(2, 3)]


def test_map_digest_binds_stamp_grid_layers_their_order_and_type():
    base = map_digest(5, GRID, *layers())
    first, second = layers()
    assert map_digest(5, GRID, *layers()) == base
    different = {
        map_digest(6, GRID, first, second),
        map_digest(5, dataclasses.replace(GRID, resolution_m=0.25), first, second),
        map_digest(5, dataclasses.replace(GRID, origin_east_m=-2.5), first, second),
        map_digest(5, GRID, second, first),
        map_digest(5, GRID, first, second.astype(np.int16)),
        map_digest(5, GRID, first),
        map_digest(5, GRID, first, second + np.uint16(1)),
    }
    assert base not in different
    assert len(different) == 7


def test_map_digest_does_not_depend_on_byte_order_or_layout():
    first, second = layers()
    swapped = second.astype(second.dtype.newbyteorder(">"))
    assert map_digest(5, GRID, np.asfortranarray(first), swapped) == map_digest(5, GRID, first, second)


def test_a_layer_that_does_not_cover_the_grid_is_refused():
    with pytest.raises(RecordError, match=r"\(3, 2\)"):
        map_digest(5, GRID, np.zeros((3, 2), np.float32))


def test_inputs_are_hashed_as_a_sorted_list(make_sources):
    sources = make_sources(3)
    digest, record = inputs_digest(sources)
    assert digest == sha256(record)
    assert inputs_digest(reversed(sources)) == (digest, record)
    rows = cbor2.loads(record)
    assert rows == sorted(rows)
    assert [tuple(row) for row in rows] == sorted(dataclasses.astuple(ref) for ref in sources)
    assert inputs_digest(sources[1:])[0] != digest


def test_a_dataclass_record_leaves_out_its_own_digest_and_private_fields():
    @dataclasses.dataclass
    class Thing:
        name: str
        parts: tuple[object, ...]
        digest: bytes
        _cache: object

    inner = Thing("inner", (), b"\1", object())
    one, two = (
        Thing("roof", (inner, np.zeros(2)), b"\2", 1),
        Thing("roof", (inner, np.zeros(2)), b"\3", object()),
    )
    assert dataclass_record(one) == dataclass_record(two)
    assert cbor2.loads(dataclass_record(one)) == {
        "name": "roof",
        "parts": [{"name": "inner", "parts": []}, [0.0, 0.0]],
    }


def test_run_digests_address_their_records():
    digests = run_digests(NodeParams(), None)
    assert sha256(digests.software_record) == digests.software_sha256
    assert sha256(digests.config_record) == digests.config_sha256
    assert cbor2.loads(digests.config_record)["sync"]["nav_delay_ms"] == 15.0
    assert digests.building == b""
    assert (digests.origin, digests.label_code) == ("live", "SYN")


def test_a_building_is_recorded_by_content():
    from vidgen_nodes.scene.building import Building, Surface

    corners = np.array([[0, 0, 0], [4, 0, 0], [4, 0, 3], [0, 0, 3]], dtype=np.float64)
    building = Building("shed", (Surface("north", "timber", "wall", corners, None),))
    digests = run_digests(NodeParams(), building)
    assert digests.building == sha256(digests.building_record)
    recorded = cbor2.loads(digests.building_record)
    assert recorded["surfaces"][0]["corners_m"] == corners.tolist()
    assert recorded["surfaces"][0]["combustible"] is None


def test_sensing_and_custody_hash_a_map_alike():
    from vidgen_nodes.sensing import uncertainty

    assert uncertainty.map_digest(5, GRID, *layers()) == map_digest(5, GRID, *layers())
