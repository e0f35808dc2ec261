# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Notes what is read of a dataclass, for tests that hold records against it."""

from __future__ import annotations

import dataclasses
from typing import Any


class Spy:
    """Stands before a dataclass and notes which of its fields are read.

    Args:
        origin: the dataclass.
        instead: values to give for some of its fields, spies mostly.
    """

    def __init__(self, origin: Any, **instead: Any) -> None:
        self.__dict__.update(origin=origin, instead=instead, read=set())

    def __getattr__(self, name: str) -> Any:
        if name in {item.name for item in dataclasses.fields(self.origin)}:
            self.read.add(name)
        return self.instead.get(name, getattr(self.origin, name))
