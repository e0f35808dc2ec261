# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What happens when: scenarios read from YAML."""
