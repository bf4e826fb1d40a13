"""Any bytes as alarms.sqlite, and any values in its cells: it gives records, or says that it is damaged; never more."""

from __future__ import annotations

import atexit
import json
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from drivers.types import NS_PER_S, Instant
from firmware.alarms.database import Damaged, Database, JournalEntry, Unavailable
from firmware.alarms.states import Withheld
from firmware.alarms.types import AlarmRecord, Evidence, Note, Shelf
from firmware.local import replies
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.engine import RuleEngine
from tests.firmware.alarms.builders import raised, record

MAX_BYTES = 64 * 1024
WORDS = ("SQLite format 3\\x00", "unacknowledged", "shelved", "pm2_5_high", "duct-pm", "CREATE TABLE alarm", "journal")
RULES = load_rules(DEFAULT_RULES)
HOUR = Instant(3600 * NS_PER_S)
AS_FILE, AS_CELLS = b"F", b"C"
"""The first byte: what the rest is."""

COLUMNS = {
    "alarm": (
        *("rule", "source", "signal", "condition", "fault", "severity", "state", "value", "age_ns", "elapsed_ns"),
        *("running", "votes", "in_state_ns", "raised_ns", "untold", "suppressed", "shelf_ns", "shelf_reason"),
        *("shelf_by", "out_reason", "out_by"),
    ),
    "journal": (
        *("run", "number", "wall_ns", "at_ns", "rule", "source", "before", "event", "after", "value", "severity"),
        *("fault", "reason", "by", "withheld"),
    ),
    "saved": ("wall_ns",),
}
CELLS = tuple((table, column) for table, columns in COLUMNS.items() for column in columns)
T = TypeVar("T")

FOLDER = Path(tempfile.mkdtemp(prefix="ductwatch-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
SOUND = FOLDER / "sound.sqlite"


def _write_sound(path: Path) -> None:
    note = Note("the filter is being changed", "ann")
    withheld = replace(
        record(evidence=Evidence(elapsed_ns=9, running=True, votes=5)),
        shelf=Shelf(5, note),
        out_of_service=note,
        raised_ns=(9, 3),
    )
    database = Database(path)
    moves = [raised(), replace(raised(seconds=3), withheld=frozenset(Withheld))]
    database.save(
        [record("dirty_duct"), withheld], [JournalEntry("run", n, 7, move) for n, move in enumerate(moves)], 99
    )
    database.close()


_write_sound(SOUND)


def seeds() -> Iterable[bytes]:
    yield AS_FILE + SOUND.read_bytes()
    yield from (AS_CELLS + bytes([number, kind, 3]) + b"abc" for number in range(len(CELLS)) for kind in range(6))


def check(data: bytes) -> None:
    path = FOLDER / "alarms.sqlite"
    for left in FOLDER.glob("alarms.sqlite*"):
        left.unlink()
    if data[:1] == AS_CELLS:
        shutil.copy(SOUND, path)
        _fill(path, data[1:])
    else:
        path.write_bytes(data[1:])
    database = Database(path)
    try:
        _use(database)
    finally:
        database.close()


def _fill(path: Path, data: bytes) -> None:
    """Cells of one row: which, of which kind, how long, and what."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        while len(data) >= 3:
            (table, column), kind, size = CELLS[data[0] % len(CELLS)], data[1] % 6, data[2]
            content, data = data[3 : 3 + size], data[3 + size :]
            text = content.decode("latin-1")
            value: object = None
            if kind in (1, 2):
                value = int.from_bytes(content[:8], "little", signed=True)
            elif kind == 3:
                (value,) = struct.unpack("<d", content[:8].ljust(8, b"\0"))
            elif kind == 4:
                value = text
            place = "CAST(? AS TEXT)" if kind == 5 else "?"
            with suppress(sqlite3.Error):  # what a strict table refuses
                connection.execute(f"UPDATE {table} SET {column} = {place}", (content if kind == 5 else value,))


def _use(database: Database) -> None:
    """As the firmware does it: what is damaged is set aside, and all begins anew."""
    try:
        records, _ = database.load()
    except Unavailable:
        return
    except Damaged:
        records = ()
        database.set_aside()
        assert database.load() == ((), None)
    engine = RuleEngine(RULES, now=Instant(0), remembered=records, outage_ns=0)
    moves = engine.tick(HOUR)
    kept = engine.records(HOUR)
    json.dumps(replies.standing(kept, engine.annotations), allow_nan=False)
    json.dumps(replies.moves(moves), allow_nan=False)
    entries = [JournalEntry("fuzz", number, None, move) for number, move in enumerate(moves)]
    try:
        database.save(kept, entries, None)
    except (Unavailable, Damaged):
        return
    assert _standing(database.load()[0]) == _standing(kept)
    with suppress(Unavailable, Damaged):
        json.dumps(replies.history(database.journal(100), str), allow_nan=False)


def _standing(records: Iterable[AlarmRecord]) -> Sequence[object]:
    """Without times, which are cut off where they pass a century."""
    return sorted((one.alarm, one.state.value, sorted(each.value for each in one.withheld)) for one in records)
