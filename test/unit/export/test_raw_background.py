# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Raw pictures leave only where the policy of the run says so, and who asked stands in the ledger."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vidgen_nodes.custody.digest import run_digests
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import CustodyError, InputError
from vidgen_nodes.export.background import safe_background
from vidgen_nodes.export.raw_background import RAW_ACCESS, open_raw
from vidgen_nodes.packets import ThermalFrame
from vidgen_nodes.params import GeneratorParams, NodeParams


def run_with(path: Path, *policies: str) -> Path:
    for policy in policies:
        params = NodeParams(generator=GeneratorParams(raw_access=policy))
        with Ledger.open(path, segment=run_digests(params, None).segment("start")):
            pass
    return path


def accesses(path: Path) -> list[object]:
    with LedgerReader(path) as reader:
        return [leaf[RAW_ACCESS] for _, leaf in reader.segments() if leaf["cause"] == RAW_ACCESS]


def test_where_the_policy_says_so_the_access_is_logged_first(tmp_path: Path) -> None:
    ledger = run_with(tmp_path / "ledger.db", "logged")
    raw = open_raw(ledger, "kim", "search for a missing colleague")
    assert accesses(ledger) == [{"who": "kim", "why": "search for a missing colleague"}]
    pixels = np.zeros((8, 8), np.uint8)
    frame = ThermalFrame(1, "t", "mono8", pixels, 0, None, False, math.nan, math.nan, 0.0, False, ())
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    made, record = safe_background(raw, frame, rgb)
    np.testing.assert_array_equal(made, rgb)
    assert record.as_json()["method"] == "raw"
    assert record.as_json()["access_leaf"] == 1


@pytest.mark.parametrize("policies", [("never",), ("logged", "never"), ("never", "logged")])
def test_any_part_of_a_run_that_says_never_forbids_it(tmp_path: Path, policies: tuple[str, ...]) -> None:
    ledger = run_with(tmp_path / "ledger.db", *policies)
    with pytest.raises(InputError, match="persons stay mosaicked"):
        open_raw(ledger, "kim", "curiosity")
    assert accesses(ledger) == []


@pytest.mark.parametrize(("who", "why"), [("", "because"), ("kim", " "), (" ", "")])
def test_nobody_gets_it_without_saying_who_and_why(tmp_path: Path, who: str, why: str) -> None:
    ledger = run_with(tmp_path / "ledger.db", "logged")
    with pytest.raises(InputError, match="who wants"):
        open_raw(ledger, who, why)
    assert accesses(ledger) == []


def test_what_cannot_be_logged_is_not_handed_out(tmp_path: Path) -> None:
    ledger = run_with(tmp_path / "ledger.db", "logged")
    with Ledger.open(ledger, segment={"cause": "restart"}), pytest.raises(CustodyError):
        open_raw(ledger, "kim", "now")


def test_never_is_the_default_and_part_of_every_leaf() -> None:
    assert GeneratorParams().raw_access == "never"
    assert run_digests(NodeParams(), None).config["generator"]["raw_access"] == "never"  # type: ignore[index]
    other = NodeParams(generator=GeneratorParams(raw_access="logged"))
    assert run_digests(other, None).config_sha256 != run_digests(NodeParams(), None).config_sha256
