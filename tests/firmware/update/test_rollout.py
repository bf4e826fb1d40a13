"""Boards that take part in a rollout: a real broker, the jobs' server, real updates, and all that comes between."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from firmware.fleet.server import serve
from firmware.fleet.store import Store
from firmware.fleet.types import Moment, Rollout, Ticket
from firmware.observations import UpdateStep
from firmware.supervisor import Pulse
from firmware.update.jobbing import Jobbing, Schedule
from firmware.update.schedule import window
from firmware.uplink.commands import Answer, Command
from firmware.uplink.outbox import Outbox
from firmware.uplink.session import Session
from firmware.uplink.wire import Topics
from model.types import Label
from ota.job_messages import JobDocument, JobTopics, Status
from ota.rollout import Phase, Step, totals
from tests.firmware.fleet.builders import PREFIX
from tests.firmware.fleet.builders import rollout as made
from tests.firmware.fleet.test_server import phase, ticket, until
from tests.firmware.update.lives import Life
from tests.firmware.update.lives import Site as LivingSite
from tests.firmware.update.site import NEW, Site, newer
from tests.firmware.uplink.sender import now, settings
from tests.mosquitto import Cable, Mosquitto
from tests.ota.repository import MODEL, SimulatedRepository
from tests.ota.web_server import served, web_server

pytestmark = pytest.mark.real

PATIENCE_S = 0.5
NOON = datetime(2026, 5, 1, 12).astimezone()


class Board:
    """A board at a broker, from its power on to its power off: each reload begins anew, by what the slots say."""

    def __init__(self, name: str, port: int, folder: Path, repository: SimulatedRepository) -> None:
        self.name, self._port = name, port
        self.site = Site(folder / name, repository)
        self.windows: tuple[str, ...] = ()
        self.settings: dict[str, Any] = {}
        self.jobbing: Jobbing | None = None
        self.starts = 0

    @asynccontextmanager
    async def powered(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(self._run())
            try:
                yield
            finally:
                running.cancel()

    @property
    def doing(self) -> tuple[object, object]:
        """What it says of its update, and of its job."""
        assert self.site.updating is not None
        assert self.jobbing is not None
        return self.site.updating.status()["doing"], self.jobbing.told()

    async def _run(self) -> None:
        while True:
            async with self.site.running(**{"poll": False} | self.settings) as updating, asyncio.TaskGroup() as group:
                windows = tuple(window(text) for text in self.windows)
                schedule = Schedule(windows=windows, every_s=60.0, wall=lambda: NOON, chance=lambda: 0.5)
                topics = JobTopics(PREFIX, self.name)
                self.jobbing = Jobbing(topics, updating, schedule, patience_s=PATIENCE_S)
                self.site.moved = self.jobbing.stir
                self.starts += 1
                tasks = [
                    group.create_task(self.jobbing.run(pulse=Pulse(1.0, asyncio.get_running_loop().time))),
                    group.create_task(self._talk(self.jobbing)),
                ]
                await self.site.reloaded.wait()
                for task in tasks:
                    task.cancel()

    async def _talk(self, jobbing: Jobbing) -> None:
        path = self.site.folder / "outbox.sqlite"
        async with Outbox(path, boot_id=str(self.starts), report=_nothing, now=now) as outbox:
            session = Session(
                settings(self._port),
                outbox,
                Topics(PREFIX, self.name),
                on_command=_obey,
                report=_nothing,
                now=now,
                jobs=jobbing,
            )
            await session.run(Pulse(1.0, asyncio.get_running_loop().time))


def _nothing(_: object) -> None:
    """Nobody listens."""


async def _obey(_: Command) -> Answer:
    return Answer(True, "")


class Fleet:
    """A broker, a jobs' server, and a repository that offers a newer model."""

    def __init__(self, folder: Path, broker: Mosquitto, store: Store) -> None:
        self.folder, self.broker, self.store = folder, broker, store
        publisher = Site(folder / "publisher")
        publisher.publish(newer())
        self.repository = publisher.repository

    def board(self, name: str = "duct-1", *, port: int | None = None) -> Board:
        return Board(name, self.broker.port if port is None else port, self.folder, self.repository)

    def ticket(self, board: Board) -> Ticket:
        return ticket(self.store, board.name)

    async def until(self, board: Board, *statuses: Status, step: str | None = None) -> Ticket:
        def is_so() -> bool:
            found = [one for one in self.store.tickets_of("r1") if one.board == board.name]
            if not found or (found[0].status not in statuses and not found[0].status.is_final):
                return False
            return found[0].status.is_final or step in (None, found[0].details.get("step"))

        try:
            await until(is_so)
        except TimeoutError:
            told = board.jobbing and board.jobbing.told()
            raise AssertionError((self.store.tickets_of("r1"), told, board.site.said)) from None
        found = self.ticket(board)
        assert found.status in statuses, (found, board.site.said)
        return found


@asynccontextmanager
async def fleet(folder: Path, *, counter: int = 9, **plan: Any) -> AsyncIterator[Fleet]:
    path = folder / "fleet.sqlite"
    with Store(path) as store:
        store.add(_rollout(counter, **plan))
        async with Mosquitto(folder) as broker, asyncio.TaskGroup() as group:
            server = group.create_task(serve(settings(broker.port), path, tell=_nothing, tick_s=0.05))
            try:
                yield Fleet(folder, broker, store)
            finally:
                server.cancel()


def _rollout(counter: int, **plan: Any) -> Rollout:
    one = made(**{"boards": ["duct-1", "duct-2"]} | plan)
    document = JobDocument(channel="stable", model=MODEL, release_counter=counter, rollout=one.id)
    return Rollout(
        plan=one.plan, document=document, boards=one.boards, made_at=one.made_at, moved_at=round(time.time())
    )


async def test_of_two_boards_one_keeps_the_model_and_one_refuses_it(tmp_path: Path) -> None:
    async with fleet(tmp_path) as it:
        fine, other = it.board("duct-1"), it.board("duct-2")
        other.site.label, other.site.score = Label.DIRTY, 0.99
        async with fine.powered(), other.powered():
            kept = await it.until(fine, Status.SUCCEEDED)
            refused = await it.until(other, Status.FAILED)
            await until(lambda: phase(it.store) is Phase.FINISHED)

        assert kept.details == {"version": "9.0", "step": "kept", "release_counter": "9"}
        assert refused.details["release"] == NEW
        assert "called the other way round, allowed 20%" in refused.details["reason"]
        assert refused.details["version"] != "9.0"
        assert fine.starts == 2


async def test_a_board_whose_broker_is_away_goes_on_and_reports_when_it_is_back(tmp_path: Path) -> None:
    async with fleet(tmp_path, boards=["duct-1"]) as it, Cable(it.broker.port) as cable:
        board = it.board(port=cable.port)
        async with board.powered():
            await it.until(board, Status.IN_PROGRESS, step="trial")
            await cable.pull_out()
            await board.site.until(UpdateStep.KEPT)
            assert it.ticket(board).status is Status.IN_PROGRESS
            await cable.plug_in()
            done = await it.until(board, Status.SUCCEEDED)

        assert (done.details["step"], done.details["version"]) == ("kept", "9.0")


async def test_a_board_that_is_restarted_goes_on_with_its_job_and_says_what_nobody_heard(tmp_path: Path) -> None:
    async with fleet(tmp_path, boards=["duct-1"]) as it, Cable(it.broker.port) as cable:
        board = it.board(port=cable.port)
        async with board.powered():
            measured = await it.until(board, Status.IN_PROGRESS, step="trial")
        async with board.powered():
            await board.site.until(UpdateStep.PROBATION)
            await cable.pull_out()
            await board.site.until(UpdateStep.KEPT)
        await cable.plug_in()
        async with board.powered():
            done = await it.until(board, Status.SUCCEEDED)

        assert float(measured.details["p95_ms"]) > 0
        assert (done.details["step"], done.details["version"]) == ("kept", "9.0")
        assert board.site.steps.count(UpdateStep.FOUND) == 1


async def test_a_board_that_went_back_unheard_says_why_after_its_reload(tmp_path: Path) -> None:
    async with fleet(tmp_path, boards=["duct-1"]) as it, Cable(it.broker.port) as cable:
        board = it.board(port=cable.port)
        async with board.powered():
            await board.site.until(UpdateStep.PROBATION)
            await cable.pull_out()
            board.site.latency_ms = 151.0
            await board.site.until(UpdateStep.WENT_BACK)
            await until(lambda: board.starts == 3)
            await cable.plug_in()
            failed = await it.until(board, Status.FAILED)

        assert "95 of 100 verdicts take up to 151.0 ms, allowed 150 ms" in failed.details["reason"]
        assert failed.details["version"] != "9.0"


async def test_an_aborted_rollout_leaves_the_board_alone_that_waits_and_lets_the_other_finish(tmp_path: Path) -> None:
    async with fleet(tmp_path) as it:
        at_it, waiting = it.board("duct-1"), it.board("duct-2")
        waiting.windows = ("01:00-02:00",)
        async with at_it.powered(), waiting.powered():
            await it.until(at_it, Status.IN_PROGRESS, step="trial")
            await until(lambda: bool(waiting.jobbing and waiting.jobbing.told()))
            it.store.move("r1", Step.ABORT, "stop", Moment(round(time.time()), 0))
            await it.until(waiting, Status.CANCELED)
            await it.until(at_it, Status.SUCCEEDED)
            await until(lambda: waiting.jobbing is not None and waiting.jobbing.told() is None)

        assert totals(it.store.progress(_rollout(9))).withdrawn == 1
        assert waiting.site.said == []


async def test_a_job_that_is_over_while_its_board_fetches_ends_the_download(tmp_path: Path) -> None:
    async with fleet(tmp_path, boards=["duct-1"], deadline_s=2.0) as it:
        board = it.board()
        with served(it.repository.folder) as address:
            board.settings = {"repository": address, "http": True, "bytes_per_s": 10_000}
            async with board.powered():
                await board.site.until(UpdateStep.FOUND)
                await it.until(board, Status.TIMED_OUT)
                await until(lambda: board.doing == ("waiting", None))

        assert board.site.steps == [UpdateStep.FOUND]


async def test_the_firmware_takes_part_as_it_is_configured_and_tells_of_its_job_at_the_board(tmp_path: Path) -> None:
    def look(life: Life) -> str:
        life.until_it_does("asking")
        command = [sys.executable, "-m", "firmware", "ota", "status", "--data", str(life.data)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    async with fleet(tmp_path, boards=["duct-1"]) as it:
        with web_server() as server:
            site = LivingSite(tmp_path / "site", server, every="6h")
            text = (
                site.config.read_text()
                .replace('"simulated"', '"duct-1"', 1)
                .replace("every =", "poll = false\nevery =")
            )
            site.config.write_text(f'[uplink]\nhost = "127.0.0.1"\nport = {it.broker.port}\n{text}')
            with site.held(), Life(site, tmp_path / "life") as life:
                shown = await asyncio.to_thread(look, life)

        assert f"Job r1, {MODEL} 9 of stable: in progress: step " in shown
        assert ticket(it.store, "duct-1").status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("counter", "status", "told"),
    [
        (10, Status.FAILED, f"the channel offers {NEW}, release 9, not 10 or later"),
        (1, Status.SUCCEEDED, "already"),
    ],
    ids=["the channel offers less", "it has that already"],
)
async def test_what_comes_of_a_job_without_a_download(tmp_path: Path, counter: int, status: Status, told: str) -> None:
    async with fleet(tmp_path, counter=counter, boards=["duct-1"]) as it:
        board = it.board()
        async with board.powered():
            done = await it.until(board, status)

        assert told in done.details.values()
        assert UpdateStep.FOUND not in board.site.steps
