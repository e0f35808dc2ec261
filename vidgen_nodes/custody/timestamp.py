# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Time stamps of tree heads by an outside authority, RFC 3161.

Guarantees: a token that :func:`check_token` accepts was signed over this very digest by a certificate that an
authority of ours issued for time stamping. Leaves out revocation of that certificate, and chains with authorities
between the two. Needs asn1crypto, which comes with python-pkcs11.
"""

from __future__ import annotations

import hashlib
import http.client
import secrets
import urllib.parse
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vidgen_nodes.errors import ConfigError, CustodyError, MissingPackageError, VerificationError

_TIMEOUT_S = 5.0
_MOST_BYTES = 64 * 1024
_GRANTED = ("granted", "granted_with_mods")


class TimestampAuthority:
    """An authority behind a URL."""

    def __init__(self, url: str) -> None:
        """Remember where it is.

        Raises:
            ConfigError: not an http or https URL.
            MissingPackageError: asn1crypto is not installed.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"time stamp authority {url!r}: expected http://HOST/PATH or https://HOST/PATH")
        _tsp()
        self.url, self._parts = url, parts

    def stamp(self, digest: bytes) -> bytes:
        """A token (DER) over a SHA-256 digest.

        Raises:
            CustodyError: it cannot be reached, or refuses: the head waits in its queue.
        """
        nonce = secrets.randbits(63)
        try:
            return read_response(self._post(request(digest, nonce)), digest, nonce)
        except VerificationError as err:
            raise CustodyError(f"time stamp authority {self.url}: {err}") from err

    def _post(self, body: bytes) -> bytes:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=_TIMEOUT_S)
        target = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        try:
            connection.request("POST", target, body, {"Content-Type": "application/timestamp-query"})
            response = connection.getresponse()
            answer = response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as err:
            raise CustodyError(
                f"time stamp authority {self.url}: cannot be reached: {err or type(err).__name__}"
            ) from err
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise CustodyError(f"time stamp authority {self.url}: answered {response.status}")
        return answer


def request(digest: bytes, nonce: int) -> bytes:
    """A TimeStampReq (DER) for a SHA-256 digest; asks for the certificate."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
    fields = {"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True}
    return bytes(_tsp().TimeStampReq(fields).dump())


def read_response(answer: bytes, digest: bytes, nonce: int) -> bytes:
    """The token in a TimeStampResp, if it is over that digest and answers that request.

    Raises:
        VerificationError: refused, or something else.
    """
    try:
        response = _tsp().TimeStampResp.load(answer, strict=True)
        status, said = response["status"]["status"].native, response["status"]["status_string"].native
    except Exception as err:  # the decoder raises many things on foreign bytes
        raise VerificationError(f"answered with something else than a time stamp: {err}") from err
    if status not in _GRANTED:
        raise VerificationError(f"refused: {status} {said or ''}")
    try:
        token = response["time_stamp_token"].dump()
        info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
        answered, imprint = info["nonce"].native, _imprint(info)
    except Exception as err:
        raise VerificationError(f"answered without a time stamp: {err}") from err
    if answered != nonce:
        raise VerificationError("answered another request than ours")
    _check_imprint(imprint, digest)
    return bytes(token)


def check_token(token: bytes, digest: bytes, authorities: Sequence[bytes]) -> datetime:
    """Check a token against the certificates of the authorities that are trusted.

    Args:
        token: DER.
        digest: SHA-256 that it is said to be over.
        authorities: certificates (PEM) that may have issued the signer's.

    Returns:
        The time that it names, in UTC.

    Raises:
        VerificationError: it does not hold; says why.
    """
    try:
        content = _cms().ContentInfo.load(token, strict=True)["content"]
        (signer,) = content["signer_infos"]
        info_bytes = content["encap_content_info"]["content"].contents
        info = content["encap_content_info"]["content"].parsed
        certificates = [x509.load_der_x509_certificate(item.dump()) for item in content["certificates"]]
        trusted = [x509.load_pem_x509_certificate(pem) for pem in authorities]
        serial = signer["sid"].chosen["serial_number"].native
        attributes = {item["type"].native: item["values"][0] for item in signer["signed_attrs"]}
        signed = signer["signed_attrs"].untag().dump(force=True)
        algorithm = signer["digest_algorithm"]["algorithm"].native
        signature = signer["signature"].native
        named, imprint = info["gen_time"].native, _imprint(info)
        content_digest = attributes["message_digest"].native
    except Exception as err:  # altered bytes can make the decoder raise anything
        raise VerificationError(f"time stamp: is damaged: {err}") from err
    _check_imprint(imprint, digest)
    certificate = next((item for item in certificates if item.serial_number == serial), None)
    if certificate is None:
        raise VerificationError("time stamp: comes without the certificate of its signer")
    _check_issued(certificate, trusted, named)
    if content_digest != _hash(algorithm, info_bytes):
        raise VerificationError("time stamp: its content was changed")
    _check_signature(certificate, signature, signed, algorithm)
    return named  # type: ignore[no-any-return]


def _imprint(info: Any) -> tuple[str, bytes]:
    imprint = info["message_imprint"]
    return imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native


def _check_imprint(imprint: tuple[str, bytes], digest: bytes) -> None:
    if imprint != ("sha256", digest):
        raise VerificationError("time stamp: is over something else than this tree head")


def _check_issued(certificate: x509.Certificate, trusted: list[x509.Certificate], when: datetime) -> None:
    for issuer in trusted:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        break
    else:
        raise VerificationError("time stamp: its signer was certified by no authority that is trusted")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError) as err:
        raise VerificationError("time stamp: its signer may not stamp time") from err
    if x509.oid.ExtendedKeyUsageOID.TIME_STAMPING not in usage:
        raise VerificationError("time stamp: its signer may not stamp time")
    if not certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc:
        raise VerificationError("time stamp: its signer's certificate was not valid then")


def _check_signature(certificate: x509.Certificate, signature: bytes, signed: bytes, algorithm: str) -> None:
    kind = _KINDS[algorithm]()
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), kind)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(kind))
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            raise VerificationError(f"time stamp: signed with {type(key).__name__}, which is not known here")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as err:
        raise VerificationError("time stamp: its signature does not verify") from err


_KINDS: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def _hash(algorithm: str, data: bytes) -> bytes:
    if algorithm not in _KINDS:
        raise VerificationError(f"time stamp: made with {algorithm}, expected {', '.join(_KINDS)}")
    return hashlib.new(algorithm, data).digest()


def _tsp() -> Any:
    try:
        from asn1crypto import tsp  # type: ignore[import-untyped]
    except ImportError as err:
        raise MissingPackageError("time stamps need the package asn1crypto: pip install asn1crypto") from err
    return tsp


def _cms() -> Any:
    _tsp()
    from asn1crypto import cms

    return cms
