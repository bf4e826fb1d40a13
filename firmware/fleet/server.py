"""Serves a fleet's jobs on a broker: the thin shell around `Service`. One connection, one thread for the file."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from drivers.worker import Stuck, Worker
from firmware.fleet.answering import FILTERS
from firmware.fleet.service import AVAILABILITY, Service
from firmware.fleet.store import MAX_BOARDS, Full, Store, StoreFailed
from firmware.uplink.connection import Connection, connected
from firmware.uplink.discovery import Retained
from firmware.uplink.refusals import GRANT, BrokerError
from firmware.uplink.session import OFFLINE, ONLINE, STOPPED
from firmware.uplink.settings import UplinkSettings
from ota.job_messages import Publication

NAME = "jobs-server"  # of its client, and of the topic below the prefix where it says that it is there
TICK_S = 2.0  # how often rollouts are looked at, and the operator's commands
LONGEST_TICK_S = 60.0  # of the clock's steps: a machine that slept did not listen
WORK_LIMIT_S = 60.0  # for the file: a tick over 10,000 boards takes seconds, and a disk may be slow
WAITING = 2 * MAX_BOARDS  # messages: further ones are dropped, and boards say them again

ACCESS = "In the broker's access list give this user what docs/ota-rollout.md shows"

Tell = Callable[[str], None]


async def serve(settings: UplinkSettings, path: Path, *, tell: Tell, tick_s: float = TICK_S) -> NoReturn:
    """Until cancelled. Raises `StoreFailed` at the start only: later that is told, and what was asked is asked again.

    `tell` gets a line at each change: the broker is there, is away, the file fails, and works again.
    """
    with alone(path):
        server = _Server(settings, Store(path), tell, tick_s)
        try:
            await server.run()
        finally:
            await server.close()


class _Server:
    def __init__(self, settings: UplinkSettings, store: Store, tell: Tell, tick_s: float) -> None:
        self._settings = settings
        self._store = store
        self._service = Service(store, settings.prefix, wall_s=time.time)
        self._tell = tell
        self._tick_s = tick_s
        self._told = ""
        self._file_fails = False
        self._served_since_s: float | None = None
        self._brief = False  # whether the last connection that was let in broke soon
        self._topic = f"{settings.prefix}/{NAME}"
        self._file = Worker("fleet")

    async def run(self) -> NoReturn:
        connector = Worker("mqtt-connect")
        delay_s = float(self._settings.first_retry)
        while True:
            self._served_since_s = None
            try:
                await self._connect(connector)
            except* BrokerError as errors:
                self._say(_in_our_words(_first(errors)))
            held_s = 0.0 if self._served_since_s is None else _now_s() - self._served_since_s
            steady = held_s > self._settings.longest_retry
            self._brief = (held_s > 0 or self._brief) and not steady
            delay_s = self._settings.first_retry if steady else min(2 * delay_s, self._settings.longest_retry)
            await asyncio.sleep(delay_s)

    async def close(self) -> None:
        """What the file is being asked meanwhile ends first: closed under a call, SQLite takes the process down."""
        with suppress(Stuck):
            await self._file.run(self._store.close, limit_s=WORK_LIMIT_S)
        self._file.close()

    async def _connect(self, connector: Worker) -> None:
        will = Retained(self._topic, OFFLINE)
        identifier = f"{self._settings.prefix}--{NAME}"  # no board's: these have one hyphen
        async with connected(
            self._settings, identifier=identifier, will=will, connector=connector, waiting=WAITING
        ) as connection:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(connection.watch())
                    out = _Out(connection, group)
                    await self._subscribe(connection)
                    group.create_task(self._greet())
                    group.create_task(self._answer(connection, out))
                    group.create_task(self._tick(out))
                    await out.send(await self._done(self._service.greeting))
            except asyncio.CancelledError:
                await connection.leave(Retained(self._topic, STOPPED))
                raise

    async def _subscribe(self, connection: Connection) -> None:
        for levels in FILTERS:
            await connection.subscribe("/".join((self._settings.prefix, "+", "jobs", *levels)))
        await connection.subscribe_and_recall(f"{self._settings.prefix}/+/{AVAILABILITY}")
        await connection.publish(self._topic, ONLINE, retain=True)
        self._served_since_s = _now_s()

    async def _greet(self) -> None:
        """Say that jobs are served; after a broker that let us in and threw us out, once it has shown patience."""
        if self._brief:
            await asyncio.sleep(self._settings.longest_retry)
        self._say(f"serving jobs at {self._settings.broker} below {self._settings.prefix}/")

    async def _answer(self, connection: Connection, out: _Out) -> None:
        async with aclosing(connection.received()) as messages:
            async for message in messages:
                await out.send(await self._done(self._service.received, message.topic, message.payload))

    async def _tick(self, out: _Out) -> NoReturn:
        """The clock of soaks and deadlines goes on only here: while the broker is there, and boards are heard."""
        last_s = _now_s()
        while True:
            await asyncio.sleep(self._tick_s)
            passed_s, last_s = min(_now_s() - last_s, LONGEST_TICK_S), _now_s()
            await out.send(await self._done(self._service.tick, passed_s))

    async def _done(self, work: Callable[..., Sequence[Publication]], *arguments: object) -> Sequence[Publication]:
        """What `work` has to say; nothing if the file fails: boards ask again, and the next tick comes."""
        try:
            publications = await self._file.run(work, *arguments, limit_s=WORK_LIMIT_S)
        except Full as error:
            self._say(str(error))
            return ()
        except (StoreFailed, Stuck) as error:
            self._file_fails = True
            self._say(str(error) or f"the file has not answered for {WORK_LIMIT_S:.0f} s. Check its disk")
            return ()
        if self._file_fails:
            self._file_fails = False
            self._say("the file works again")
        return publications

    def _say(self, text: str) -> None:
        """Once, until something else is to be said."""
        if text != self._told:
            self._told = text
            self._tell(text)


class _Out:
    """Messages on their way: as many at once as the broker takes, and no waiting for each by itself."""

    def __init__(self, connection: Connection, group: asyncio.TaskGroup) -> None:
        self._connection = connection
        self._group = group
        self._free = asyncio.Semaphore(connection.window)

    async def send(self, publications: Sequence[Publication]) -> None:
        """Return when they are under way."""
        for publication in publications:
            await self._free.acquire()
            self._group.create_task(self._publish(publication))

    async def _publish(self, publication: Publication) -> None:
        try:
            await self._connection.publish(publication.topic, publication.payload)
        finally:
            self._free.release()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Two servers of one file would both answer each board. The lock goes with the process, however that ends."""
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise StoreFailed(f"{lock} cannot be made: {error.strerror}", remedy="Check the path") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            remedy = "Stop it first, or give this one another --state"
            raise StoreFailed(f"another jobs-server has {path}", remedy=remedy) from error
        yield


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _first(errors: BaseExceptionGroup[BrokerError]) -> BrokerError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, BrokerError)
    return error


def _in_our_words(error: BrokerError) -> str:
    """What is said of a board and its rights, of this server and its own."""
    problem = error.problem.replace("this board", f"the {NAME}")
    return f"{problem}. {ACCESS if error.remedy == GRANT else error.remedy}"
