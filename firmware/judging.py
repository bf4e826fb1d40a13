"""From a camera's shots to its verdicts, each within the latency budget."""

from __future__ import annotations

import time
from collections.abc import Callable

from drivers.clock import Clock
from drivers.worker import Worker
from firmware.photography import Shot
from firmware.streams import Latest
from firmware.supervisor import Pulse
from model.budget import LatencyBudget
from model.classifier import Classifier
from model.cleanliness import Limits, classes
from model.smoothing import Smoothing
from model.types import Judgement, Verdict
from model.viewpoint import Viewpoint

INVOKE_LIMIT_S = 10.0  # some thousand times the usual: beyond it the interpreter hangs, and only a restart helps


async def judge(
    shots: Latest[Shot],
    *,
    clock: Clock,
    classifier: Classifier,
    worker: Worker,
    smoothing: Smoothing,
    limits: Limits,
    budget: LatencyBudget,
    say: Callable[[Verdict], None],
    keep: Callable[[Shot, Verdict], None],
    pulse: Pulse,
    viewpoint: Viewpoint | None = None,
) -> None:
    """Judge one camera's shots until cancelled. Shots that came while one was judged give way to the newest.

    Without a `viewpoint` the camera may look anywhere.
    """
    while True:
        pulse.rest()
        shot = await shots.get()
        pulse.beat()
        with clock.held():
            judgement = await worker.run(classifier.judge, shot.lit, shot.dark, viewpoint, limit_s=INVOKE_LIMIT_S)
        verdict = smoothed(judgement, smoothing, limits, latency_ns=time.monotonic_ns() - shot.lit.captured_ns)
        budget.record(verdict.latency_ns)
        say(verdict)
        keep(shot, verdict)


def smoothed(judgement: Judgement, smoothing: Smoothing, limits: Limits, *, latency_ns: int) -> Verdict:
    """The verdict over this snapshot and the ones before; `limits` are those of the cleanliness classes."""
    label, reasons = smoothing.feed(judgement)
    return Verdict(
        source=judgement.source,
        label=label,
        score=judgement.score,
        reasons=reasons,
        at=judgement.at,
        latency_ns=latency_ns,
        model=judgement.model,
        degree=judgement.degree,
        cleanliness=() if judgement.degree is None else classes(judgement.degree, limits),
    )
