"""The Jobs server on a real broker, with simulated boards, in a process of its own that is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import firmware.fleet.store
from firmware.fleet.server import alone, serve
from firmware.fleet.store import Store, StoreFailed
from firmware.fleet.types import Moment, Rollout, Ticket
from firmware.uplink.settings import UplinkSettings
from ota.job_messages import Status
from ota.rollout import Phase, Step, totals
from tests.firmware.fleet.builders import rollout
from tests.firmware.fleet.simulated import Fate, boards
from tests.mosquitto import LONG_S, Inbox, Mosquitto

pytestmark = pytest.mark.real

NAMES = [f"duct-{number}" for number in range(6)]


class ServerProcess:
    """`tests.firmware.fleet.serve`, started and killed."""

    def __init__(self, port: int, path: Path) -> None:
        self._command = [sys.executable, "-m", "tests.firmware.fleet.serve", str(port), str(path)]
        self._process: asyncio.subprocess.Process | None = None
        self.lines: list[str] = []

    async def __aenter__(self) -> ServerProcess:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end(signal.SIGKILL)

    async def start(self) -> None:
        """Return when it serves, or has ended."""
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        async with asyncio.timeout(LONG_S):
            while line := await self._process.stdout.readline():
                self.lines.append(line.decode().strip())
                if self.lines[-1].startswith("serving"):
                    return

    async def read_on(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.lines.append(line.decode().strip())

    async def end(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.communicate()


@asynccontextmanager
async def served(folder: Path, *started: Rollout) -> AsyncIterator[tuple[Mosquitto, ServerProcess, Store]]:
    path = folder / "fleet.sqlite"
    with Store(path) as store:
        for one in started:
            store.add(one)
        async with Mosquitto(folder) as broker, ServerProcess(broker.port, path) as server:
            yield broker, server, store


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not is_so():  # noqa: ASYNC110 - the file is another process's: nobody tells when it changes
            await asyncio.sleep(0.05)


def is_finished(store: Store, name: str = "r1") -> Callable[[], bool]:
    return lambda: phase(store, name) is Phase.FINISHED


def phase(store: Store, name: str = "r1") -> Phase:
    found = store.rollout(name)
    assert found is not None
    return found.phase


def ticket(store: Store, board: str) -> Ticket:
    return next(one for one in store.tickets_of("r1") if one.board == board)


async def test_a_fleet_is_rolled_out_in_cohorts_and_a_board_that_comes_late_is_taken_in(tmp_path: Path) -> None:
    async with (
        served(tmp_path, rollout(percents=[30, 100], boards=["duct-*"], soak_s=0.5)) as (broker, _, store),
        boards(broker.port, NAMES) as first,
    ):
        await until(lambda: len(store.tickets_of("r1")) > 0)
        async with boards(broker.port, ["duct-late"]) as late:
            await until(is_finished(store))
            assert late["duct-late"].settled == ["r1"]

        assert [board.offers for board in first.values()] == [["r1"]] * 6
        assert {one.board for one in store.tickets_of("r1")} == {*NAMES, "duct-late"}
        assert {one.details["version"] for one in store.tickets_of("r1")} == {"1.2.0"}
        assert {one.availability for one in store.boards()} == {"online"}


async def test_killed_in_the_middle_it_goes_on_and_no_board_is_asked_twice(tmp_path: Path) -> None:
    async with (
        served(tmp_path, rollout(percents=[30, 60, 100], soak_s=0.2)) as (broker, server, store),
        boards(broker.port, NAMES) as fleet,
    ):
        for _ in range(3):
            await until(lambda: totals(store.progress(rollout())).in_progress > 0 or is_finished(store)())
            await server.end(signal.SIGKILL)
            before = {one.board: one for one in store.tickets_of("r1") if one.status.is_final}
            await server.start()
            assert {board: ticket(store, board) for board in before} == before
        await until(is_finished(store))

        assert totals(store.progress(rollout())).succeeded == 6
        assert [board.offers for board in fleet.values()] == [["r1"]] * 6


async def test_boards_that_fail_or_say_nothing_abort_and_the_rest_is_spared(tmp_path: Path) -> None:
    fates = dict.fromkeys(NAMES, Fate.SLEEPS) | {"duct-0": Fate.FAILS, "duct-1": Fate.STALLS}
    plan = rollout(percents=[100], deadline_s=1.5, max_failures=0.2, min_results=2)
    async with served(tmp_path, plan) as (broker, _, store), boards(broker.port, NAMES, fates):
        await until(lambda: phase(store) is Phase.ABORTED)

        found = store.rollout("r1")
        assert found is not None
        assert "failed, more than 20%" in found.why
        assert ticket(store, "duct-0").details == {"reason": "no room"}
        assert ticket(store, "duct-1").status is Status.TIMED_OUT


async def test_a_pause_holds_new_offers_and_an_operators_abort_withdraws(tmp_path: Path) -> None:
    async with served(tmp_path, rollout()) as (broker, _, store):
        store.move("r1", Step.PAUSE, "wait", Moment(round(time.time()), 0))
        async with boards(broker.port, NAMES[:2], {"duct-1": Fate.SLEEPS}) as fleet:
            await until(lambda: totals(store.progress(rollout())).waiting == 2)
            assert fleet["duct-0"].offers == []
            store.move("r1", Step.RESUME, "go", Moment(round(time.time()), 0))
            await until(lambda: fleet["duct-0"].settled == ["r1"])
            store.move("r1", Step.ABORT, "stop", Moment(round(time.time()), 0))
            await until(lambda: totals(store.progress(rollout())).withdrawn == 1)

        assert totals(store.progress(rollout())).succeeded == 1


async def test_nonsense_from_boards_harms_nobody_and_is_answered(tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        served(tmp_path, rollout(boards=["duct-0"])) as (broker, _, store),
        inbox.listening(broker.port, "ductwatch/+/jobs/+/update/rejected") as mallory,
    ):
        await until(lambda: len(store.tickets_of("r1")) == 1)
        claim = json.dumps({"status": "SUCCEEDED", "clientToken": "mine"})
        await mallory.publish("ductwatch/mallory/jobs/r1/update", claim, qos=1)
        await mallory.publish("ductwatch/duct-0/jobs/r1/update", b"\xff\x00", qos=1)
        await mallory.publish("ductwatch/duct-0/jobs/r1/update", b"x" * 300_000, qos=1)
        await mallory.publish("ductwatch/bad name/jobs/get", b"{}", qos=1)
        await mallory.publish("ductwatch/duct-0/availability", b"\xff" * 1000, qos=1, retain=True)
        messages = await inbox.until(lambda messages: len(messages) == 3)
        async with boards(broker.port, ["duct-0"]):
            await until(is_finished(store))

        assert [message.fields["code"] for message in messages] == ["ResourceNotFound", "InvalidJson", "InvalidRequest"]
        assert [one.board for one in store.tickets_of("r1")] == ["duct-0"]


async def test_without_a_broker_it_waits_says_so_once_and_a_second_server_is_refused(tmp_path: Path) -> None:
    broker, path = Mosquitto(tmp_path), tmp_path / "fleet.sqlite"
    server = ServerProcess(broker.port, path)
    starting = asyncio.create_task(server.start())
    await until(lambda: len(server.lines) == 1)
    async with broker:
        await starting
        with pytest.raises(StoreFailed, match="another jobs-server has"), alone(path):
            pass
        await server.end(signal.SIGKILL)
        with alone(path):
            pass

    assert server.lines[0].startswith(f"nothing listens at 127.0.0.1:{broker.port}")
    assert len(server.lines) == 2


async def test_who_looks_at_the_broker_sees_whether_jobs_are_served(tmp_path: Path) -> None:
    inbox = Inbox()
    async with served(tmp_path) as (broker, server, _), inbox.listening(broker.port, "ductwatch/jobs-server"):
        await inbox.payloads("ductwatch/jobs-server", 1)
        await server.end(signal.SIGKILL)

        assert await inbox.payloads("ductwatch/jobs-server", 2) == [b"online", b"offline"]


async def test_after_a_restart_boards_hear_at_once_which_job_they_have(tmp_path: Path) -> None:
    inbox, topic = Inbox(), "ductwatch/duct-0/jobs/notify-next"
    async with served(tmp_path, rollout(boards=["duct-0"])) as (broker, server, store):
        await until(lambda: len(store.tickets_of("r1")) == 1)
        await server.end(signal.SIGKILL)
        async with inbox.listening(broker.port, topic):
            await server.start()
            (message,) = await inbox.until(lambda messages: len(messages) == 1)

        assert message.fields["execution"]["jobId"] == "r1"


async def test_a_broker_that_lets_it_in_and_no_further_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read ductwatch/#\ntopic write ductwatch/jobs-server\n")
    options = ["allow_anonymous true", f"acl_file {tmp_path / 'acl'}"]
    with Store(tmp_path / "fleet.sqlite") as store:
        store.add(rollout(boards=["duct-0"]))
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path, options) as broker,
        inbox.listening(broker.port, "ductwatch/jobs-server"),
        ServerProcess(broker.port, tmp_path / "fleet.sqlite") as server,
    ):
        reading = asyncio.create_task(server.read_on())
        await inbox.until(lambda messages: [one.payload for one in messages].count(b"online") == 4)
        reading.cancel()

    assert server.lines == [
        f"serving jobs at 127.0.0.1:{broker.port} below ductwatch/",
        f"the broker at 127.0.0.1:{broker.port} does not authorise the jobs-server. In the broker's access list give "
        "this user what docs/ota-rollout.md shows",
    ]


async def test_stopped_while_it_writes_it_ends_that_first(tmp_path: Path) -> None:
    path, serving = tmp_path / "fleet.sqlite", asyncio.Event()
    async with Mosquitto(tmp_path) as broker:
        settings = UplinkSettings(host="127.0.0.1", port=broker.port)
        server = asyncio.create_task(serve(settings, path, tell=lambda _: serving.set(), tick_s=0.05))
        await serving.wait()
        with Store(path) as store:
            with store.transaction():
                before_s, _ = store.clock()
                await until(waits_for_the_file)
                server.cancel()
                await asyncio.wait([server], timeout=0.1)
            with pytest.raises(asyncio.CancelledError):
                await server

            assert store.clock()[0] > before_s
        with alone(path):
            pass


def waits_for_the_file() -> bool:
    """Whether the server's thread is in a call of the store."""
    threads = {thread.ident for thread in threading.enumerate() if thread.name == "fleet"}
    frames = [frame for thread, frame in sys._current_frames().items() if thread in threads]
    return any(frame.f_code.co_filename == firmware.fleet.store.__file__ for frame in frames)
