from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.types import Reading
from drivers.worker import Worker
from firmware.album import Album
from firmware.observations import Observation
from firmware.photography import Shot
from firmware.pictures import PICTURES, keep_pictures
from firmware.streams import Mailbox
from firmware.supervisor import Pulse
from firmware.vitals import Vitals
from model.types import Verdict
from tests.builders import at, frame, verdict


@pytest.mark.real
async def test_the_duct_waits_while_a_picture_is_written(tmp_path: Path) -> None:
    clock = SimulatedClock(factor=1e9)
    taken: Mailbox[tuple[Shot, Verdict]] = Mailbox(8)
    said: list[Observation] = []
    worker = Worker("pictures")
    keeping = asyncio.create_task(
        keep_pictures(
            taken,
            Album(tmp_path, max_pictures=8, max_bytes=1_000_000),
            worker,
            clock=clock,
            utc=lambda _: "20261123T101500.250Z",
            say=said.append,
            vitals=Vitals(said.append, clock.now),
            pulse=Pulse(10, asyncio.get_running_loop().time),
        )
    )
    taken.put((Shot(replace(frame(), payload=memoryview(b"x" * 100_000))), verdict()))

    await clock.sleep_until(at(30))
    keeping.cancel()
    await asyncio.wait([keeping])
    worker.close()

    _, alive = said
    assert isinstance(alive, Reading)
    assert (alive.source, alive.at) == (PICTURES, at(0))
