# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that knows ROS 2 and is not a node: transport, QoS, conversion, replay."""
