# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A unit key in a token, exercised with SoftHSM: the private key stays inside, the chain is the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.note import check_signature
from vidgen_nodes.errors import ConfigError

pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
MODULES = sorted(Path("/usr/lib").glob("**/softhsm/libsofthsm2.so"))
NOW_S = 1_800_000_000


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    if not MODULES or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed: apt install softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "unit",
        "--pin",
        "1234",
        "--so-pin",
        "5678",
    ]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "pin").write_text("1234\n")
    yield f"pkcs11:token=unit;object=vidgen-unit?module-path={MODULES[0]}&pin-source=file:{folder / 'pin'}"
    patch.undo()


def test_the_key_is_made_in_the_token_and_found_again(uri, tmp_path):
    from pkcs11 import Attribute

    from vidgen_nodes.custody.pkcs11_key import Pkcs11Key

    first, again = Pkcs11Key.open(uri), Pkcs11Key.open(uri)
    assert first.public == again.public
    check_signature(first.public, b"message", again.sign(b"message"), "signature")
    assert first._private[Attribute.EXTRACTABLE] is False
    assert first._private[Attribute.SENSITIVE] is True


def test_a_session_is_vouched_for_by_the_token(uri, tmp_path):
    ring = KeyRing.open(tmp_path, NOW_S, uri)
    ring.new_session(NOW_S).chain.check(ring.root.public)
    assert not (tmp_path / "unit.key").exists()


def test_a_wrong_pin_token_or_uri_is_refused_in_words(uri, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="check module, token and PIN"):
        KeyRing.open(tmp_path, NOW_S, uri.replace("token=unit", "token=other"))
    code = "import sys; from vidgen_nodes.custody.pkcs11_key import Pkcs11Key; Pkcs11Key.open(sys.argv[1])"
    command = [sys.executable, "-c", code, uri.partition("&")[0]]  # this process is logged in already
    environment = {**os.environ, "VIDGEN_PKCS11_PIN": "9999"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ConfigError" in done.stderr
    assert "check module, token and PIN" in done.stderr
    monkeypatch.delenv("VIDGEN_PKCS11_PIN", raising=False)
    with pytest.raises(ConfigError, match="VIDGEN_PKCS11_PIN"):
        KeyRing.open(tmp_path, NOW_S, uri.partition("&")[0])
    with pytest.raises(ConfigError, match="lacks object"):
        KeyRing.open(tmp_path, NOW_S, "pkcs11:token=unit?module-path=/x.so")
    with pytest.raises(ConfigError, match="pkcs11: URI"):
        KeyRing.open(tmp_path, NOW_S, "file:unit")
