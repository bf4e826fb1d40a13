"""Messages a second into the outbox and out of it: on disk alone, and to a real broker."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import file_system
from bench.results import Bar, Chart, Result, Row, Setup
from drivers.types import Instant, Quantity, Reading, SourceId
from firmware.observations import HealthChange
from firmware.supervisor import Pulse
from firmware.uplink.commands import Answer, Command
from firmware.uplink.outbox import Outbox
from firmware.uplink.session import Session
from firmware.uplink.settings import UplinkSettings
from firmware.uplink.wire import Message, Priority, Topics, WallClock, message
from tests.mosquitto import Mosquitto

DISK = Path("/var/tmp")  # outlives a restart (FHS 5.15), so that it is no tmpfs, where nothing is ever synced
BURST = 250  # accepted on end, then waited for: what a board says in some minutes
WINDOW = 16  # taken and not yet acknowledged, as the session's default
LIMIT_S = 120.0
HOW = (
    "Messages of one reading, 240 bytes of topic and payload. In: accepted in bursts of 250 and waited for until the "
    "file has them: the death of the process cannot take them. In, synced: alarms, each waited for until the medium "
    "has it: nor can a power cut. Out: taken from the file 16 at a time and acknowledged, until the file is empty. To "
    "a broker: the same through the session, MQTT 5 QoS 1, Mosquitto on loopback. Beside it plain sqlite3 on the same "
    "disk, one row and one synced commit at a time."
)
IN, SYNCED, OUT, BROKER, PLAIN = (
    "in, survives the process",
    "in, each survives a power cut",
    "out",
    "out, to Mosquitto",
    "plain sqlite3, each synced",
)

Round = Callable[[Path], Coroutine[Any, Any, float]]
"""Does one measurement in an empty folder, and returns messages a second."""


def measure(setup: Setup) -> Result:
    many, few = setup.choose(20_000, 2_000), setup.choose(500, 50)
    rounds: dict[str, Round] = {
        IN: partial(_in, many),
        SYNCED: partial(_synced, few),
        OUT: partial(_out, many),
        BROKER: partial(_to_broker, many // 4),
        PLAIN: partial(_plain, few),
    }
    rates: dict[str, list[float]] = {name: [] for name in rounds}
    count = setup.choose(5, 1)
    for number in range(count):
        for name, go in rounds.items():
            setup.progress(f"round {number + 1} of {count}: {name}")
            with tempfile.TemporaryDirectory(prefix="ductwatch-bench-", dir=DISK) as folder:
                rates[name].append(asyncio.run(go(Path(folder))))
    return Result(
        name="outbox",
        title="Outbox, messages a second",
        how=HOW,
        columns=("median /s", "least /s", "most /s", "median ms each"),
        rows=tuple(Row(name, (median(of), min(of), max(of), 1000 / median(of))) for name, of in rates.items()),
        chart=Chart(
            unit="messages a second (median)",
            logarithmic=True,
            bars=tuple(Bar(label=name, value=median(of)) for name, of in rates.items()),
        ),
        notes=(f"On {file_system(DISK)}. A board with all its sensors says some 3 messages a second.",),
        details={"messages": many, "messages_synced": few, "message_bytes": _size(_message(Priority.TELEMETRY))},
    )


async def _in(count: int, folder: Path) -> float:
    async with _outbox(folder) as outbox:
        started_s = time.perf_counter()
        await _fill(outbox, count)
        return count / (time.perf_counter() - started_s)


async def _synced(count: int, folder: Path) -> float:
    alarm = _message(Priority.ALARM)
    async with _outbox(folder) as outbox:
        started_s = time.perf_counter()
        for _ in range(count):
            outbox.accept(alarm)
            await _written(outbox)
        return count / (time.perf_counter() - started_s)


async def _out(count: int, folder: Path) -> float:
    async with _outbox(folder) as outbox:
        await _fill(outbox, count)
        outbox.rewind()
        started_s = time.perf_counter()
        left = count
        while left:
            rows = await outbox.take(WINDOW)
            for row in rows:
                outbox.acknowledge(row)
            left -= len(rows)
        await _written(outbox)
        return count / (time.perf_counter() - started_s)


async def _to_broker(count: int, folder: Path) -> float:
    async with _outbox(folder) as outbox, Mosquitto(folder) as broker:
        await _fill(outbox, count)
        session = Session(
            UplinkSettings(host="127.0.0.1", port=broker.port),
            outbox,
            Topics("ductwatch", "bench"),
            on_command=_refuse,
            report=_hear,
            now=_now,
        )
        sending = asyncio.create_task(session.run(Pulse(LIMIT_S, time.monotonic)))
        await _reached(session, "uplink_online", 1)
        started_s = time.perf_counter()
        await _reached(session, "uplink_sent", count)
        rate = count / (time.perf_counter() - started_s)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return rate


async def _plain(count: int, folder: Path) -> float:
    database = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE messages (payload BLOB)"):
        database.execute(statement)
    payload = _message(Priority.ALARM).payload
    started_s = time.perf_counter()
    for _ in range(count):
        database.execute("INSERT INTO messages VALUES (?)", (payload,))
    rate = count / (time.perf_counter() - started_s)
    database.close()
    return rate


@asynccontextmanager
async def _outbox(folder: Path) -> AsyncIterator[Outbox]:
    """Open, with its file made."""
    outbox = Outbox(folder / "outbox.sqlite", boot_id=str(uuid.uuid4()), report=_hear, now=_now)
    async with outbox:
        outbox.accept(_message(Priority.TELEMETRY))
        for row in await outbox.take(1):
            outbox.acknowledge(row)
        await _written(outbox)
        yield outbox


async def _fill(outbox: Outbox, count: int) -> None:
    reading = _message(Priority.TELEMETRY)
    for _ in range(count // BURST):
        for _ in range(BURST):
            outbox.accept(reading)
        await _written(outbox)


async def _reached(session: Session, figure: str, value: int) -> None:
    """The session tells nobody how far it is: it is looked at a thousand times a second."""
    async with asyncio.timeout(LIMIT_S):
        while session.figures()[figure] < value:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def _written(outbox: Outbox) -> None:
    if not await outbox.flush(LIMIT_S):
        raise RuntimeError(f"the disk did not take what was accepted within {LIMIT_S:g} s")


def _message(priority: Priority) -> Message:
    reading = Reading(source=SourceId("duct-pm"), quantity=Quantity.PM2_5, value=12.4, at=_now())
    plain = message(
        reading, WallClock(offset_ns=time.time_ns() - _now(), synchronised=True), Topics("ductwatch", "bench")
    )
    return Message(plain.topic, priority, plain.payload)


def _size(one: Message) -> int:
    return len(one.topic) + len(one.payload)


def _hear(_: HealthChange) -> None:
    """Of the outbox's troubles the missing messages tell."""


async def _refuse(_: Command) -> Answer:
    return Answer(False, "a benchmark obeys nobody")


def _now() -> Instant:
    return Instant(time.monotonic_ns())
