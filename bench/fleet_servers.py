"""What a fleet needs, on this machine: a broker, a web server, the Jobs server; and the processes with its boards."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.fleet_boards import Order, Task
from bench.fleet_tally import Tally, together
from bench.process import cpu_ns
from bench.results import NothingToMeasure
from drivers.types import NS_PER_S
from tests.mosquitto import Mosquitto

BROKER, WEB, JOBS = "broker", "web server", "jobs-server"
OPTIONS = ("allow_anonymous true", "max_queued_messages 20000")
"""By itself Mosquitto keeps 1,000 for a client, and drops what boards beyond that say to the Jobs server at once."""
FILES_EACH, FILES_MORE = 1, 1_000  # open ones of the broker: a socket a board, and all else
START_LIMIT_S, ORDER_LIMIT_S = 120.0, 600.0
LONGEST_LINE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where they listen, and their processes by name. `state`: the Jobs server's file."""

    broker_port: int
    web_port: int
    state: Path
    pids: Mapping[str, int]

    def cpu_s(self) -> dict[str, float]:
        """Processor time since their start."""
        return {name: cpu_ns(pid) / NS_PER_S for name, pid in self.pids.items()}


@asynccontextmanager
async def served(folder: Path, repository: Path) -> AsyncIterator[Servers]:
    """`folder` is for what they keep; the web server has what is in `repository`, or where that leads."""
    state = folder / "fleet.sqlite"
    async with Mosquitto(folder, OPTIONS) as broker, web_server(repository) as (web, web_port):
        jobs = ("-m", "firmware", "ota", "jobs-server", "--broker", f"127.0.0.1:{broker.port}", "--state", str(state))
        async with _process(sys.executable, *jobs) as jobs_server:
            await _line(jobs_server)  # it serves
            yield Servers(
                broker_port=broker.port,
                web_port=web_port,
                state=state,
                pids={BROKER: broker.pid, WEB: web.pid, JOBS: jobs_server.pid},
            )


@asynccontextmanager
async def web_server(folder: Path) -> AsyncIterator[tuple[Process, int]]:
    """Its process and its port."""
    async with _process(sys.executable, "-m", "bench.fleet_web", str(folder)) as process:
        yield process, int(await _line(process))


class Fleet:
    """Boards in some processes. All do the same at the same time."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    async def does(self, order: Order) -> Tally:
        """Return when all have done it, with what they did since the order before."""
        async with asyncio.timeout(ORDER_LIMIT_S):
            tallies = await asyncio.gather(*(self._one(process, order) for process in self._processes))
        return together(tallies)

    async def _one(self, process: Process, order: Order) -> Tally:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        return msgspec.json.decode(await _line(process), type=Tally)


@asynccontextmanager
async def fleet(tasks: Sequence[Task]) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        processes = []
        for task in tasks:
            process = await stack.enter_async_context(_process(sys.executable, "-m", "bench.fleet_boards", stdin=PIPE))
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(task, enc_hook=str) + b"\n")
            processes.append(process)
        yield Fleet(processes)


@contextmanager
def room_for(boards: int) -> Iterator[None]:
    """Let the processes that are started meanwhile open a socket for each board. Raises `NothingToMeasure`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = boards * FILES_EACH + FILES_MORE
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise NothingToMeasure(
            f"a broker for {boards} boards opens {needed} files, and {hard} are allowed here. Raise the limit: "
            f"`ulimit -Hn {needed}` as root"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def _process(*command: str, stdin: int | None = None) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=PIPE, limit=LONGEST_LINE_BYTES, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _line(process: Process) -> bytes:
    """The next one that it prints. Raises RuntimeError if it ends instead: it has said why on stderr."""
    assert process.stdout is not None
    async with asyncio.timeout(ORDER_LIMIT_S):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process {process.pid} of the benchmark has ended")
    return line
