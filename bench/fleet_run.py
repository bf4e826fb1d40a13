"""What a fleet of one size goes through, from its first connection to a bad model, and what each part of it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.fleet_boards import Order, Task, What
from bench.fleet_release import BAD, BEFORE, CHANNEL, COUNTERS, GOOD, MODEL, Repositories
from bench.fleet_servers import BROKER, Fleet, Servers, fleet, served
from bench.fleet_tally import Tally
from bench.process import memory
from firmware.fleet.store import Store
from firmware.fleet.types import Rollout
from ota.job_messages import JobDocument
from ota.rollout import Phase, Plan, Progress

CONNECT, POLL, ROLLOUT, STOPPED = "they connect", "each polls once", "a rollout", "a bad model"
PROCESSES = 2
SHOWN = "shown"  # a link: what the web server has now
LIMIT_S = 300.0
LOOK_S, QUIET_S = 0.25, 1.0

Progressing = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """In seconds, what is waited for: between polls, before a job begins, for an examination, between cohorts."""

    period_s: float
    jitter_s: int
    examined_s: float
    soak_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was done within `seconds`, and the servers' processor time for it."""

    seconds: float
    tally: Tally
    cpu_s: Mapping[str, float]

    def each(self, count: float) -> float:
        """Of so much, what a board has."""
        return count / self.tally.boards

    def each_cpu_s(self, server: str) -> float:
        return self.each(self.cpu_s[server])


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a rollout came: boards in its first cohort that has any, and boards beyond that had the offer."""

    first: int
    beyond: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What a fleet went through, by the names above. `reach` is that of the bad model, `broker_mb` what was the most
    memory of the broker."""

    boards: int
    parts: Mapping[str, Part]
    reach: Reach
    broker_mb: float


async def go_through(boards: int, folder: Path, published: Repositories, waits: Waits, say: Progressing) -> Gone:
    """`folder` is for what the servers keep."""
    show(folder, published.folders[BEFORE])
    async with served(folder, folder / SHOWN) as servers:
        tasks = [_task(servers, published, folder, part, waits) for part in _shares(boards)]
        async with fleet(tasks) as simulated:
            with Store(servers.state) as store:
                course = _Course(servers, simulated, store, boards, say)
                parts = {
                    CONNECT: await course.part(CONNECT, course.connect()),
                    POLL: await course.part(POLL, course.poll(waits.period_s)),
                }
                for name, release in ((ROLLOUT, GOOD), (STOPPED, BAD)):
                    show(folder, published.folders[release])
                    parts[name] = await course.part(name, course.roll_out(release, waits))
                rollout = store.rollout(BAD)
                assert rollout is not None
                return Gone(
                    boards=boards,
                    parts=parts,
                    reach=reach(store.progress(rollout)),
                    broker_mb=memory(servers.pids[BROKER]).peak,
                )


def reach(progress: Progress) -> Reach:
    first = min((one.cohort for one in progress.members.values()), default=0)
    return Reach(
        first=sum(one.cohort == first for one in progress.members.values()),
        beyond=sum(one.cohort != first and one.status is not None for one in progress.members.values()),
    )


def show(folder: Path, repository: Path) -> None:
    """Let the web server have this one from now on, all of it at once."""
    link = folder / f"{SHOWN}.new"
    link.symlink_to(repository)
    link.replace(folder / SHOWN)


class _Course:
    def __init__(self, servers: Servers, boards: Fleet, store: Store, count: int, say: Progressing) -> None:
        self._servers, self._boards, self._store, self._count, self._say = servers, boards, store, count, say

    async def part(self, name: str, work: Awaitable[Tally]) -> Part:
        self._say(f"{self._count} boards: {name}")
        before, started_s = self._servers.cpu_s(), time.monotonic()
        tally = await work
        ended_s = tally.last_s or time.monotonic()
        cpu_s = {server: cpu_s - before[server] for server, cpu_s in self._servers.cpu_s().items()}
        return Part(seconds=ended_s - started_s, tally=tally, cpu_s=cpu_s)

    async def connect(self) -> Tally:
        """Until the Jobs server knows each board."""
        tally = await self._boards.does(Order(what=What.CONNECT))
        await self._until(lambda: len(self._store.boards()) == self._count)
        return tally.then(await self._quiet())

    async def poll(self, period_s: float) -> Tally:
        return await self._boards.does(Order(what=What.POLL, period_s=period_s))

    async def roll_out(self, release: str, waits: Waits) -> Tally:
        """Until all boards have it, or it was stopped, and no board has anything more to say."""
        await self._boards.does(Order(what=What.EXPECT, release=release))
        self._store.add(_rollout(release, waits))
        await self._until(lambda: all(one.id != release for one in self._store.unfinished()))
        return await self._quiet()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """The file is another process's: nobody tells when it changes. Raises RuntimeError if it does not."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not is_so():  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            known = len(self._store.boards())
            said = f"nothing came of it in {LIMIT_S:.0f} s: the Jobs server knows {known} of {self._count} boards"
            raise RuntimeError(said) from None

    async def _quiet(self) -> Tally:
        """What was done, once nobody says anything any more."""
        whole = await self._boards.does(Order(what=What.TELL))
        while True:
            await asyncio.sleep(QUIET_S)
            since = await self._boards.does(Order(what=What.TELL))
            whole = whole.then(since)
            if not since.messages:
                return whole


def _rollout(release: str, waits: Waits) -> Rollout:
    counter, now = COUNTERS[release], int(time.time())
    return Rollout(
        plan=Plan(rollout=release, soak_s=waits.soak_s),
        document=JobDocument(
            channel=CHANNEL, model=MODEL, release_counter=counter, rollout=release, jitter_s=waits.jitter_s
        ),
        boards=("duct-*",),
        made_at=now,
        moved_at=now,
        phase=Phase.RUNNING,
    )


def _shares(boards: int) -> list[range]:
    """Evenly, for each process one."""
    edges = [boards * part // PROCESSES for part in range(PROCESSES + 1)]
    return [range(first, stop) for first, stop in pairwise(edges)]


def _task(servers: Servers, published: Repositories, folder: Path, numbers: range, waits: Waits) -> Task:
    return Task(
        first=numbers.start,
        count=len(numbers),
        broker_port=servers.broker_port,
        web_port=servers.web_port,
        root=published.root,
        repositories=published.folders,
        bundles=published.bundles,
        examined=published.examined,
        scratch=folder,
        examined_s=waits.examined_s,
    )
