# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a steady wind does to fires, burning surfaces, steam, debris and the box of the solver."""
