from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.clock import MonotonicClock
from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from drivers.types import Frame, SourceId
from drivers.worker import Worker
from firmware.judging import judge, smoothed
from firmware.observations import Observation
from firmware.photography import Shot
from firmware.plan import load_classifier
from firmware.streams import Latest
from firmware.supervisor import Pulse
from model.budget import LatencyBudget
from model.cleanliness import SUPPLY_DUCTS, Limits
from model.shipped import shipped_bundle
from model.smoothing import Smoothing
from model.types import Cleanliness, Degree, Judgement, Label, Reason, Verdict
from tests.builders import MODEL, at, frame

pytestmark = pytest.mark.real


class Stage:
    """The judging of one camera, with the model that ships, in a thread as on the board."""

    def __init__(self) -> None:
        self.shots: Latest[Shot] = Latest()
        self.budget = LatencyBudget(10_000)
        self.verdicts: asyncio.Queue[Observation] = asyncio.Queue()
        self.kept: list[Verdict] = []
        self._duct = Renderer(random_scene(4), 320, 240)

    def frame(self, seed: int) -> Frame:
        picture = self._duct.render(mean_g_m2=0.1, light=1.0, optics=Optics(), frame_seed=seed)
        taken = frame(payload=encode_jpeg(picture))
        return replace(taken, width=320, height=240, captured_ns=time.monotonic_ns())

    async def run(self) -> None:
        await judge(
            self.shots,
            clock=MonotonicClock(),
            classifier=load_classifier(shipped_bundle()),
            worker=Worker("classifier"),
            smoothing=Smoothing(needed=2, of=3),
            limits=SUPPLY_DUCTS,
            budget=self.budget,
            say=self.verdicts.put_nowait,
            keep=lambda _, verdict: self.kept.append(verdict),
            pulse=Pulse(10, asyncio.get_running_loop().time),
        )

    async def verdict_on(self, shot: Shot) -> Verdict:
        self.shots.put(shot)
        verdict = await asyncio.wait_for(self.verdicts.get(), 60)
        assert isinstance(verdict, Verdict)
        return verdict


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_latency_is_counted_from_the_capture_of_the_frame(stage: Stage) -> None:
    running = asyncio.create_task(stage.run())
    old = replace(stage.frame(1), captured_ns=time.monotonic_ns() - 20 * 10**9)

    verdict = await stage.verdict_on(Shot(old))

    assert verdict.latency_ns > 20 * 10**9
    assert (stage.budget.count, stage.budget.overruns) == (1, 1)
    assert stage.kept == [verdict]
    running.cancel()


def judged(degree: Degree | None) -> Judgement:
    return Judgement(
        source=SourceId("upstream"),
        label=Label.DIRTY,
        score=0.9,
        reasons=(),
        at=at(0),
        decode_ns=1,
        invoke_ns=1,
        model=MODEL,
        degree=degree,
    )


def test_a_verdict_names_the_classes_that_the_estimate_leaves_open_by_the_limits_of_this_board() -> None:
    smoothing = Smoothing(needed=2, of=3)

    verdict = smoothed(judged(Degree(2.0, 1.5, 3.5)), smoothing, Limits(1.0, 2.0, 3.0), latency_ns=1)

    assert verdict.degree == Degree(2.0, 1.5, 3.5)
    assert verdict.cleanliness == (Cleanliness.MEDIUM, Cleanliness.LOW, Cleanliness.NONE)


def test_without_an_estimate_there_is_no_class() -> None:
    verdict = smoothed(judged(None), Smoothing(needed=2, of=3), SUPPLY_DUCTS, latency_ns=1)

    assert (verdict.degree, verdict.cleanliness) == (None, ())


async def test_the_same_picture_again_is_a_frozen_camera(stage: Stage) -> None:
    running = asyncio.create_task(stage.run())
    same = stage.frame(1)

    await stage.verdict_on(Shot(same))
    verdict = await stage.verdict_on(Shot(same))

    assert (verdict.label, verdict.reasons) == (Label.CANNOT_TELL, (Reason.FROZEN,))
    running.cancel()


async def test_a_picture_that_is_no_brighter_with_the_light_on_is_unlit(stage: Stage) -> None:
    running = asyncio.create_task(stage.run())

    verdict = await stage.verdict_on(Shot(stage.frame(1), dark=stage.frame(2)))

    assert (verdict.label, verdict.reasons) == (Label.CANNOT_TELL, (Reason.UNLIT,))
    running.cancel()


async def test_rubbish_from_a_camera_is_an_answer_not_an_error(stage: Stage) -> None:
    running = asyncio.create_task(stage.run())

    verdict = await stage.verdict_on(Shot(replace(stage.frame(1), payload=memoryview(b"\xff\xd8rubbish"))))

    assert (verdict.label, verdict.reasons) == (Label.CANNOT_TELL, (Reason.UNREADABLE,))
    running.cancel()
