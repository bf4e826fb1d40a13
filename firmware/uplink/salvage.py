"""What is done with a damaged outbox file: save the rows that can be read, keep the file for a look, start another.

At each step there is a file that the next start can use: the new one takes the old one's place only when it is whole
and on the medium. Blocking, for the outbox's thread.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from firmware.uplink.spool import TABLES, Damaged, Spool, SpoolFailed, connect, intact, translated
from firmware.uplink.wire import Priority

KEPT = 2  # damaged files kept for a look; the oldest go first
BATCH_ROWS = 64
PATIENCE = 100_000  # keys tried one by one: keys of one start are dense, and a file holds about as many rows
COLUMNS = "key, boot_id, topic, payload, checksum"
LAST_KEY = 2**63 - 1

Columns = tuple[int, bytes, bytes, bytes, int]


@dataclass(frozen=True, slots=True)
class Salvage:
    """What came of a damaged file: how many messages were saved, and where the file is now."""

    saved: int
    kept_as: Path


def open_spool(
    path: Path, boot_id: str, *, max_rows: int, max_bytes: int, rebuild: bool
) -> tuple[Spool, Salvage | None]:
    """Open the file; first make a sound one of it if that is asked for, or if it is damaged. Raises `SpoolFailed`."""
    try:
        _finish(path)
        salvage = _rebuild(path) if rebuild else None
        try:
            return Spool(path, boot_id, max_rows=max_rows, max_bytes=max_bytes), salvage
        except Damaged:
            salvage = _rebuild(path)
            return Spool(path, boot_id, max_rows=max_rows, max_bytes=max_bytes), salvage
    except OSError as error:
        remedy = "Make the folder writable for the firmware's user, and make room on its disk"
        raise SpoolFailed(f"the outbox {path} cannot be set aside: {error.strerror}", remedy=remedy) from error
    except Damaged as error:
        remedy = "The disk returns other bytes than were written: replace it"
        raise SpoolFailed(f"a new outbox {path} is damaged at once: {error}", remedy=remedy) from error


def _rebuild(path: Path) -> Salvage:
    """Put a sound file with all readable rows in the place of `path`. If it raises, nothing has changed."""
    new = _new(path)
    with translated(new):
        saved = _copy(path, new)
    kept_as = _set_aside(path)
    new.replace(path)
    return Salvage(saved, kept_as)


def _finish(path: Path) -> None:
    """Complete a rebuild that was cut off between its two renames, and drop one that had not got so far."""
    new = _new(path)
    if new.exists() and not path.exists():
        new.replace(path)
    for leftover in (new, _log(new)):
        leftover.unlink(missing_ok=True)


def _set_aside(path: Path) -> Path:
    """Rename the damaged file, with its log: one that stayed would be taken for the new file's."""
    kept = sorted(path.parent.glob(f"{path.stem}.corrupt-*[0-9]"), key=_number)
    for surplus in kept[: len(kept) + 1 - KEPT] if len(kept) >= KEPT else []:
        for file in (surplus, _log(surplus)):
            file.unlink(missing_ok=True)
    aside = path.with_name(f"{path.stem}.corrupt-{_number(kept[-1]) + 1 if kept else 1}")
    if _log(path).exists():
        _log(path).replace(_log(aside))
    path.replace(aside)
    return aside


def _number(kept: Path) -> int:
    return int(re.sub(r".*-", "", kept.name))


def _new(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _copy(old: Path, new: Path) -> int:
    saved = 0
    with closing(connect(new)) as target:
        target.execute("PRAGMA synchronous = FULL")
        target.execute("BEGIN IMMEDIATE")
        for priority, columns in _readable(old):
            saved += target.execute(
                f"INSERT OR IGNORE INTO {TABLES[priority]} VALUES (?, ?, ?, ?, ?)", columns
            ).rowcount
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return saved


def _readable(path: Path) -> Iterator[tuple[Priority, Columns]]:
    """Every row of the damaged file whose checksum is right."""
    try:
        db = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return
    with closing(db):
        for priority, table in TABLES.items():
            for columns in _rows(db, table):
                if _is_intact(priority, columns):
                    yield priority, columns


def _is_intact(priority: Priority, columns: Columns) -> bool:
    try:
        intact(priority, *columns)
    except Damaged:
        return False
    return True


def _rows(db: sqlite3.Connection, table: str) -> Iterator[Columns]:
    """Rows in order, around damage: where a page cannot be read, try key after key, then leap, until one can; then
    read back from there. Ends, since keys only grow, and a leap can double only as often as a key has bits."""
    key, tries, gap = -1, 0, None
    while key < LAST_KEY:
        found, whole = _batch(db, table, "key > ? ORDER BY key", key)
        if found:
            if gap is not None:
                yield from _backwards(db, table, gap, found[0][0])
            yield from found
            key, tries, gap = found[-1][0], 0, None
        elif whole:
            return
        if not whole:
            gap, tries = key, tries + 1
            key = min(key + 2 ** max(0, tries - PATIENCE), LAST_KEY)


def _backwards(db: sqlite3.Connection, table: str, gap: int, key: int) -> Iterator[Columns]:
    """Rows between `gap` and `key`, from `key` down to where the damage is."""
    while True:
        found, whole = _batch(db, table, f"key > {gap} AND key < ? ORDER BY key DESC", key)
        yield from found
        if not whole or not found:
            return
        key = found[-1][0]


def _batch(db: sqlite3.Connection, table: str, where: str, key: int) -> tuple[list[Columns], bool]:
    """The next rows, and whether they could be read without meeting damage."""
    found: list[Columns] = []
    try:
        for columns in db.execute(f"SELECT {COLUMNS} FROM {table} WHERE {where} LIMIT {BATCH_ROWS}", (key,)):
            if not isinstance(columns[0], int):
                return found, False
            found.append(columns)
    except sqlite3.Error:
        return found, False
    return found, True
