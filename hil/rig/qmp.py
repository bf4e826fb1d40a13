"""QEMU's monitor as a peer: events of the guest, and what is done to its machine (QEMU Machine Protocol reference)."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.rig.sockets import connected

MOST_EVENTS = 1000
ANSWER_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Event:
    """Such as WATCHDOG, RESET, SHUTDOWN; `at_ns` is the host's CLOCK_MONOTONIC."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    at_ns: int = 0


class Refused(Exception):
    """QEMU does not do what it was asked for."""


class Qmp:
    """A monitor socket of QEMU's at `path`, through any number of its lives."""

    def __init__(self, path: Path) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._ready = asyncio.Event()
        self._answers: deque[asyncio.Future[Any]] = deque()
        self._watchers: list[Callable[[Event], None]] = []

    async def run(self) -> None:
        """Note events until cancelled."""
        while True:
            async with connected(self._path) as (reader, self._writer):
                self._writer.write(b'{"execute": "qmp_capabilities"}\n')
                self._answers.append(asyncio.get_running_loop().create_future())
                self._ready.set()
                try:
                    while line := await reader.readline():
                        self._hear(json.loads(line))
                except ConnectionError:
                    pass
                finally:
                    self._ready.clear()
                    while self._answers:
                        _fail(self._answers.popleft())

    async def execute(self, command: str, **arguments: Any) -> Any:
        """What QEMU returns. Raises `Refused`, TimeoutError where no QEMU runs, ConnectionError where it ends."""
        async with asyncio.timeout(ANSWER_LIMIT_S):
            await self._ready.wait()
            assert self._writer is not None
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._answers.append(answer)
            self._writer.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            return await answer

    async def until(self, name: str, limit_s: float, since_ns: int = 0) -> Event:
        """Wait for an event that comes, or came, after `since_ns`. Raises TimeoutError."""
        for event in self.events:
            if event.name == name and event.at_ns >= since_ns:
                return event
        seen: asyncio.Future[Event] = asyncio.get_running_loop().create_future()

        def see(event: Event) -> None:
            if event.name == name and not seen.done():
                seen.set_result(event)

        self._watchers.append(see)
        try:
            async with asyncio.timeout(limit_s):
                return await seen
        finally:
            self._watchers.remove(see)

    def _hear(self, message: dict[str, Any]) -> None:
        if "event" in message:
            event = Event(message["event"], message.get("data", {}), time.monotonic_ns())
            self.events.append(event)
            for see in list(self._watchers):
                see(event)
        elif "return" in message or "error" in message:
            answer = self._answers.popleft()
            if answer.done():
                return
            if "error" in message:
                answer.set_exception(Refused(message["error"]["desc"]))
            else:
                answer.set_result(message["return"])


def _fail(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(ConnectionAbortedError("QEMU ended before it answered"))
        answer.exception()  # there may be nobody who waits for it
