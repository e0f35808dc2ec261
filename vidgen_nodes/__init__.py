# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Grounded, traceable, fail-closed overlays of fire, smoke, steam and debris for ROS 2."""

__version__ = "0.1.0"
