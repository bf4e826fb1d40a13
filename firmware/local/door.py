"""The socket, from both sides: a line of JSON in, a line of JSON out, and the connection is closed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "control.sock"  # in the data directory
MODE = 0o660  # its user and its group: who may read the data directory may operate
MAX_REQUEST_BYTES = 8192
MAX_REPLY_BYTES = 16 * 1024 * 1024  # some 10,000 moves of a journal
WAITING = 8  # connections: further ones are told to come again
LIMIT_S = 2.0  # for a request to come in, and for its reply to go out: so long one who dawdles holds up the others
AGAIN_S = 1.0  # after a connection that could not be taken
REPLY_LIMIT_S = 15.0  # that a client waits: a worn SD card takes its time

Answer = Callable[[bytes], Awaitable[bytes]]
"""From the request, without its line's end, to the reply, which has none either. Does not raise."""


class Unreachable(Exception):
    """Nobody answers at the socket. The message says why, and what to do."""


async def serve(listening: socket.socket, answer: Answer) -> None:
    """Answer at a socket that is `bound` until cancelled, one after another."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            connection, _ = await loop.sock_accept(listening)
        except OSError:  # too many files are open just now, say
            await asyncio.sleep(AGAIN_S)
            continue
        with connection, contextlib.suppress(OSError, TimeoutError):  # whoever asked has gone, or asks nothing
            connection.setblocking(False)
            if (request := await _request(connection)) is not None:
                reply = await answer(request)
                async with asyncio.timeout(LIMIT_S):
                    await loop.sock_sendall(connection, reply + b"\n")


async def _request(connection: socket.socket) -> bytes | None:
    """A line without its end; None if it is too long, or never ends."""
    loop = asyncio.get_running_loop()
    received = b""
    async with asyncio.timeout(LIMIT_S):
        while b"\n" not in received:
            part = await loop.sock_recv(connection, MAX_REQUEST_BYTES)
            received += part
            if not part or len(received) > MAX_REQUEST_BYTES:
                return None
    return received.split(b"\n")[0]


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A socket at `path`, where connections wait from now on. Raises OSError if none can be made there.

    What is there already is replaced: a firmware that was killed leaves its socket behind.
    """
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        try:
            path.chmod(MODE)
            listening.setblocking(False)
            listening.listen(WAITING)
            yield listening
        finally:
            path.unlink(missing_ok=True)


def ask(path: Path, request: bytes) -> bytes:
    """Send one request and wait for its reply, from a program of its own. Raises `Unreachable`."""
    try:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.closing(connection.makefile("rb")) as replies:
            connection.settimeout(REPLY_LIMIT_S)
            connection.connect(str(path))
            connection.sendall(request + b"\n")
            reply = replies.readline(MAX_REPLY_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        raise Unreachable(
            f"{path}: no firmware runs here. Start it (systemctl start ductwatch), or name its --config or --data"
        ) from None
    except TimeoutError:
        raise Unreachable(f"{path}: no answer within {REPLY_LIMIT_S:g} s. Look at journalctl -u ductwatch") from None
    except BlockingIOError:
        raise Unreachable(f"{path}: too many are asking at once. Ask again") from None
    except OSError as error:
        problem = error.strerror or str(error)
        raise Unreachable(f"{path}: {problem}. Its group may use it: add yourself to it, or use sudo") from None
    if not reply.endswith(b"\n"):
        raise Unreachable(f"{path}: closed without an answer: the firmware stopped just then. Ask again")
    return reply[:-1]
