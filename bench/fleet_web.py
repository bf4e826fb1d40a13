"""`python -m bench.fleet_web FOLDER`: a static web server for the fleet, in one thread. Says its port, then serves.

There is one already on any machine that serves files; this one is here so that the benchmark needs no other. Its
answers have the headers that nginx gives.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from email.utils import formatdate
from pathlib import Path

MAX_REQUEST_BYTES = 8_192
END = b"\r\n\r\n"
NOT_THERE = b"not there\n"


class Files:
    """What is below `folder`. Targets have their hash in the name: those are read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._targets: dict[str, bytes] = {}

    def answer(self, path: str) -> bytes:
        content = self._targets.get(path)
        if content is None:
            try:
                content = (self._folder / path.lstrip("/")).read_bytes()
            except OSError:
                return _head("404 Not Found", len(NOT_THERE)) + NOT_THERE
            if path.startswith("/targets/"):
                self._targets[path] = content
        return _head("200 OK", len(content)) + content


class Connection(asyncio.Protocol):
    def __init__(self, files: Files) -> None:
        self._files = files
        self._rest = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._rest += data
        while (end := self._rest.find(END)) >= 0:
            words = bytes(self._rest[:end]).split(b" ", 2)
            del self._rest[: end + len(END)]
            if len(words) != 3 or words[0] != b"GET" or b".." in words[1]:
                self._transport.abort()
                return
            self._transport.write(self._files.answer(words[1].decode("latin-1")))
        if len(self._rest) > MAX_REQUEST_BYTES:
            self._transport.abort()


async def serve(folder: Path) -> None:
    """Until SIGTERM."""
    files, stopped = Files(folder), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Connection(files), "127.0.0.1", 0, backlog=4_096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    server.close()


def _head(status: str, length: int) -> bytes:
    now = formatdate(usegmt=True)
    return (
        f"HTTP/1.1 {status}\r\nServer: fleet\r\nDate: {now}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\nLast-Modified: {now}\r\nConnection: keep-alive\r\n"
        f'ETag: "6629f2f5-{length:x}"\r\nAccept-Ranges: bytes\r\n\r\n'
    ).encode()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
