# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Time stamps by an authority made here with ``openssl ts``: taken, queued when it is away, refused when altered."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from vidgen_nodes.custody.heads import HeadStore, heads_path
from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.signer import HeadLog, Signing
from vidgen_nodes.custody.timestamp import TimestampAuthority, check_token
from vidgen_nodes.errors import ConfigError, CustodyError, VerificationError

pytest.importorskip("asn1crypto", reason="asn1crypto is not installed")
DIGEST = hashlib.sha256(b"head").digest()
_CONFIG = """
[ca]
basicConstraints = critical,CA:true
[tsa_cert]
basicConstraints = CA:false
extendedKeyUsage = critical,timeStamping
[other_cert]
basicConstraints = CA:false
extendedKeyUsage = critical,clientAuth
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
"""


class Stamper:
    """An authority on this machine."""

    def __init__(self, folder, kind: str) -> None:
        self.folder = folder
        (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        new = (
            ["-newkey", "rsa:2048"]
            if kind == "rsa"
            else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        )
        for name in ("ca", "tsa"):
            request = [
                "req",
                *new,
                "-nodes",
                "-subj",
                f"/CN={name}",
                "-keyout",
                f"{name}.key",
                "-out",
                f"{name}.csr",
            ]
            self.openssl(*request)
        self.openssl("x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-extfile", "openssl.cnf",
                     "-extensions", "ca", "-days", "2", "-out", "ca.pem")  # fmt: skip
        self.certify("tsa_cert")

    def certify(self, section: str) -> None:
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-extfile", "openssl.cnf", "-extensions", section, "-days", "2", "-out", "tsa.pem")  # fmt: skip

    def openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def reply(self, query: bytes) -> bytes:
        (self.folder / "query.tsq").write_bytes(query)
        self.openssl("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr")
        return (self.folder / "reply.tsr").read_bytes()

    @property
    def certificate(self) -> bytes:
        return (self.folder / "ca.pem").read_bytes()


@pytest.fixture(scope="module", params=["rsa", "ec"])
def stamper(request, tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return Stamper(tmp_path_factory.mktemp("tsa"), request.param)


@pytest.fixture(scope="module")
def authority(stamper):
    """The same behind HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = stamper.reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield TimestampAuthority(f"http://127.0.0.1:{server.server_address[1]}/")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def token(authority):
    return authority.stamp(DIGEST)


def test_a_token_holds_and_names_now(token, stamper):
    named = check_token(token, DIGEST, [stamper.certificate])
    assert abs(named - datetime.now(timezone.utc)) < timedelta(minutes=10)


def test_another_digest_and_another_authority_are_refused(token, stamper, tmp_path):
    with pytest.raises(VerificationError, match="something else than this tree head"):
        check_token(token, bytes(32), [stamper.certificate])
    other = Stamper(tmp_path, "ec")
    with pytest.raises(VerificationError, match="no authority that is trusted"):
        check_token(token, DIGEST, [other.certificate])


def test_no_changed_byte_changes_what_a_token_says(token, stamper):
    named = check_token(token, DIGEST, [stamper.certificate])
    refused = 0
    for at in range(0, len(token), 7):
        changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        try:
            assert check_token(changed, DIGEST, [stamper.certificate]) == named
        except VerificationError:
            refused += 1
    assert refused > 0.8 * len(range(0, len(token), 7))


def test_a_certificate_for_something_else_is_refused(tmp_path):
    stamper = Stamper(tmp_path, "ec")
    token = _token(stamper)
    assert check_token(token, DIGEST, [stamper.certificate])
    (tmp_path / "signer").mkdir()
    stamper.certify("other_cert")
    with pytest.raises(
        subprocess.CalledProcessError
    ):  # openssl itself will not stamp with such a certificate
        _token(stamper)


def _token(stamper: Stamper) -> bytes:
    from vidgen_nodes.custody.timestamp import read_response, request

    return read_response(stamper.reply(request(DIGEST, 5)), DIGEST, 5)


def test_an_answer_to_another_request_is_refused(stamper):
    from vidgen_nodes.custody.timestamp import read_response, request

    answer = stamper.reply(request(DIGEST, 5))
    with pytest.raises(VerificationError, match="another request"):
        read_response(answer, DIGEST, 6)
    with pytest.raises(VerificationError, match="something else than a time stamp"):
        read_response(b"nonsense", DIGEST, 5)


def test_heads_wait_while_the_authority_is_away_and_are_stamped_later(tmp_path, written, authority, stamper):
    path = tmp_path / "ledger.db"
    shutil.copy(written, path)
    ring = KeyRing.open(tmp_path / "keys", int(time.time()))
    away = HeadLog(path, ring, Signing(authority=TimestampAuthority("http://127.0.0.1:9/")))
    away.sign_new()
    away.close()
    with HeadStore(heads_path(path)) as store:
        assert (store.waiting_stamps(), store.stamps()) == ([12], [])
    back = HeadLog(path, ring, Signing(authority=authority))
    back.sign_new()
    back.close()
    with HeadStore(heads_path(path)) as store:
        ((size, token),) = store.stamps()
        assert (size, store.waiting_stamps()) == (12, [])
        assert check_token(token, store.at(size).head.digest, [stamper.certificate])


def test_an_authority_named_wrongly_or_away_is_said():
    with pytest.raises(ConfigError, match="authority"):
        TimestampAuthority("ftp://x")
    with pytest.raises(CustodyError, match="cannot be reached"):
        TimestampAuthority("http://127.0.0.1:9/").stamp(DIGEST)
