# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A witness behind HTTP: ``POST /add-checkpoint``, and ``GET /`` for its name and key.

Guarantees: a request of more than 64 KiB or one that stalls is dropped, and none is answered with a stack trace.
Leaves out TLS and access control: heads are public, and only signed ones change anything.
"""

from __future__ import annotations

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vidgen_nodes.custody.witness import Answer, Witness
from vidgen_nodes.custody.witness_client import CERTIFICATES

_MOST_BYTES = 64 * 1024
_STALLED_S = 10
_LOG = logging.getLogger(__name__)


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness until ``shutdown``."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = _STALLED_S
    server_version = "vidgen-witness"
    sys_version = ""
    server: WitnessServer

    def do_GET(self) -> None:
        if self.path == "/":
            self._reply(Answer(200, f"{self.server.witness.verifier}\n"))
        else:
            self._reply(Answer(404, "expected / or POST /add-checkpoint\n"))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._reply(Answer(404, "expected /add-checkpoint\n"))
        elif not length.isdigit() or int(length) > _MOST_BYTES:
            self._reply(Answer(413, f"expected a body of at most {_MOST_BYTES} bytes\n"))
        else:
            body = self.rfile.read(int(length))
            self._reply(self.server.witness.add_checkpoint(body, self.headers.get(CERTIFICATES, "")))

    def _reply(self, answer: Answer) -> None:
        data = answer.text.encode()
        self.send_response(answer.status)
        self.send_header(
            "Content-Type", f"{answer.kind}; charset=utf-8" if "plain" in answer.kind else answer.kind
        )
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        _LOG.debug(format, *args)
