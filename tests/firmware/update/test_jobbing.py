"""A board's end of the conversation, with a jobs' service whose answers may be lost, late, or no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firmware.supervisor import Pulse
from firmware.update.job_decisions import Asked, Standing
from firmware.update.jobbing import Jobbing, Schedule
from ota.job_messages import JobTopics, Publication
from ota.slot_states import Record, Shipped

TOPICS = JobTopics("ductwatch", "duct-1")
LIMIT_S = 300.0
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DOCUMENT = {"operation": "ota", "channel": "stable", "model": "visual-clean", "release_counter": 12, "rollout": "r1"}
BOARD = Standing(
    channel="stable",
    model="visual-clean",
    hardware=frozenset({"any"}),
    shipped=Shipped(model="visual-clean", counter=1, version="0.1"),
    record=Record(),
)


def wall() -> datetime:
    """It goes with the loop, whose time costs nothing."""
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Update:
    """What it was asked for; `now` is how it stands."""

    now: Standing | None = BOARD
    asked: list[tuple[str, int]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    begins: asyncio.Event = field(default_factory=asyncio.Event)

    def standing(self) -> Standing | None:
        return self.now

    def ask_for(self, job: str, at_least: int) -> None:
        self.asked.append((job, at_least))
        self.now = replace(BOARD, busy=True)
        self.begins.set()

    def withdraw(self, job: str) -> None:
        self.withdrawn.append(job)
        self.now = BOARD


class Desk:
    """A board's end, and the test's hand on all that it is told."""

    def __init__(self, jobbing: Jobbing, update: Update) -> None:
        self.jobbing, self.update = jobbing, update

    async def said(self) -> tuple[str, dict[str, Any]]:
        """The next message, with its topic below `jobs/`."""
        words: Publication = await asyncio.wait_for(self.jobbing.next_words(), LIMIT_S)
        fields: dict[str, Any] = json.loads(words.payload)
        return words.topic.removeprefix("ductwatch/duct-1/jobs/"), fields

    def hear(self, topic: str, **fields: Any) -> None:
        self.jobbing.hear(TOPICS(*topic.split("/")), json.dumps(fields).encode())

    async def offered(self, *, status: str = "QUEUED", version: int = 1, document: Any = DOCUMENT) -> None:
        """It asks, and there is a job."""
        topic, asked = await self.said()
        assert topic == "$next/get"
        job = {"jobId": "r1", "status": status, "versionNumber": version, "jobDocument": document}
        self.hear("$next/get/accepted", clientToken=asked["clientToken"], execution=job)

    async def taken(self, status: str) -> dict[str, Any]:
        """It says that the job is so, and the service takes that."""
        topic, said = await self.said()
        assert (topic, said["status"]) == ("r1/update", status)
        self.hear("r1/update/accepted", clientToken=said["clientToken"])
        return said

    async def begun(self) -> None:
        await self.offered()
        assert (await self.taken("IN_PROGRESS"))["statusDetails"] == {"step": "begun"}
        await asyncio.wait_for(self.update.begins.wait(), LIMIT_S)
        self.update.begins.clear()


@asynccontextmanager
async def desk(*, patience_s: float = 60.0, every_s: float = 60.0) -> AsyncIterator[Desk]:
    """With a connection."""
    update = Update()
    schedule = Schedule(windows=(), every_s=every_s, wall=wall, chance=lambda: 0.5)
    jobbing = Jobbing(TOPICS, update, schedule, patience_s=patience_s)
    running = asyncio.create_task(jobbing.run(pulse=Pulse(1.0, asyncio.get_running_loop().time)))
    jobbing.begin()
    yield Desk(jobbing, update)
    running.cancel()
    await asyncio.wait([running])


async def test_a_job_is_accepted_before_the_update_is_asked_for_anything() -> None:
    async with desk() as it:
        await it.offered()
        topic, said = await it.said()
        assert (topic, said["status"], it.update.asked) == ("r1/update", "IN_PROGRESS", [])
        it.hear("r1/update/accepted", clientToken=said["clientToken"])
        await asyncio.wait_for(it.update.begins.wait(), LIMIT_S)

        assert it.update.asked == [("r1", 12)]


async def test_a_job_is_begun_when_its_time_has_come_and_not_at_the_next_look() -> None:
    async with desk() as it:
        await it.offered(document=DOCUMENT | {"not_before": (wall() + timedelta(seconds=100)).isoformat()})
        begun = wall()
        await it.taken("IN_PROGRESS")

        assert (wall() - begun).total_seconds() == pytest.approx(100, abs=0.1)


async def test_a_job_that_was_withdrawn_before_it_began_is_not_begun() -> None:
    async with desk() as it:
        await it.offered()
        _, said = await it.said()
        state = {"status": "CANCELED", "versionNumber": 2}
        refused = {"code": "InvalidStateTransition", "executionState": state}
        it.hear("r1/update/rejected", clientToken=said["clientToken"], **refused)

        assert (await it.said())[0] == "$next/get"
        assert it.update.asked == []
        assert it.jobbing.told() is None


async def test_a_job_that_is_cancelled_while_it_is_done_stops_what_was_asked_for_it() -> None:
    async with desk() as it:
        await it.begun()
        it.hear("notify-next", execution={})

        assert (await it.said())[0] == "$next/get"
        assert it.update.withdrawn == ["r1"]
        assert it.jobbing.told() is None


async def test_old_news_of_no_job_costs_a_question_and_no_job() -> None:
    async with desk() as it:
        await it.begun()
        it.hear("notify-next", execution={})
        await it.offered(status="IN_PROGRESS", version=3)
        await asyncio.wait_for(it.update.begins.wait(), LIMIT_S)

        assert it.jobbing.told() is not None
        assert it.update.asked == [("r1", 12), ("r1", 12)]


async def test_what_is_not_answered_is_said_again_and_also_at_the_next_connection() -> None:
    async with desk(patience_s=0.05) as it:
        await it.offered()
        first, again = await it.said(), await it.said()
        it.jobbing.begin()

        assert first == again == await it.said()


async def test_a_service_that_is_too_busy_is_told_later_and_the_update_goes_on() -> None:
    async with desk(every_s=0.05) as it:
        await it.begun()
        it.update.now = replace(BOARD, asked=Asked(job="r1", why="the channel offers none"))
        it.jobbing.stir()
        _, said = await it.said()
        it.hear("r1/update/rejected", clientToken=said["clientToken"], code="RequestThrottled")
        topic, again = await it.said()

        assert (topic, said["status"], again["status"]) == ("r1/update", "FAILED", "FAILED")
        assert again["clientToken"] != said["clientToken"]
        assert it.update.withdrawn == []
        assert it.jobbing.told() is not None


async def test_a_job_that_asks_for_what_no_board_knows_is_rejected() -> None:
    async with desk() as it:
        await it.offered(document=DOCUMENT | {"reboot": True})

        assert "reboot" in (await it.taken("REJECTED"))["statusDetails"]["reason"]
        assert (await it.said())[0] == "$next/get"


async def test_nothing_is_decided_before_the_slots_are_known() -> None:
    async with desk() as it:
        it.update.now = None
        await it.offered()
        await asyncio.sleep(0)
        assert it.jobbing.told() is not None
        it.update.now = replace(BOARD, shipped=Shipped(model="visual-clean", counter=12, version="1.2"))
        it.jobbing.stir()

        assert (await it.taken("SUCCEEDED"))["statusDetails"]["version"] == "1.2"


async def test_rubbish_is_passed_over() -> None:
    async with desk() as it:
        it.jobbing.hear(TOPICS("notify-next"), b"\xff\x00")
        it.hear("notify-next", execution={"jobId": "../..", "status": "QUEUED", "versionNumber": 1})

        await it.offered()
        await it.taken("IN_PROGRESS")
