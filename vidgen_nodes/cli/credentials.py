# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A key of this unit for the files of one command. Leaves out both certificates and manifests."""

from __future__ import annotations

from datetime import datetime, timezone

from vidgen_nodes.custody.keys import KeyRing
from vidgen_nodes.custody.x509 import export_key
from vidgen_nodes.delivery.content_credentials import Credentials


def credentials_of(ring: KeyRing) -> Credentials:
    """Credentials that a new key signs with, vouched for by the unit.

    Raises:
        ConfigError: the unit has no X.509 certificate and none can be made here.
    """
    return Credentials(*export_key(ring, datetime.now(timezone.utc)))
