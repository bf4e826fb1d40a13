"""What a new model has to go through on this board: an examination, a trial beside the old model, a probation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import Clock
from drivers.types import Instant
from firmware.photography import Shot
from firmware.streams import Mailbox
from firmware.update.fitness import (
    FEWEST_RUNS,
    BoardFacts,
    Examined,
    Speed,
    budget_ms,
    misfits,
    percentile,
    shortcomings,
)
from firmware.update.settings import UpdateSettings
from firmware.update.shadow import Limits, Outcome, Seen, decide, seen
from firmware.update.trial import Failed, Trial
from model.classifier import label_of
from model.errors import ModelError
from model.manifest import Manifest, Thresholds, parse_manifest
from model.selftest import Answers
from model.types import Label, ModelId, Verdict
from ota.bundle import open_bundle
from ota.errors import OtaError

MEASURE_S = 10.0  # the snapshots that are taken meanwhile last some seconds
WAITING = 4  # shots with their verdicts: a trial that is slower than the snapshots sees some of them
SNAPSHOTS = 3  # of both cameras, spread over that time
MOST_SNAPSHOTS = 18  # where a picture takes so long that too few were timed by then: 60 s
WAIT_S = 10.0  # for a shot, before it is asked again how late it is


class Seeing:
    """Each shot with the verdict of the model that counts, while somebody looks."""

    def __init__(self) -> None:
        self._seen: Mailbox[tuple[Shot, Verdict]] = Mailbox(WAITING)
        self._looking = False

    def put(self, shot: Shot, verdict: Verdict) -> None:
        if self._looking:
            self._seen.put((shot, verdict))

    @contextmanager
    def looking(self) -> Iterator[None]:
        self._looking = True
        try:
            yield
        finally:
            self._looking = False
            self._seen = Mailbox(WAITING)

    async def next(self) -> tuple[Shot, Verdict] | None:
        """None if nothing came for a while."""
        try:
            async with asyncio.timeout(WAIT_S):
                return await self._seen.get()
        except TimeoutError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What it found: `problems` is empty for a model that is fit. Names of `figures` end in their unit."""

    problems: tuple[str, ...]
    figures: dict[str, float]


def manifest_of(bundle: Path) -> Manifest:
    """Of a bundle on this board. Raises `Failed` for one that cannot be used."""
    try:
        return parse_manifest(open_bundle(bundle).manifest)
    except (OtaError, ModelError) as error:
        raise Failed(str(error)) from error


async def examine(
    trial: Trial, manifest: Manifest, board: BoardFacts, request: Callable[[], None], *, measure_s: float = MEASURE_S
) -> Examination:
    """Golden pictures, memory, and latency while the cameras run: `request` asks for a snapshot. Raises `Failed`."""
    if problems := misfits(manifest, board):
        return Examination(problems=tuple(problems), figures={})
    loaded = await trial.loaded()
    times_ms: list[float] = []
    for taken in range(MOST_SNAPSHOTS):
        if taken >= SNAPSHOTS and len(times_ms) >= FEWEST_RUNS:
            break
        request()
        times_ms += await trial.measure(measure_s / SNAPSHOTS)
    examined = Examined(
        golden=Answers(
            pictures=loaded.pictures,
            agreement=loaded.agreement,
            worst_lsb=loaded.worst_lsb,
            accuracy=loaded.accuracy,
        ),
        accuracy_before=loaded.accuracy_before,
        speed=Speed(
            runs=len(times_ms),
            p50_ms=percentile(times_ms, 0.5) if times_ms else 0.0,
            p95_ms=percentile(times_ms, 0.95) if times_ms else 0.0,
        ),
        memory_mib=loaded.memory_mib,
    )
    return Examination(problems=tuple(shortcomings(manifest, board, examined)), figures=_figures(examined))


async def try_beside(
    trial: Trial,
    seeing: Seeing,
    limits: Limits,
    thresholds: Thresholds,
    clock: Clock,
    *,
    found: Seen,
    tell: Callable[[Seen], None],
    interrupted: Callable[[], bool],
) -> tuple[Outcome, str]:
    """Let it judge what the old model judges by `thresholds`, until there is a verdict on it. Raises `Failed`.

    It goes on from what was `found` before, and tells what it finds.
    """
    await trial.loaded()
    while (outcome := decide(found, limits, clock.now())) is None:
        if interrupted():
            return Outcome.INTERRUPTED, "something else was asked for"
        if (pair := await seeing.next()) is None:
            continue
        shot, verdict = pair
        if verdict.score is None:  # the old model could not judge it, and says nothing that one could compare
            continue
        judged = await trial.judge(shot)
        found = seen(found, label_of(verdict.score, thresholds), Label(judged.label), judged.took_ms)
        tell(found)
    return outcome


def limits_of(settings: UpdateSettings, manifest: Manifest, board: BoardFacts) -> Limits:
    """Of a trial."""
    return Limits(
        pictures=settings.trial_pictures,
        flips=settings.flips_at_most,
        losses=settings.losses_at_most,
        at_least_ns=settings.trial_at_least.ns,
        at_most_ns=settings.trial_at_most.ns,
        budget_ms=budget_ms(manifest, board),
    )


async def prove(
    model: ModelId,
    seeing: Seeing,
    wanted: int,
    budget_ms: float,
    clock: Clock,
    until: Instant,
    tell: Callable[[int], None],
) -> tuple[Outcome, str]:
    """Watch the model that counts, over so many of its verdicts, and at most until then."""
    times_ms: list[float] = []
    while len(times_ms) < wanted:
        if clock.now() >= until:
            return Outcome.GAVE_UP, f"only {len(times_ms)} of {wanted} pictures judged"
        pair = await seeing.next()
        if pair is not None and pair[1].model == model and pair[1].score is not None:
            times_ms.append(pair[1].latency_ns / 1e6)
            tell(len(times_ms))
    p95_ms = percentile(times_ms, 0.95)
    if p95_ms > budget_ms:
        return Outcome.FAILED, f"95 of 100 verdicts take up to {p95_ms:.1f} ms, allowed {budget_ms:g} ms"
    return Outcome.PASSED, f"{wanted} pictures judged, p95 from capture to verdict {p95_ms:.1f} ms"


def _figures(examined: Examined) -> dict[str, float]:
    golden, speed = examined.golden, examined.speed
    found = {
        "golden_agreement": golden.agreement,
        "golden_worst_lsb": float(golden.worst_lsb),
        "golden_accuracy": golden.accuracy,
        "golden_accuracy_before": examined.accuracy_before,
        "p50_ms": speed.p50_ms,
        "p95_ms": speed.p95_ms,
        "memory_mib": examined.memory_mib,
    }
    return {name: round(value, 4) for name, value in found.items() if value is not None}
