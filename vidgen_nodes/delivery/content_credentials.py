# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""C2PA manifests on PNG, JPEG and MP4 files: signed last, and believed only down from one root key.

Guarantees: signing and checking need no network (no time stamp authority, no remote manifest, no OCSP); a check
passes only with the state ``Trusted`` under the root key that the verifier was given, never with ``Valid``, which
means merely that somebody signed, and only if what C2PA leaves unsigned is what it has to be (``manifest_form.py``).
Leaves out when it was signed: without an authority a manifest does not prove a time. Made with c2pa-python, whose
state of a file is taken as it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from c2pa import Builder, C2paError, C2paSignerInfo, C2paSigningAlg, Context, Reader, Signer

import vidgen_nodes
from vidgen_nodes.delivery.content_label import Origin
from vidgen_nodes.delivery.iptc import digital_source_type
from vidgen_nodes.delivery.manifest_form import check_form
from vidgen_nodes.delivery.movie_parts import altered_parts
from vidgen_nodes.delivery.mp4_metadata import is_mp4
from vidgen_nodes.errors import ConfigError, InputError, VerificationError

LINEAGE = "vidgen.lineage"  # our assertion: what the signature binds besides the pixels
_ROOT = "root_certificate"
_CLAIMS = "claims"  # their names
_CLAIM = "vidgen.claim."  # label of the assertion about one
_JSON = "json"
_ACTIONS = "c2pa.actions"
_TRUSTED = "Trusted"
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "builder": {"thumbnail": {"enabled": False}},
}
_FORMATS = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"\xff\xd8\xff\xe1": "image/jpeg"}


@dataclass(frozen=True)
class Credentials:
    """A key that signs files, and who vouches for it (``custody/x509.py``)."""

    private_pem: str = field(repr=False)  # Ed25519, PKCS#8; of this command alone, never in a file
    chain_pem: str  # certificate of the key, then that of its issuer
    root_pem: str  # travels in the file; a verifier believes it only if it is of the key that he knows

    def sign(self, data: bytes, code: str, origin: Origin, claims: Mapping[str, Any]) -> bytes:
        """The same file with its manifest; nothing may be written to it afterwards.

        Args:
            data: a labelled PNG, JPEG or MP4 file.
            code: label code.
            origin: as in its label.
            claims: what else to bind, as plain JSON values.

        Raises:
            ConfigError: c2pa refuses file, key or certificates.
        """
        source_type = digital_source_type(code, camera=origin.camera)
        created = {"action": "c2pa.created", "digitalSourceType": source_type}
        manifest = {
            "claim_generator_info": [{"name": "vidgen", "version": vidgen_nodes.__version__}],
            "assertions": [
                {"label": _ACTIONS, "data": {"actions": [created]}},
                {"label": LINEAGE, "data": {_CLAIMS: ",".join(sorted(claims)), _ROOT: self.root_pem}},
                # One each, so that a check can say which was altered.
                *(
                    {"label": f"{_CLAIM}{name}", "data": {_JSON: _text(claims[name])}}
                    for name in sorted(claims)
                ),
            ],
        }
        target = io.BytesIO()
        try:
            info = C2paSignerInfo(
                C2paSigningAlg.ED25519, self.chain_pem.encode(), self.private_pem.encode(), None
            )
            signer = Signer.from_info(info)
            with (
                Context.from_dict(_OFFLINE, signer) as context,
                Builder.from_json(manifest, context) as builder,
            ):
                builder.sign(_format(data), io.BytesIO(data), target)
        except C2paError as err:
            raise ConfigError(f"content credentials: c2pa refuses to sign: {err}") from err
        return target.getvalue()


@dataclass(frozen=True)
class Manifest:
    """What a manifest that is trusted says."""

    claims: dict[str, Any]
    source_type: str
    generator: str


def read_manifest(data: bytes, root_pem_of: Callable[[str], str]) -> Manifest:
    """Check the manifest of a file.

    Args:
        data: the file.
        root_pem_of: takes the root certificate in the file, returns it if it is of the key that the verifier knows,
            raises ``VerificationError`` else.

    Raises:
        VerificationError: there is none, the file was altered, or it is not trusted; says which.
    """
    state, manifest, _ = _read(data, _OFFLINE)
    assertions = {item["label"]: item["data"] for item in manifest.get("assertions", []) if "label" in item}
    lineage = assertions.get(LINEAGE)
    if not isinstance(lineage, dict) or not isinstance(lineage.get(_ROOT), str):
        raise VerificationError("content credentials: signed by another program: there is no lineage in them")
    anchored = {**_OFFLINE, "trust": {"trust_anchors": root_pem_of(lineage[_ROOT])}}
    state, manifest, failures = _read(data, anchored)
    if state != _TRUSTED:
        why = "; ".join(failures) or "its signer is not vouched for by the root key"
        where = _where(data, assertions)
        raise VerificationError(
            f"content credentials: the file is {state}, expected {_TRUSTED}: {why}{where}"
        )
    check_form(data)
    found = [item["data"] for item in manifest["assertions"] if _ACTIONS in item["label"]]
    actions: dict[str, Any] = found[0] if len(found) == 1 else {}
    kinds = [action.get("digitalSourceType", "") for action in actions.get("actions", [])]
    if len(kinds) != 1:
        raise VerificationError(
            f"content credentials: got {len(kinds)} actions, expected the one that made it"
        )
    generator = manifest.get("claim_generator_info") or [{}]
    name = f"{generator[0].get('name', '')} {generator[0].get('version', '')}"
    return Manifest(_claims(assertions), kinds[0], name.strip())


def _text(claim: object) -> str:
    """As text: c2pa makes byte strings of lists of small numbers."""
    return json.dumps(claim, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _where(data: bytes, assertions: Mapping[str, Any]) -> str:
    """Which part of a video is not the one that its own list names; a hint, since that list is not believed here."""
    try:
        signed = _claims(assertions).get("file")
    except VerificationError:
        return ""
    if not is_mp4(data) or not isinstance(signed, list):
        return ""
    return "; " + ("; ".join(altered_parts(data, signed)) or "every part listed in it is as it was")


def _claims(assertions: Mapping[str, Any]) -> dict[str, Any]:
    listed = assertions[LINEAGE].get(_CLAIMS)
    names = [label.removeprefix(_CLAIM) for label in assertions if label.startswith(_CLAIM)]
    if not isinstance(listed, str) or sorted(filter(None, listed.split(","))) != sorted(names):
        raise VerificationError("content credentials: the lineage lists other claims than there are")
    return {name: _claim(name, assertions[f"{_CLAIM}{name}"]) for name in names}


def _claim(name: str, data: object) -> Any:
    try:
        return json.loads(str(data[_JSON] if isinstance(data, dict) else None))
    except (ValueError, KeyError) as err:
        raise VerificationError(f"content credentials: the claim {name!r} is no JSON: {err}") from err


def _read(data: bytes, settings: dict[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    try:
        with (
            Context.from_dict(settings) as context,
            Reader(_format(data), io.BytesIO(data), context=context) as reader,
        ):
            report = json.loads(reader.json())
            state = str(reader.get_validation_state())
    except (C2paError, ValueError, InputError) as err:
        raise VerificationError(f"content credentials: there are none that can be read: {err}") from err
    active = report.get("manifests", {}).get(report.get("active_manifest"))
    if not isinstance(active, dict):
        raise VerificationError("content credentials: there is no active manifest")
    failures = report.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    return state, active, [_in_words(item) for item in failures]


def _in_words(failure: Mapping[str, Any]) -> str:
    said = f"{failure.get('code')}: {failure.get('explanation', '')}"
    _, found, name = str(failure.get("url", "")).rpartition(f"/{_CLAIM}")
    return f"what it says about {name!r} was altered ({said})" if found else said


def _format(data: bytes) -> str:
    if is_mp4(data):
        return "video/mp4"
    for start, kind in _FORMATS.items():
        if data.startswith(start):
            return kind
    raise InputError("content_format", f"got a file that starts with {data[:4]!r}, expected PNG, JPEG or MP4")
