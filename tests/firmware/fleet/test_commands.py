"""The commands as processes, on a real broker: closed in the middle, started again, and each other's company."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firmware.fleet.store import Store
from firmware.fleet.types import Moment
from ota.rollout import Progress, Step, join
from tests.firmware.fleet.builders import rollout
from tests.firmware.fleet.simulated import Fate, boards
from tests.mosquitto import LONG_S, Mosquitto, make_certificates

pytestmark = pytest.mark.real

START = ("--model", "visual-clean", "--release-counter", "12", "--soak", "0s", "--cohorts", "50,100")


class Process:
    """A command that is looked at line by line, and may be killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._process, self._lines = process, process.stdout

    async def line(self) -> str:
        return (await asyncio.wait_for(self._lines.readline(), LONG_S)).decode().rstrip("\n")

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        await asyncio.wait_for(self._process.communicate(), LONG_S)
        assert self._process.returncode is not None
        return self._process.returncode


class Laptop:
    def __init__(self, state: Path) -> None:
        self._state = state

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[Process]:
        command = [sys.executable, "-m", "firmware", "ota", *words, "--state", str(self._state)]
        process = Process(
            await asyncio.create_subprocess_exec(
                *command,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=_heed_ctrl_c,
            )
        )
        try:
            yield process
        finally:
            await process.kill()

    async def says(self, *words: str) -> tuple[int, str]:
        async with self.running(*words) as process:
            said = []
            while line := await process.line():
                said.append(line)
            return await process.ended(), "\n".join(said)


async def test_a_laptop_that_is_closed_in_the_middle_goes_on_another_day(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "fleet.sqlite")
    names = [f"duct-{number}" for number in range(4)]
    async with Mosquitto(tmp_path) as broker, boards(broker.port, names, {"duct-0": Fate.SLEEPS}):
        at_broker = ("jobs-server", "--broker", f"127.0.0.1:{broker.port}")
        async with laptop.running(*at_broker) as server:
            assert (await server.line()) == f"serving jobs at 127.0.0.1:{broker.port} below ductwatch/"
            code = 2
            while code == 2:  # until the broker has told which boards there are
                code, text = await laptop.says("rollout", "start", "r1", *START, "--boards", "duct-*")
            async with laptop.running("rollout", "watch", "r1", "--json") as watch:
                while json.loads(await watch.line())["totals"]["succeeded"] == 0:
                    pass
                await watch.kill()
            assert (await server.kill()) == -signal.SIGKILL

        code, text = await laptop.says("rollout", "status", "r1", "--json")
        assert json.loads(text.replace("\n", ""))["phase"] == "running"
        async with boards(broker.port, ["duct-0"]), laptop.running(*at_broker) as server:
            async with laptop.running("rollout", "watch", "r1") as watch:
                assert (await watch.line()).startswith("r1  running")
                assert await watch.ended() == 0
            assert await server.kill(signal.SIGTERM) == 0


async def test_on_a_terminal_the_picture_is_drawn_over_and_ctrl_c_ends_the_look(tmp_path: Path) -> None:
    with Store(tmp_path / "fleet.sqlite") as store:
        store.add(rollout(boards=["duct-1"]), join(rollout().plan, Progress(), ["duct-1"]))
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "firmware", "ota", "rollout", "watch", "r1"]
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--state", str(tmp_path / "fleet.sqlite")),
            stdout=theirs,
            env={**os.environ, "TERM": "xterm"},
            preexec_fn=_heed_ctrl_c,
        )
        os.close(theirs)
        first = await asyncio.to_thread(_read_until, ours, b"100 %")
        store.move("r1", Step.PAUSE, "lunch", Moment(1, 0))
        second = await asyncio.to_thread(_read_until, ours, b"lunch")
        process.send_signal(signal.SIGINT)
        await process.wait()
        os.close(ours)

    assert b"\x1b[1mrunning" in first
    assert b"\x1b[3F\x1b[J" in second
    assert b"\x1b[1;33mpaused" in second


def _heed_ctrl_c() -> None:
    """As at a terminal: where these tests run in the background of a shell, it is ignored from there on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read_until(terminal: int, words: bytes) -> bytes:
    read = b""
    while words not in read:
        read += os.read(terminal, 4096)
    return read


async def test_the_server_comes_in_by_a_client_certificate_as_boards_do(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    options = [f"cafile {made.ca}", f"certfile {made.broker}", f"keyfile {made.broker_key}", "require_certificate true"]
    config = tmp_path / "fleet.toml"
    async with Mosquitto(tmp_path, [*options, "use_identity_as_username true"]) as broker:
        config.write_text(
            f'[uplink]\nhost = "127.0.0.1"\nport = {broker.port}\nca = "{made.ca}"\n'
            f'certificate = "{made.board}"\nkey = "{made.board_key}"\n'
        )
        async with Laptop(tmp_path / "fleet.sqlite").running("jobs-server", "--config", str(config)) as server:
            assert (await server.line()).startswith("serving jobs at ")


async def test_ctrl_c_ends_the_server_and_says_so_by_its_exit_status(tmp_path: Path) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        Laptop(tmp_path / "fleet.sqlite").running("jobs-server", "--broker", f"127.0.0.1:{broker.port}") as server,
    ):
        await server.line()
        assert await server.kill(signal.SIGINT) == 130


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "ductwatch: no broker is named"),
        (("--config", "/nowhere"), "ductwatch: /nowhere: cannot be read"),
        (("--broker", "host:0"), "write HOST or HOST:PORT"),
    ],
    ids=["nothing", "no file", "no port"],
)
async def test_a_server_that_cannot_start_says_why_and_exits_with_two(
    tmp_path: Path, words: tuple[str, ...], problem: str
) -> None:
    code, text = await Laptop(tmp_path / "fleet.sqlite").says("jobs-server", *words)

    assert code == 2
    assert problem in text
    assert "Traceback" not in text
