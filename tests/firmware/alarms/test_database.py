"""The file itself: what is written is what is read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.alarms.database import Database, JournalEntry
from firmware.alarms.states import AlarmState, Withheld
from firmware.alarms.types import Note, Shelf
from tests.firmware.alarms.builders import raised, record

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alarms.db"


def test_a_move_that_is_written_twice_is_in_the_journal_once(path: Path) -> None:
    database = Database(path)
    entry = JournalEntry("run", 0, None, raised())

    database.save([], [entry], None)
    database.save([], [entry], None)

    assert database.journal(10) == (entry,)
    database.close()


OF_VERSION_1 = """
CREATE TABLE alarm (
  rule TEXT, source TEXT, signal TEXT, condition TEXT, fault INTEGER, severity TEXT, state TEXT,
  value REAL, age_ns INTEGER, elapsed_ns INTEGER, running INTEGER, votes INTEGER, PRIMARY KEY (rule, source)) STRICT;
CREATE TABLE saved (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), wall_ns INTEGER) STRICT;
CREATE TABLE journal (
  place INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT, number INTEGER, wall_ns INTEGER, at_ns INTEGER,
  rule TEXT, source TEXT, before TEXT, event TEXT, after TEXT, value REAL, severity TEXT, fault INTEGER,
  reason TEXT, by TEXT, UNIQUE (run, number)) STRICT;
INSERT INTO alarm VALUES (
  'pm2_5_high', 'duct-pm', 'pm2_5', 'pm2_5 above 35.4 ug/m3, on 10min, off 10min', 0, 'high', 'acknowledged',
  51.2, 7, 0, 0, 0);
INSERT INTO saved VALUES (1, 99);
INSERT INTO journal VALUES (
  NULL, 'run', 0, NULL, 0, 'pm2_5_high', 'duct-pm', 'normal', 'raise', 'unacknowledged', 51.2, 'high', 0,
  'pm2_5 51.2 ug/m3 above 35.4 ug/m3 for 10min', 'rule');
PRAGMA user_version = 1;
"""


def test_a_file_of_an_older_firmware_is_brought_up_to_date_with_all_that_is_in_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as older:
        older.executescript(OF_VERSION_1)
    database = Database(path)

    assert database.load() == ((record(state=AlarmState.ACKNOWLEDGED),), 99)
    database.save([record()], [JournalEntry("new", 0, None, raised("new"))], 100)
    database.close()

    reopened = Database(path)
    assert reopened.load() == ((record(),), 100)
    assert reopened.journal(9) == (JournalEntry("run", 0, None, raised()), JournalEntry("new", 0, None, raised("new")))
    reopened.close()


def test_why_nobody_is_told_survives(path: Path) -> None:
    ann = Note("the filter is being changed", "ann")
    withheld = replace(record(), shelf=Shelf(5, ann), suppressed=True, out_of_service=ann, untold=True, in_state_ns=8)
    withheld = replace(withheld, raised_ns=(9, 3))
    entry = JournalEntry("run", 0, None, replace(raised(), withheld=frozenset(Withheld)))
    database = Database(path)

    database.save([withheld], [entry], None)

    assert database.load() == ((withheld,), None)
    assert database.journal(1) == (entry,)
    database.close()


def test_words_that_are_no_text_cost_no_alarm(path: Path) -> None:
    half = Note("half a pair: \ud800", "\udfff")
    database = Database(path)

    database.save([replace(record(), out_of_service=half)], [JournalEntry("run", 0, None, raised())], None)
    database.save([], [JournalEntry("run", 1, None, replace(raised(), reason=half.reason, by=half.by))], None)

    assert [(entry.transition.reason, entry.transition.by) for entry in database.journal(1)] == [
        ("half a pair: ?", "?")
    ]
    database.close()
