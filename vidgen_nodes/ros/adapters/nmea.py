# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A receiver that speaks NMEA 0183 into a port, a socket or a file, beside any stack: its positions and headings."""

from __future__ import annotations

import time
from typing import Any

from vidgen_nodes.errors import ConfigError, InputError
from vidgen_nodes.packets import Fix
from vidgen_nodes.params import RtkParams
from vidgen_nodes.ros.adapters.route import NavSink
from vidgen_nodes.ros.line_source import LineSource
from vidgen_nodes.sensing.nmea import NmeaReader

TOPIC = "nmea"  # by this name its sentences stand in records and diagnostics
POLL_S = 0.01


class NmeaFeed:
    """Sentences to a sink; what cannot be used is counted like a message."""

    def __init__(self, node: Any, sink: NavSink, params: RtkParams) -> None:
        """Start reading.

        Raises:
            ConfigError: the source cannot be.
        """
        if not params.nmea_source:
            raise ConfigError("nmea_source is empty; expected a file, /dev/ttyUSB0@115200 or tcp://host:port")
        topic = node.resolve_topic_name(TOPIC)
        self._node, self._sink = node, sink
        self._entry = node.health.add_input(topic, required=False)
        self._reader = NmeaReader(topic, params.height_datum, params.antenna_baseline_yaw_deg)
        self._lines = LineSource(params.nmea_source)

    @property
    def trouble(self) -> str:
        """Why no sentences come, in plain words; empty when they do."""
        return self._lines.trouble

    def drain(self) -> None:
        """Take in what has come."""
        for line in self._lines.take():
            if line.strip():
                self._take(line)
        self._node.health.dropped["nmea_lines_not_read_in_time"] = self._lines.dropped

    def _take(self, line: bytes) -> None:
        before_s = self._entry.last_good_s
        self._entry.arrive(time.monotonic(), self._entry.offset_s)
        try:
            packet = self._reader.read(line)
            if packet is None:
                return
            self._entry.offset_s = (self._node.now_ns() - packet.stamp_ns) * 1e-9
            if isinstance(packet, Fix):
                self._sink.fix(packet)
            else:
                self._sink.heading(packet)
        except InputError as err:
            self._node.refuse(self._entry, err, before_s)

    def close(self) -> None:
        """Stop reading."""
        self._lines.close()
