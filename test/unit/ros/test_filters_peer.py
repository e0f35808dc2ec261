# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The stand-in beside the real ``message_filters``: the same messages in, the same sets out."""

from __future__ import annotations

import inspect
from types import ModuleType
from types import SimpleNamespace as Obj
from typing import Any

import pytest
from builtin_interfaces.msg import Time as TimeMsg
from hypothesis import given
from hypothesis import strategies as st
from rclpy.clock_type import ClockType
from rclpy.time import Time

from vidgen_nodes.ros import filters, filters_standin

peer = pytest.importorskip("message_filters", reason="message_filters comes with a full ROS 2 only")

# Few distinct stamps, in milliseconds, so that equal ones, ties and full queues are common.
arrivals = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=60)


def message(ms: int, name: str = "") -> Obj:
    return Obj(
        header=Obj(stamp=TimeMsg(sec=7 + ms // 1000, nanosec=ms % 1000 * 1_000_000)), name=name or str(ms)
    )


def sets_from(
    module: ModuleType, make: Any, arriving: list[tuple[int, Obj]], streams: int
) -> list[tuple[str, ...]]:
    """The sets that a synchroniser of one module makes of messages arriving on some streams."""
    sources = [module.SimpleFilter() for _ in range(streams)]
    synchronizer = make(module, sources)
    sets: list[tuple[str, ...]] = []
    synchronizer.registerCallback(lambda *messages: sets.append(tuple(m.name for m in messages)))
    for stream, arrived in arriving:
        sources[stream % streams].signalMessage(arrived)
    return sets


def named(stamps: list[tuple[int, int]]) -> list[tuple[int, Obj]]:
    return [(stream, message(ms, f"{number}@{ms}")) for number, (stream, ms) in enumerate(stamps)]


def test_the_one_import_takes_the_real_package() -> None:
    assert {name: getattr(filters, name) for name in filters.__all__} == {
        name: getattr(peer, name) for name in filters.__all__
    }


@pytest.mark.parametrize("name", filters.__all__)
def test_every_public_method_takes_what_the_real_one_takes(name: str) -> None:
    theirs, ours = getattr(peer, name), getattr(filters_standin, name)
    public = [
        "__init__",
        *(m for m, _ in inspect.getmembers(theirs, inspect.isfunction) if not m.startswith("_")),
    ]
    for method in public:
        wanted = list(inspect.signature(getattr(theirs, method)).parameters)
        given_names = list(inspect.signature(getattr(ours, method)).parameters)
        assert given_names[: len(wanted)] == wanted, method


@given(arrivals, st.integers(2, 3), st.integers(1, 5))
def test_equal_stamps_make_the_same_sets(stamps: list[tuple[int, int]], streams: int, depth: int) -> None:
    arriving = named(stamps)

    def make(module: ModuleType, sources: list[Any]) -> Any:
        return module.TimeSynchronizer(sources, depth)

    assert sets_from(filters_standin, make, arriving, streams) == sets_from(peer, make, arriving, streams)


@given(arrivals, st.integers(2, 3), st.integers(1, 5), st.sampled_from([0.001, 0.005, 0.01, 0.1]))
def test_near_stamps_make_the_same_sets(
    stamps: list[tuple[int, int]], streams: int, depth: int, slop_s: float
) -> None:
    arriving = named(stamps)

    def make(module: ModuleType, sources: list[Any]) -> Any:
        return module.ApproximateTimeSynchronizer(sources, depth, slop_s)

    assert sets_from(filters_standin, make, arriving, streams) == sets_from(peer, make, arriving, streams)


@pytest.mark.parametrize("allowed", [False, True])
def test_messages_without_header_are_treated_alike(allowed: bool) -> None:
    arriving = [(0, Obj(name="a")), (1, Obj(name="b")), (0, message(5)), (1, message(5))]

    def make(module: ModuleType, sources: list[Any]) -> Any:
        return module.ApproximateTimeSynchronizer(sources, 5, 10.0, allow_headerless=allowed)

    expected = sets_from(peer, make, arriving, 2)
    assert len(expected) == 1 + allowed
    assert sets_from(filters_standin, make, arriving, 2) == expected


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 6), st.integers(0, 30), st.integers(0, 10))
def test_caches_answer_alike(stamps: list[int], size: int, at_ms: int, span_ms: int) -> None:
    def answers(module: ModuleType) -> list[Any]:
        source = module.SimpleFilter()
        cache, passed = module.Cache(source, size), []
        cache.registerCallback(lambda m: passed.append(m.name))
        for number, ms in enumerate(stamps):
            source.signalMessage(message(ms, f"{number}@{ms}"))
        low, high = (
            Time(seconds=7, nanoseconds=ms * 1_000_000, clock_type=ClockType.ROS_TIME)
            for ms in (at_ms, at_ms + span_ms)
        )
        found = [cache.getElemAfterTime(low), cache.getElemBeforeTime(low), cache.getLast()]
        return [
            [m.name for m in cache.getInterval(low, high)],
            [m and m.name for m in found],
            cache.getOldestTime(),
            cache.getLastestTime(),
            passed,
        ]

    assert answers(filters_standin) == answers(peer)


def test_subscribers_ask_the_node_for_the_same_subscription() -> None:
    def asked(module: ModuleType) -> list[Any]:
        calls: list[Any] = []

        def create(*args: Any, **kwargs: Any) -> Obj:
            calls.append((args[:2], args[2].__name__, sorted(kwargs.items())))
            return Obj(topic_name="/resolved")

        subscriber = module.Subscriber(Obj(create_subscription=create), str, "topic", raw=True)
        return [*calls, subscriber.getTopic(), subscriber.topic_name]

    assert asked(filters_standin) == asked(peer)
