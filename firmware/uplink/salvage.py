"""What is done with a damaged outbox file: save the rows that can be read, keep the file for a look, start another.

Rows are looked for page by page, since the tree that should lead to them may be what is damaged. Pages that were freed
hold nothing (`PRAGMA secure_delete`): what was acknowledged does not rise from the dead.

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

from firmware.uplink.pages import PAGE_BYTES, rows
from firmware.uplink.spool import TABLES, Columns, Damaged, Spool, SpoolFailed, connect, is_intact, translated
from firmware.uplink.wire import Priority

KEPT = 2  # damaged files kept for a look; the oldest go first


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
    _apply_log(old)
    saved = 0
    with closing(connect(new)) as target:
        target.execute("PRAGMA synchronous = FULL")
        target.execute("BEGIN IMMEDIATE")
        for priority, columns in _readable(old):
            sql = f"INSERT OR IGNORE INTO {TABLES[priority]} VALUES (?, ?, ?, ?, ?)"
            saved += target.execute(sql, columns).rowcount
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return saved


def _apply_log(path: Path) -> None:
    """Let SQLite bring the file up to date with its log, as far as it still can."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        return  # what is in the log only stays there: it is set aside with the file


def _readable(path: Path) -> Iterator[tuple[Priority, Columns]]:
    """Every row on a page that can be read, and whose checksum is right."""
    with path.open("rb") as file:

        def page(number: int) -> bytes:
            file.seek((number - 1) * PAGE_BYTES)
            return file.read(PAGE_BYTES)

        for key, columns in rows(page, path.stat().st_size // PAGE_BYTES):
            row = (key, *columns[1:])
            for priority in Priority:
                if is_intact(row, priority):
                    yield priority, row
