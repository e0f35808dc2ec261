# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Incompressible flow on a box of cubic cells: lattice and borders, transport, exact projection."""
