"""A board that follows a channel, and what is beside it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from drivers.clock import MonotonicClock
from drivers.settings import Duration
from drivers.types import Instant, SourceId
from firmware.observations import Observation, UpdateChange, UpdateStep
from firmware.photography import Shot
from firmware.plan import load_classifier
from firmware.supervisor import Pulse
from firmware.update.depot import Depot, depot
from firmware.update.settings import UpdateSettings
from firmware.update.starting import loaded_at_start
from firmware.update.trial import PROGRAM
from firmware.update.updating import Hands, Now, Updating
from model.classifier import Classifier
from model.shipped import shipped_bundle
from model.tensors import jpeg_frame
from model.types import Label, Verdict
from ota.bundle import open_bundle
from tests.firmware.update.builders import BOARD, tar_of
from tests.ota.repository import MODEL, SimulatedRepository

SHIPPED = shipped_bundle()
NEW = f"{MODEL} 9.0"
STEPS = (UpdateStep.FOUND, UpdateStep.STAGED, UpdateStep.TRIAL, UpdateStep.PROBATION)
LIMIT_S = 120.0


def newer(**changes: Any) -> bytes:
    """The tar of the model that ships, as a release of its own."""
    bundle = open_bundle(SHIPPED)
    document = json.loads(bundle.manifest) | {"version": "9.0", "release_counter": 9} | changes
    return tar_of({**bundle.files, "manifest.json": json.dumps(document).encode()})


class Site:
    """A board, a repository beside it, and cameras that see a clean duct."""

    def __init__(self, folder: Path, repository: SimulatedRepository | None = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.repository = repository or SimulatedRepository(folder / "repository")
        (folder / "root.json").write_bytes(self.repository.first_root)
        self.said: list[UpdateChange] = []
        self.heard = asyncio.Event()
        self.reloaded = asyncio.Event()
        self.label, self.score, self.latency_ms = Label.CLEAN, 0.01, 12.0
        self.program: Sequence[str] = PROGRAM
        self.reload_again_s = 300.0
        self.chance = random.Random(1).random
        self.looked = asyncio.Event()
        self.updating: Updating | None = None
        self.moved: Callable[[], None] = _nothing
        self.runs: Path | None = None  # instead of what the slots say

    def publish(self, content: bytes, *, counter: int = 9, version: str = "9.0", **custom: Any) -> None:
        path = f"stable/{MODEL}.tar"
        described = {"model": MODEL, "version": version, "release_counter": counter, "hardware": ["any"], **custom}
        self.repository.put("stable", path, content, described)
        self.repository.publish("stable")
        stored = self.repository.folder / "targets" / "stable" / f"{hashlib.sha256(content).hexdigest()}.{MODEL}.tar"
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(content)

    def depot(self, **changes: Any) -> Depot:
        settings: dict[str, Any] = {
            "root": self.folder / "root.json",
            "repository": str(self.repository.folder),
            "trial_pictures": 3,
            "trial_at_least": Duration(0.0),
            "probation_pictures": 2,
        }
        return depot(self.folder / "data", UpdateSettings(**settings | changes), BOARD)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[Updating]:
        """The firmware from a start to its end; a reload is left to the test."""
        found = self.depot(**changes)
        classifier, bundle = loaded_at_start(found.updater, load_classifier, counts=self.runs is None)
        if self.runs is not None:
            bundle = self.runs
        self.reloaded.clear()
        self.updating = Updating(
            found,
            Now(manifest=classifier.manifest, bundle=bundle),
            hands=Hands(say=self._say, request=_nothing, reload=self.reloaded.set, moved=self._move),
            clock=MonotonicClock(),
            wall=lambda: None,
            chance=self.chance,
            priority=0,
            measure_s=2.0,
            reload_again_s=self.reload_again_s,
            program=self.program,
        )
        tasks = [
            asyncio.create_task(self.updating.run(pulse=Pulse(1.0, asyncio.get_running_loop().time))),
            asyncio.create_task(self._watch(classifier)),
        ]
        try:
            yield self.updating
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    async def until(self, step: UpdateStep) -> UpdateChange:
        while not (found := [one for one in self.said if one.step is step]):
            self.heard.clear()
            try:
                await asyncio.wait_for(self.heard.wait(), LIMIT_S)
            except TimeoutError:
                raise AssertionError(f"{self.said}, {self.updating and self.updating.status()}") from None
        return found[-1]

    async def until_doing(self, what: str, here: int = 0) -> int:
        """Look after each picture until it does that, and is so far. How far it is then."""
        assert self.updating is not None
        async with asyncio.timeout(LIMIT_S):
            while (told := self.updating.status())["doing"] != what or (found := int(str(told["here"]))) < here:
                await self.picture()
        return found

    async def picture(self) -> None:
        self.looked.clear()
        await self.looked.wait()

    @property
    def steps(self) -> list[UpdateStep]:
        return [one.step for one in self.said if one.step is not UpdateStep.FETCHING]

    def _say(self, observation: Observation) -> None:
        assert isinstance(observation, UpdateChange)
        self.said.append(observation)
        self.heard.set()

    def _move(self) -> None:
        self.moved()

    async def _watch(self, classifier: Classifier) -> None:
        for name in itertools.cycle(("0-clean.jpg", "1-clean.jpg")):  # one and the same would be frozen
            assert self.updating is not None
            shot = Shot(jpeg_frame((SHIPPED / "golden" / name).read_bytes(), "upstream"))
            self.updating.see(
                shot,
                Verdict(
                    source=SourceId("upstream"),
                    label=self.label,
                    score=self.score,
                    reasons=(),
                    at=Instant(0),
                    latency_ns=round(self.latency_ms * 1e6),
                    model=classifier.model,
                ),
            )
            self.looked.set()
            await asyncio.sleep(0.05)


def _nothing() -> None:
    """No snapshots here, and no jobs."""
