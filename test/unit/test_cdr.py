# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The readers and writers written out: the same objects and the same bytes as rosbags, and nothing from bad bytes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from vidgen_nodes import cdr
from vidgen_nodes.resources import message_dir
from vidgen_nodes.ros import wire

OURS = [f"vidgen/msg/{path.stem}" for path in sorted(message_dir().glob("*.msg"))]
SENSORS = [f"sensor_msgs/msg/{name}" for name in ("Image", "CameraInfo", "Imu", "NavSatFix", "PointCloud2")]
TYPES = [*OURS, *SENSORS, "nav_msgs/msg/Odometry", "geometry_msgs/msg/QuaternionStamped"]
NUMBERS = {
    "bool": st.booleans(),
    "float32": st.floats(width=32),
    "float64": st.floats(),
    **{
        f"{'u' * (not sign)}int{bits}": st.integers(-sign << bits - 1, (1 << bits - sign) - 1)
        for bits in (8, 16, 32, 64)
        for sign in (0, 1)
    },
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


def value_of(draw: st.DrawFn, desc: Any) -> Any:
    kind, what = desc
    if kind == Nodetype.NAME:
        return message_of(draw, what)
    if kind == Nodetype.BASE:
        return draw(TEXT if what[0] == "string" else NUMBERS[what[0]])
    item, count = what
    length = count if kind == Nodetype.ARRAY else draw(st.integers(0, 3))
    values = [value_of(draw, item) for _ in range(length)]
    if item[0] == Nodetype.BASE and item[1][0] != "string":
        return np.array(values, dtype=np.dtype(item[1][0]))
    return values


def message_of(draw: st.DrawFn, type_name: str) -> Any:
    store = wire.store()
    return store.types[type_name](*(value_of(draw, desc) for _, desc in store.fielddefs[type_name][1]))


messages = st.composite(message_of)


def same(a: Any, b: Any) -> bool:
    """Of one type, and equal to the last bit; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if is_dataclass(a):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or a != a


@pytest.mark.parametrize("type_name", TYPES)
@settings(max_examples=12)
@given(data=st.data())
def test_bytes_and_objects_are_those_of_rosbags(type_name: str, data: st.DataObject) -> None:
    store, message = wire.store(), data.draw(messages(type_name))
    raw = bytes(store.serialize_cdr(message, type_name))
    assert cdr.flat_writer(store, type_name)(message) == raw
    read = cdr.flat_reader(store, type_name)
    for padding in range(4):
        assert same(read(raw + bytes(padding)), store.deserialize_cdr(raw, type_name))


@pytest.mark.parametrize("type_name", TYPES)
@settings(max_examples=6)
@given(data=st.data())
def test_bytes_that_are_cut_short_or_too_many_are_no_message(type_name: str, data: st.DataObject) -> None:
    store, message = wire.store(), data.draw(messages(type_name))
    raw, read = bytes(store.serialize_cdr(message, type_name)), cdr.flat_reader(store, type_name)
    for cut in (raw[: data.draw(st.integers(4, len(raw) - 1))], raw + bytes(4)):
        with pytest.raises(Exception, match=r"."):
            read(cut)


@settings(max_examples=300)
@given(raw=st.binary(max_size=400), type_name=st.sampled_from(TYPES))
def test_what_rosbags_refuses_is_refused(raw: bytes, type_name: str) -> None:
    store, raw = wire.store(), cdr.LITTLE_ENDIAN + b"\0\0" + raw
    try:
        expected = store.deserialize_cdr(raw, type_name)
    except Exception:  # noqa: BLE001 (whatever it is)
        with pytest.raises(Exception, match=r"."):
            cdr.flat_reader(store, type_name)(raw)
    else:
        assert same(cdr.flat_reader(store, type_name)(raw), expected)


def test_arrays_are_views_into_the_message() -> None:
    store, pixels = wire.store(), np.arange(640 * 512, dtype=np.uint16).view(np.uint8)
    header = wire._header(7, "optical")
    image = store.types["sensor_msgs/msg/Image"](header, 512, 640, "mono16", 0, 1280, pixels)
    raw = cdr.flat_writer(store, "sensor_msgs/msg/Image")(image)
    data = cdr.flat_reader(store, "sensor_msgs/msg/Image")(raw).data
    assert data.base is not None
    assert not data.flags.writeable
    assert np.shares_memory(data, np.frombuffer(raw, np.uint8))


@pytest.mark.parametrize(
    ("name", "value"),
    [("k", np.zeros(8)), ("k", np.zeros(9, np.float32)), ("d", np.zeros(5, np.float32)), ("width", -1)],
)
def test_value_that_its_field_cannot_hold_is_an_error(name: str, value: Any) -> None:
    import struct

    message = wire._camera_info(None)
    setattr(message, name, value)
    with pytest.raises((ValueError, struct.error)):
        cdr.flat_writer(wire.store(), "sensor_msgs/msg/CameraInfo")(message)


def test_big_endian_messages_are_read_all_the_same() -> None:
    message = wire._header(1_700_000_000_123_456_789, "map")
    raw = bytes(wire.store().serialize_cdr(message, "std_msgs/msg/Header", little_endian=False))
    assert raw[:2] == b"\0\0"
    assert wire.decode(raw, "std_msgs/msg/Header") == message


def test_type_that_is_not_written_out_is_left_to_rosbags() -> None:
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg("string[2] names\nuint8 after", "test/msg/Names"))
    message = store.types["test/msg/Names"](["a", "b"], 7)
    with pytest.raises(cdr.NotWrittenOutError):
        cdr.flat_writer(store, "test/msg/Names")
    with pytest.raises(cdr.NotWrittenOutError):
        cdr.flat_reader(store, "test/msg/Names")
    assert cdr.reader(store, "test/msg/Names")(cdr.writer(store, "test/msg/Names")(message)) == message


def test_arrays_lie_aligned() -> None:
    store = wire.store()
    raw = cdr.flat_writer(store, "sensor_msgs/msg/CameraInfo")(wire._camera_info(None))
    message = cdr.flat_reader(store, "sensor_msgs/msg/CameraInfo")(raw)
    assert all(array.flags.aligned for array in (message.k, message.r, message.p, message.d))
