# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Clips that leave the unit: reviewed, anonymised, labelled, signed, bound to what made them; and their check."""
