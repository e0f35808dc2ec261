# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two layers of a room: how deep the smoke hangs and how hot it is, without solving the flow."""
