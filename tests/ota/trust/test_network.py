"""What a server, or whoever sits before it, may do: endless data, slow retrieval, dropped requests."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tuf.api.metadata import MetaFile

from ota.errors import Unreachable, Untrusted
from ota.pace import METADATA
from ota.web import MAX_REDIRECTS, Web
from tests.ota.board import Board
from tests.ota.repository import SimulatedRepository
from tests.ota.web_server import Behaviour, Request, served

pytestmark = pytest.mark.real

TIMESTAMP = "/metadata/timestamp.json"


@contextmanager
def visit(repository: SimulatedRepository, answers: dict[str, Behaviour], **pace: float) -> Iterator[Web]:
    with (
        served(repository.folder, answers) as url,
        Web(url, pace=replace(METADATA, **pace), allow_http=True) as web,  # type: ignore[arg-type]  # numbers
    ):
        yield web


def endless(handler: Request, _: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"{" * 10_000)


def test_endless_data_is_cut_off(board: Board, repository: SimulatedRepository) -> None:
    with visit(repository, {TIMESTAMP: endless}) as web, pytest.raises(Untrusted, match="more than the 4000 bytes"):
        board.ask(web)


def test_a_length_that_metadata_promises_raises_no_limit(board: Board, repository: SimulatedRepository) -> None:
    repository.next_version("snapshot", repository.snapshot)
    repository.timestamp.snapshot_meta = MetaFile(repository.snapshot.version, length=10**12)
    repository.publish_timestamp()
    with repository.path("snapshot", repository.snapshot.version).open("wb") as file:
        file.truncate(10**12)  # sparse

    with pytest.raises(Untrusted, match="more than the 20000 bytes"):
        board.ask(repository.folder)


def trickle(content: bytes) -> Behaviour:
    def answer(handler: Request, _: bytes) -> None:
        for byte in content * 1000:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.01)

    return answer


def silent(handler: Request, _: bytes) -> None:
    handler.connection.recv(1)  # until the other side hangs up


SLOW: dict[str, tuple[Behaviour, dict[str, float], str]] = {
    "a body": (trickle(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(4000)), {"deadline_s": 0.5}, "within 0.5 s"),
    "headers": (trickle(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 4000), {"deadline_s": 0.5}, "within 0.5 s"),
    "a rate": (trickle(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(4000)), {"window_s": 0.3}, "less than 500 bytes a second"),
    "silence": (silent, {"silence_s": 0.2}, "no answer"),
}


@pytest.mark.parametrize(("answer", "pace", "problem"), SLOW.values(), ids=SLOW)
def test_a_slow_repository_is_given_up(
    board: Board, repository: SimulatedRepository, answer: Behaviour, pace: dict[str, float], problem: str
) -> None:
    begun = time.monotonic()
    with visit(repository, {TIMESTAMP: answer}, **pace) as web, pytest.raises(Unreachable, match=problem):
        board.ask(web)
    assert time.monotonic() - begun < 5


def hang_up(handler: Request, _: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def fail(status: int) -> Behaviour:
    return lambda handler, _: handler.send_error(status)


def cut_short(handler: Request, _: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "400")
    handler.end_headers()
    handler.wfile.write(b"{}")


def sent_on(location: str | None) -> Behaviour:
    def answer(handler: Request, _: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", location or handler.path)
        handler.send_header("Connection", "close")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


DROPPED: dict[str, tuple[Behaviour, str]] = {
    "a connection": (hang_up, "no answer"),
    "a file": (fail(404), "is not there"),
    "with an error": (fail(500), "the server answers 500"),
    "the rest": (cut_short, "ended early"),
    "in a circle": (sent_on(None), f"more than {MAX_REDIRECTS} redirects"),
    "to nowhere": (sent_on("http://["), "no address of a web server"),
    "to a file": (sent_on("file:///etc/passwd"), "no address of a web server"),
}


@pytest.mark.parametrize("path", [TIMESTAMP, "/metadata/4.snapshot.json", "/metadata/3.stable.json"])
@pytest.mark.parametrize(("answer", "problem"), DROPPED.values(), ids=DROPPED)
def test_a_dropped_request_leaves_what_there_is(
    board: Board, repository: SimulatedRepository, path: str, answer: Behaviour, problem: str
) -> None:
    repository.offer(2)
    repository.publish_timestamp()
    path = path.replace("4", str(repository.snapshot.version))
    with visit(repository, {path: answer}) as web, pytest.raises(Unreachable, match=problem):
        board.ask(web)

    assert board.counter(repository.folder) == 2
