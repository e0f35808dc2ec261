# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which recorded messages take effect."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nodes.ros.ordering import WINDOW_NS, in_effect_order
from vidgen_nodes.ros.replay import TimedMessage

MS = 1_000_000
DELAYS = {"imu": 15 * MS, "points": 300 * MS}


def message(topic: str, stamp_ms: int, log_ms: int) -> TimedMessage:
    return TimedMessage(topic, "t", log_ms * MS, stamp_ms.to_bytes(8, "little", signed=True))


def stamp_ns(item: TimedMessage) -> int:
    return int.from_bytes(item.data, "little", signed=True) * MS


def ordered(messages: list[TimedMessage]) -> list[tuple[str, int]]:
    result = in_effect_order(messages, stamp_ns, DELAYS, "thermal")
    return [(m.topic, stamp_ns(m) // MS) for m in result]


def test_an_input_comes_where_it_takes_effect() -> None:
    messages = [
        message("points", 0, 0),
        message("imu", 10, 10),
        message("thermal", 20, 20),
        message("thermal", 26, 26),
    ]
    assert ordered(messages) == [("thermal", 20), ("imu", 10), ("thermal", 26), ("points", 0)]


def test_what_takes_effect_at_the_stamp_comes_before_the_frame() -> None:
    assert ordered([message("thermal", 20, 0), message("imu", 5, 1)]) == [("imu", 5), ("thermal", 20)]


def test_disorder_of_the_recorder_between_topics_does_not_matter() -> None:
    messages = [message("thermal", 100, 0), message("imu", 50, 900), message("imu", 60, 1800)]
    assert ordered(messages) == [("imu", 50), ("imu", 60), ("thermal", 100)]


def test_the_order_within_a_topic_is_kept() -> None:
    messages = [message("imu", 30, 0), message("imu", 10, 1), message("imu", 20, 2)]
    assert [s for _, s in ordered(messages)] == [30, 10, 20]


def test_a_recording_that_was_played_again_comes_in_whole_runs() -> None:
    """Each topic goes back by itself; frames of the second run do not come before their inputs."""
    once = [
        m for t in range(0, 3000, 100) for m in (message("imu", t, t), message("thermal", t + 20, t + 20))
    ]
    again = [TimedMessage(m.topic, m.type_name, m.log_ns + 3000 * MS, m.data) for m in once]
    expected = ordered(once)
    assert ordered([*once, *again]) == expected * 2


@given(
    st.lists(
        st.tuples(st.sampled_from(["imu", "points", "thermal"]), st.integers(0, 5000), st.integers(0, 1000)),
        max_size=60,
    )
)
def test_every_message_comes_once_and_effects_never_go_back_within_the_window(
    items: list[tuple[str, int, int]],
) -> None:
    recorded = sorted((message(t, s, s + d) for t, s, d in items), key=lambda m: m.log_ns)
    found = list(in_effect_order(recorded, stamp_ns, DELAYS, "thermal"))
    assert sorted(id(m) for m in found) == sorted(id(m) for m in recorded)
    # Per topic in the order recorded.
    for topic in ("imu", "points", "thermal"):
        assert [m for m in found if m.topic == topic] == [m for m in recorded if m.topic == topic]
    newest: dict[str, int] = {}
    effects = []
    for m in found:
        newest[m.topic] = max(newest.get(m.topic, 0), stamp_ns(m) + DELAYS.get(m.topic, 0))
        effects.append(newest[m.topic])
    assert effects == sorted(effects)  # stamps and log times are at most 1 s apart, the window is 2 s
    assert WINDOW_NS >= 2 * 10**9
