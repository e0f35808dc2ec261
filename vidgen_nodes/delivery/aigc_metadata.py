# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The implicit label of GB 45438-2025 (Annex E): one field named AIGC, whose value is JSON text.

Guarantees: what is made here parses here, holds exactly the seven members of the form, all of them text in the
characters that the form allows. Carries the fields of that standard; whether a use of it conforms is for its operator
to judge. Leaves out where the field lies in a file (``picture_metadata.py``, ``mp4_metadata.py``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from vidgen_nodes.delivery.label import AIGC
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.errors import ConfigError, VerificationError

FIELD = "AIGC"
_MEMBERS = (
    "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2",
)  # fmt: skip
_ALLOWED = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")  # no space, quote or backslash
IS_GENERATED, MAY_BE_GENERATED = "1", "2"


@dataclass(frozen=True, slots=True)
class AigcField:
    """What the field says."""

    label: str  # "1" AI-generated, "2" may be, "3" suspected
    producer: str
    produce_id: str
    reserved: str  # hash of the leaf, hex

    def text(self) -> str:
        """The value of the field: propagator is the producer, as it is at the first writing."""
        values = (self.label, self.producer, self.produce_id, self.reserved) * 2
        members = dict(zip(_MEMBERS, (*values[:4], *values[1:4]), strict=True))
        return json.dumps(members, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> AigcField:
        """Read a value of the field.

        Raises:
            VerificationError: it has not the form; says what is wrong.
        """
        try:
            members = json.loads(text)
        except ValueError as err:
            raise VerificationError(f"AIGC field: is not JSON: {err}") from err
        if not isinstance(members, dict) or list(members) != list(_MEMBERS):
            raise VerificationError(f"AIGC field: expected the members {', '.join(_MEMBERS)}")
        for name, value in members.items():
            if not isinstance(value, str) or not _ALLOWED.fullmatch(value):
                raise VerificationError(f"AIGC field: {name}: expected text of the allowed characters")
        if members["Label"] not in ("1", "2", "3"):
            raise VerificationError(f"AIGC field: Label: got {members['Label']!r}, expected 1, 2 or 3")
        return cls(*(members[name] for name in _MEMBERS[:4]))


def aigc_field(producer: str, pointer: FramePointer, code: str) -> AigcField:
    """The field of a file whose first frame has that record.

    Args:
        producer: who answers for the content.
        pointer: record of the first frame in the file.
        code: label code; procedural pixels (``SYN``) are said to be "may be", the least wrong of three values none of
            which means "synthetic, but by no AI" (docs/CUSTODY.md names the doubt).

    Raises:
        ConfigError: a producer in characters that the form does not allow.
    """
    if not producer or not _ALLOWED.fullmatch(producer):
        raise ConfigError(
            f"content producer {producer!r}: expected ASCII without spaces, quotes and backslashes (GB 45438)"
        )
    label = IS_GENERATED if code == AIGC else MAY_BE_GENERATED
    produce_id = f"vidgen-{pointer.leaf_index}-{pointer.prefix.hex()}"
    return AigcField(label, producer, produce_id, pointer.leaf_hash.hex())
