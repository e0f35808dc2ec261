# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The contract of the interfaces: every field that has landed, with its type, in ``msg/fields.lock``.

Recordings, ledgers and other people's nodes depend on these names. What is in the lock may not be
renamed, retyped or removed (a test holds it); what was added is accepted by running this.

    python tools/interfaces_lock.py              accept additions, refuse anything else
    python tools/interfaces_lock.py --breaking   accept whatever there is: a new major version
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "msg" / "fields.lock"


@dataclass(frozen=True)
class Entry:
    """One field or constant: ``msg/SourceRef topic`` is a ``string``."""

    name: str
    kind: str  # type; for a constant with its value
    comment: str


def read_interface(path: Path) -> tuple[str, list[Entry]]:
    """Its leading comment, and its fields and constants in order; those of a response after ``---``."""
    title, entries, prefix = "", [], f"{path.parent.name}/{path.stem} "
    part = prefix + "request." if path.suffix == ".srv" else prefix
    for line in path.read_text(encoding="utf-8").splitlines():
        code, _, comment = (piece.strip() for piece in line.partition("#"))
        if not code:
            title = title or comment
        elif code == "---":
            part = prefix + "response."
        elif "=" in code:
            declared, _, value = (piece.strip() for piece in code.partition("="))
            kind, name = declared.split()
            entries.append(Entry(part + name, f"{kind} = {value}", comment))
        else:
            kind, name = code.split()[:2]
            entries.append(Entry(part + name, kind, comment))
    return title, entries


def read_all(root: Path = ROOT) -> dict[str, str]:
    """Type of every field and constant of every interface, by name."""
    files = sorted([*(root / "msg").glob("*.msg"), *(root / "srv").glob("*.srv")])
    return {entry.name: entry.kind for path in files for entry in read_interface(path)[1]}


def read_lock(path: Path = LOCK) -> dict[str, str]:
    """What has landed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)  # type: ignore[arg-type]


def compare(landed: dict[str, str], present: dict[str, str]) -> tuple[list[str], list[str]]:
    """What broke (renamed, retyped, removed) and what was added, in words."""
    broken = [
        f"{name}: was {kind}, is {present.get(name, 'gone')}"
        for name, kind in landed.items()
        if present.get(name) != kind
    ]
    return broken, [f"{name}: {kind}" for name, kind in present.items() if name not in landed]


def main() -> int:
    """Write the lock."""
    present = read_all()
    broken, added = compare(read_lock(), present)
    if broken and sys.argv[1:] != ["--breaking"]:
        print("\n".join(broken))
        print("these have landed: others read them by name. Add a field instead (or --breaking)")
        return 1
    header = "# Copyright 2026 The vidgen authors\n# SPDX-License-Identifier: Apache-2.0\n#\n"
    header += "# Every field that has landed. Written by `make interfaces-lock`.\n"
    LOCK.write_text(header + "".join(f"{name}: {kind}\n" for name, kind in present.items()), encoding="utf-8")
    print(
        f"{LOCK.relative_to(ROOT)}: {len(present)} fields and constants, {len(added)} added, {len(broken)} broken"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
