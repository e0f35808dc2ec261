# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m vidgen_nodes.cli``: the same as ``vidgen``."""

import sys

from vidgen_nodes.cli.main import main

sys.exit(main())
