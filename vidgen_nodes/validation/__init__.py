# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What this project's physics is worth: every check of its reference table, with bias and scatter."""
