# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The stand-in itself, so that these hold with message_filters installed too."""

from __future__ import annotations

import threading
from types import SimpleNamespace as Obj
from typing import Any

import pytest
from builtin_interfaces.msg import Time as TimeMsg
from rclpy.clock_type import ClockType
from rclpy.time import Time

from vidgen_nodes.ros import filters
from vidgen_nodes.ros.filters_standin import (
    ApproximateTimeSynchronizer,
    Cache,
    SimpleFilter,
    Subscriber,
    TimeSynchronizer,
)


def message(ms: int, name: str = "") -> Obj:
    return Obj(header=Obj(stamp=TimeMsg(sec=ms // 1000, nanosec=ms % 1000 * 1_000_000)), name=name or str(ms))


def at(ms: int) -> Time:
    return Time(nanoseconds=ms * 1_000_000, clock_type=ClockType.ROS_TIME)


def collected(source: SimpleFilter) -> list[tuple[str, ...]]:
    sets: list[tuple[str, ...]] = []
    source.registerCallback(lambda *messages: sets.append(tuple(m.name for m in messages)))
    return sets


def test_the_one_import_offers_all_five_names() -> None:
    assert set(filters.__all__) == {
        "ApproximateTimeSynchronizer", "Cache", "SimpleFilter", "Subscriber", "TimeSynchronizer",
    }  # fmt: skip


def test_callbacks_get_messages_then_their_own_arguments() -> None:
    source, got = SimpleFilter(), []
    assert source.registerCallback(lambda *args: got.append(args), "mine", 2) == 0
    assert source.registerCallback(lambda *args: got.append(args)) == 1
    source.signalMessage("a", "b")
    assert got == [("a", "b", "mine", 2), ("a", "b")]


def test_subscriber_subscribes_with_depth_ten_unless_told_and_passes_the_rest_through() -> None:
    calls: list[Any] = []

    class Node:
        def create_subscription(self, *args: Any, **kwargs: Any) -> Obj:
            calls.append((args, kwargs))
            return Obj(topic_name="/resolved")

    subscriber = Subscriber(Node(), str, "topic", raw=True)
    ((args, kwargs),) = calls
    assert args[:2] == (str, "topic")
    assert kwargs == {"qos_profile": 10, "raw": True}
    assert (subscriber.getTopic(), subscriber.topic_name) == ("topic", "/resolved")
    names = collected(subscriber)
    args[2](message(1))
    assert names == [("1",)]


def test_cache_keeps_the_newest_in_order_of_arrival() -> None:
    source = SimpleFilter()
    cache = Cache(source, 3)
    passed_on = collected(cache)
    for ms in (10, 30, 20, 40):
        source.signalMessage(message(ms))
    assert [m.name for m in cache.cache_msgs] == ["30", "20", "40"]
    assert [m.name for m in cache.getInterval(at(20), at(30))] == ["30", "20"]
    assert cache.getElemAfterTime(at(15)).name == "30"
    assert cache.getElemBeforeTime(at(35)).name == "20"
    assert cache.getElemBeforeTime(at(5)) is None
    assert cache.getLast().name == "40"
    assert (cache.getOldestTime(), cache.getLastestTime()) == (at(30), at(40))
    assert len(passed_on) == 4


def test_cache_of_nothing_answers_none() -> None:
    cache = Cache(SimpleFilter(), 3)
    assert (cache.getLast(), cache.getLastestTime(), cache.getOldestTime()) == (None, None, None)
    assert cache.getElemAfterTime(at(0)) is None


def test_cache_leaves_out_headerless_messages_unless_allowed() -> None:
    source = SimpleFilter()
    strict, lenient = Cache(source, 5), Cache(source, 5, allow_headerless=True)
    source.signalMessage(Obj(name="no header"))
    assert strict.getLast() is None
    assert lenient.getLast().name == "no header"


def test_exact_sets_come_out_once_and_only_when_complete() -> None:
    a, b = SimpleFilter(), SimpleFilter()
    sets = collected(TimeSynchronizer([a, b], 10))
    a.signalMessage(message(1, "a1"))
    a.signalMessage(message(2, "a2"))
    b.signalMessage(message(2, "b2"))
    b.signalMessage(message(2, "b2 again"))
    b.signalMessage(message(1, "b1"))
    assert sets == [("a2", "b2"), ("a1", "b1")]


def test_full_queue_evicts_the_oldest_stamp() -> None:
    a, b = SimpleFilter(), SimpleFilter()
    sets = collected(TimeSynchronizer([a, b], 2))
    for ms in (3, 1, 2):
        a.signalMessage(message(ms, f"a{ms}"))
    for ms in (1, 2, 3):
        b.signalMessage(message(ms, f"b{ms}"))
    assert sets == [("a2", "b2"), ("a3", "b3")]


@pytest.mark.parametrize(("apart_ms", "matches"), [(0, True), (99, True), (100, False), (101, False)])
def test_stamps_exactly_slop_apart_do_not_match(apart_ms: int, matches: bool) -> None:
    a, b = SimpleFilter(), SimpleFilter()
    sets = collected(ApproximateTimeSynchronizer([a, b], 5, 0.1))
    a.signalMessage(message(1000))
    b.signalMessage(message(1000 + apart_ms))
    assert bool(sets) == matches


def test_nearest_candidate_is_taken_and_used_up() -> None:
    a, b = SimpleFilter(), SimpleFilter()
    sets = collected(ApproximateTimeSynchronizer([a, b], 5, 0.1))
    for ms in (1000, 1040, 1080):
        a.signalMessage(message(ms, f"a{ms}"))
    b.signalMessage(message(1050, "b1050"))
    b.signalMessage(message(1051, "b1051"))
    assert sets == [("a1040", "b1050"), ("a1080", "b1051")]


def test_three_streams_must_all_lie_within_the_slop() -> None:
    a, b, c = SimpleFilter(), SimpleFilter(), SimpleFilter()
    sets = collected(ApproximateTimeSynchronizer([a, b, c], 5, 0.1))
    a.signalMessage(message(1000, "a"))
    b.signalMessage(message(1090, "b"))
    c.signalMessage(message(1120, "c"))
    assert sets == []
    a.signalMessage(message(1060, "a2"))
    assert sets == [("a2", "b", "c")]


def test_headerless_messages_need_permission() -> None:
    for allowed in (False, True):
        a, b = SimpleFilter(), SimpleFilter()
        sets = collected(ApproximateTimeSynchronizer([a, b], 5, 10.0, allow_headerless=allowed))
        a.signalMessage(Obj(name="a"))
        b.signalMessage(Obj(name="b"))
        assert sets == ([("a", "b")] if allowed else [])


def test_arrival_time_can_stand_in_for_stamps() -> None:
    a, b = SimpleFilter(), SimpleFilter()
    sets = collected(ApproximateTimeSynchronizer([a, b], 5, 10.0, sync_arrival_time=True))
    a.signalMessage(message(0, "a"))
    b.signalMessage(message(10_000_000, "b"))
    assert sets == [("a", "b")]


@pytest.mark.parametrize("make", [TimeSynchronizer, lambda fs, n: ApproximateTimeSynchronizer(fs, n, 0.1)])
def test_callback_that_raises_leaves_neither_lock_nor_set_behind(make: Any) -> None:
    a, b = SimpleFilter(), SimpleFilter()
    synchronizer = make([a, b], 5)
    calls: list[str] = []

    def fail_once(first: Obj, second: Obj) -> None:
        calls.append(first.name)
        if len(calls) == 1:
            raise RuntimeError("callback")

    synchronizer.registerCallback(fail_once)
    a.signalMessage(message(1000, "a1"))
    with pytest.raises(RuntimeError, match="callback"):
        b.signalMessage(message(1000, "b1"))

    def from_another_thread() -> None:
        a.signalMessage(message(2000, "a2"))
        b.signalMessage(message(2000, "b2"))

    other = threading.Thread(target=from_another_thread, daemon=True)
    other.start()
    other.join(10.0)
    assert not other.is_alive()
    assert calls == ["a1", "a2"]
