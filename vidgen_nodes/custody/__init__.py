# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Custody: what entered a frame, what came out, and a log in which a later change shows.

The ledger is tamper-evident, not tamper-proof. Its root is not signed yet: whoever can rewrite the
whole file can forge all of it, and rows cut off the end show only against a root noted elsewhere.
It does not prove that a sensor told the truth, nor when on the wall clock something happened.
"""
