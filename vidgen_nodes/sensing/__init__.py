# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""From single sensor messages to what they say: thermal frames, navigation states, an uncertainty map."""
