# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's own picture in an export: only where the policy of the run says so, and never without a record.

Guarantees: who asked and why stands in the ledger before the first picture is handed out; runs whose policy is
``never`` (the default) refuse, whatever the parameters of today say. Leaves out the recording itself: who may read
that file is the file system's business, and nothing here knows of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vidgen_nodes.custody.identity import params_from_config
from vidgen_nodes.custody.ledger import Ledger
from vidgen_nodes.custody.reader import LedgerReader
from vidgen_nodes.errors import InputError
from vidgen_nodes.export.background import PrivacyRecord
from vidgen_nodes.packets import ByteArray, FloatArray, ThermalFrame

RAW_ACCESS: Final = "raw_access"  # cause of the leaf
_LOGGED: Final = "logged"


class RawBackground:
    """An anonymiser that changes nothing. Made by :func:`open_raw` alone."""

    def __init__(self, who: str, leaf_index: int) -> None:
        self._who, self._leaf_index = who, leaf_index

    def anonymise(
        self, thermal: ThermalFrame, rgb: ByteArray, local_px_per_m: FloatArray | None = None
    ) -> tuple[ByteArray, PrivacyRecord]:
        """The picture as it is. See ``background.Anonymiser``."""
        del local_px_per_m
        said = {"raw_for": self._who, "access_leaf": self._leaf_index, "stamp_ns": thermal.stamp_ns}
        return rgb, PrivacyRecord("raw", extra=said)


def open_raw(ledger: Path, who: str, why: str) -> RawBackground:
    """Log an access and allow it.

    Args:
        ledger: of the run.
        who: asks.
        why: in words.

    Raises:
        InputError: ``raw_access``: the policy of the run does not allow it, or nobody says who and why.
        CustodyError: the access cannot be logged, for example while a run is writing the ledger.
        VerificationError: the ledger cannot be read.
        ConfigError: its parameters are those of another version.
    """
    if not who.strip() or not why.strip():
        raise InputError(RAW_ACCESS, f"got {who!r} and {why!r}, expected who wants raw pictures and why")
    if not _allowed(ledger):
        raise InputError(
            RAW_ACCESS,
            f"{ledger}: the policy of the run (generator.raw_access) is not {_LOGGED!r}: persons stay mosaicked",
        )
    said = {"who": who, "why": why}
    with Ledger.open(ledger, segment={"cause": RAW_ACCESS, RAW_ACCESS: said}) as log:
        return RawBackground(who, log.size - 1)


def _allowed(ledger: Path) -> bool:
    """Every configuration that made frames of it says so."""
    with LedgerReader(ledger) as reader:
        named = {leaf.get("config") for _, leaf in reader.segments()}
        configs = [config for config in named if isinstance(config, bytes)]
        said = [params_from_config(reader.record(config)).generator.raw_access for config in configs]
    return bool(said) and all(policy == _LOGGED for policy in said)
