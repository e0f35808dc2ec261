# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Custody: what entered a frame, what came out, and a log in which a later change shows.

The ledger is tamper-evident, not tamper-proof. Its tree heads are signed, and cosigned where a witness is
named; without one, whoever holds the unit key can show different people different logs. It does not prove
that a sensor told the truth, nor when on the wall clock something happened, unless an authority stamped it.
"""
