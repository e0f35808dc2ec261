# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The label for machines in a file: AIGC field and IPTC digital source type.

Guarantees: a file labelled here carries exactly one of each, and reading counts every one there is. Leaves out the
signature (``content_credentials.py``), which comes last: whatever is written after it breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vidgen_nodes.delivery import mp4_metadata, picture_metadata
from vidgen_nodes.delivery.aigc_metadata import FIELD, AigcField, aigc_field
from vidgen_nodes.delivery.iptc import digital_source_type
from vidgen_nodes.delivery.label import Labelled
from vidgen_nodes.delivery.tag_strip import FramePointer
from vidgen_nodes.delivery.xmp import aigc_values, source_types, xmp_packet
from vidgen_nodes.errors import VerificationError


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file says of its makers, besides its record."""

    producer: str = "vidgen"  # who answers for the content (GB 45438), ASCII without spaces
    camera: bool = True  # pixels of a real camera are in the picture


@dataclass(frozen=True, slots=True)
class ContentLabel:
    """What a file was found to say."""

    aigc: AigcField
    source_type: str


def labelled_picture(data: bytes, labelled: Labelled, origin: Origin) -> bytes:
    """A PNG or JPEG file with its label."""
    aigc = aigc_field(origin.producer, labelled.pointer, labelled.code).text()
    source_type = digital_source_type(labelled.code, camera=origin.camera)
    return picture_metadata.with_xmp(data, xmp_packet(source_type, aigc))


def labelled_movie(data: bytes, first: FramePointer, code: str, origin: Origin) -> bytes:
    """An MP4 file with its label; ``first`` is the record of its first frame."""
    source_type = digital_source_type(code, camera=origin.camera)
    entries = {FIELD: aigc_field(origin.producer, first, code).text()}
    return mp4_metadata.with_metadata(data, entries, xmp_packet(source_type))


def read_label(data: bytes) -> ContentLabel:
    """The label of a PNG, JPEG or MP4 file.

    Raises:
        VerificationError: not exactly one AIGC field and one source type, or a field of another form.
    """
    fields: list[str] = []
    if mp4_metadata.is_mp4(data):
        packets = mp4_metadata.xmp_packets(data)
        fields = [value for name, value in mp4_metadata.metadata_entries(data) if FIELD in name]
    else:
        packets = picture_metadata.xmp_packets(data)
    fields += [value for packet in packets for value in aigc_values(packet)]
    kinds = [value for packet in packets for value in source_types(packet)]
    if len(fields) != 1:
        raise VerificationError(f"label: got {len(fields)} AIGC fields, expected exactly one")
    if len(kinds) != 1:
        raise VerificationError(f"label: got {len(kinds)} digital source types, expected exactly one")
    return ContentLabel(AigcField.parse(fields[0]), kinds[0])
