"""An answer by http.client whose every read of the socket, of headers too, asks first whether to go on.

So a server that sends a byte now and then keeps nobody.
"""

from __future__ import annotations

import http.client
import io
import socket
from functools import partial
from typing import Any

from ota.repository import Watch


def answered(connection: http.client.HTTPConnection, target: str, headers: dict[str, str], watch: Watch) -> Response:
    """Over the connection as it is, or over a new one where the server left it meanwhile."""
    is_old = connection.sock is not None
    try:
        return _answer(connection, target, headers, watch)
    except ConnectionError:
        if not is_old:
            raise
        connection.close()
        return _answer(connection, target, headers, watch)


class Response(http.client.HTTPResponse):
    """Asks `watch` before each read of its socket."""

    def __init__(self, watch: Watch, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(_Watched(sock, watch), *args, **options)  # type: ignore[arg-type]  # it asks for a file

    def read1(self, n: int = -1) -> bytes:
        """Counts what is left, and closes after that: http.client does so itself only since Python 3.11.8."""
        left = self.length
        piece = super().read1(n)
        if left is not None:
            self.length = left - len(piece)
            if not self.length:
                self.close()
        return piece


class _Watched:
    def __init__(self, sock: socket.socket, watch: Watch) -> None:
        self._sock, self._watch = sock, watch

    def makefile(self, _: str) -> io.BufferedReader:
        """Its raw file counts as one of the socket's, which so stays open for it."""
        return io.BufferedReader(_WatchedReads(self._sock, self._sock.makefile("rb", buffering=0), self._watch))


class _WatchedReads(io.RawIOBase):
    def __init__(self, sock: socket.socket, file: socket.SocketIO, watch: Watch) -> None:
        self._sock, self._file, self._watch = sock, file, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._watch())
        try:
            return self._file.readinto(buffer)
        except TimeoutError:
            self._watch()  # says so itself if it is all of it that took too long
            raise

    def close(self) -> None:
        self._file.close()
        super().close()


def _answer(connection: http.client.HTTPConnection, target: str, headers: dict[str, str], watch: Watch) -> Response:
    connection.timeout = watch()
    connection.response_class = partial(Response, watch)  # type: ignore[assignment]  # it is only called
    if connection.sock is not None:
        connection.sock.settimeout(connection.timeout)
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    assert isinstance(response, Response)
    return response
