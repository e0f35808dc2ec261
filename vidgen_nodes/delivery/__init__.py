# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What consumers get: pictures with the visible mark, PNG bytes, AR markers, masks for planners."""
