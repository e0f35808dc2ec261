# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes ``config/vidgen.yaml``: every parameter with its default, unit, range and meaning.

The one source is ``vidgen_nodes/params/``; a test compares the file with what this makes of it.
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

from vidgen_nodes.params import NodeParams

TARGET = Path(__file__).resolve().parent.parent / "config" / "vidgen.yaml"
HEADER = """\
# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# Every parameter with its default. Written from vidgen_nodes/params/ by `make config`: change it there.
# Your own file needs only what differs; give it with `vidgen up --config FILE` or as a launch argument.
"""


def scalar(value: Any) -> str:
    """The value as YAML that every reader takes for the same type."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")


def explanation(item: dataclasses.Field[Any]) -> str:
    """What the parameter means, with unit and range."""
    low, high, unit = item.metadata["low"], item.metadata["high"], item.metadata["unit"]
    parts = [f"one of {', '.join(item.metadata['choices'])}"] if item.metadata["choices"] else []
    if unit:
        parts.append(unit)
    if low is not None and high is not None:
        parts.append(f"{low:g} to {high:g}")
    elif low is not None:
        parts.append(f"at least {low:g}")
    elif high is not None:
        parts.append(f"at most {high:g}")
    return item.metadata["doc"] + (f" [{'; '.join(parts)}]" if parts else "")


def render() -> str:
    """The whole file."""
    defaults = NodeParams()
    blocks = [HEADER]
    for node in dataclasses.fields(NodeParams):
        params = getattr(defaults, node.name)
        title = (type(params).__doc__ or "").splitlines()[0]
        lines = [f"\n# {title}", f"/**/{node.name}_node:", "  ros__parameters:"]
        for item in dataclasses.fields(params):
            lines += textwrap.wrap(
                explanation(item), 106, initial_indent="    # ", subsequent_indent="    # "
            )
            lines.append(f"    {item.name}: {scalar(getattr(params, item.name))}")
        blocks.append("\n".join(lines) + "\n")
    return "".join(blocks)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    sys.exit(0)
