# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vidgen_nodes.errors import InputError
from vidgen_nodes.ros.diagnostics import ERROR, OK, SILENCE_S, STARTUP_S, WARN, WITHHOLDING, NodeHealth

LATER_S = STARTUP_S + 1.0


@pytest.fixture
def health() -> NodeHealth:
    made = NodeHealth(0.0)
    made.add_input("/in")
    made.add_output("/out")
    return made


def test_nothing_is_said_before_the_start_up_time_is_over(health: NodeHealth) -> None:
    assert health.why_silent(STARTUP_S - 0.1) == ""
    assert health.why_silent(STARTUP_S) != ""


def test_missing_publisher_is_named(health: NodeHealth) -> None:
    assert "nobody publishes /in" in health.why_silent(LATER_S)


def test_silent_publisher_is_told_from_a_missing_one(health: NodeHealth) -> None:
    health.inputs["/in"].publishers = 1
    assert "1 publisher(s), but no message" in health.why_silent(LATER_S)


def test_incompatible_qos_is_named_with_the_policy(health: NodeHealth) -> None:
    health.inputs["/in"].incompatible_policy = "RELIABILITY"
    why = health.why_silent(LATER_S)
    assert "QoS does not fit (RELIABILITY)" in why
    assert "input_reliability" in why


def test_refused_messages_are_named_with_reason_and_sentence(health: NodeHealth) -> None:
    entry = health.inputs["/in"]
    for second in range(5):
        before_s = entry.last_good_s
        entry.arrive(float(second), 0.0)
        entry.refuse(InputError("encoding", "image encoding is 'bayer'"), before_s)
    why = health.why_silent(LATER_S)
    assert "refused (encoding 5x)" in why
    assert "image encoding is 'bayer'" in why


def test_publisher_that_stopped_is_named_with_its_age(health: NodeHealth) -> None:
    health.inputs["/in"].arrive(1.0, 0.0)
    assert "nothing has come on /in for 9.0 s" in health.why_silent(10.0)


@pytest.mark.parametrize(("offset_s", "side"), [(1.5, "1.5 s behind"), (-86400.0, "86400.0 s ahead of")])
def test_clocks_apart_by_more_than_a_second_are_named(health: NodeHealth, offset_s: float, side: str) -> None:
    health.inputs["/in"].arrive(LATER_S, offset_s)
    assert side in health.why_silent(LATER_S)
    assert health.snapshot(LATER_S).level == WARN


def test_what_the_node_waits_for_comes_before_the_last_resort(health: NodeHealth) -> None:
    health.inputs["/in"].arrive(LATER_S, 0.0)
    assert "inputs arrive, but nothing goes out" in health.why_silent(LATER_S)
    health.waiting_for = "fix: no position yet"
    assert health.why_silent(LATER_S) == "waiting for fix: no position yet"


def test_drops_are_named_when_nothing_else_explains_the_silence(health: NodeHealth) -> None:
    health.inputs["/in"].arrive(LATER_S, 0.0)
    health.dropped["out_of_order"] += 3
    assert "out_of_order 3x" in health.why_silent(LATER_S)


def test_output_ends_the_silence_and_its_end_begins_it_again(health: NodeHealth) -> None:
    health.inputs["/in"].arrive(LATER_S, 0.0)
    health.outputs["/out"].publish(LATER_S)
    assert health.why_silent(LATER_S) == ""
    assert health.snapshot(LATER_S).level == OK
    later_s = LATER_S + SILENCE_S + 0.1
    assert "nothing has come on /in" in health.why_silent(later_s)
    assert health.snapshot(later_s).level == ERROR


def test_idle_by_design_is_no_silence(health: NodeHealth) -> None:
    health.idle = "nobody subscribes"
    assert health.why_silent(LATER_S) == ""
    assert (health.snapshot(LATER_S).level, health.snapshot(LATER_S).message) == (OK, "nobody subscribes")


def test_fault_outranks_everything(health: NodeHealth) -> None:
    health.fault = "the ledger is full"
    health.outputs["/out"].publish(LATER_S)
    assert (health.snapshot(LATER_S).level, health.snapshot(LATER_S).message) == (ERROR, "the ledger is full")


def test_what_makes_the_output_worse_is_told_though_it_flows(health: NodeHealth) -> None:
    health.add_output("/map").publish(9.0)
    health.doubt = "the LiDAR's own clock is 3 s behind its stamps"
    snapshot = health.snapshot(10.0)
    assert (snapshot.level, snapshot.message) == (1, health.doubt)
    health.waiting_for = "a pose"
    assert "a pose" in health.snapshot(10.5).message


def test_what_is_kept_from_being_drawn_is_counted_and_told(health: NodeHealth) -> None:
    health.outputs["/out"].publish(9.0)
    health.inputs["/in"].arrive(9.0, 0.0)
    health.withheld.update(["leak_covered", "leak_covered", "leak_stale"])
    health.withholding = "leak_covered: leak riser is not drawn"
    snapshot = health.snapshot(10.0)
    assert (snapshot.level, snapshot.message) == (OK, "running; leak_covered: leak riser is not drawn")
    values = dict(snapshot.values)
    assert (values["withheld leak_covered"], values["withheld leak_stale"]) == ("2", "1")
    assert values[WITHHOLDING] == health.withholding
    health.withholding = ""
    assert health.snapshot(10.5).message == "running"


def test_snapshot_counts_rates_over_the_time_since_the_last_one(health: NodeHealth) -> None:
    for _ in range(50):
        health.inputs["/in"].arrive(1.0, 0.01)
    health.snapshot(1.0)
    for _ in range(25):
        health.inputs["/in"].arrive(2.0, 0.01)
    values = dict(health.snapshot(3.0).values)
    assert values["/in received"] == "75"
    assert values["/in rate_hz"] == "12.5"
    assert values["/in age_s"] == "1.00"


def test_latency_percentiles_come_from_the_samples(health: NodeHealth) -> None:
    for value in range(1, 101):
        health.add_latency("hop", float(value))
    values = dict(health.snapshot(1.0).values)
    assert values["hop p50_ms"] == "51.00"
    assert values["hop p99_ms"] == "100.00"
    assert values["hop p100_ms"] == "100.00"
