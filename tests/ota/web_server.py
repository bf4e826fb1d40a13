"""A web server in a thread, with files in memory or a folder, that serves ranges; it can be told to behave badly."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Behaviour = Callable[["Request", bytes], None]


class Request(BaseHTTPRequestHandler):
    """One of them; `answer` is for behaviours."""

    protocol_version = "HTTP/1.1"
    server: WebServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        self.server.clients.add(self.client_address)
        content = self.server.content(self.path)
        behaviour = self.server.answers.get(self.path)
        self.close_connection |= behaviour is not None
        if content is None and behaviour is None:
            self.answer(404, b"not found")
            return
        behaviour = behaviour or (self.server.behaviours.pop(0) if self.server.behaviours else ranges)
        try:
            behaviour(self, content or b"")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has heard enough

    def do_CONNECT(self) -> None:
        self.send_error(405, f"not for {self.path}")

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    @property
    def first(self) -> int:
        """The byte that was asked for."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(wanted[1]) if wanted else 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


class WebServer(ThreadingHTTPServer):
    """`asked` are paths and ranges so far, over connections of `clients`.

    A request for one of `answers` gets that, and is the last of its connection; each other one takes the next of
    `behaviours`, or is served well.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.files: dict[str, bytes] = {}
        self.folder: Path | None = None
        self.answers: dict[str, Behaviour] = {}
        self.clients: set[object] = set()
        self.behaviours: list[Behaviour] = []
        self.asked: list[tuple[str, str | None]] = []
        self.scheme = "http"

    @property
    def address(self) -> str:
        return f"{self.scheme}://localhost:{self.server_address[1]}"

    @property
    def ranges(self) -> list[str | None]:
        return [wanted for _, wanted in self.asked]

    def content(self, path: str) -> bytes | None:
        if path in self.files or self.folder is None:
            return self.files.get(path)
        file = self.folder / path[1:]
        return file.read_bytes() if file.is_file() else None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error here."""


@contextmanager
def web_server(identity: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    with WebServer() as server:
        if identity is not None:
            server.socket = identity.wrap_socket(server.socket, server_side=True)
            server.scheme = "https"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(folder: Path, answers: dict[str, Behaviour] | None = None) -> Iterator[str]:
    """The folder on a web server, with other `answers` for some paths, as `/metadata/timestamp.json`; its address."""
    with web_server() as server:
        server.folder, server.answers = folder, answers or {}
        yield server.address


def ranges(request: Request, content: bytes) -> None:
    first = request.first
    if first >= len(content) > 0 and first:
        request.answer(416, b"", Content_Range=f"bytes */{len(content)}")
    elif first:
        said = f"bytes {first}-{len(content) - 1}/{len(content)}"
        request.answer(206, content[first:], Content_Range=said)
    else:
        request.answer(200, content)


def no_ranges(request: Request, content: bytes) -> None:
    request.answer(200, content)


def cut_after(count: int) -> Behaviour:
    """The connection ends so many bytes after the headers, which promise all."""

    def behave(request: Request, content: bytes) -> None:
        first = request.first
        status, said = (206, f"bytes {first}-{len(content) - 1}/{len(content)}") if first else (200, "")
        rest = content[first:]
        request.answer(status, rest[:count], Content_Length=str(len(rest)), Content_Range=said)
        request.close_connection = True

    return behave


def status(number: int, content: bytes = b"", **headers: str) -> Behaviour:
    return lambda request, _: request.answer(number, content, **headers)


def endless(request: Request, content: bytes) -> None:
    """As signed at first, and then it never ends."""
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    for piece in (content, *[bytes(65_536)] * 100_000):
        request.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))


def without_length(sent: bytes) -> Behaviour:
    """Until the connection ends."""

    def behave(request: Request, _: bytes) -> None:
        request.answer(200, sent, Content_Length="", Connection="close")
        request.close_connection = True

    return behave
