"""Messages on their way: never waited for, kept through kills, full disks and damage, and handed out in order."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.types import Instant
from firmware.observations import Condition, HealthChange
from firmware.uplink.outbox import Outbox
from firmware.uplink.spool import Row
from firmware.uplink.wire import Priority
from tests.firmware.uplink.builders import ALARM, BOOT, IMAGE, OLD_BOOT, TELEMETRY, note

pytestmark = pytest.mark.real

LONG_S = 30.0  # no test waits for it, unless it fails


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


def outbox(
    path: Path, *, boot_id: str = BOOT, report: Callable[[HealthChange], None] = lambda _: None, max_rows: int = 1000
) -> Outbox:
    return Outbox(path, boot_id=boot_id, report=report, now=lambda: Instant(0), max_rows=max_rows, retry_s=0.01)


async def taken(box: Outbox, count: int) -> list[Row]:
    rows: list[Row] = []
    async with asyncio.timeout(LONG_S):
        while len(rows) < count:
            rows += await box.take(count - len(rows))
    return rows


async def left_by(path: Path, *priorities: Priority, boot_id: str = OLD_BOOT) -> None:
    """A start that accepted these messages, and sent none."""
    async with outbox(path, boot_id=boot_id) as box:
        for priority in priorities:
            box.accept(note(priority))


def let_one_rot(path: Path) -> None:
    """Change one byte in the last message of the file."""
    before, mark, after = path.read_bytes().rpartition(b"xxxx")
    path.write_bytes(before + mark.replace(b"x", b"y", 1) + after)


def seqs(rows: list[Row]) -> list[int]:
    return [row.seq for row in rows]


async def test_messages_are_numbered_and_handed_out_alarms_first(path: Path) -> None:
    async with outbox(path) as box:
        numbers = [box.accept(note(priority)) for priority in (IMAGE, TELEMETRY, ALARM, TELEMETRY)]

        assert numbers == [1, 2, 3, 4]
        assert seqs(await taken(box, 4)) == [3, 2, 4, 1]


async def test_an_alarm_overtakes_a_backlog(path: Path) -> None:
    async with outbox(path) as box:
        for _ in range(100):
            box.accept(note())
        first = await taken(box, 16)
        box.accept(note(ALARM))

        assert seqs(first + await taken(box, 2)) == [*range(1, 17), 101, 17]


async def test_what_the_start_before_left_goes_first_in_its_class(path: Path) -> None:
    await left_by(path, TELEMETRY, ALARM, TELEMETRY)
    async with outbox(path) as box:
        box.accept(note())
        box.accept(note(ALARM))

        rows = await taken(box, 5)

    assert [(row.boot_id, row.seq) for row in rows] == [
        (OLD_BOOT, 2),
        (BOOT, 2),
        (OLD_BOOT, 1),
        (OLD_BOOT, 3),
        (BOOT, 1),
    ]


async def test_what_was_acknowledged_is_not_sent_again_and_the_rest_is(path: Path) -> None:
    async with outbox(path) as box:
        for _ in range(5):
            box.accept(note())
        for row in (await taken(box, 4))[:3]:
            box.acknowledge(row)
    async with outbox(path, boot_id=OLD_BOOT) as box:
        assert seqs(await taken(box, 2)) == [4, 5]


async def test_a_new_connection_gets_what_was_not_acknowledged_and_knows_what_is_history(path: Path) -> None:
    async with outbox(path) as box:
        for _ in range(4):
            box.accept(note())
        lost = await taken(box, 3)
        box.acknowledge(lost[0])

        assert box.rewind() == 4
        box.accept(note(ALARM))
        assert seqs(await taken(box, 4)) == [5, 2, 3, 4]


async def test_telemetry_that_is_acknowledged_at_once_costs_no_write(path: Path) -> None:
    async with outbox(path) as box:
        box.accept(note(ALARM))
        await box.flush(LONG_S)
        written_bytes = path.with_name(path.name + "-wal").stat().st_size
        for _ in range(20):
            box.accept(note())
            box.acknowledge((await box.take(16))[-1])

        assert await box.flush(LONG_S)
        assert path.with_name(path.name + "-wal").stat().st_size == written_bytes


async def test_waiting_for_messages_may_be_given_up_at_any_moment(path: Path) -> None:
    await left_by(path, *[TELEMETRY] * 30)
    async with outbox(path) as box:
        rows = await taken(box, 1)
        for turns in itertools.count():  # of the loop, before it is given up
            taking = asyncio.create_task(box.take(1))
            for _ in range(turns):
                await asyncio.sleep(0)
            taking.cancel()
            await asyncio.wait([taking])
            rows += [] if taking.cancelled() else taking.result()
            if len(rows) == 30:
                break

    assert seqs(rows) == list(range(1, 31))


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_each_class_arrives_in_order_and_whole(path: Path, seed: int) -> None:
    chance, arrived, accepted = random.Random(seed), list[Row](), dict.fromkeys(Priority, 0)
    for start in ("a", "b", "c"):
        async with outbox(path, boot_id=start) as box:
            for _ in range(40):
                for _ in range(chance.randrange(6)):
                    priority = chance.choice(list(Priority))
                    box.accept(note(priority))
                    accepted[priority] += 1
                arrived += await _carry(box, chance)
                if chance.random() < 0.2:
                    box.rewind()
    async with outbox(path, boot_id="d") as box, asyncio.timeout(LONG_S):
        while len({row.id for row in arrived}) < sum(accepted.values()):
            arrived += await _carry(box, chance)

    for priority in Priority:
        ids = list(dict.fromkeys(row.id for row in arrived if row.priority is priority))  # repetitions dropped
        assert ids == sorted(ids)
        assert len(ids) == accepted[priority]


async def test_accepting_never_waits_for_a_folder_that_is_missing(tmp_path: Path) -> None:
    path, changes = tmp_path / "stick" / "outbox.sqlite", asyncio.Queue[HealthChange]()
    async with outbox(path, report=changes.put_nowait) as box:
        box.accept(note())
        failed = await asyncio.wait_for(changes.get(), LONG_S)
        assert seqs(await taken(box, 1)) == [1]
        box.rewind()
        path.parent.mkdir()
        recovered = await asyncio.wait_for(changes.get(), LONG_S)
        assert await box.flush(LONG_S)

        assert (failed.condition, recovered.condition) == (Condition.FAILED, Condition.RECOVERED)
        assert "Create the folder" in failed.remedy
        assert (changes.qsize(), box.figures()["outbox_waiting"]) == (0, 1)


async def test_a_full_outbox_says_so_once_counts_and_recovers(path: Path) -> None:
    changes: list[HealthChange] = []
    async with outbox(path, report=changes.append, max_rows=50) as box:
        for priority in (*[IMAGE] * 30, *[TELEMETRY] * 30, ALARM):
            box.accept(note(priority))
            await box.flush(LONG_S)
        assert [change.condition for change in changes] == [Condition.DEGRADED]
        assert box.figures()["outbox_dropped_image"] == 11
        for row in await taken(box, 20):
            box.acknowledge(row)
        await box.flush(LONG_S)

    assert [change.condition for change in changes] == [Condition.DEGRADED, Condition.RECOVERED]


async def test_a_disk_that_is_full_loses_nothing_and_is_used_again_when_it_has_room(path: Path) -> None:
    child = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.firmware.uplink.fill_the_disk", str(path)],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=True,
    )
    failed, first, recovered, flushed, further = [json.loads(line) for line in child.stdout.splitlines()]

    assert (failed[0], recovered[0], further) == ("failed", "recovered", 0)
    assert "memory" in failed[2]
    assert first == [2001, 1, 2]  # in order, although a part is on disk and a part in memory
    assert flushed == [True, 0]
    async with outbox(path, boot_id=OLD_BOOT, max_rows=5000) as box:
        assert seqs(await taken(box, 2001)) == [2001, *range(1, 2001)]


async def test_damage_is_repaired_while_running_and_said_once(path: Path) -> None:
    await left_by(path, *[TELEMETRY] * 300, ALARM)
    changes: list[HealthChange] = []
    await asyncio.to_thread(let_one_rot, path)
    async with outbox(path, report=changes.append) as box:
        box.accept(note(ALARM))
        rows = await taken(box, 301)

    assert [(row.boot_id, row.seq) for row in rows[:2]] == [(OLD_BOOT, 301), (BOOT, 1)]
    assert len({row.seq for row in rows[2:]}) == 299  # all but the damaged one
    assert [change.condition for change in changes] == [Condition.DEGRADED, Condition.RECOVERED]
    assert re.search("30[01] messages were saved", changes[0].problem)  # with the new one, if it was there by then
    assert "outbox.corrupt-1" in changes[0].remedy


async def test_everything_accepted_is_written_at_the_end(path: Path) -> None:
    async with outbox(path) as box:
        for _ in range(500):
            box.accept(note())
    async with outbox(path, boot_id=OLD_BOOT) as box:
        assert len(await taken(box, 500)) == 500


async def test_a_boot_id_that_would_break_the_json_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="boot id"):
        outbox(path, boot_id='"')


async def _carry(box: Outbox, chance: random.Random) -> list[Row]:
    """Take some messages as a session does, acknowledge some of them, and return those that the broker saw."""
    try:
        async with asyncio.timeout(0.02):
            rows = await box.take(chance.randrange(1, 9))
    except TimeoutError:
        return []
    for row in rows[: chance.randrange(len(rows)) + 1]:
        box.acknowledge(row)
    return rows
