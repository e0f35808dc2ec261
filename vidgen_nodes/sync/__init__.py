# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which inputs belong to which thermal frame."""
