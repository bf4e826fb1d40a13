"""The whole firmware, killed at any moment (SIGKILL): what it has told is on disk, and no alarm is lost or made up.

`DUCTWATCH_KILLS=200 make test ARGS="tests/firmware/test_killed.py"` kills it that often.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firmware.alarms.database import JOURNAL_ROWS, Database, JournalEntry
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, AlarmRecord
from firmware.local.door import NAME, Unreachable, ask

pytestmark = pytest.mark.real

KILLS = int(os.environ.get("DUCTWATCH_KILLS", "6"))
START_S = 1.0  # what a start takes, about: now and then it is killed before it is over
MOST_LINES = 400  # of one life: a second or so
OPERATIONS = ("acknowledge", "reset", "shelve", "unshelve", "take_out_of_service", "return_to_service")

BOARD = """
[board]
name = "killed"
[realtime]
priority = 0
lock_memory = false
[rules]
path = "rules.toml"
[[sensor]]
name = "gas"
driver = "simulated-gas"
period = "100ms"
[[sensor]]
name = "pm"
driver = "simulated-particulates"
period = "100ms"
"""
MIDDLES = {  # of what the simulated sensors measure at the start: their noise crosses it every other time
    "temperature": "21.25 Cel",
    "humidity": "46.74 %RH",
    "pressure": "995.63 hPa",
    "gas_resistance": "199800 Ohm",
    "pm10": "5 ug/m3",
    "count_0_3": "766 1/dl",
    "count_0_5": "214 1/dl",
    "count_1_0": "43 1/dl",
}
KINDS = ("", "latch = true\n", 're_alarm = "1s"\n', "suppress_when = 'count_0_5 > 214.0'\n", 'on_delay = "2 of 3"\n')
RULE = """
[[rule]]
name = "{signal}_{number}"
signal = "{signal}"
above = "{middle}"
{kind}severity = "high"
reference = "none"
annotations = {{ cause = "noise", consequence = "none", action = "none" }}
"""

Event = dict[str, Any]
Told = tuple[str, str, str, str, float]


@dataclass
class Board:
    """One data directory, through the lives of many processes; what must hold is looked at after each."""

    folder: Path
    chance: random.Random
    runs: set[str] = field(default_factory=set)
    standing: dict[AlarmId, AlarmState] = field(default_factory=dict)
    told: int = 0
    answered: int = 0

    def __post_init__(self) -> None:
        rules = [
            RULE.format(signal=signal, middle=middle, number=number, kind=kind)
            for signal, middle in MIDDLES.items()
            for number, kind in enumerate(KINDS)
        ]
        (self.folder / "data").mkdir()
        (self.folder / "rules.toml").write_text("".join(rules))
        (self.folder / "board.toml").write_text(BOARD.replace("rules.toml", str(self.folder / "rules.toml")))

    def live_and_die(self) -> list[Event]:
        """Start it, kill it at some moment, and return what it has said until then."""
        command = [sys.executable, "-m", "firmware", "run", "--events", "-", "--time-factor", "2"]
        command += ["--config", str(self.folder / "board.toml"), "--data", str(self.folder / "data")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            lines: list[bytes] = []
            try:
                if self.chance.random() < 0.2:
                    with pytest.raises(subprocess.TimeoutExpired):
                        process.wait(self.chance.uniform(0, START_S))
                else:
                    for _ in range(self.chance.randint(1, MOST_LINES)):
                        lines.append(process.stdout.readline())
                        if self.chance.random() < 0.02:
                            self._operate()
            finally:
                process.kill()
            lines += process.stdout.read().split(b"\n")[:-1]  # what stands in the pipe; the last line may be cut off
        return [json.loads(line) for line in lines]

    def _operate(self) -> None:
        alarm = f"{self.chance.choice(list(MIDDLES))}_{self.chance.randrange(len(KINDS))}"
        source = self.chance.choice(["gas", "pm"])
        command = self.chance.choice(OPERATIONS)
        request = {"command": command, "rule": alarm, "source": source, "by": "ann"}
        if command in ("shelve", "take_out_of_service"):
            request["reason"] = "a filter change"
        if command == "shelve":
            request["for"] = "3s"
        try:
            reply = json.loads(ask(self.folder / "data" / NAME, json.dumps(request).encode()))
        except Unreachable:  # its first words come a little before its door is open
            return
        self.answered += "moves" in reply  # on a machine that is busy the alarms may have no time, and it says so

    def look(self, events: list[Event]) -> None:
        """What the file says now, and whether that fits what was said and what stood before."""
        database = Database(self.folder / "data" / "alarms.sqlite")
        records, _ = database.load()
        journal = database.journal(JOURNAL_ROWS)
        database.close()
        self._told_is_written(events, journal)
        self._no_move_is_missing(journal)
        self._records_agree(records, journal)
        self._resumed(events)
        self.standing = {one.alarm: one.state for one in records if one.state is not AlarmState.NORMAL}
        self.runs |= {entry.run for entry in journal}

    def _told_is_written(self, events: list[Event], journal: tuple[JournalEntry, ...]) -> None:
        written = Counter(_of_entry(entry) for entry in journal if entry.run not in self.runs)
        told = Counter(_of_event(event) for event in events if _is_move(event))
        assert told - written == Counter()
        self.told += told.total()

    def _no_move_is_missing(self, journal: tuple[JournalEntry, ...]) -> None:
        states: dict[AlarmId, AlarmState] = {}
        for entry in journal:
            move = entry.transition
            if move.alarm in states or len(journal) < JOURNAL_ROWS:
                assert move.before is states.get(move.alarm, AlarmState.NORMAL), entry
            states[move.alarm] = move.after

    def _records_agree(self, records: tuple[AlarmRecord, ...], journal: tuple[JournalEntry, ...]) -> None:
        last = {entry.transition.alarm: entry.transition for entry in journal}
        kept = {record.alarm: record for record in records}
        for alarm, move in last.items():
            record = kept.get(alarm)
            stands = (record.state, record.withheld) if record else (AlarmState.NORMAL, frozenset())
            assert stands == (move.after, move.withheld), (alarm, record, move)
        if len(journal) < JOURNAL_ROWS:
            assert {alarm for alarm, one in kept.items() if one.state is not AlarmState.NORMAL} <= last.keys()

    def _resumed(self, events: list[Event]) -> None:
        """A start begins with the alarms that stood, all of them and no other."""
        resumed = {AlarmId(event["rule"], event["source"]): event["after"] for event in events if _is_resume(event)}
        if events and not _is_resume(events[-1]):
            assert resumed == {alarm: state.value for alarm, state in self.standing.items()}


def _is_move(event: Event) -> bool:
    return event["type"] == "alarm" and not _is_resume(event)


def _is_resume(event: Event) -> bool:
    return (event["type"], event.get("event")) == ("alarm", AlarmEvent.RESUME.value)


def _of_event(event: Event) -> Told:
    return event["rule"], event["source"], event["event"], event["after"], event["at_s"]


def _of_entry(entry: JournalEntry) -> Told:
    move = entry.transition
    return move.alarm.rule, move.alarm.source, move.event.value, move.after.value, round(move.at / 1e9, 6)


def test_killed_at_any_moment_the_journal_the_alarms_and_what_was_told_agree(tmp_path: Path) -> None:
    board = Board(tmp_path, random.Random(KILLS))

    for _ in range(KILLS):
        board.look(board.live_and_die())

    assert board.told > 20 * KILLS
    assert board.answered > KILLS
