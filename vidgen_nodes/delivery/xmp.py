# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""XMP packets with the AIGC field (``TC260:AIGC``) and the IPTC digital source type.

Guarantees: one packet, the same bytes for the same content. Reading finds every such property in a packet, also one
that somebody added, so that "exactly one" can be checked. Leaves out the rest of XMP.
"""

from __future__ import annotations

import re
from html import escape, unescape

_TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def xmp_packet(source_type: str, aigc: str = "") -> bytes:
    """A packet, UTF-8.

    Args:
        source_type: address of an IPTC digital source type.
        aigc: value of the AIGC field; empty: the file carries it elsewhere.
    """
    field = f' xmlns:TC260="{_TC260}" TC260:AIGC="{escape(aigc)}"' if aigc else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}"{field}'
        f' Iptc4xmpExt:DigitalSourceType="{escape(source_type)}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def aigc_values(packet: bytes) -> list[str]:
    """Every AIGC property in a packet, under whatever prefix, as attribute or as element."""
    return _values(packet, "AIGC")


def source_types(packet: bytes) -> list[str]:
    """Every digital source type in a packet."""
    return _values(packet, "DigitalSourceType")


def _values(packet: bytes, name: str) -> list[str]:
    text = packet.decode("utf-8", "replace")
    pattern = rf"""[\w.-]*{name}\s*=\s*(?:"([^"]*)"|'([^']*)')|<[\w.-]+:[\w.-]*{name}[^>]*>([^<]*)<"""
    return [unescape(next(group for group in found if group is not None)) for found in _groups(pattern, text)]


def _groups(pattern: str, text: str) -> list[tuple[str | None, ...]]:
    return [match.groups() for match in re.finditer(pattern, text)]
