"""Keeps a connection to the broker: says that the board is there, empties the outbox, and takes commands in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, NoReturn

from drivers.types import Instant, SourceId
from drivers.worker import Worker
from firmware.observations import HealthChange
from firmware.supervisor import Pulse
from firmware.uplink.commands import Answer, BadCommand, Command, parse, refusal, reply
from firmware.uplink.conversation import Conversation, converse
from firmware.uplink.discovery import Retained
from firmware.uplink.news import News
from firmware.uplink.outbox import Outbox
from firmware.uplink.refusals import BrokerError
from firmware.uplink.settings import ANSWER_LIMIT_S, CONNECT_LIMIT_S, UplinkSettings
from firmware.uplink.spool import Row
from firmware.uplink.wire import Topics, seal

if TYPE_CHECKING:
    from firmware.uplink.connection import Connection

UPLINK = SourceId("uplink")
JOBS = SourceId("jobs")
ONLINE, STOPPED, OFFLINE = b"online", b"stopped", b"offline"

BEAT_S = 5.0
PULSE_LIMIT_S = 2 * CONNECT_LIMIT_S + 5 * ANSWER_LIMIT_S  # a login without a beat: all slow, and one answer to spare
STEADY = 1.5  # times the longest delay: a connection that held so long was a good one, and not one between two kicks


class Session:
    """Serves one broker until it is cancelled. What is not acknowledged stays in the outbox.

    `announcements` are published, retained, at each connection. `on_command` must return soon: what takes its time,
    such as a snapshot, is only begun. `report` hears once that the broker is away, and once that it is back.
    `jobs` are a conversation of their own, which may be refused without harm to the rest.
    """

    def __init__(
        self,
        settings: UplinkSettings,
        outbox: Outbox,
        topics: Topics,
        *,
        on_command: Callable[[Command], Awaitable[Answer]],
        report: Callable[[HealthChange], None],
        now: Callable[[], Instant],
        announcements: Sequence[Retained] = (),
        jobs: Conversation | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._topics = topics
        self._on_command = on_command
        self._announcements = announcements
        self._chance = chance
        self._jobs = jobs
        self._news, self._news_of_jobs = News(UPLINK, report, now), News(JOBS, report, now)
        self._sent = self._connections = 0
        self._online_since_s: float | None = None
        self._brief = False  # whether the connection before this one broke soon

    async def run(self, pulse: Pulse) -> NoReturn:
        """Return only by cancellation: then the board is announced as `stopped`, within half a second."""
        connector = Worker("mqtt-connect")
        failures_in_a_row = 0
        try:
            while True:
                pulse.beat()
                error, held_s = await self._connect(connector, pulse)
                self._news.trouble(error.problem, error.remedy)
                steady = held_s > self._steady_s
                self._brief = 0 < held_s <= self._steady_s or (self._brief and not steady)
                failures_in_a_row = 1 if steady else failures_in_a_row + 1
                await _rest(self._retry_delay_s(failures_in_a_row), pulse)
        finally:
            connector.close()

    def figures(self) -> dict[str, float]:
        """For the health report."""
        return {
            "uplink_online": float(self._online_since_s is not None),
            "uplink_connections": self._connections,
            "uplink_sent": self._sent,
        }

    @property
    def _steady_s(self) -> float:
        return STEADY * self._settings.longest_retry

    async def _connect(self, connector: Worker, pulse: Pulse) -> tuple[BrokerError, float]:
        """One connection, from login to its end. Returns why it ended, and for how long it had held."""
        from firmware.uplink.connection import connected  # aiomqtt: only a board that has a broker pays for it

        will = Retained(self._topics.availability, OFFLINE)
        identifier = f"{self._settings.prefix}-{self._topics.board}"
        ended: list[BrokerError] = []
        try:
            async with connected(self._settings, identifier=identifier, will=will, connector=connector) as connection:
                await self._serve(connection, pulse)
        except* BrokerError as errors:
            ended += _leaves(errors)
        finally:
            since_s, self._online_since_s = self._online_since_s, None
        return ended[0], 0.0 if since_s is None else _now_s() - since_s

    async def _serve(self, connection: Connection, pulse: Pulse) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.watch())
                await self._introduce(connection)
                group.create_task(self._recover())
                group.create_task(self._send(connection, pulse))
                group.create_task(self._listen(connection))
                if self._jobs is not None:
                    group.create_task(converse(connection, self._jobs, self._news_of_jobs))
        except asyncio.CancelledError:
            await connection.leave(Retained(self._topics.availability, STOPPED))
            raise

    async def _introduce(self, connection: Connection) -> None:
        await connection.subscribe(self._topics.command)
        for announcement in self._announcements:
            await connection.publish(announcement.topic, announcement.payload, retain=True)
        await connection.publish(self._topics.availability, ONLINE, retain=True)
        self._connections += 1
        self._online_since_s = _now_s()

    async def _recover(self) -> None:
        """Say that the broker is back. After one that let us in and threw us out, not before it has shown patience."""
        if self._brief:
            await asyncio.sleep(self._steady_s)
        self._news.well()

    async def _send(self, connection: Connection, pulse: Pulse) -> NoReturn:
        """Send what the outbox has, up to a window of messages at once; each is forgotten when it is acknowledged."""
        newest = self._outbox.rewind()
        window = _Window(connection.window)
        async with asyncio.TaskGroup() as group:
            while True:
                pulse.beat()
                for row in await self._next_rows(await window.free()):
                    window.enter()
                    group.create_task(self._deliver(connection, row, window, historical=self._is_history(row, newest)))

    async def _next_rows(self, limit: int) -> list[Row]:
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                return await self._outbox.take(limit)
        return []

    async def _deliver(self, connection: Connection, row: Row, window: _Window, *, historical: bool) -> None:
        await connection.publish(row.topic, seal(row.payload, boot_id=row.boot_id, seq=row.seq, historical=historical))
        self._outbox.acknowledge(row)
        self._sent += 1
        window.leave()

    def _is_history(self, row: Row, newest: int) -> bool:
        """Whether the message was there before this connection."""
        return row.boot_id != self._outbox.boot_id or row.seq <= newest

    async def _listen(self, connection: Connection) -> None:
        async with aclosing(connection.received()) as messages:
            async for message in messages:
                if message.topic == self._topics.command:
                    await connection.publish(self._topics.reply, await self._answer(message.payload))
                elif self._jobs is not None:
                    self._jobs.hear(message.topic, message.payload)

    async def _answer(self, payload: bytes) -> bytes:
        try:
            request = parse(payload)
        except BadCommand as error:
            return refusal(error)
        return reply(request, await self._on_command(request.command))

    def _retry_delay_s(self, failures_in_a_row: int) -> float:
        """Doubling, capped, and spread over its upper half: boards that lost a broker do not come back at once."""
        doubled_s = self._settings.first_retry * 2.0 ** min(failures_in_a_row - 1, 20)
        return min(self._settings.longest_retry, doubled_s) * (1 + self._chance()) / 2


class _Window:
    """Messages that are on their way at once: at most `size`."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._left = asyncio.Event()

    async def free(self) -> int:
        """Wait for room; return how much there is."""
        while not self._free:
            self._left.clear()
            await self._left.wait()
        return self._free

    def enter(self) -> None:
        self._free -= 1

    def leave(self) -> None:
        self._free += 1
        self._left.set()


async def _rest(delay_s: float, pulse: Pulse) -> None:
    until_s = _now_s() + delay_s
    while (left_s := until_s - _now_s()) > 0:
        pulse.beat()
        await asyncio.sleep(min(left_s, BEAT_S))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _leaves(errors: BaseExceptionGroup[BrokerError]) -> list[BrokerError]:
    """The errors in a group of groups, in the order in which they happened."""
    leaves: list[BrokerError] = []
    for error in errors.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
