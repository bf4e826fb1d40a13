"""One board of the fleet: what it decides, by the firmware's own decisions, and no I/O.

What it does about a job is decided by `firmware.update.job_decisions`. Of what a real board reports of it, only the
first and the last are said.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from random import Random

from firmware.update.fitness import BoardFacts, Examined, Speed, misfits, shortcomings
from firmware.update.job_decisions import (
    Ask,
    Asked,
    Assignment,
    Finish,
    Reject,
    Report,
    Standing,
    Time,
    Wait,
    decide,
)
from model.manifest import Manifest
from model.selftest import Answers
from ota import slot_moves as moves
from ota.job_messages import JobTopics, Publication, Status
from ota.jobs import Again, Jobs, Lost, Noted, Nothing, Offer, Outcome, Unusable
from ota.slot_states import Held, Record, Shipped
from ota.types import Release, Target

PREFIX = "ductwatch"
CHANNEL = "stable"
FIT = Speed(runs=100, p50_ms=12.0, p95_ms=20.0)  # only answers are examined here: how fast a board is, is not simulated
MEMORY_MIB = 20.0


@dataclass(frozen=True, slots=True)
class Say:
    publication: Publication


@dataclass(frozen=True, slots=True)
class Later:
    """Look again at the job in so many seconds, unless it is withdrawn before."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was to begin is not to."""


@dataclass(frozen=True, slots=True)
class Install:
    """Look into the channel, and fetch what it offers."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The job is over, as the service knows; None: it does not want to hear of it."""

    status: Status | None


Step = Say | Later | Withdrawn | Install | Settled


class Board:
    """It begins with `before`, active and good. One without `deltas` has no base that one starts from.

    `wall_s` is now, in seconds since 1970.
    """

    def __init__(self, name: str, before: Release, facts: BoardFacts, *, shipped: Shipped, deltas: bool) -> None:
        numbers = itertools.count(1)
        self.name = name
        self.topics = JobTopics(PREFIX, name)
        self.jobs = Jobs(self.topics, token=lambda: f"{name}-{next(numbers)}")
        self.record = _kept(_staged(Record(), Held.of(before), 0), 0)
        self._facts, self._shipped, self._deltas = facts, shipped, deltas
        self._model = before.model
        self._chance = Random(name)
        self._job: Assignment | None = None
        self._asked: Asked | None = None

    def chance(self) -> float:
        return self._chance.random()

    def heard(self, topic: str, payload: bytes, wall_s: float) -> Step | None:
        """What follows from a message. Raises `BadMessage`."""
        outcome = self.jobs.received(topic, payload)
        return None if outcome is None else self._following(outcome, wall_s)

    def looked(self, wall_s: float) -> Step | None:
        """What is to be done about its job now, if it has one."""
        if self._job is None:
            return None
        job = self._job.job
        match decide(self._job, self._standing(), Time(wall_s=wall_s), self.name):
            case Wait(_, for_s):
                return Later(for_s or 0.0)
            case Report(details) if job.status is Status.QUEUED:
                return Say(self.jobs.accept(job, details=details))
            case Ask():
                return Install()
            case Finish(status, details):
                return Say(self.jobs.finish(job, status, details))
            case Reject(reason):
                return Say(self.jobs.reject(job, reason))
        return None

    def wanted(self, release: Release) -> Target:
        """What to fetch: a delta if one starts from what is here, else the whole. Raises ValueError for a refusal."""
        held = Held.of(release)
        if refused := moves.refusal(self.record, held, shipped=self._shipped):
            raise ValueError(refused)
        active = None if self.record.active is None else self.record[self.record.active].holds
        for delta in sorted(release.deltas, key=lambda one: one.target.length) if self._deltas else ():
            if active is not None and delta.base == active.sha256:
                return delta.target
        return release.target

    def installed(self, release: Release, manifest: Manifest, golden: Answers, wall_s: float) -> None:
        """The bytes are here and proved: stage it, examine it, and keep it or not. What to say then, `looked` tells."""
        now_s = int(wall_s)
        self.record = _staged(moves.freed(self.record, now_s=now_s, why=""), Held.of(release), now_s)
        examined = Examined(golden=golden, accuracy_before=None, speed=FIT, memory_mib=MEMORY_MIB)
        if problems := misfits(manifest, self._facts) or shortcomings(manifest, self._facts, examined):
            self.record = moves.failed(self.record, now_s=now_s, why="; ".join(problems))
        else:
            self.record = _kept(self.record, now_s)
        if self._job is not None:
            self._asked = Asked(job=self._job.job.id, offered=release)

    def _standing(self) -> Standing:
        return Standing(
            channel=CHANNEL,
            model=self._model,
            hardware=self._facts.hardware,
            shipped=self._shipped,
            record=self.record,
            asked=self._asked,
        )

    def _following(self, outcome: Outcome, wall_s: float) -> Step | None:
        match outcome:
            case Offer() if outcome.job.status is Status.QUEUED and not self._has(outcome.job.id):
                self._job = Assignment(job=outcome.job, document=outcome.document, queued_s=outcome.queued_at)
                self._asked = None
                return self.looked(wall_s)
            case Nothing():
                self._job = None
                return Withdrawn()
            case Noted() if outcome.job.status is Status.IN_PROGRESS and self._job is not None:
                self._job = replace(self._job, job=outcome.job, begun_s=wall_s)
                return self.looked(wall_s)
            case Noted():
                return Settled(outcome.job.status)
            case Again() | Unusable():
                return Say(outcome.answer)
            case Lost():
                return Settled(outcome.status)
        return None

    def _has(self, job: str) -> bool:
        return self._job is not None and self._job.job.id == job


def _staged(record: Record, held: Held, now_s: int) -> Record:
    return moves.staged(record, record.inactive, held, now_s=now_s, why="")


def _kept(record: Record, now_s: int) -> Record:
    """Its trial and its probation are waiting, which is left out."""
    for move in (moves.trial_begun, moves.passed, moves.kept):
        record = move(record, now_s=now_s, why="")
    return record
