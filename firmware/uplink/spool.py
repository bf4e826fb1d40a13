"""The outbox's file: an SQLite database in the order of sending. Blocking, for one thread only.

One table a class, whose key is the start of the firmware that wrote the row, then the row's number: the key is the
order of sending, and there is no index that could disagree with it. Rows are appended at one end and taken away at
the other, so that pages fill up. Each row carries its checksum, as SQLite does not notice a page that rotted inside.

Write-ahead log (sqlite.org/wal.html) with two ways to commit. `synchronous=NORMAL` hands the log to the kernel: the
death of the process cannot take it back, a power cut can take back the latest commits, and neither damages the file.
`synchronous=FULL` also waits for the medium. The outbox chooses: waiting each time would wear out a memory card.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from firmware.uplink.pages import PAGE_BYTES
from firmware.uplink.wire import Priority

LAYOUT = 1  # PRAGMA user_version of this layout
SEQ_BITS = 40  # a thousand messages a second for 34 years; leaves 23 bits: a start a minute for 15 years
LAST_START = (1 << 63 - SEQ_BITS) - 1  # the next one still makes a key of 63 bits
LOCK_S = 1.0  # longest wait for another process that has the file
CACHE_KIB = 1024
LOG_PAGES = 256  # of 4 KiB: length at which the log is written back, and at which it stays
EVICT_ROWS = 256  # looked at in one go when the file is full
BOOT_ID = re.compile(r"[0-9a-f-]{1,36}")

TABLES = {priority: priority.name.lower() for priority in Priority}
TABLE = (
    "CREATE TABLE {} (key INTEGER PRIMARY KEY, boot_id BLOB NOT NULL, topic BLOB NOT NULL, payload BLOB NOT NULL, "
    "checksum INTEGER NOT NULL)"
)

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}  # the last: tables that are not ours
PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}  # the file stays readable, and writable once there is room
REMEDIES = {
    sqlite3.SQLITE_FULL: "Make room on that disk: messages wait in memory until then",
    sqlite3.SQLITE_IOERR: "Check the disk, its quota and the kernel's log (dmesg): messages wait in memory until then",
    sqlite3.SQLITE_READONLY: "Make file and folder writable for the firmware's user, or remount the disk writable",
    sqlite3.SQLITE_CANTOPEN: "Create the folder and make it writable for the firmware's user",
    sqlite3.SQLITE_BUSY: "Another process has the file open: stop the other ductwatch",
}


Columns = tuple[int, bytes, bytes, bytes, int]
"""Key, boot id, topic, payload, checksum."""


class SpoolFailed(Exception):
    """The file cannot be read or written now: try again later, where `reopen` says so with the file opened anew."""

    def __init__(self, problem: str, *, remedy: str, reopen: bool = True) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.reopen = reopen


class Damaged(Exception):
    """What is in the file cannot be right: save what can be read, and start another."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message with its number. `boot_id` names the start of the firmware in which it was accepted."""

    priority: Priority
    boot_id: str
    seq: int
    topic: str
    payload: bytes

    @property
    def id(self) -> tuple[str, int]:
        return (self.boot_id, self.seq)

    @property
    def size_bytes(self) -> int:
        return len(self.topic.encode()) + len(self.payload)


@dataclass(frozen=True, slots=True)
class Stock:
    """What the file holds after a write, and how many messages of each class had to go for it."""

    rows: int
    size_bytes: int
    dropped: Mapping[Priority, int] = field(default_factory=dict)


class Spool:
    """An open file. Every method raises `SpoolFailed` or `Damaged`; a write that raises has changed nothing."""

    def __init__(self, path: Path, boot_id: str, *, max_rows: int, max_bytes: int) -> None:
        self._path = path
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        with translated(path):
            self._db = connect(path)
            try:
                check(self._db)
                self._starts = _starts(self._db)
                self.stock = self._count()
            except BaseException:
                self._db.close()
                raise
        self._starts.setdefault(boot_id, max(self._starts.values(), default=0) + 1)

    def read(self, after: Mapping[Priority, Row], limit: int) -> list[Row]:
        """Up to `limit` rows in the order of sending, of each class only those that come after the given one."""
        rows: list[Row] = []
        with translated(self._path):
            for priority, table in TABLES.items():
                last = self._key(after[priority]) if priority in after else -1
                found = self._db.execute(
                    f"SELECT key, boot_id, topic, payload, checksum FROM {table} WHERE key > ? ORDER BY key LIMIT ?",
                    (last, limit - len(rows)),
                ).fetchall()
                rows += [_row(priority, columns) for columns in found]
        return rows

    def write(self, new: Sequence[Row], done: Sequence[Row], *, durable: bool, spare: Collection[Row] = ()) -> Stock:
        """Add and remove rows in one commit; beyond the bounds the oldest of the lowest class go, but for `spare`.

        Adding what is there and removing what is not changes nothing, so that a write may be repeated.
        `durable` waits until the medium has it, and everything written before.
        """
        with translated(self._path):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with _transaction(self._db):
                stock = self._exchange(new, done)
                stock = self._evict(stock, spare)
        self.stock = Stock(stock.rows, stock.size_bytes)
        return stock

    def sync(self) -> None:
        """Wait until the medium has all that was written."""
        with translated(self._path):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Never raises: what was committed is in the file or its log, and both are there at the next start."""
        try:
            self._db.close()
        except sqlite3.Error:
            return

    def _exchange(self, new: Sequence[Row], done: Sequence[Row]) -> Stock:
        added = removed = 0
        for priority, table in TABLES.items():
            rows = [self._columns(row) for row in new if row.priority is priority]
            keys = [(self._key(row),) for row in done if row.priority is priority]
            added += self._many(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?, ?)", rows)
            removed += self._many(f"DELETE FROM {table} WHERE key = ?", keys)
        if added < len(new) or removed < len(done):
            return self._count()
        size_bytes = sum(row.size_bytes for row in new) - sum(row.size_bytes for row in done)
        return Stock(self.stock.rows + added - removed, self.stock.size_bytes + size_bytes)

    def _evict(self, stock: Stock, spare: Collection[Row]) -> Stock:
        spared = {(row.priority, self._key(row)) for row in spare}
        rows, size_bytes = stock.rows, stock.size_bytes
        dropped: dict[Priority, int] = {}
        for priority in reversed(Priority):
            for key, key_bytes in self._oldest(priority):
                if rows <= self._max_rows and size_bytes <= self._max_bytes:
                    return Stock(rows, size_bytes, dropped)
                if (priority, key) not in spared:
                    self._db.execute(f"DELETE FROM {TABLES[priority]} WHERE key = ?", (key,))
                    dropped[priority] = dropped.get(priority, 0) + 1
                    rows, size_bytes = rows - 1, size_bytes - key_bytes
        return Stock(rows, size_bytes, dropped)

    def _oldest(self, priority: Priority) -> Iterator[tuple[int, int]]:
        sql = (
            f"SELECT key, length(topic) + length(payload) FROM {TABLES[priority]} WHERE key > ? "
            f"ORDER BY key LIMIT {EVICT_ROWS}"
        )
        last = -1
        while batch := self._db.execute(sql, (last,)).fetchall():
            yield from batch
            last = batch[-1][0]

    def _many(self, sql: str, parameters: Sequence[tuple[object, ...]]) -> int:
        return self._db.executemany(sql, parameters).rowcount if parameters else 0

    def _count(self) -> Stock:
        rows = size_bytes = 0
        for table in TABLES.values():
            counted, summed = self._db.execute(
                f"SELECT count(*), total(length(topic) + length(payload)) FROM {table}"
            ).fetchone()
            rows, size_bytes = rows + counted, size_bytes + int(summed)
        return Stock(rows, size_bytes)

    def _key(self, row: Row) -> int:
        return self._starts.get(row.boot_id, 0) << SEQ_BITS | row.seq

    def _columns(self, row: Row) -> Columns:
        key, boot_id, topic = self._key(row), row.boot_id.encode(), row.topic.encode()
        return (key, boot_id, topic, row.payload, _checksum(row.priority, key, boot_id, topic, row.payload))


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for this process alone, and make its tables if it is new."""
    db = sqlite3.connect(path, timeout=LOCK_S, isolation_level=None)
    try:
        for pragma in (
            "locking_mode = EXCLUSIVE",  # no second sender, and no shared memory file
            "journal_mode = WAL",
            f"cache_size = -{CACHE_KIB}",
            f"wal_autocheckpoint = {LOG_PAGES}",
            f"journal_size_limit = {LOG_PAGES * 4096}",
            f"page_size = {PAGE_BYTES}",
            "secure_delete = ON",  # freed pages are emptied: see salvage
            "cell_size_check = ON",  # notices a damaged page earlier
            "trusted_schema = OFF",
        ):
            db.execute(f"PRAGMA {pragma}").fetchall()
        if db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
            with _transaction(db):
                for table in TABLES.values():
                    db.execute(TABLE.format(table))
                db.execute(f"PRAGMA user_version = {LAYOUT}")
    except BaseException:
        db.close()
        raise
    return db


def check(db: sqlite3.Connection) -> None:
    """Raise `Damaged` unless the tables are ours and SQLite finds their pages in order. Reads the whole file."""
    tables = dict(db.execute("SELECT name, sql FROM sqlite_schema"))
    if tables != {table: TABLE.format(table) for table in TABLES.values()}:
        raise Damaged("its tables are not those of an outbox")
    layout = db.execute("PRAGMA user_version").fetchone()[0]
    if layout != LAYOUT:
        raise Damaged(f"it has layout {layout}, not {LAYOUT}: another version of the firmware wrote it")
    finding = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise Damaged(str(finding))


def is_intact(columns: Sequence[object], priority: Priority) -> TypeGuard[Columns]:
    """Whether these are the columns of a row, as they were written."""
    match columns:
        case (int(key), bytes(boot_id), bytes(topic), bytes(payload), int(stored)):
            return stored == _checksum(priority, key, boot_id, topic, payload)
    return False


def _checksum(priority: Priority, key: int, boot_id: bytes, topic: bytes, payload: bytes) -> int:
    return zlib.crc32(b"%d %d %s %s %s" % (priority, key, boot_id, topic, payload))


def _row(priority: Priority, columns: Sequence[object]) -> Row:
    if not is_intact(columns, priority):
        raise Damaged(f"row {columns[0]} does not match its checksum")
    key, boot_id, topic, payload, _ = columns
    return Row(priority, boot_id.decode(), key & (1 << SEQ_BITS) - 1, topic.decode(), payload)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What SQLite raises, as what the caller does about it."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary result code
        if code in DAMAGE:
            raise Damaged(str(error)) from error
        remedy = REMEDIES.get(code, "Check the disk that the file is on")
        problem = f"the outbox {path} cannot be used: {error}"
        raise SpoolFailed(problem, remedy=remedy, reopen=code not in PASSING) from error


def _starts(db: sqlite3.Connection) -> dict[str, int]:
    """Which number in the keys stands for which start of the firmware."""
    starts: dict[str, int] = {}
    names: dict[int, str] = {}
    for table in TABLES.values():
        for start, boot_id in db.execute(f"SELECT DISTINCT key >> {SEQ_BITS}, boot_id FROM {table}"):
            name = boot_id.decode("ascii", "replace") if isinstance(boot_id, bytes) else ""
            one_to_one = starts.setdefault(name, start) == start and names.setdefault(start, name) == name
            if not 0 <= start < LAST_START:
                raise Damaged(f"a row is of start {start}, which no board reaches")
            if not (one_to_one and BOOT_ID.fullmatch(name)):
                raise Damaged(f"the rows of start {start} name another start")
    return starts


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite has rolled back by itself after some errors
            db.execute("ROLLBACK")
        raise
