"""What comes of a cleaning on the board: signal, snapshots, alarms, report; and what a power cut leaves of it."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.clock import SimulatedClock
from drivers.types import NS_PER_S, Instant, Quantity, Reading, SourceId
from firmware.attending import Attendant, Hands
from firmware.cleaning.course import Course
from firmware.cleaning.record import Stamp
from firmware.cleaning.report import Letterhead
from firmware.cleaning_reports import Reports
from firmware.cleaning_store import CleaningStore
from firmware.observations import CleaningChange, Observation
from firmware.photography import Shot
from firmware.supervisor import Pulse
from firmware.uplink.commands import CleaningCancel, CleaningFinish, CleaningStart
from model.cleanliness import SUPPLY_DUCTS
from model.types import Cleanliness, Degree, Label
from tests.builders import at, frame, reading, verdict
from tests.firmware.cleaning.builders import DOWN, UP, bounds

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parents[2] / "docs" / "cleaning.md").read_text(encoding="utf-8")
FIELDS = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)

JPEG = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))
STARTS, FINISHES = CleaningStart("ann", "yearly"), CleaningFinish("bob", "")


class Duct:
    """A board of two cameras whose duct is as dirty as the test says."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(1e6)
        self.folder = folder
        self.said: list[Observation] = []
        self.requests: list[float] = []
        self.resets: list[str] = []
        self.while_resetting: list[float] = []  # the signal
        self.anew: list[object] = []
        self.dirty = {UP: True, DOWN: True}
        self.cameras: Sequence[SourceId] = (UP, DOWN)

    @property
    def now_s(self) -> float:
        return self.clock.now() / NS_PER_S

    @asynccontextmanager
    async def attended(self) -> AsyncIterator[Attendant]:
        """From a start of the firmware to its stop. Cameras are asked, and answer, after a second."""
        reports = Reports(
            self.folder / "cleaning",
            Letterhead(board="ahu-3", firmware="1", limits=SUPPLY_DUCTS),
            max_reports=5,
            max_bytes=10**7,
        )
        store = CleaningStore(
            self.folder / "cleaning.json",
            reports,
            self.clock,
            wall_ns=lambda: 10**18 + self.clock.now(),
            report=lambda *change: self.said.append(change),  # type: ignore[arg-type]
        )
        async with store, asyncio.TaskGroup() as group:
            under_way = await store.load()
            limits = bounds(needed=2, at_most=4, longest_s=3600)
            self.attendant = Attendant(
                Course((UP, DOWN), limits, under_way.steps if under_way else ()),
                under_way,
                store=store,
                hands=Hands(
                    say=self.said.append,
                    request=partial(_start, group, self._answer),
                    reset=self._reset,
                    see_anew=self._see_anew,
                    begin_anew=self._begin_anew,
                ),
                clock=self.clock,
                stamp=lambda _: Stamp("2026-11-23T12:00:00+01:00", trusted=True),
                label=lambda score: Label.CLEAN if score is not None and score < 0.25 else Label.DIRTY,
                needed=2,
            )
            pulse = Pulse(10, asyncio.get_running_loop().time)
            attending = group.create_task(self.attendant.attend(pulse=pulse))
            yield self.attendant
            attending.cancel()

    async def passes(self, seconds: float) -> None:
        await self.clock.sleep_until(Instant(self.clock.now() + at(seconds)))

    async def until(self, event: str) -> CleaningChange:
        """Wait for what the board says of the cleaning."""
        while not (found := [one for one in self.changes() if one.event.value == event]):
            await self.passes(1)
        return found[-1]

    def changes(self) -> list[CleaningChange]:
        return [one for one in self.said if isinstance(one, CleaningChange)]

    def signal(self) -> float:
        said = [one for one in self.said if isinstance(one, Reading) and one.quantity is Quantity.CLEANING]
        return said[-1].value

    async def _answer(self) -> None:
        self.requests.append(self.now_s)
        await self.passes(1)
        for camera in self.cameras:
            dirty = self.dirty[camera]
            shot = replace(frame(camera, payload=JPEG), width=64, height=48, at=self.clock.now())
            seen = verdict(
                Label.DIRTY if dirty else Label.CLEAN,
                source=camera,
                score=0.9 if dirty else 0.1,
                taken_s=self.now_s,
                degree=Degree(5.0, 3.0, 8.0) if dirty else Degree(0.1, 0.05, 0.3),
                cleanliness=(Cleanliness.LOW, Cleanliness.NONE) if dirty else (Cleanliness.HIGH,),
            )
            self.attendant.look(Shot(shot), seen)

    async def _reset(self, by: str) -> Mapping[str, bool]:
        self.resets.append(by)
        self.attendant.repeat()  # as the clock does, at any time
        self.while_resetting.append(self.signal())
        return {"dirty_duct/upstream": True}

    async def _see_anew(self) -> None:
        self.anew.append("eyes")

    def _begin_anew(self, deposits: Mapping[SourceId, float], _: Instant) -> Sequence[Reading]:
        self.anew.append(dict(deposits))
        return [reading(900.0, source=UP, quantity=Quantity.DAYS_TO_LIMIT)]


def _start(group: asyncio.TaskGroup, answer: Callable[[], Coroutine[None, None, None]]) -> None:
    group.create_task(answer())


@pytest.fixture
def duct(tmp_path: Path) -> Duct:
    return Duct(tmp_path)


async def test_a_cleaning_from_start_to_report(duct: Duct) -> None:
    async with duct.attended() as attendant:
        attendant.hear(reading(12.0))
        before = duct.signal() if duct.said else 0.0
        assert (await attendant.obey(STARTS)).done
        await duct.passes(5)
        during, looked = duct.signal(), attendant.status()["before"]
        duct.dirty = {UP: False, DOWN: False}
        await duct.passes(1000)
        assert (await attendant.obey(FINISHES)).done
        verified = await duct.until("verify")
        after = duct.signal()

    assert (before, during, after) == (0.0, 1.0, 0.0)
    assert looked == ["downstream", "upstream"]
    assert set(attendant.status()) == set(FIELDS)
    assert duct.resets == ["bob"]
    assert duct.anew == ["eyes", {UP: 0.1, DOWN: 0.1}]
    assert any(isinstance(one, Reading) and one.quantity is Quantity.DAYS_TO_LIMIT for one in duct.said)
    assert verified.report == "cleaning/0001-2026-11-23-verified.html"
    page = (duct.folder / verified.report).read_text()
    assert (page.count("<img "), page.count("5 g/m² "), page.count("0.1 g/m² ")) == (4, 2, 2)
    assert "Particulates PM2.5" in page


async def test_the_alarms_are_reset_before_it_is_said_that_the_cleaning_is_over(duct: Duct) -> None:
    order: list[object] = []
    duct.resets = order  # type: ignore[assignment]
    duct.dirty = {UP: False, DOWN: False}
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await attendant.obey(FINISHES)
        while not order:
            assert duct.signal() == 1.0
            await duct.passes(0.1)
        await duct.until("verify")

    assert duct.while_resetting == [1.0]
    assert duct.signal() == 0.0


async def test_a_duct_that_stays_dirty_is_not_verified_and_no_alarm_is_reset(duct: Duct) -> None:
    duct.dirty = {UP: False, DOWN: True}
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await attendant.obey(FINISHES)
        given_up = await duct.until("give_up")

    assert given_up.reason == "4 snapshots were taken, and not 2 in a row were clean: downstream"
    assert given_up.report is not None
    assert "Not verified" in (duct.folder / given_up.report).read_text()
    assert (duct.resets, duct.signal()) == ([], 0.0)
    taken = duct.requests[1:]
    assert [later - earlier >= 10 for earlier, later in itertools.pairwise(taken)] == [True] * 3


async def test_after_a_power_cut_it_goes_on_and_the_pictures_from_before_are_those_of_before(duct: Duct) -> None:
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await duct.passes(5)
    duct.dirty = {UP: False, DOWN: False}
    async with duct.attended() as attendant:
        going_on = attendant.status()
        await attendant.obey(FINISHES)
        verified = await duct.until("verify")

    assert (going_on["state"], going_on["before"]) == ("cleaning", ["downstream", "upstream"])
    assert going_on["steps"][0]["by"] == "ann"
    assert verified.report is not None
    page = (duct.folder / verified.report).read_text()
    assert (page.count("5 g/m² "), page.count("0.1 g/m² ")) == (2, 2)


async def test_what_was_being_looked_at_is_looked_at_anew_after_a_power_cut(duct: Duct) -> None:
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await attendant.obey(FINISHES)
    duct.dirty = {UP: False, DOWN: False}
    async with duct.attended() as attendant:
        assert attendant.status()["state"] == "verifying"
        await duct.until("verify")
    async with duct.attended() as attendant:
        assert attendant.status()["state"] == "idle"


async def test_a_forgotten_one_ends_by_itself_with_a_report(duct: Duct) -> None:
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await duct.passes(3590)
        assert duct.signal() == 1.0
        abandoned = await duct.until("abandon")

    assert duct.signal() == 0.0
    assert abandoned.report is not None
    assert "Not completed" in (duct.folder / abandoned.report).read_text()


async def test_what_was_no_cleaning_leaves_nothing(duct: Duct) -> None:
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        cancelled = await attendant.obey(CleaningCancel("ann", "wrong duct"))
        again = await attendant.obey(CleaningCancel("ann", ""))
        started = await attendant.obey(STARTS)

    assert (cancelled.done, again.done, again.text) == (True, False, "no cleaning is under way")
    assert started.done
    assert not (duct.folder / "cleaning").exists()


async def test_a_camera_that_is_gone_is_no_proof_and_the_report_says_so(duct: Duct) -> None:
    duct.dirty = {UP: False, DOWN: False}
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await duct.passes(5)
        duct.cameras = (UP,)
        await attendant.obey(FINISHES)
        given_up = await duct.until("give_up")

    assert given_up.reason.endswith("clean: downstream")


async def test_a_camera_that_comes_back_after_the_work_has_no_picture_from_before(duct: Duct) -> None:
    duct.cameras = (UP,)
    async with duct.attended() as attendant:
        await attendant.obey(STARTS)
        await duct.passes(5)
        duct.cameras, duct.dirty = (UP, DOWN), {UP: False, DOWN: False}
        await attendant.obey(FINISHES)
        verified = await duct.until("verify")

    assert verified.report is not None
    assert (duct.folder / verified.report).read_text().count("no picture was taken") == 1


async def test_the_button_starts_it_and_finishes_it(duct: Duct) -> None:
    duct.dirty = {UP: False, DOWN: False}
    async with duct.attended() as attendant:
        attendant.hold()
        await duct.until("start")
        attendant.hold()
        await duct.until("finish")
        attendant.hold()  # once too often
        await duct.until("verify")

    told = [(one.event.value, one.by) for one in duct.changes()]
    assert told == [("start", "button"), ("finish", "button"), ("verify", "board")]
