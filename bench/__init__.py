# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the performance tables in the README are made with. Ratios against peers, in one run."""
