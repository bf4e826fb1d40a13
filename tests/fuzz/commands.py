"""Any bytes as a command, from a broker or at the local socket: each is answered with JSON."""

from __future__ import annotations

import asyncio
import atexit
import json
from collections.abc import Iterable, Sequence

from firmware.alarms.database import JournalEntry
from firmware.alarms.operations import Operation
from firmware.alarms.types import Transition
from firmware.local.answering import Household, answer
from firmware.uplink.commands import COMMANDS, Answer, BadCommand, Command, parse, refusal, reply
from tests.firmware.alarms.builders import raised, record

MAX_BYTES = 4_200
WORDS = (
    *(f'"command":"{name}"' for name in (*COMMANDS, "alarms", "history")),
    *(
        '"rule":"a"',
        '"source":"b"',
        '"by":"ann"',
        '"for":"2h"',
        '"reason":"x"',
        '"id":"7"',
        '"limit":50',
        "\\ud800",
        "1e999",
    ),
)
LOOP = asyncio.new_event_loop()
atexit.register(LOOP.close)
MOVES = (raised("a"), raised("b", seconds=5))


def seeds() -> Iterable[bytes]:
    alarm = {"rule": "pm2_5_high", "source": "duct-pm", "by": "ann"}
    for name, (fields, _) in COMMANDS.items():
        given = {**alarm, "for": "2h", "reason": "the filter is being changed", "where": "/media/stick", "older": True}
        yield json.dumps({"command": name, "id": "7", **{key: given[key] for key in fields}}).encode()
    yield b'{"command":"alarms"}'
    yield b'{"command":"update"}'
    yield b'{"command":"history","limit":50}'


def check(data: bytes) -> None:
    try:
        request = parse(data)
    except BadCommand as refused:
        assert str(refused).isprintable(), refused
        answered = refusal(refused)
    else:
        answered = reply(request, Answer(True, "done"))
    assert json.loads(answered)["schema"]
    told = json.loads(LOOP.run_until_complete(answer(data, HOUSEHOLD)))
    assert told.keys() & {"error", "alarms", "moves", "done", "cleaning", "doing"}, told


async def _journal(limit: int) -> Sequence[JournalEntry]:
    return [JournalEntry("run", number, None, move) for number, move in enumerate(MOVES)][:limit]


async def _operate(_: Operation) -> Sequence[Transition]:
    return MOVES


async def _obey(_: Command) -> Answer:
    return Answer(True, "done")


HOUSEHOLD = Household(
    records=lambda: (record("a"), record("b")),
    annotations=lambda _: None,
    journal=_journal,
    utc=str,
    operate=_operate,
    obey=_obey,
    cleaning=lambda: {"cleaning": None},
    updating=lambda: {"doing": "waiting"},
)
