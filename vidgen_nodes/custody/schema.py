# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The ledger file: an SQLite database whose rows can be added but not changed.

The triggers stop mistakes, not attackers: whoever opens the file with other software can drop them.
What shows a change is the Merkle tree over the leaves (``verify.py``).
"""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x76644C47  # "vdLG" in the file header marks a ledger
FORMAT_VERSION = 1
_TABLES = ("leaves", "blobs")
TRIGGERS = (
    "leaves_no_update",
    "leaves_no_delete",
    "leaves_in_order",
    "blobs_no_update",
    "blobs_no_delete",
    "blobs_once",
)

# Retention (``retention.py``) takes this one away for as long as it deletes what the log says it deletes.
BLOBS_NO_DELETE = """CREATE TRIGGER blobs_no_delete BEFORE DELETE ON blobs
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""

# root is the Merkle root after the leaf. INSERT OR REPLACE fires no delete trigger, so the insert
# triggers refuse what it would overwrite. A blob that is there already is left as it is.
_SCHEMA = """
CREATE TABLE leaves (
    idx INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    leaf BLOB NOT NULL,
    leaf_hash BLOB NOT NULL,
    root BLOB NOT NULL
);
CREATE TABLE blobs (sha256 BLOB NOT NULL PRIMARY KEY, data BLOB NOT NULL);
CREATE TRIGGER leaves_no_update BEFORE UPDATE ON leaves
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER leaves_in_order BEFORE INSERT ON leaves
    WHEN NEW.idx IS NOT (SELECT COALESCE(MAX(idx) + 1, 0) FROM leaves)
    BEGIN SELECT RAISE(ABORT, 'a leaf can only be added at the end'); END;
CREATE TRIGGER blobs_no_update BEFORE UPDATE ON blobs
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER blobs_once BEFORE INSERT ON blobs
    WHEN EXISTS (SELECT 1 FROM blobs WHERE sha256 = NEW.sha256)
    BEGIN SELECT RAISE(IGNORE); END;
"""


def create(connection: sqlite3.Connection) -> None:
    """Make an empty ledger in an empty database, all or nothing."""
    connection.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {FORMAT_VERSION}; {_SCHEMA} {BLOBS_NO_DELETE}; COMMIT;"
    )


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the database holds nothing at all, so that a ledger may be made in it."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def fault(connection: sqlite3.Connection) -> str:
    """Why the database is not a ledger that this program can use; empty if it is one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        return "is a database but not a vidgen ledger"
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != FORMAT_VERSION:
        return f"has ledger format {version}, this program knows format {FORMAT_VERSION}"
    for table in _TABLES:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchall():
            return f"lacks the table {table} of a ledger"
    return ""


def missing_triggers(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Names of append-only triggers that somebody took away."""
    rows = connection.execute("SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'trigger'")
    present = {row[0] for row in rows}
    return tuple(name for name in TRIGGERS if name.encode() not in present)
