from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware.alarms.database import JOURNAL_ROWS
from firmware.alarms.states import AlarmState
from firmware.alarms.store import MAX_UNWRITTEN, AlarmStore, outage_ns
from firmware.alarms.types import Evidence
from firmware.observations import Condition
from tests.firmware.alarms.builders import raised, record

pytestmark = pytest.mark.real


class Clock:
    """Wall time that a test sets; None is a clock that is not synchronised."""

    def __init__(self) -> None:
        self.ns: int | None = 1_000

    def __call__(self) -> int | None:
        return self.ns


class Told:
    """What the store reported."""

    def __init__(self) -> None:
        self.changes: list[tuple[Condition, str, str]] = []

    def __call__(self, condition: Condition, problem: str, remedy: str) -> None:
        self.changes.append((condition, problem, remedy))

    @property
    def conditions(self) -> list[Condition]:
        return [condition for condition, _, _ in self.changes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alarms.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return Told()


def store(path: Path, clock: Clock, told: Told) -> AlarmStore:
    return AlarmStore(path, wall_ns=clock, report=told)


async def test_alarms_and_delays_are_remembered(path: Path, clock: Clock, told: Told) -> None:
    records = (
        record("a", state=AlarmState.ACKNOWLEDGED, value=None),
        record("b", evidence=Evidence(elapsed_ns=2**40, running=True)),
        record("c", evidence=Evidence(votes=2**60 - 1)),
    )
    async with store(path, clock, told) as before:
        await before.save((), [])
        await before.save(records, [raised("a")])
    clock.ns = 61_000

    async with store(path, clock, told) as after:
        remembered = await after.load()

    assert (remembered.records, remembered.outage_ns, told.changes) == (records, 60_000, [])


async def test_the_first_start_remembers_nothing(path: Path, clock: Clock, told: Told) -> None:
    async with store(path, clock, told) as first:
        remembered = await first.load()

    assert (remembered.records, remembered.outage_ns, told.changes) == ((), None, [])


@pytest.mark.parametrize(
    ("saved_ns", "now_ns", "outage"),
    [
        pytest.param(1_000, 61_000, 60_000, id="a minute"),
        pytest.param(1_000, 1_000, 0, id="at once"),
        pytest.param(None, 61_000, None, id="the clock was not synchronised then"),
        pytest.param(1_000, None, None, id="the clock is not synchronised now"),
        pytest.param(61_000, 1_000, None, id="the clock went back"),
    ],
)
def test_an_outage_is_known_only_between_two_trusted_times(
    saved_ns: int | None, now_ns: int | None, outage: int | None
) -> None:
    assert outage_ns(saved_ns, now_ns) == outage


async def test_the_journal_tells_who_when_why_and_with_which_value(path: Path, clock: Clock, told: Told) -> None:
    first, second = raised("a", seconds=1), raised("b", seconds=2)
    async with store(path, clock, told) as journal:
        await journal.save([], [first])
        clock.ns = None
        await journal.save([], [second])
        entries = await journal.journal(limit=10)

    assert [entry.transition for entry in entries] == [first, second]
    assert [(entry.number, entry.wall_ns) for entry in entries] == [(0, 1_000), (1, None)]


async def test_the_journal_keeps_the_newest_moves_up_to_its_bound(path: Path, clock: Clock, told: Told) -> None:
    async with store(path, clock, told) as journal:
        for first in range(0, JOURNAL_ROWS + 500, 500):
            await journal.save([], [raised(seconds=second) for second in range(first, first + 500)])
        entries = await journal.journal(limit=2 * JOURNAL_ROWS)

    assert len(entries) == JOURNAL_ROWS
    assert [entries[0].number, entries[-1].number] == [500, JOURNAL_ROWS + 499]


def garbled(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


def half_overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def written_by_a_newer_firmware(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def holding(column: str, value: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute(f"UPDATE alarm SET {column} = {value}")
        connection.close()

    return damage


def with_tables(alarm: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE alarm")
            connection.execute(f"CREATE TABLE {alarm}")
            columns = connection.execute("SELECT count(*) FROM pragma_table_info('alarm')").fetchone()[0]
            connection.execute(f"INSERT INTO alarm VALUES ({', '.join(['1'] * columns)})")
        connection.close()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        garbled,
        half_overwritten,
        written_by_a_newer_firmware,
        pytest.param(holding("state", "'asleep'"), id="a state that there is not"),
        pytest.param(holding("signal", "CAST(x'ff' AS TEXT)"), id="a text that is none"),
        pytest.param(holding("condition", "NULL"), id="a condition that is missing"),
        pytest.param(holding("votes", "NULL"), id="votes that are missing"),
        pytest.param(holding("age_ns", "-1"), id="a value from the future, to which all news would be old"),
        pytest.param(holding("elapsed_ns", "9223372036854775807"), id="a delay of centuries, which cannot be added to"),
        pytest.param(holding("raised_ns", "'1 2 3 4'"), id="more times than are kept"),
        pytest.param(holding("raised_ns", "'9223372036854775807'"), id="raised centuries ago"),
        pytest.param(holding("value", "9e999"), id="an infinite value, which no message can carry"),
        pytest.param(holding("suppressed", "7"), id="neither true nor false"),
        pytest.param(with_tables("alarm (rule, source)"), id="a table with other columns"),
        pytest.param(
            with_tables(f"alarm ({', '.join(f'column_{n}' for n in range(21))}) "),
            id="columns of no type with no names",
        ),
    ],
)
async def test_a_damaged_file_is_set_aside_and_said_once(
    path: Path, clock: Clock, told: Told, damage: Callable[[Path], None]
) -> None:
    async with store(path, clock, told) as before:
        await before.save([record()], [raised()])
    damage(path)

    async with store(path, clock, told) as after:
        assert (await after.load()).records == ()
        await after.save([record("new")], [raised("new")])
        assert (await after.load()).records == (record("new"),)

    assert path.with_name("alarms.db.damaged").exists()
    assert told.conditions == [Condition.DEGRADED, Condition.RECOVERED]
    assert "alarms.db.damaged" in told.changes[0][1]


async def test_a_file_damaged_while_it_is_open_costs_the_history_and_no_alarm(
    path: Path, clock: Clock, told: Told
) -> None:
    async with store(path, clock, told) as running:
        await running.save([record("a")], [raised("a")])
        with sqlite3.connect(path) as vandal:
            vandal.execute("DROP TABLE alarm")
        vandal.close()
        await running.save([record("a"), record("b")], [raised("b")])
        assert (await running.load()).records == (record("a"), record("b"))

    assert told.conditions == [Condition.DEGRADED, Condition.RECOVERED]


@contextmanager
def no_room_on_the_disk() -> Iterator[None]:
    """The kernel lets this process write to no file (setrlimit(2), RLIMIT_FSIZE): a full disk for one process only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_said_once_and_what_came_meanwhile_is_written_later(
    path: Path, clock: Clock, told: Told
) -> None:
    async with store(path, clock, told) as running:
        await running.save([record("a")], [raised("a")])
        with no_room_on_the_disk():
            for name in "bcd":
                await running.save([record(name)], [raised(name)])
        assert told.conditions == [Condition.DEGRADED]
        await running.save([record("e")], [raised("e")])
        written = [entry.transition.alarm.rule for entry in await running.journal(limit=10)]

    assert written == ["a", "b", "c", "d", "e"]
    assert told.conditions == [Condition.DEGRADED, Condition.RECOVERED]


async def test_a_folder_that_is_not_there_yet_is_no_reason_to_stop(tmp_path: Path, clock: Clock, told: Told) -> None:
    folder = tmp_path / "mounted later"
    async with store(folder / "alarms.db", clock, told) as running:
        assert (await running.load()).records == ()
        await running.save([record()], [raised("early")] * (MAX_UNWRITTEN + 5))
        folder.mkdir()
        await running.save([record()], [])
        entries = await running.journal(limit=2 * MAX_UNWRITTEN)

    assert (len(entries), entries[0].number) == (MAX_UNWRITTEN, 5)
    assert told.conditions == [Condition.DEGRADED, Condition.RECOVERED]
    assert told.changes[1][1].endswith("5 moves did not fit in memory and are not in the journal")


async def test_somebody_reading_the_file_holds_up_one_save_and_loses_nothing(
    path: Path, clock: Clock, told: Told
) -> None:
    async with store(path, clock, told) as running:
        await running.save([], [])
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await running.save([record("a")], [raised("a")])
            other.execute("ROLLBACK")
        other.close()
        await running.save([record("a")], [])
        assert [entry.transition.alarm.rule for entry in await running.journal(limit=9)] == ["a"]

    assert "locked" in told.changes[0][1]


async def test_a_journal_that_is_damaged_is_set_aside_and_costs_no_start(path: Path, clock: Clock, told: Told) -> None:
    async with store(path, clock, told) as running:
        await running.save([], [raised()])
        with sqlite3.connect(path) as vandal:
            vandal.execute("UPDATE journal SET withheld = NULL")
        vandal.close()
        assert await running.journal(limit=9) == ()

    assert told.conditions[0] is Condition.DEGRADED


SAVE_FOR_EVER = """
    import asyncio, itertools, pathlib, sys
    from firmware.alarms.store import AlarmStore
    from tests.firmware.alarms.builders import raised, record

    async def main():
        path = pathlib.Path(sys.argv[1])
        async with AlarmStore(path, wall_ns=lambda: None, report=lambda *told: sys.exit(str(told))) as store:
            await store.load()
            for number in itertools.count():
                await store.save([record(f"rule_{number}")], [raised(f"rule_{number}")])
                print(number, flush=True)

    asyncio.run(main())
"""


def killed_after(saves: int, path: Path) -> int:
    """Save in another process, and kill that when it has said `saves` times that it did; the number of the last."""
    command = [sys.executable, "-c", textwrap.dedent(SAVE_FOR_EVER), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(saves)]
        child.send_signal(signal.SIGKILL)
    return int(said[-1])


@pytest.mark.parametrize("saves", [1, 7, 30])
async def test_killed_at_any_moment_journal_and_alarms_agree_and_nothing_saved_is_lost(
    path: Path, clock: Clock, told: Told, saves: int
) -> None:
    for _ in range(2):
        saved = killed_after(saves, path)

        async with store(path, clock, told) as after:
            (standing,) = (await after.load()).records
            (last,) = await after.journal(limit=1)
        assert standing.alarm == last.transition.alarm
        assert last.number >= saved
    assert told.changes == []
