# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""An Ed25519 key in a PKCS#11 token, named by an RFC 7512 URI.

``pkcs11:token=NAME;object=LABEL?module-path=/path/to/module.so``; the PIN comes from ``pin-source=file:/path`` in the
URI or from the environment variable ``VIDGEN_PKCS11_PIN``, never from a parameter file. Guarantees: the private key
never leaves the token; one that does not exist is made there, not extractable. Leaves out what the token is worth: a
software token (SoftHSM) exercises the interface and protects nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from vidgen_nodes.custody.note import KEY_BYTES
from vidgen_nodes.errors import ConfigError, CustodyError, MissingPackageError

_CURVE = b"\x13\x0cedwards25519"  # PrintableString, PKCS#11 3.0 section 2.3.10
_PIN = "VIDGEN_PKCS11_PIN"


class Pkcs11Key:
    """A key in an open token; usable by one thread at a time."""

    def __init__(self, private: Any, public: bytes, where: str) -> None:
        self._private = private
        self._public = public
        self._where = where

    @classmethod
    def open(cls, uri: str) -> Pkcs11Key:
        """Open the token, find the key or make it.

        Raises:
            ConfigError: the URI, the module, the token or the PIN is wrong.
            MissingPackageError: python-pkcs11 is not installed.
        """
        try:
            import pkcs11
        except ImportError as err:
            raise MissingPackageError(
                "a pkcs11: key needs the package python-pkcs11: pip install python-pkcs11"
            ) from err
        path, query = _parse(uri)
        where = f"token {path['token']!r}, object {path['object']!r}"
        try:
            token = pkcs11.lib(query["module-path"]).get_token(token_label=path["token"])
            session = _log_in(token, _pin(query))
            private, public = _find(session, path["object"]) or _make(session, path["object"])
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as err:
            raise ConfigError(
                f"{where} of {query['module-path']}: {type(err).__name__} {err}; check module, token and PIN"
            ) from err
        return cls(private, public, where)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes.

        Raises:
            CustodyError: the token is gone or refuses.
        """
        import pkcs11

        try:
            return bytes(self._private.sign(message, mechanism=pkcs11.Mechanism.EDDSA))
        except (pkcs11.PKCS11Error, RuntimeError) as err:
            raise CustodyError(f"{self._where}: cannot sign: {type(err).__name__} {err}") from err


def _parse(uri: str) -> tuple[dict[str, str], dict[str, str]]:
    body, _, question = uri.removeprefix("pkcs11:").partition("?")
    pairs = (item.partition("=") for item in body.split(";") if item)
    path = {name: unquote(value) for name, _, value in pairs}
    query = {name: values[-1] for name, values in parse_qs(question).items()}
    for name, place in (("token", path), ("object", path), ("module-path", query)):
        if not place.get(name):
            raise ConfigError(
                f"{uri.partition('?')[0]}: lacks {name}; expected pkcs11:token=NAME;object=LABEL?module-path=/path.so"
            )
    return path, query


def _pin(query: dict[str, str]) -> str:
    source = query.get("pin-source", "")
    if source:
        try:
            return Path(source.removeprefix("file:")).read_text(encoding="utf-8").strip()
        except OSError as err:
            raise ConfigError(f"pin-source {source}: cannot be read: {err.strerror}") from err
    if pin := os.environ.get(_PIN):
        return pin
    raise ConfigError(f"the token needs a PIN: set {_PIN}, or pin-source=file:/path in the URI")


def _log_in(token: Any, pin: str) -> Any:
    import pkcs11

    try:
        return token.open(rw=True, user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:  # a process logs in to a token once
        return token.open(rw=True)


def _find(session: Any, label: str) -> tuple[Any, bytes] | None:
    from pkcs11 import Attribute, KeyType, ObjectClass

    wanted = {Attribute.LABEL: label, Attribute.KEY_TYPE: KeyType.EC_EDWARDS}
    found = {
        kind: list(session.get_objects({**wanted, Attribute.CLASS: kind}))
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)
    }
    private, public = found[ObjectClass.PRIVATE_KEY], found[ObjectClass.PUBLIC_KEY]
    if not private and not public:
        return None
    if len(private) != 1 or len(public) != 1:
        raise ConfigError(
            f"object {label!r}: the token holds {len(private)} private and {len(public)} public keys of that name"
        )
    return private[0], _point(public[0])


def _make(session: Any, label: str) -> tuple[Any, bytes]:
    from pkcs11 import Attribute, KeyType

    domain = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _CURVE}, local=True)
    public, private = domain.generate_keypair(
        store=True,
        label=label,
        private_template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
    )
    return private, _point(public)


def _point(public: Any) -> bytes:
    from pkcs11 import Attribute

    point = bytes(public[Attribute.EC_POINT])
    key = point[2:] if len(point) == KEY_BYTES + 2 else point  # some tokens wrap it in an OCTET STRING
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the token's public key has {len(point)} bytes, expected {KEY_BYTES}")
    return key
