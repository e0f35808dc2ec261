# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The file that tells the one writer which recording is being played.

``vidgen replay`` writes it before the graph starts; ``generator_node`` puts its content into the leaf with
which the ledger opens. CBOR, because manifests hold bytes. Leaves out the manifests (``recording.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cbor2

from vidgen_nodes.custody.recording import Manifest, file_manifest
from vidgen_nodes.errors import ConfigError


def manifests(files: Iterable[Path]) -> list[Manifest]:
    """Manifests of the files of a recording, by file name. The same files give the same list anywhere.

    Raises:
        VerificationError: a file cannot be read.
    """
    return sorted((file_manifest(path) for path in files), key=lambda manifest: str(manifest["name"]))


def write_segment_file(path: Path, recording: list[Manifest]) -> None:
    """Write what :func:`read_segment_file` reads."""
    path.write_bytes(cbor2.dumps({"recording": recording}))


def read_segment_file(path: Path) -> list[Manifest]:
    """The manifests in a segment file.

    Raises:
        ConfigError: it cannot be read or is something else.
    """
    try:
        content = cbor2.loads(path.read_bytes())
    except OSError as err:
        raise ConfigError(f"segment_file {path}: cannot be read: {err.strerror}") from err
    except Exception as err:  # the decoder raises many things on foreign bytes
        raise ConfigError(f"segment_file {path}: is not CBOR: {err}") from err
    if not isinstance(content, dict) or not isinstance(content.get("recording"), list):
        raise ConfigError(f"segment_file {path}: expected a map with a list under 'recording'")
    recording: list[Manifest] = content["recording"]
    return recording
