# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Persons: never hidden by what is drawn, never recognisable in what is handed out, never synthesised."""
