"""One board of the fleet: what it decides, by the firmware's own decisions, and no I/O."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from firmware.update.fitness import BoardFacts, Examined, Speed, misfits, shortcomings
from model.manifest import Manifest
from model.selftest import Answers
from ota import slot_moves as moves
from ota.job_messages import JobTopics, Publication, Status
from ota.jobs import Again, Job, Jobs, Lost, Noted, Nothing, Offer, Outcome, Unusable
from ota.slot_states import Held, Record, Shipped
from ota.types import Release, Target

PREFIX = "ductwatch"
FIT = Speed(runs=100, p50_ms=12.0, p95_ms=20.0)  # only answers are examined here: how fast a board is, is not simulated
MEMORY_MIB = 20.0


@dataclass(frozen=True, slots=True)
class Say:
    publication: Publication


@dataclass(frozen=True, slots=True)
class Begin:
    """With the job, in so many seconds, unless it is withdrawn before."""

    job: Job
    after_s: float


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was to begin is not to."""


@dataclass(frozen=True, slots=True)
class Install:
    job: Job


@dataclass(frozen=True, slots=True)
class Settled:
    """The job is over, as the service knows; None: it does not want to hear of it."""

    status: Status | None


Step = Say | Begin | Withdrawn | Install | Settled


class Board:
    """It begins with `before`, active and good. One without `deltas` has no base that one starts from."""

    def __init__(self, name: str, before: Release, facts: BoardFacts, *, shipped: Shipped, deltas: bool) -> None:
        numbers = itertools.count(1)
        self.name = name
        self.topics = JobTopics(PREFIX, name)
        self.jobs = Jobs(self.topics, token=lambda: f"{name}-{next(numbers)}")
        self.record = _kept(_staged(Record(), Held.of(before)))
        self._facts, self._shipped, self._deltas = facts, shipped, deltas
        self._chance = Random(name)
        self._begun: str | None = None

    def chance(self) -> float:
        return self._chance.random()

    def heard(self, topic: str, payload: bytes) -> Step | None:
        """What follows from a message. Raises `BadMessage`."""
        outcome = self.jobs.received(topic, payload)
        return None if outcome is None else self._following(outcome)

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

    def installed(self, release: Release, manifest: Manifest, golden: Answers) -> tuple[Status, Mapping[str, str]]:
        """The bytes are here and proved: stage it, examine it, and keep it or not. How to report that."""
        self.record = _staged(moves.freed(self.record, now_s=0, why=""), Held.of(release))
        examined = Examined(golden=golden, accuracy_before=None, speed=FIT, memory_mib=MEMORY_MIB)
        if problems := misfits(manifest, self._facts) or shortcomings(manifest, self._facts, examined):
            self.record = moves.failed(self.record, now_s=0, why="; ".join(problems))
            return Status.FAILED, {"reason": "; ".join(problems)}
        self.record = _kept(self.record)
        return Status.SUCCEEDED, {"version": release.version}

    def _following(self, outcome: Outcome) -> Step | None:
        match outcome:
            case Offer() if outcome.job.status is Status.QUEUED and outcome.job.id != self._begun:
                self._begun = outcome.job.id
                return Begin(outcome.job, outcome.document.jitter_s * self.chance())
            case Nothing():
                self._begun = None
                return Withdrawn()
            case Noted() if outcome.job.status is Status.IN_PROGRESS:
                return Install(outcome.job)
            case Noted():
                return Settled(outcome.job.status)
            case Again() | Unusable():
                return Say(outcome.answer)
            case Lost():
                return Settled(outcome.status)
        return None


def _staged(record: Record, held: Held) -> Record:
    return moves.staged(record, record.inactive, held, now_s=0, why="")


def _kept(record: Record) -> Record:
    """Its trial and its probation are waiting, which is left out."""
    for move in (moves.trial_begun, moves.passed, moves.kept):
        record = move(record, now_s=0, why="")
    return record
