# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""From a scene and an open gate to a drawn overlay: fire physics, debris, rendering."""
