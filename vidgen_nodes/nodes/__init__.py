# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes: one file, one process each. They declare, convert, call and publish, and decide nothing.

Importing any of them sets the process up, because it has to happen before rclpy, torch or cv2 comes in.
"""

import sys

from vidgen_nodes.ros.transport import leave_on_signals, prepare_process

prepare_process()
if sys.argv and (
    sys.argv[0] == "-m" or sys.argv[0].endswith("_node")
):  # run as a node, not imported by a test
    leave_on_signals()
