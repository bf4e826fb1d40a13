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
from drivers.types import Frame
from drivers.worker import Worker
from firmware.judging import judge
from firmware.observations import Observation
from firmware.photography import Shot
from firmware.plan import load_classifier
from firmware.streams import Latest
from firmware.supervisor import Pulse
from model.budget import LatencyBudget
from model.shipped import shipped_bundle
from model.smoothing import Smoothing
from model.types import Label, Reason, Verdict
from tests.builders import frame

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
