"""Boards on a real broker that carry out jobs, or do not. They speak by `ota.jobs`, and insist on answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import aiomqtt

from ota.job_messages import JobTopics, Publication, Status
from ota.jobs import Again, Job, Jobs, Noted, Offer, Outcome, Unusable
from tests.firmware.fleet.builders import PREFIX

PATIENCE_S = 0.3  # until something is said again


class Fate(Enum):
    """What becomes of a job on a board."""

    SUCCEEDS = "succeeds"
    FAILS = "fails"
    STALLS = "accepts it, and says nothing more"
    SLEEPS = "never asks"


@dataclass
class SimulatedBoard:
    name: str
    port: int
    fate: Fate = Fate.SUCCEEDS
    offers: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)

    async def run(self) -> None:
        numbers = itertools.count(1)
        jobs = Jobs(JobTopics(PREFIX, self.name), token=lambda: f"{self.name}-{next(numbers)}")
        client = aiomqtt.Client("127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5)
        async with client, asyncio.TaskGroup() as group:
            for topic in jobs.subscriptions:
                await client.subscribe(topic, qos=1)
            await client.publish(f"{PREFIX}/{self.name}/availability", b"online", qos=1, retain=True)
            if self.fate is Fate.SLEEPS:
                await asyncio.Event().wait()
            group.create_task(self._insist(client, jobs))
            await self._send(client, jobs.next())
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                if (outcome := jobs.received(message.topic.value, message.payload)) is not None:
                    await self._go_on(client, jobs, outcome)

    async def _insist(self, client: aiomqtt.Client, jobs: Jobs) -> None:
        while True:
            await asyncio.sleep(PATIENCE_S)
            if jobs.unanswered is not None:
                await self._send(client, jobs.unanswered)

    async def _go_on(self, client: aiomqtt.Client, jobs: Jobs, outcome: Outcome) -> None:
        match outcome:
            case Offer() if outcome.job.status is Status.QUEUED:
                self.offers.append(outcome.job.id)
                await self._send(client, jobs.accept(outcome.job, details={"step": "download"}))
            case Offer() if self.fate is not Fate.STALLS:
                await self._finish(client, jobs, outcome.job)
            case Noted() if outcome.job.status is Status.IN_PROGRESS and self.fate is not Fate.STALLS:
                await self._finish(client, jobs, outcome.job)
            case Noted() if outcome.job.status.is_final:
                self.settled.append(outcome.job.id)
            case Again() | Unusable():
                await self._send(client, outcome.answer)

    async def _finish(self, client: aiomqtt.Client, jobs: Jobs, job: Job) -> None:
        failed = self.fate is Fate.FAILS
        status, details = (Status.FAILED, {"reason": "no room"}) if failed else (Status.SUCCEEDED, {"version": "1.2.0"})
        await self._send(client, jobs.finish(job, status, details))

    async def _send(self, client: aiomqtt.Client, publication: Publication) -> None:
        await client.publish(publication.topic, publication.payload, qos=1)


@asynccontextmanager
async def boards(
    port: int, names: Iterable[str], fates: Mapping[str, Fate] | None = None
) -> AsyncIterator[dict[str, SimulatedBoard]]:
    """Boards at the broker for the length of the block. Those that `fates` does not name succeed."""
    made = {name: SimulatedBoard(name, port, (fates or {}).get(name, Fate.SUCCEEDS)) for name in names}
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(board.run()) for board in made.values()]
        yield made
        for task in tasks:
            task.cancel()
