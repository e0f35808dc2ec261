# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Asks a witness for its cosignature: the client side of C2SP ``tlog-witness`` over plain HTTP.

Guarantees: only a cosignature by the pinned key over this very head is accepted. The certificates of the session
travel in a header of our own, ``Vidgen-Certificates``; the body is that of the specification. Leaves out secrecy and
server identity: a head is public, and a cosignature proves itself.
"""

from __future__ import annotations

import base64
import http.client
import urllib.parse
from collections.abc import Callable

import cbor2

from vidgen_nodes.custody.head import Head
from vidgen_nodes.custody.note import COSIGNATURE, NoteSignature, VerifierKey, check_cosignature
from vidgen_nodes.errors import ConfigError, CustodyError, VerificationError

CERTIFICATES = "Vidgen-Certificates"
SIZE_TYPE = "text/x.tlog.size"
_TIMEOUT_S = 1.0
_MOST_BYTES = 64 * 1024


class WitnessClient:
    """One witness. Not thread-safe."""

    def __init__(self, url: str, key: VerifierKey) -> None:
        """Remember where it is.

        Raises:
            ConfigError: not an http URL, or not the key of a witness.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ConfigError(f"witness {url!r}: expected http://HOST:PORT")
        if key.kind != COSIGNATURE:
            raise ConfigError(f"witness {url}: {key.name} is not the key of a witness")
        self.url, self.key = url, key
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = parts.path.rstrip("/") + "/add-checkpoint"
        self.known_size = 0  # of the head it cosigned last, as far as is known here

    def submit(self, head: Head, consistency: Callable[[int, int], list[bytes]]) -> NoteSignature:
        """Send a head with its proof; returns the witness's signature line.

        Args:
            head: signed.
            consistency: makes the proof from an old size to the head's.

        Raises:
            CustodyError: it cannot be reached, or refuses.
            VerificationError: it answers with something else.
        """
        size = head.head.size
        for _ in range(2):  # the first answer may say which size it knows
            old = min(self.known_size, size)
            status, kind, answer = self._post(head, old, consistency(old, size))
            known = answer.decode("ascii", "replace").strip()
            if status == http.client.CONFLICT and kind == SIZE_TYPE and known.isdigit() and int(known) != old:
                if int(known) > size:
                    raise CustodyError(
                        f"witness {self.url}: has seen {known} leaves of this log, which has {size}: an old copy"
                    )
                self.known_size = int(known)
                continue
            break
        if status != http.client.OK:
            text = answer.decode("utf-8", "replace").strip()[:200]
            raise CustodyError(f"witness {self.url}: refused the head over {size} leaves: {status} {text}")
        line = self._cosignature(head, answer)
        self.known_size = size
        return line

    def _cosignature(self, head: Head, answer: bytes) -> NoteSignature:
        for text in answer.decode("utf-8", "replace").splitlines():
            line = NoteSignature.parse(text)
            if line.name == self.key.name and line.key_id == self.key.key_id:
                check_cosignature(head.note.text, line, self.key)
                return line
        raise VerificationError(
            f"witness {self.url}: did not sign with the key {self.key.name} that is pinned"
        )

    def _post(self, head: Head, old: int, proof: list[bytes]) -> tuple[int, str, bytes]:
        hashes = "".join(base64.b64encode(node).decode() + "\n" for node in proof)
        body = f"old {old}\n{hashes}\n{head.note}".encode()
        chain = cbor2.dumps([head.chain.unit.as_list(), head.chain.session.as_list()], canonical=True)
        headers = {
            CERTIFICATES: base64.b64encode(chain).decode(),
            "Content-Type": "text/plain; charset=utf-8",
        }
        return self.exchange(body, headers)

    def exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Send one request; returns status, type and body of the answer.

        Raises:
            CustodyError: there is no answer.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers.get_content_type(), response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as err:
            raise CustodyError(f"witness {self.url}: cannot be reached: {err or type(err).__name__}") from err
        finally:
            connection.close()


def parse_witnesses(text: str) -> tuple[WitnessClient, ...]:
    """``URL KEY`` pairs, separated by commas.

    Raises:
        ConfigError: not of that form.
    """
    clients = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        url, _, key = entry.partition(" ")
        try:
            clients.append(WitnessClient(url, VerifierKey.parse(key)))
        except VerificationError as err:
            raise ConfigError(f"witness {entry[:80]!r}: expected 'http://HOST:PORT KEY': {err}") from err
    return tuple(clients)
