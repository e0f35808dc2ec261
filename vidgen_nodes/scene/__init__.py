# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the frame looks at, and what may be drawn where."""
