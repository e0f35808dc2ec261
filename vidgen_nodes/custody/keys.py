# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of a unit: root, unit and session, and where they lie.

The root key vouches for units and belongs offline (``vidgen keys certify`` needs it, a run does not); the unit
key vouches for sessions and may lie in a PKCS#11 token; a session key lives in memory only and dies with the
process. Guarantees: key files are made once, complete, with mode 0600, and refused if others may read them.
Leaves out backup, and protection from whoever is the same user: a file key can be copied, a token's cannot.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vidgen_nodes.custody.certificate import SESSION, UNIT, Certificate, Chain, fingerprint, issue
from vidgen_nodes.custody.note import KEY_BYTES, NOTE, SigningKey, VerifierKey, check_signature
from vidgen_nodes.errors import ConfigError, VerificationError

ROOT_NAME = "vidgen-root"
SESSION_S = 24 * 3600
UNIT_S = 366 * 24 * 3600
_SKEW_S = 300  # clocks of unit and witness may differ by so much
_PKCS11 = "pkcs11:"


class FileKey:
    """An Ed25519 key held in memory, perhaps read from a file."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> FileKey:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> FileKey:
        """Read a PKCS#8 PEM file.

        Raises:
            ConfigError: others may read it, or it is not an Ed25519 key.
        """
        try:
            mode = path.stat().st_mode & 0o777
            data = path.read_bytes()
        except OSError as err:
            raise ConfigError(f"key {path}: cannot be read: {err.strerror}") from err
        if mode & 0o077:
            raise ConfigError(
                f"key {path}: has mode {mode:o}, others may read it; expected 600: chmod 600 {path}"
            )
        try:
            private = serialization.load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as err:
            raise ConfigError(f"key {path}: is not a private key in PEM form: {err}") from err
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigError(f"key {path}: got {type(private).__name__}, expected Ed25519")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write a new file with mode 0600; it appears whole or not at all.

        Raises:
            ConfigError: there is one already, or it cannot be written.
        """
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(pem)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(fresh, path)  # never over an existing key
        except OSError as err:
            raise ConfigError(f"key {path}: cannot be written: {err.strerror}") from err
        finally:
            fresh.unlink(missing_ok=True)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._private.sign(message)


@dataclass(frozen=True)
class Session:
    """A fresh key and who vouches for it."""

    key: SigningKey
    chain: Chain


class KeyRing:
    """Root and unit key in a folder; makes what is missing on first use."""

    def __init__(
        self, folder: Path, unit: SigningKey, unit_certificate: Certificate, root: VerifierKey
    ) -> None:
        self.folder = folder
        self.root = root
        self.unit_certificate = unit_certificate
        self._unit = unit

    @classmethod
    def open(cls, folder: Path | None, now_s: int, unit_key: str = "") -> KeyRing:
        """Read the keys, or make them.

        Args:
            folder: where they lie; None: :func:`default_folder`.
            now_s: Unix seconds; the unit certificate must be valid then.
            unit_key: ``pkcs11:`` URI of the unit key (``pkcs11_key.py``); empty: a file.

        Raises:
            ConfigError: a key that cannot be used, or a certificate that only the root key can renew.
            MissingPackageError: a token is asked for without python-pkcs11.
        """
        folder = folder or default_folder()
        with _locked(folder):
            unit = _unit_key(folder, unit_key)
            certificate, root = _unit_certificate(folder, unit.public, now_s)
        return cls(folder, unit, certificate, root)

    @property
    def unit(self) -> SigningKey:
        """The unit key, for certificates of another form (``x509.py``)."""
        return self._unit

    def new_session(self, now_s: int) -> Session:
        """A key for one run, vouched for by the unit for a day."""
        key = FileKey.generate()
        until_s = min(now_s + SESSION_S, self.unit_certificate.not_after_s)
        name = fingerprint(key.public)[:8]
        certificate = issue(self._unit, SESSION, name, key.public, now_s - _SKEW_S, until_s)
        return Session(key, Chain(self.unit_certificate, certificate))


def default_folder() -> Path:
    """``$VIDGEN_KEYS``, else ``vidgen/keys`` in the user's configuration folder."""
    named = os.environ.get("VIDGEN_KEYS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "vidgen" / "keys"


def certify_unit(root: SigningKey, public: bytes, now_s: int) -> Certificate:
    """What the root key says of a unit, for a year and a day."""
    return issue(root, UNIT, fingerprint(public), public, now_s - _SKEW_S, now_s + UNIT_S)


def parse_public(text: str) -> bytes:
    """A public key as a file that holds it, as ``NAME+ID+KEY``, or as 64 hex digits.

    Raises:
        ConfigError: it is none of these.
    """
    with contextlib.suppress(OSError, ValueError):
        if Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8").strip()
    with contextlib.suppress(ValueError):
        if len(raw := bytes.fromhex(text)) == KEY_BYTES:
            return raw
    try:
        return VerifierKey.parse(text).public
    except VerificationError as err:
        raise ConfigError(f"{err}; or give the file root.pub, or 64 hexadecimal digits") from err


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time looks whether keys are there."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise ConfigError(
            f"keys {folder}: cannot be made ({err.strerror}); set custody.key_dir or VIDGEN_KEYS to a folder of yours"
        ) from err
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _unit_key(folder: Path, uri: str) -> SigningKey:
    if uri:
        if not uri.startswith(_PKCS11):
            raise ConfigError(f"unit key {uri!r}: expected a pkcs11: URI, or nothing for a file")
        from vidgen_nodes.custody.pkcs11_key import Pkcs11Key

        return Pkcs11Key.open(uri)
    return _load_or_make(folder / "unit.key")


def _load_or_make(path: Path) -> FileKey:
    if path.exists():
        return FileKey.load(path)
    key = FileKey.generate()
    key.save(path)
    return key


def _unit_certificate(folder: Path, public: bytes, now_s: int) -> tuple[Certificate, VerifierKey]:
    """The certificate of the unit key and the root that made it; made or renewed where the root key lies here."""
    path, root_path, root_public = folder / "unit.cert", folder / "root.key", folder / "root.pub"
    if path.exists() and root_public.exists():
        root = VerifierKey(ROOT_NAME, NOTE, parse_public(str(root_public)))
        try:
            certificate = Certificate.decode(path.read_bytes())
            check_signature(root.public, certificate.body, certificate.signature, "unit certificate")
        except (OSError, VerificationError) as err:
            raise ConfigError(f"{path}: cannot be used: {err}") from err
        if certificate.public == public and certificate.covers(now_s + SESSION_S):
            return certificate, root
    if root_public.exists() and not root_path.exists():
        raise ConfigError(
            f"{path}: does not cover this unit key and this day, and the root key is not here. Where it is: "
            f"vidgen keys certify {public.hex()} --out unit.cert"
        )
    key = _load_or_make(root_path)
    root = VerifierKey(ROOT_NAME, NOTE, key.public)
    certificate = certify_unit(key, public, now_s)
    _replace(root_public, f"{root}\n".encode())
    _replace(path, certificate.encode())
    return certificate, root


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}") from err
