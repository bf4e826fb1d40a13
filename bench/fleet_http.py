"""A board's visits to a web server: HTTP/1.1, one connection a visit, with the headers that the firmware sends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.fleet_wire import CLOSING_SEGMENTS, Carried, carried, client_socket

MAX_BODY_BYTES = 64_000_000
ANSWER_LIMIT_S = 120.0
OK, NOT_FOUND = 200, 404


class Failed(Exception):
    """No answer, or none that a repository gives."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Visit:
    """A connection, opened by `async with`. What it has carried is known at its end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.carried = Carried()

    async def __aenter__(self) -> Self:
        link = client_socket()
        try:
            await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", self._port))
        except BaseException:
            link.close()
            raise
        self._link = link
        self._reader, self._writer = await asyncio.open_connection(sock=link, limit=MAX_BODY_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.carried = carried(self._link) + Carried(0, CLOSING_SEGMENTS)
        self._writer.close()

    async def get(self, path: str) -> Answer:
        """Raises `Failed`."""
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept-Encoding: identity\r\n"
            "User-Agent: ductwatch\r\n\r\n".encode()
        )
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                status, length = head(await self._reader.readuntil(b"\r\n\r\n"))
                return Answer(status, await self._reader.readexactly(length))
        except (OSError, EOFError, ValueError) as error:
            raise Failed(f"{path}: {error or type(error).__name__}") from error


def head(received: bytes) -> tuple[int, int]:
    """Status and length of the body. Raises ValueError."""
    lines = received.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split(" ", 2)[1]), int(fields.get("content-length", "0"))
