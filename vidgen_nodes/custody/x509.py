# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of a unit in X.509 form, because C2PA wants it: root, unit, and a key for one export.

The same Ed25519 keys as everywhere here, so whoever knows the root key needs no second anchor. The certificate of
the unit is made where the root key lies and kept beside ``unit.cert``. Guarantees: a key for an export signs that
export and is then forgotten; its certificate outlives the session, since a file is checked years later. Leaves out
revocation, as ``certificate.py`` does.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vidgen_nodes.custody.certificate import fingerprint
from vidgen_nodes.custody.keys import FileKey, KeyRing
from vidgen_nodes.custody.note import SigningKey
from vidgen_nodes.errors import ConfigError, VerificationError

ROOT_FILE, UNIT_FILE = "root.x509.pem", "unit.x509.pem"
# The root's certificate says nothing but its key: fixed times make it a function of that key.
_ROOT_FROM = datetime(2020, 1, 1, tzinfo=timezone.utc)
_ROOT_UNTIL = datetime(2060, 1, 1, tzinfo=timezone.utc)
_YEARS = timedelta(days=3653)
_SKEW = timedelta(minutes=5)
_ORGANIZATION = "vidgen"


class _KeyElsewhere(Ed25519PrivateKey):
    """A key that signs but does not show itself (a token's), for the certificate builder."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def public_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self._key.public)

    def sign(self, data: Any) -> bytes:
        return self._key.sign(bytes(data))

    def private_bytes(self, *_: Any, **__: Any) -> bytes:
        raise NotImplementedError("the key stays where it is")

    def private_bytes_raw(self) -> bytes:
        raise NotImplementedError("the key stays where it is")

    def __copy__(self) -> Ed25519PrivateKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Ed25519PrivateKey:
        return self


def export_key(ring: KeyRing, now: datetime) -> tuple[str, str, str]:
    """A new key for one export (PKCS#8), its certificate chain (key, unit) and the root certificate, as PEM.

    Args:
        ring: keys of this unit.
        now: when; aware.

    Raises:
        ConfigError: the unit has no X.509 certificate and the root key, which could make one, is not here.
    """
    root, unit = _issuers(ring, now)
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    name = f"export {fingerprint(public.public_bytes_raw())[:8]}"
    made = (
        _builder(name, public, unit.subject, now - _SKEW, min(now + _YEARS, unit.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(_issued_by(ring.unit.public), critical=False)
        .sign(_KeyElsewhere(ring.unit), None)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode("ascii"), _pem(made) + _pem(unit), _pem(root)


def certify_unit_x509(root: SigningKey, public: bytes, now: datetime) -> tuple[str, str]:
    """Certificates of root and unit as PEM; needs the root key, as ``certify_unit`` does."""
    own = Ed25519PublicKey.from_public_bytes(root.public)
    root_made = (
        _builder(f"root {fingerprint(root.public)}", own, None, _ROOT_FROM, _ROOT_UNTIL)
        .serial_number(int.from_bytes(bytes.fromhex(fingerprint(root.public)), "big") >> 1 | 1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(_KeyElsewhere(root), None)
    )
    unit = Ed25519PublicKey.from_public_bytes(public)
    unit_made = (
        _builder(f"unit {fingerprint(public)}", unit, root_made.subject, now - _SKEW, now + 2 * _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(_issued_by(root.public), critical=False)
        .sign(_KeyElsewhere(root), None)
    )
    return _pem(root_made), _pem(unit_made)


def root_of_key(pem: str, root_public: bytes) -> str:
    """A root certificate, if it is that of a root key.

    Raises:
        VerificationError: it is of another key, or no certificate.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what altered bytes look like
            found = x509.load_pem_x509_certificates(pem.encode())
            public = [_public_of(certificate) for certificate in found]
            found[0].verify_directly_issued_by(found[0])
    except Exception as err:  # altered bytes can make the parser raise anything
        raise VerificationError(f"content credentials: their root certificate does not hold: {err}") from err
    if public != [root_public]:
        raise VerificationError("content credentials: lead to another root key than the one given")
    return _pem(found[0])


def _issuers(ring: KeyRing, now: datetime) -> tuple[x509.Certificate, x509.Certificate]:
    root_path, unit_path = ring.folder / ROOT_FILE, ring.folder / UNIT_FILE
    with contextlib.suppress(OSError, ValueError):
        root, unit = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (root_path, unit_path))
        right = _public_of(root) == ring.root.public and _public_of(unit) == ring.unit.public
        if right and now + _SKEW < unit.not_valid_after_utc:
            return root, unit
    if not (ring.folder / "root.key").exists():
        raise ConfigError(
            f"{unit_path}: does not fit this unit, and the root key is not here. Where it is: "
            f"vidgen keys certify {ring.unit.public.hex()} --out unit.cert; carry {ROOT_FILE} and {UNIT_FILE} here"
        )
    pems = certify_unit_x509(FileKey.load(ring.folder / "root.key"), ring.unit.public, now)
    for path, pem in zip((root_path, unit_path), pems, strict=True):
        write_pem(path, pem)
    root_made, unit_made = (x509.load_pem_x509_certificate(pem.encode()) for pem in pems)
    return root_made, unit_made


def write_pem(path: Path, pem: str) -> None:
    """Write a certificate; it appears whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_text(pem, encoding="ascii")
        fresh.replace(path)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err


def _builder(
    name: str, public: Ed25519PublicKey, issuer: x509.Name | None, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"vidgen {name}"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(public)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder if issuer is None else builder.serial_number(x509.random_serial_number())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(public: bytes) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(Ed25519PublicKey.from_public_bytes(public))


def _public_of(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else b""


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
