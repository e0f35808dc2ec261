# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The ``vidgen`` command, one file a command."""

from vidgen_nodes.cli.main import main

__all__ = ["main"]
