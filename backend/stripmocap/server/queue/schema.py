"""The job list's database: how it is laid out, opened, checked, and what its errors mean.

SQLite in WAL mode, synced at each commit: what was committed is there after a power cut. The body
of a row is JSON; only what is searched for or ordered by has a column of its own.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...contract.errors import DiskFull, QueueUnavailable, ServiceError

BUSY_S = 5.0  # that another program may hold the database before we give up
VERSION = 1  # of the layout
APPLICATION = 0x534D4F43  # "SMOC": the file is ours
COMPANIONS = ("", "-wal", "-shm")  # of a database file, by the ends of their names

_LAYOUT = f"""
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    key TEXT,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    body TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (owner, key)
);
CREATE INDEX jobs_to_run ON jobs (state, priority DESC, position, number, id);
CREATE INDEX jobs_newest ON jobs (number, id);
CREATE INDEX jobs_newest_of_owner ON jobs (owner, number, id);
CREATE INDEX jobs_by_position ON jobs (position);
CREATE TABLE moves (number INTEGER NOT NULL);
INSERT INTO moves VALUES (0);
CREATE TABLE rates (
    stage TEXT NOT NULL,
    device TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (stage, device)
);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
}
_DAMAGED_FILES = {
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_READONLY_DBMOVED,
}


class Damaged(Exception):
    """The database is not what was written; it must be made again."""


def connect(path: Path, *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; transactions are begun by hand."""
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = 1")  # macOS: through the drive's cache
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Lays out an empty database; finds a damaged one.

    Raises:
        Damaged: pages are damaged, or the tables are not ours.
        ServiceError: a newer version laid it out.
    """
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise Damaged(found)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    new = version == application == 0 and not is_laid_out(connection)
    if not new and (application != APPLICATION or not is_laid_out(connection)):
        raise Damaged("it is no job list")
    if version > VERSION:
        raise ServiceError(
            f"the job list is of layout {version}; this version of Strip Mocap knows {VERSION}",
            hint="Use the newer version of Strip Mocap, or another data folder.",
        )
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if new:
        connection.executescript(f"BEGIN IMMEDIATE;{_LAYOUT}COMMIT;")


def is_laid_out(connection: sqlite3.Connection) -> bool:
    """Whether there is anything in the database."""
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def meaning(error: sqlite3.Error, path: Path) -> Exception:
    """What an error of the database at `path` means; the error itself if it is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    kind = code & 0xFF
    missing = kind == sqlite3.SQLITE_ERROR and "no such" in str(error)  # our statements are right
    no_text = "decode to UTF-8" in str(error)  # Python's own words; SQLite gives any bytes as text
    if missing or no_text or kind in _DAMAGE or code in _DAMAGED_FILES:
        return Damaged(str(error))
    if kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return DiskFull(
            f"the job list {path} cannot be written ({error})",
            hint="Free some space on that disk, then try again.",
        )
    if kind in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return DiskFull(
            f"the job list {path} cannot be written ({error})",
            hint="Let your user write there, or choose another folder with STRIPMOCAP_DATA.",
        )
    if kind not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}:
        return error
    return QueueUnavailable(
        f"the job list {path} cannot be used now ({error})",
        hint="Close the other program that has it open, then try again.",
    )
