# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the generated tables of README.md: parameters from ``params.py``, figures from ``bench/results.json``.

A test compares the README with what this makes, so that neither table can go stale.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.goals import Goal, table
from tools.default_config import scalar
from vidgen_nodes.params import NodeParams

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "README.md"


def parameter_table() -> str:
    """Every parameter of every node."""
    rows = ["| node | parameter | default | unit | range | meaning |", "|---|---|---|---|---|---|"]
    defaults = NodeParams()
    for node in dataclasses.fields(NodeParams):
        params = getattr(defaults, node.name)
        for item in dataclasses.fields(params):
            low, high, choices = (item.metadata[key] for key in ("low", "high", "choices"))
            if choices:
                allowed = ", ".join(choices)
            elif low is None and high is None:
                allowed = ""
            else:
                allowed = f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
            default = scalar(getattr(params, item.name))
            doc = item.metadata["doc"].replace("|", "\\|")
            rows.append(
                f"| {node.name}_node | `{item.name}` | `{default}` | {item.metadata['unit']} | {allowed} | {doc} |"
            )
    return "\n".join(rows)


def figure_table() -> str:
    """The goals as last measured by ``make bench``."""
    content = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
    goals = [Goal(**row) for row in content["goals"]]
    return f"Machine: {content['machine']}.\n\n{table(goals)}"


def render(text: str) -> str:
    """The README with its generated parts made anew."""
    for name, content in (("parameters", parameter_table()), ("figures", figure_table())):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part between <!-- {name} --> and <!-- end of {name} -->")
        text = pattern.sub(lambda match, made=content: match[1] + made + match[2], text)
    return text


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
