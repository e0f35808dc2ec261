# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one way from advice to action: dual-signed, fresh, counted envelopes. Off unless somebody turns it on."""
