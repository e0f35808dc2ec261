# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One tree of errors. Every message says what was got, what was expected and what to do."""

from __future__ import annotations


class VidgenError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(VidgenError):
    """A sensor message or file that cannot be used.

    ``reason`` is a short stable token (``snake_case``) under which the refusal is counted;
    the message is the sentence a user reads.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigError(VidgenError):
    """A parameter, preset, scenario or building file that is wrong or contradicts another."""


class BagError(VidgenError):
    """A recording that cannot be read; names the file or topic and what to do."""


class CustodyError(VidgenError):
    """The ledger cannot be written: nothing may be published."""


class RecordError(CustodyError, ValueError):
    """A value that has no canonical form (infinity, an unknown type), so no record of it can be made."""


class VerificationError(VidgenError):
    """A ledger, proof or recording does not verify. The only error ``custody`` verification leaks."""


class TransportError(VidgenError):
    """The middleware is not set up as this project needs it (see ``ros/transport.py``)."""


class MissingPackageError(VidgenError):
    """An optional package is absent; the message names it and how to install it."""
