# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""``message_filters`` where it is installed, else a stand-in with the same names and behaviour: import from here.

The stand-in differs in one thing, on purpose: a callback that raises leaves neither a lock held nor its set of
messages in the queues. Its quirks are upstream's: ``Cache`` keeps order of arrival, and a set whose stamps lie
exactly ``slop`` apart never matches.
"""

from __future__ import annotations

try:
    from message_filters import (  # type: ignore[import-not-found,unused-ignore]
        ApproximateTimeSynchronizer,
        Cache,
        SimpleFilter,
        Subscriber,
        TimeSynchronizer,
    )
except ImportError:
    from vidgen_nodes.ros.filters_standin import (
        ApproximateTimeSynchronizer,
        Cache,
        SimpleFilter,
        Subscriber,
        TimeSynchronizer,
    )

__all__ = ["ApproximateTimeSynchronizer", "Cache", "SimpleFilter", "Subscriber", "TimeSynchronizer"]
