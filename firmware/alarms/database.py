"""The file that remembers alarms: SQLite, one transaction for each change. Blocking, and for one thread only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from firmware.alarms.rows import JournalEntry as JournalEntry
from firmware.alarms.rows import entry_of, record_of, row_of_entry, row_of_record, wall_ns_of
from firmware.alarms.types import AlarmRecord

JOURNAL_ROWS = 10_000  # some 3 MB; beyond it the oldest go: a month of an alarm every four minutes
MAX_FILE_BYTES = 32 * 1024 * 1024  # SQLite refuses to let the file grow further
BUSY_S = 1.0  # how long to wait for somebody who reads the file with another program
VERSION = 2  # of the tables: version 1 is brought up to it, a file with any other is set aside

SCHEMA = f"""
CREATE TABLE alarm (
  rule TEXT, source TEXT, signal TEXT, condition TEXT, fault INTEGER, severity TEXT, state TEXT,
  value REAL, age_ns INTEGER, elapsed_ns INTEGER, running INTEGER, votes INTEGER,
  in_state_ns INTEGER DEFAULT 0, raised_ns TEXT DEFAULT '', untold INTEGER DEFAULT 0,
  suppressed INTEGER DEFAULT 0, shelf_ns INTEGER, shelf_reason TEXT, shelf_by TEXT, out_reason TEXT, out_by TEXT,
  PRIMARY KEY (rule, source)) STRICT;
CREATE TABLE saved (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), wall_ns INTEGER) STRICT;
CREATE TABLE journal (
  place INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT, number INTEGER, wall_ns INTEGER, at_ns INTEGER,
  rule TEXT, source TEXT, before TEXT, event TEXT, after TEXT, value REAL, severity TEXT, fault INTEGER,
  reason TEXT, by TEXT, withheld TEXT DEFAULT '', UNIQUE (run, number)) STRICT;
PRAGMA user_version = {VERSION};
"""

FROM_VERSION_1 = f"""
ALTER TABLE alarm ADD COLUMN in_state_ns INTEGER DEFAULT 0;
ALTER TABLE alarm ADD COLUMN raised_ns TEXT DEFAULT '';
ALTER TABLE alarm ADD COLUMN untold INTEGER DEFAULT 0;
ALTER TABLE alarm ADD COLUMN suppressed INTEGER DEFAULT 0;
ALTER TABLE alarm ADD COLUMN shelf_ns INTEGER;
ALTER TABLE alarm ADD COLUMN shelf_reason TEXT;
ALTER TABLE alarm ADD COLUMN shelf_by TEXT;
ALTER TABLE alarm ADD COLUMN out_reason TEXT;
ALTER TABLE alarm ADD COLUMN out_by TEXT;
ALTER TABLE journal ADD COLUMN withheld TEXT DEFAULT '';
PRAGMA user_version = {VERSION};
"""

WORTH_WAITING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""Codes that speak of the place where the file is, not of what is in it."""

T = TypeVar("T")


class Unavailable(Exception):
    """The file cannot be read or written now: keep what should be in it, and try again later."""


class Damaged(Exception):
    """The file is there, and not what we wrote: set it aside and start anew."""


class Database:
    """Opens the file when it is first needed, and again after a failure. Methods raise Unavailable or Damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def load(self) -> tuple[tuple[AlarmRecord, ...], int | None]:
        """The records as they were last saved, and the wall time of that."""
        return self._do(_load)

    def save(self, records: Sequence[AlarmRecord], entries: Sequence[JournalEntry], wall_ns: int | None) -> None:
        """Replace the records and append to the journal, both or neither, safe from a power cut once it returns."""
        self._do(lambda connection: _save(connection, records, entries, wall_ns))

    def journal(self, limit: int) -> tuple[JournalEntry, ...]:
        """The last entries, oldest first."""
        return self._do(lambda connection: _journal(connection, limit))

    def set_aside(self) -> Path:
        """Rename the file, in place of one that was set aside before, so that a new one can be started."""
        self.close()
        aside = self._path.with_name(self._path.name + ".damaged")
        try:
            self._path.replace(aside)
            for extra in ("-wal", "-shm"):
                self._path.with_name(self._path.name + extra).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"cannot be renamed: {error.strerror}") from error
        return aside

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = _open(self._path)
            return work(self._connection)
        except sqlite3.Error as error:
            self.close()
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # none: a text that is no UTF-8
            if code & 0xFF in WORTH_WAITING:  # the low byte is the primary code (sqlite.org/rescode)
                raise Unavailable(str(error)) from error
            raise Damaged(str(error)) from error
        except ValueError as error:  # of a row that is none of ours
            self.close()
            raise Damaged(str(error)) from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # in WAL, NORMAL may lose the last commits in a power cut
    connection.execute("PRAGMA wal_autocheckpoint = 64")
    connection.execute("PRAGMA journal_size_limit = 1048576")
    page_bytes = _number(connection, "PRAGMA page_size")
    connection.execute(f"PRAGMA max_page_count = {MAX_FILE_BYTES // page_bytes}")
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise ValueError(verdict)
    version = _number(connection, "PRAGMA user_version")
    if version == 0 and _number(connection, "SELECT count(*) FROM sqlite_master") == 0:
        connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    elif version == 1:
        connection.executescript(f"BEGIN; {FROM_VERSION_1} COMMIT;")
    elif version != VERSION:
        raise ValueError(f"version {version} of the tables, not {VERSION}")


def _load(connection: sqlite3.Connection) -> tuple[tuple[AlarmRecord, ...], int | None]:
    with closing(connection.execute("SELECT * FROM alarm ORDER BY rule, source")) as rows:
        records = tuple(map(record_of, rows))
    saved = connection.execute("SELECT wall_ns FROM saved").fetchone()
    return records, wall_ns_of(saved)


def _save(
    connection: sqlite3.Connection,
    records: Sequence[AlarmRecord],
    entries: Sequence[JournalEntry],
    wall_ns: int | None,
) -> None:
    with connection:
        connection.execute("DELETE FROM alarm")
        connection.executemany(f"INSERT INTO alarm VALUES ({_marks(21)})", map(row_of_record, records))
        connection.execute("INSERT OR REPLACE INTO saved VALUES (1, ?)", (wall_ns,))
        connection.executemany(f"INSERT OR IGNORE INTO journal VALUES (NULL, {_marks(15)})", map(row_of_entry, entries))
        connection.execute("DELETE FROM journal WHERE place <= (SELECT max(place) FROM journal) - ?", (JOURNAL_ROWS,))


def _journal(connection: sqlite3.Connection, limit: int) -> tuple[JournalEntry, ...]:
    with closing(connection.execute("SELECT * FROM journal ORDER BY place DESC LIMIT ?", (limit,))) as rows:
        newest_first = tuple(entry_of(row[1:]) for row in rows)
    return newest_first[::-1]


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _marks(count: int) -> str:
    return ", ".join("?" * count)
