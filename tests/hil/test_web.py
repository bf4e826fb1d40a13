"""The bench's web server serves parts of files as static hosts do, and nothing outside of its folder."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.web import FileServer

pytestmark = pytest.mark.real

CONTENT = bytes(range(100))
LIMIT_S = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    server = FileServer(tmp_path / "served")
    (server.folder / "file.bin").write_bytes(CONTENT)
    (tmp_path / "secret").write_bytes(b"not to be seen")
    server.start()
    yield server
    server.stop()


def get(server: FileServer, path: str, **headers: str) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Range")
    finally:
        connection.close()


def test_a_file_is_served_whole(server: FileServer) -> None:
    assert get(server, "/file.bin") == (200, CONTENT, None)


@pytest.mark.parametrize(
    ("wanted", "part", "told"),
    [
        ("bytes=0-9", CONTENT[:10], "bytes 0-9/100"),
        ("bytes=90-", CONTENT[90:], "bytes 90-99/100"),
        ("bytes=-5", CONTENT[-5:], "bytes 95-99/100"),
        ("bytes=95-4000", CONTENT[95:], "bytes 95-99/100"),
        ("bytes=-4000", CONTENT, "bytes 0-99/100"),
    ],
)
def test_a_part_is_served_as_it_was_asked_for(server: FileServer, wanted: str, part: bytes, told: str) -> None:
    assert get(server, "/file.bin", Range=wanted) == (206, part, told)


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=5-4", "bytes=-0"])
def test_a_part_that_there_is_not_is_refused_with_the_length(server: FileServer, wanted: str) -> None:
    assert get(server, "/file.bin", Range=wanted) == (416, b"", "bytes */100")


@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=-", "bytes=1-2,5-6"])
def test_what_is_no_range_of_bytes_gives_the_whole_file(server: FileServer, wanted: str) -> None:
    assert get(server, "/file.bin", Range=wanted) == (200, CONTENT, None)


@pytest.mark.parametrize("path", ["/other.bin", "/../secret", "/", "//etc/hostname"])
def test_what_is_not_in_the_folder_is_not_served(server: FileServer, path: str) -> None:
    assert get(server, path)[0] == 404
