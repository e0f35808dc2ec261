# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What other engines worked out (FDS, OpenFOAM and others by VTK, any by NPZ): read, placed, played."""
