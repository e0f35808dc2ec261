# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the generated tables of README.md: parameters from ``params/``, figures from ``bench/results.json`` and
``bench/sensing.json``.

A test compares the README with what this makes, so that neither table can go stale.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import sensing
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
    """The graph and the goals as last measured by ``make bench``."""
    content = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
    goals = [Goal(**row) for row in content["goals"]]
    return f"Machine: {content['machine']}.\n\n{graph_table(content['pipeline'])}\n\n{table(goals)}"


def sensing_tables() -> str:
    """Synchronisation, LiDAR map and cameras as last measured by ``vidgen bench sensing``."""
    content = json.loads(sensing.RESULTS.read_text(encoding="utf-8"))
    return f"Machine: {content['machine']}.\n\n{sensing.tables(content)}"


def graph_table(r: dict[str, Any]) -> str:
    """The whole graph beside the plain design, and what each of our nodes costs."""
    rows = [
        "| thermal stamp to overlay published | p50 ms | p95 ms | p99 ms | delivered | overlays/s | CPU ms/overlay |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, prefix in (("vidgen, a process for every node", ""), ("plain design", "plain_")):
        latency = " | ".join(f"{r[f'{prefix}e2e_{rank}_ms']:.1f}" for rank in ("p50", "p95", "p99"))
        delivered, rate_hz = f"{r[f'{prefix}delivered'] * 100:.1f} %", f"{r[f'{prefix}fps']:.1f}"
        rows.append(
            f"| {name} | {latency} | {delivered} | {rate_hz} | {r[f'{prefix}cpu_ms_per_overlay']:.1f} |"
        )
    shares = ", ".join(f"{node} {percent:.1f} %" for node, percent in r["cpu_percent"].items())
    return "\n".join(rows) + f"\n\nCPU of one core by node at 50 Hz: {shares}."


def render(text: str) -> str:
    """The README with its generated parts made anew."""
    parts = (
        ("parameters", parameter_table()),
        ("figures", figure_table()),
        ("sensing", sensing_tables()),
    )
    for name, content in parts:
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part between <!-- {name} --> and <!-- end of {name} -->")
        text = pattern.sub(lambda match, made=content: match[1] + made + match[2], text)
    return text


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
