"""A real Mosquitto for tests, on a free port of 127.0.0.1: started, stopped, killed, reloaded, and listened to."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiomqtt

LONG_S = 60.0  # no test waits for it, unless it fails
PROGRAM = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
PASSWORDS = shutil.which("mosquitto_passwd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A port that stays free until somebody listens there: below those that the kernel gives to whoever asks for any.

    One of these becomes another's while its broker is away: each client of paho's takes one, for a pipe to itself.
    """
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_outgoing // 2, first_outgoing)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Mosquitto:
    """A broker process. `options` are lines of its configuration; a restart keeps port and options, nothing else."""

    def __init__(self, folder: Path, options: Sequence[str] = ("allow_anonymous true",)) -> None:
        assert PROGRAM is not None, "the tests need Mosquitto: sudo apt-get install mosquitto"
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        as_root = ["user root"] if os.getuid() == 0 else []  # keeps the right to read the test's files
        lines = [f"listener {self.port} 127.0.0.1", *options, "log_dest stderr", "connection_messages false", *as_root]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Return when it takes connections."""
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM, "-c", str(self._config), stderr=asyncio.subprocess.PIPE
        )
        try:
            await asyncio.wait_for(self._running(self._process), LONG_S)
        except BaseException:
            await self.kill()
            raise

    async def _running(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        log = []
        async for line in process.stderr:
            log.append(line)
            if line.rstrip().endswith(b"running"):
                return
        raise RuntimeError(f"mosquitto did not start: {b''.join(log).decode()}")

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """SIGKILL: it says goodbye to nobody and saves nothing."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def reload(self) -> None:
        """SIGHUP: it reads passwords and access list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)


@dataclass(frozen=True)
class Received:
    topic: str
    payload: bytes
    retained: bool

    @cached_property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.payload)
        return fields


class Inbox:
    """What a receiver got, over any number of connections, in the order of arrival.

    It asks for no acknowledgement (QoS 0): Mosquitto then writes a message to its socket before it acknowledges the
    sender, so that even a broker that is killed at once has delivered what it acknowledged.
    """

    def __init__(self) -> None:
        self.messages: list[Received] = []
        self._arrived = asyncio.Event()
        self._hung_up = asyncio.Event()

    @asynccontextmanager
    async def listening(self, port: int, topic: str = "ductwatch/#") -> AsyncIterator[aiomqtt.Client]:
        """Subscribed for the length of the block. The client may publish, too."""
        inbox = self

        class Ledger(asyncio.Queue[aiomqtt.Message]):
            """Writes a message down when it is put in: aiomqtt forgets those that wait when the connection ends."""

            def put_nowait(self, item: aiomqtt.Message) -> None:
                inbox._note(item)

        client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, queue_type=Ledger)
        async with client, asyncio.TaskGroup() as group:
            await client.subscribe(topic)
            watching = group.create_task(self._watch(client))
            yield client
            watching.cancel()

    async def until_hung_up(self) -> None:
        """Wait until the broker is gone, and everything that it had written has been read."""
        await asyncio.wait_for(self._hung_up.wait(), LONG_S)
        self._hung_up.clear()

    async def until(self, is_enough: Callable[[list[Received]], bool], limit_s: float = LONG_S) -> list[Received]:
        async with asyncio.timeout(limit_s):
            while not is_enough(self.messages):
                self._arrived.clear()
                await self._arrived.wait()
        return self.messages

    async def payloads(self, topic: str, count: int) -> list[bytes]:
        """Wait for this many messages of one topic."""

        def of_topic() -> list[bytes]:
            return [message.payload for message in self.messages if message.topic == topic]

        await self.until(lambda _: len(of_topic()) >= count)
        return of_topic()

    def _note(self, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        self.messages.append(Received(message.topic.value, message.payload, message.retain))
        self._arrived.set()

    async def _watch(self, client: aiomqtt.Client) -> None:
        with suppress(aiomqtt.MqttError):
            async for _ in client.messages:
                raise AssertionError("messages are noted, not queued")
        self._hung_up.set()


class Cable:
    """Between a board and its broker: may be pulled out and put back. Mosquitto has no say in when it is."""

    def __init__(self, broker_port: int, *, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        self._host = host
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.plug_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.pull_out()

    async def plug_in(self) -> None:
        self._server = await asyncio.start_server(self._link, self._host, self.port)

    async def pull_out(self) -> None:
        """Connections break at once, and new ones are refused."""
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
            try:
                await _both(_pump(reader, broker_writer), _pump(broker_reader, writer))
            finally:
                broker_writer.close()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._links.discard(task)
            writer.close()


async def _both(*pumps: Any) -> None:
    """Until one of them ends."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@dataclass(frozen=True, slots=True)
class Certificates:
    """A small authority and what it signed: for the broker at 127.0.0.1, and for a board. And another authority."""

    ca: Path
    broker: Path
    broker_key: Path
    board: Path
    board_key: Path
    other_ca: Path


def make_certificates(folder: Path) -> Certificates:
    """Made by openssl, good for a day."""

    def openssl(*words: str | Path) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def authority(name: str) -> Path:
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        openssl(*NEW_KEY, "-x509", "-days", "1", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate)
        return certificate

    def signed(name: str) -> tuple[Path, Path]:
        key, request, certificate = (folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n")
        openssl(*NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        by = ("-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial")
        openssl("x509", "-req", "-days", "1", "-in", request, *by, "-extfile", folder / "names", "-out", certificate)
        return certificate, key

    ca = authority("authority")
    (broker, broker_key), (board, board_key) = signed("broker"), signed("board")
    return Certificates(ca, broker, broker_key, board, board_key, authority("another"))


NEW_KEY = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_password_file(folder: Path, user: str, password: str) -> Path:
    assert PASSWORDS is not None, "the tests need Mosquitto: sudo apt-get install mosquitto"
    path = folder / "passwords"
    subprocess.run([PASSWORDS, "-b", "-c", str(path), user, password], check=True, capture_output=True)
    return path
