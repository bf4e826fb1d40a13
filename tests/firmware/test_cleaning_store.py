"""A cleaning survives power cuts, full disks and damaged files; reports are kept within bounds."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.types import NS_PER_S
from firmware.cleaning.record import Scene
from firmware.cleaning.report import Letterhead
from firmware.cleaning.states import CleaningEvent
from firmware.cleaning_reports import Reports, listed
from firmware.cleaning_store import CleaningStore, UnderWay
from firmware.observations import Condition
from model.cleanliness import SUPPLY_DUCTS
from model.types import Cleanliness, Degree, Label
from tests.builders import at, verdict
from tests.child import running
from tests.firmware.cleaning.builders import UP, look, measured, outcome, step

pytestmark = pytest.mark.real

E = CleaningEvent
DIRTY = verdict(
    Label.DIRTY, score=0.9, degree=Degree(3.8, 2.4, 7.0), cleanliness=(Cleanliness.MEDIUM, Cleanliness.NONE)
)


@dataclass
class Board:
    """Where a store stands: a folder, a clock, a wall, and what it reported."""

    folder: Path
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(1e9))
    wall_s: float | None = 1000.0
    said: list[tuple[Condition, str]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "cleaning.json"

    def reports(self, *, max_reports: int = 5, max_bytes: int = 1_000_000) -> Reports:
        head = Letterhead(board="ahu-3", firmware="1", limits=SUPPLY_DUCTS)
        return Reports(self.folder / "cleaning", head, max_reports=max_reports, max_bytes=max_bytes)

    def store(self) -> CleaningStore:
        return CleaningStore(
            self.path,
            self.reports(),
            self.clock,
            wall_ns=lambda: None if self.wall_s is None else round(self.wall_s * NS_PER_S),
            report=lambda condition, problem, _: self.said.append((condition, problem)),
        )


def under_way() -> UnderWay:
    before = Scene({UP: look(DIRTY, jpeg=bytes(range(256)))}, [measured(12.3)])
    return UnderWay(steps=[step(E.START, 0), step(E.FINISH, 60, "bob", "all of it")], before=before)


async def test_what_was_under_way_is_so_after_the_power_cut_with_its_pictures(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(under_way())
    async with board.store() as store:
        assert await store.load() == under_way()
    assert board.said == []


async def test_nothing_is_under_way_at_the_first_start_and_after_the_end(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        assert await store.load() is None
        await store.save(under_way())
        await store.save(None)
        assert await store.load() is None
    assert board.said == []


async def test_the_time_that_the_board_was_off_counts_where_the_clock_tells_it(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        await store.save(under_way())
        board.wall_s = 1600.0
        told = await store.load()
        board.wall_s = None
        untold = await store.load()

    assert told is not None
    assert untold is not None
    assert ([each.moment.at for each in told.steps], told.interrupted) == ([at(-600), at(-540)], False)
    assert ([each.moment.at for each in untold.steps], untold.interrupted) == ([at(0), at(60)], True)


TIME = "2026-11-23T12:00:00+01:00"
STEP = '{"event": "%s", "moment": {"at": 0, "stamp": {"time": "%s", "trusted": true}}, "by": "ann"}'
KEPT = '{"version": 1, "at": 0, "wall_ns": null, "under_way": {"steps": [%s], "before": {"looks": {}, "readings": []}}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 1, "at"',
        b'{"version": 1, "at": 0, "wall_ns": null, "under_way": {"steps": 3}}',
        b"\xff" * 100,
        (KEPT % "").encode(),
        (KEPT % STEP % ("finish", TIME)).encode(),
        (KEPT % f"{STEP % ('start', TIME)}, {STEP % ('cancel', TIME)}").encode(),
        (KEPT % STEP % ("start", "yesterday")).encode(),
    ],
    ids=["empty", "half", "no steps", "no text", "without a step", "never started", "over", "at no time"],
)
async def test_a_damaged_file_is_set_aside_and_reported_and_nothing_is_under_way(
    tmp_path: Path, content: bytes
) -> None:
    board = Board(tmp_path)
    board.path.write_bytes(content)
    async with board.store() as store:
        assert await store.load() is None

    assert [condition for condition, _ in board.said] == [Condition.DEGRADED]
    assert "a cleaning that was under way is forgotten" in board.said[0][1]
    assert (tmp_path / "cleaning.json.damaged").read_bytes() == content


async def test_a_file_as_those_is_taken_where_its_steps_are_sound(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.path.write_text(KEPT % STEP % ("start", TIME))
    async with board.store() as store:
        assert await store.load() is not None


async def test_killed_at_any_moment_the_file_is_a_whole_one(tmp_path: Path) -> None:
    board = Board(tmp_path)
    for saves in (1, 3, 8, 20):
        with running([sys.executable, "-m", "tests.firmware.keep_saving_a_cleaning", str(tmp_path)]) as lines:
            for _ in range(saves):
                next(lines)
        async with board.store() as store:
            kept = await store.load()
        assert kept is not None
        assert len(kept.before.looks[UP].jpeg) == 300_000
    assert board.said == []


async def test_a_report_is_named_by_number_and_date_for_those_of_the_group(tmp_path: Path) -> None:
    board = Board(tmp_path)
    async with board.store() as store:
        first = await store.write_report(outcome())
        second = await store.write_report(outcome(step(E.START, 0), step(E.FINISH, 1), step(E.GIVE_UP, 2)))

    assert (first, second) == ("cleaning/0001-2026-11-23-verified.html", "cleaning/0002-2026-11-23-not-verified.html")
    assert first is not None
    assert stat.S_IMODE((tmp_path / first).stat().st_mode) == 0o640
    assert (tmp_path / first).read_text().startswith("<!DOCTYPE html>")


def test_the_oldest_reports_go_and_nothing_else(tmp_path: Path) -> None:
    reports = Board(tmp_path).reports(max_reports=2)
    reports.write(outcome())
    (tmp_path / "cleaning" / "notes.txt").write_text("mine")
    (tmp_path / "cleaning" / "0009-2026-11-23-verified.html.half").write_text("half")
    for _ in range(2):
        reports.write(outcome())

    assert [path.name[:4] for path in listed(tmp_path / "cleaning")] == ["0002", "0003"]
    assert sorted(path.suffix for path in (tmp_path / "cleaning").iterdir()) == [".html", ".html", ".txt"]


def test_a_report_larger_than_all_that_may_be_kept_is_the_only_one(tmp_path: Path) -> None:
    reports = Board(tmp_path).reports(max_bytes=10)
    reports.write(outcome())
    reports.write(outcome())

    assert [path.name[:4] for path in listed(tmp_path / "cleaning")] == ["0002"]


async def test_a_report_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    board = Board(tmp_path)
    (tmp_path / "cleaning").write_text("a file where the folder should be")
    async with board.store() as store:
        assert await store.write_report(outcome()) is None

    assert "the report of the cleaning cannot be written" in board.said[0][1]
