"""Carries out the jobs that a fleet's operator gives this board: asks the update for releases, and reports.

Nothing is kept here. The service remembers the job, the slots what became of the release: whatever was interrupted goes
on by these two.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from firmware import logs
from firmware.streams import Latest
from firmware.supervisor import Pulse
from firmware.update.job_decisions import (
    Ask,
    Asked,
    Assignment,
    Details,
    Finish,
    Reject,
    Report,
    Standing,
    Time,
    Wait,
    decide,
)
from firmware.update.schedule import Window, is_open, pause_s
from ota.job_messages import BadMessage, JobTopics, Publication, Status
from ota.jobs import Again, Job, Jobs, Lost, Noted, Nothing, Offer, Outcome, Unusable

LOOK_S = 30.0  # how often it is asked whether a job's time has come
PATIENCE_S = 10.0  # for an answer, before it is said again; doubled with each time
LONGEST_S = 3600.0  # between two such questions, and from one question for a job to the next: news may be lost
UNKNOWN = "ResourceNotFound"  # ErrorResponse: there is no such job any more


class Update(Protocol):
    """What is asked of the update: `firmware.update.updating`."""

    def standing(self) -> Standing | None: ...
    def ask_for(self, job: str, at_least: int) -> None: ...
    def withdraw(self, job: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When this board may begin. `wall` is the local time, None while the board does not know it.

    After something that is in the way it asks again as it does by itself every `every_s`.
    """

    windows: tuple[Window, ...]
    every_s: float
    wall: Callable[[], datetime | None]
    chance: Callable[[], float]


class Jobbing:
    """The service, and the board's end of the conversation (`firmware.uplink.conversation`). One job at a time."""

    def __init__(
        self, topics: JobTopics, update: Update, schedule: Schedule, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._topics, self._update, self._schedule, self._patience_s = topics, update, schedule, patience_s
        self._jobs = Jobs(topics, token=lambda: uuid.uuid4().hex)
        self.subscriptions = self._jobs.subscriptions
        self._words: Latest[Publication] = Latest()
        self._stirred = asyncio.Event()
        self._job: Assignment | None = None
        self._is_said = False  # something of the job, and not answered yet
        self._reported: Details = {}
        self._waits, self._look_s = "", LOOK_S
        self._asked: Asked | None = None
        self._failures = self._refusals = self._tries = 0
        self._rested_s = self._silent_until_s = 0.0
        self._due_s = 0.0  # when it is said again, or when the next job is asked for
        self._trouble = ""

    def begin(self) -> None:
        """The board has a connection: ask for the job that is next, or say again what was not answered."""
        self._tries = 0
        self._say(self._jobs.next())

    def hear(self, topic: str, payload: bytes) -> None:
        """A message of the service."""
        try:
            outcome = self._jobs.received(topic, payload)
        except BadMessage as error:
            self._tell("a message about jobs was dropped", str(error))
            return
        if outcome is not None:
            self._tries = 0
            if self._jobs.unanswered is None:
                self._due_s = _now_s() + LONGEST_S
            self._heard(outcome)
            self._stirred.set()

    async def next_words(self) -> Publication:
        return await self._words.get()

    def stir(self) -> None:
        """The update stands differently."""
        self._stirred.set()

    async def run(self, *, pulse: Pulse) -> None:
        """Until cancelled."""
        pulse.rest()  # decides at once, and then waits
        self._due_s = _now_s() + LONGEST_S
        while True:
            self._act()
            if _now_s() >= self._due_s:
                self._say(self._jobs.unanswered or self._jobs.next())
            with suppress(TimeoutError):
                async with asyncio.timeout(min(self._look_s, max(0.0, self._due_s - _now_s()))):
                    await self._stirred.wait()
            self._stirred.clear()

    def told(self) -> Mapping[str, object] | None:
        """The job that this board has, in plain values; None if it has none."""
        if self._job is None:
            return None
        wanted = self._job.document
        return {
            "id": self._job.job.id,
            "status": self._job.job.status.value,
            "channel": wanted.channel,
            "model": wanted.model,
            "release_counter": wanted.release_counter,
            "waits": self._waits,
            "details": dict(self._reported),
        }

    def _heard(self, outcome: Outcome) -> None:
        match outcome:
            case Offer():
                self._offered(outcome)
            case Unusable():
                self._leave()
                self._tell("a job is not for this firmware", outcome.problem)
                self._say_of_job(outcome.answer)
            case Nothing():
                if self._job is not None and not self._is_said:  # else its answer says what became of it
                    self._leave()
                    self._say(self._jobs.next())  # the news may be old: then it is offered again
            case Noted(job):
                self._noted(job)
            case Again(answer):
                self._say(answer)
            case Lost():
                self._lost(outcome)

    def _offered(self, offer: Offer) -> None:
        if self._is_said:
            return  # the answer to that says what became of the job that this board has
        before = self._job
        if before is not None and before.job.id != offer.job.id:
            self._leave()
            before = None
        begun_s, known = None, None
        if offer.job.status is Status.IN_PROGRESS:
            begun_s = (before and before.begun_s) or offer.started_at or time.time()
            known = None if before is None else before.known
        self._job = Assignment(
            job=offer.job, document=offer.document, queued_s=offer.queued_at, begun_s=begun_s, known=known
        )

    def _noted(self, job: Job) -> None:
        self._is_said = False
        self._refusals = 0
        if job.status.is_final:
            self._leave()
            self._say(self._jobs.next())
        elif self._job is not None and self._job.job.id == job.id:
            self._job = replace(self._job, job=job, begun_s=self._job.begun_s or time.time())

    def _lost(self, lost: Lost) -> None:
        """The service refuses it: the job is over, or the same is to be said later."""
        is_over = lost.code == UNKNOWN or (lost.status is not None and lost.status.is_final)
        if self._is_said and is_over:
            self._is_said = False
            self._leave()
            self._say(self._jobs.next())
            return
        self._is_said = False
        self._reported = {}
        self._refusals += 1
        self._due_s = _now_s() + pause_s(self._schedule.every_s, self._refusals, self._schedule.chance())
        self._silent_until_s = self._due_s
        self._tell("the jobs' service refuses what this board says", f"{lost.code}: {lost.message}")

    def _leave(self) -> None:
        """The job is no more, for this board."""
        if self._job is not None:
            self._update.withdraw(self._job.job.id)
        self._job, self._reported, self._waits, self._asked = None, {}, "", None

    def _act(self) -> None:
        """What is to be done about the job now."""
        standing = self._update.standing()
        if self._job is None or self._is_said or standing is None or _now_s() < self._silent_until_s:
            return
        self._waits, self._look_s = "", LOOK_S
        match decide(self._job, standing, self._time(standing), self._topics.thing):
            case Reject(reason):
                self._say_of_job(self._jobs.reject(self._job.job, reason))
            case Finish(status, details):
                self._reported = details
                self._say_of_job(self._jobs.finish(self._job.job, status, details))
            case Report(details):
                if self._job.begun_s is None:
                    self._job = replace(self._job, known=frozenset(standing.record.history))
                self._report(self._job.job, details)
            case Ask():
                self._update.ask_for(self._job.job.id, self._job.document.release_counter)
            case Wait(why, for_s):
                self._waits = why
                self._look_s = LOOK_S if for_s is None else min(LOOK_S, for_s)

    def _report(self, job: Job, details: Details) -> None:
        if job.status is Status.QUEUED:
            self._say_of_job(self._jobs.accept(job, details=details))
        elif details != self._reported:
            self._say_of_job(self._jobs.progress(job, details))
        self._reported = details

    def _time(self, standing: Standing) -> Time:
        """Now; with each new thing that is in the way the pause before the next question grows."""
        if standing.asked is not None and standing.asked is not self._asked:
            self._failures = self._failures + 1 if standing.asked.later else 0
            pause = pause_s(self._schedule.every_s, self._failures, self._schedule.chance())
            self._rested_s = _now_s() + pause
            self._asked = standing.asked
        wall = self._schedule.wall()
        return Time(
            wall_s=None if wall is None else wall.timestamp(),
            open=is_open(self._schedule.windows, None if wall is None else 60 * wall.hour + wall.minute),
            rested=_now_s() >= self._rested_s,
        )

    def _say_of_job(self, words: Publication) -> None:
        self._is_said = True
        self._tries = 0
        self._say(words)

    def _say(self, words: Publication) -> None:
        """Say it, and again if it is not answered."""
        self._words.put(words)
        wait_s = min(LONGEST_S, self._patience_s * 2.0 ** min(self._tries, 20))
        self._due_s = _now_s() + wait_s * (0.5 + self._schedule.chance())  # not all boards of a fleet at once
        self._tries += 1
        self._stirred.set()

    def _tell(self, what: str, why: str) -> None:
        """Once, until it is something else."""
        if why != self._trouble:
            self._trouble = why
            logs.fail(what, why=why)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
