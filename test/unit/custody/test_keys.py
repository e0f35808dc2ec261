# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Keys: made once, private, chained from the root, refused when they are not what they should be."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from vidgen_nodes.custody.certificate import SESSION, UNIT, Certificate, Chain, issue
from vidgen_nodes.custody.keys import (
    SESSION_S,
    UNIT_S,
    FileKey,
    KeyRing,
    certify_unit,
    default_folder,
    parse_public,
)
from vidgen_nodes.errors import ConfigError, VerificationError

NOW_S = 1_800_000_000


def test_keys_are_made_once_and_only_their_owner_may_read_them(tmp_path):
    first = KeyRing.open(tmp_path / "keys", NOW_S)
    again = KeyRing.open(tmp_path / "keys", NOW_S + 5)
    assert (first.root, first.unit_certificate) == (again.root, again.unit_certificate)
    for name in ("root.key", "unit.key"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        ".lock", "root.key", "root.pub", "unit.cert", "unit.key",
    ]  # fmt: skip


def test_processes_that_start_at_once_agree(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(KeyRing.open(tmp_path, NOW_S).root)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_session_leads_to_the_root_and_to_no_other(tmp_path):
    ring = KeyRing.open(tmp_path / "a", NOW_S)
    session = ring.new_session(NOW_S)
    session.chain.check(ring.root.public)
    session.chain.check_time(NOW_S + SESSION_S, "head")
    with pytest.raises(VerificationError, match="session certificate is valid"):
        session.chain.check_time(NOW_S + SESSION_S + 1, "head")
    with pytest.raises(VerificationError, match="unit certificate"):
        session.chain.check(KeyRing.open(tmp_path / "b", NOW_S).root.public)
    assert ring.new_session(NOW_S).key.public != session.key.public


@pytest.mark.parametrize("field", ["role", "name", "public", "not_before_s", "not_after_s", "signature"])
@pytest.mark.parametrize("link", ["unit", "session"])
def test_no_changed_field_of_a_certificate_passes(tmp_path, link, field):
    ring = KeyRing.open(tmp_path, NOW_S)
    chain = ring.new_session(NOW_S).chain
    before = getattr(getattr(chain, link), field)
    other = {
        "role": SESSION if before == UNIT else UNIT,
        "name": "x",
        "public": bytes(32),
        "not_before_s": 0,
        "not_after_s": 2**40,
        "signature": bytes(64),
    }[field]
    forged = dataclasses.replace(chain, **{link: dataclasses.replace(getattr(chain, link), **{field: other})})
    with pytest.raises(VerificationError):
        forged.check(ring.root.public)


def test_a_unit_certificate_is_renewed_where_the_root_is_and_asked_for_where_it_is_not(tmp_path):
    ring = KeyRing.open(tmp_path, NOW_S)
    later_s = NOW_S + UNIT_S
    renewed = KeyRing.open(tmp_path, later_s)
    assert renewed.unit_certificate.not_after_s > ring.unit_certificate.not_after_s
    assert renewed.root == ring.root
    key = FileKey.load(tmp_path / "root.key")
    (tmp_path / "root.key").unlink()
    much_later_s = later_s + UNIT_S
    with pytest.raises(ConfigError, match="vidgen keys certify"):
        KeyRing.open(tmp_path, much_later_s)
    certificate = certify_unit(key, ring.unit_certificate.public, much_later_s)
    (tmp_path / "unit.cert").write_bytes(certificate.encode())
    assert KeyRing.open(tmp_path, much_later_s).unit_certificate == certificate


def test_a_key_that_others_may_read_is_refused(tmp_path):
    KeyRing.open(tmp_path, NOW_S)
    (tmp_path / "unit.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeyRing.open(tmp_path, NOW_S)


def test_a_foreign_key_file_and_a_forged_certificate_are_refused(tmp_path):
    ring = KeyRing.open(tmp_path, NOW_S)
    forged = issue(FileKey.generate(), UNIT, "x", ring.unit_certificate.public, 0, 2**40)
    (tmp_path / "unit.cert").write_bytes(forged.encode())
    with pytest.raises(ConfigError, match="unit certificate"):
        KeyRing.open(tmp_path, NOW_S)
    (tmp_path / "unit.key").write_text("no key")
    with pytest.raises(ConfigError, match="PEM"):
        KeyRing.open(tmp_path, NOW_S)


def test_a_public_key_is_read_from_file_text_and_digits(tmp_path):
    ring = KeyRing.open(tmp_path, NOW_S)
    for text in (str(tmp_path / "root.pub"), str(ring.root), ring.root.public.hex()):
        assert parse_public(text) == ring.root.public
    with pytest.raises(ConfigError, match="64 hexadecimal"):
        parse_public("nothing")


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"custody\.key_dir"):
        KeyRing.open(tmp_path / "file" / "keys", NOW_S)


def test_the_default_folder_is_outside_the_checkout(monkeypatch):
    monkeypatch.delenv("VIDGEN_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert str(default_folder()) == "/somewhere/vidgen/keys"
    monkeypatch.setenv("VIDGEN_KEYS", "/else")
    assert str(default_folder()) == "/else"


def test_a_certificate_has_one_form(tmp_path):
    certificate = KeyRing.open(tmp_path, NOW_S).unit_certificate
    data = certificate.encode()
    assert Certificate.decode(data) == certificate
    assert len(data) < 140
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            other = Certificate.decode(changed)
        except VerificationError:
            continue
        with pytest.raises(VerificationError):
            Chain(other, KeyRing.open(tmp_path, NOW_S).new_session(NOW_S).chain.session).check(
                KeyRing.open(tmp_path, NOW_S).root.public
            )
