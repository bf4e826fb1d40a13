"""What is asked at the door, and whom the firmware asks for the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.alarms.database import JournalEntry
from firmware.alarms.operations import Operation
from firmware.alarms.types import AlarmId, AlarmRecord, Transition
from firmware.local import replies
from firmware.local.door import bound, serve
from firmware.observations import Condition
from firmware.rules.types import Annotations
from firmware.supervisor import Pulse
from firmware.uplink.commands import Answer, BadCommand, Command, parse

SCHEMA = "ductwatch.local/1"
MOST_MOVES = 10_000  # of the journal, in one answer: all that it keeps
DECIDED_LIMIT_S = 10.0  # for the alarms to take an operation: a worn SD card takes its time
LOCALLY = "local"  # who did it, where the request does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who knows what: the alarms as they stand, their journal, and who carries out the rest."""

    records: Callable[[], Sequence[AlarmRecord]]
    annotations: Callable[[AlarmId], Annotations | None]
    journal: Callable[[int], Awaitable[Sequence[JournalEntry]]]
    utc: Callable[[int], str]
    """Of nanoseconds since 1970."""
    operate: Callable[[Operation], Awaitable[Sequence[Transition]]]
    obey: Callable[[Command], Awaitable[Answer]]
    cleaning: Callable[[], Mapping[str, object]]
    updating: Callable[[], Mapping[str, object]]


async def answer_at(
    path: Path, household: Household, report: Callable[[Condition, str, str], None], *, pulse: Pulse
) -> None:
    """Answer until cancelled. Where no socket can be made, that is reported, and the firmware goes on without."""
    pulse.rest()
    try:
        with bound(path) as listening:
            await serve(listening, lambda request: answer(request, household))
    except OSError as error:
        problem = f"{path}: no socket can be made: {error.strerror or error}: ductwatch alarms, cleaning cannot ask"
        report(
            Condition.DEGRADED, problem, "Choose a data directory with a shorter name that the firmware may write to."
        )
        await asyncio.Event().wait()


async def answer(request: bytes, household: Household) -> bytes:
    """What is said to a request, whatever bytes it is: a JSON object."""
    try:
        return json.dumps({"schema": SCHEMA, **await _fields(request, household)}).encode()
    except BadCommand as error:
        return json.dumps({"schema": SCHEMA, "error": str(error)}).encode()


async def _fields(request: bytes, household: Household) -> Mapping[str, Any]:
    """Raises `BadCommand`."""
    match _question(request):
        case {"command": "alarms"}:
            return {"alarms": replies.standing(household.records(), household.annotations)}
        case {"command": "cleaning"}:
            return household.cleaning()
        case {"command": "update"}:
            return household.updating()
        case {"command": "history", "limit": int(limit)} if 0 < limit <= MOST_MOVES and limit is not True:
            return {"moves": replies.history(await household.journal(limit), household.utc)}
        case {"command": "history"}:
            raise BadCommand(f"history: limit must be a number from 1 to {MOST_MOVES}")
    command = parse(request, by=LOCALLY).command
    if not isinstance(command, Operation):
        done = await household.obey(command)
        return {"done": done.done, "text": done.text}
    try:
        moved = await asyncio.wait_for(household.operate(command), DECIDED_LIMIT_S)
    except TimeoutError:
        raise BadCommand(
            f"the alarms did not answer for {DECIDED_LIMIT_S:g} s: look at the journal of the service"
        ) from None
    return {"moves": replies.moves(moved)}


def _question(request: bytes) -> Any:
    try:
        return json.loads(request)
    except (ValueError, RecursionError):
        return None
