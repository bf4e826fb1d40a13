"""The bounds of a download: how slow, how long, how many bytes a day, and how full the disk."""

from __future__ import annotations

import hashlib
import itertools
from threading import Semaphore

import pytest

from ota.download import SPARE_BYTES, SYNC_BYTES
from ota.errors import NoRoom, Unreachable
from ota.pace import CHUNK_BYTES, Pace
from ota.types import Target
from tests.ota.download.board import CONTENT, Board
from tests.ota.web_server import (
    Request,
)

pytestmark = pytest.mark.real


class Slow:
    """A server that sends a byte each `each_s`, for ever: of the headers, or after them. The client takes turns."""

    def __init__(self, board: Board, *, headers: bool, each_s: float) -> None:
        self._time = board.time
        self._headers = headers
        self._each_s = each_s
        self._turn = Semaphore(0)

    def stopped(self) -> bool:
        """The client asks before each read."""
        self._turn.release()
        return False

    def __call__(self, request: Request, content: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(content)
        request.wfile.write(head if self._headers else head + b"\r\n")
        for number in itertools.count():
            if not self._turn.acquire(timeout=10):
                return
            self._time.now_s += self._each_s
            request.wfile.write(b"X" if self._headers else content[number : number + 1])


@pytest.mark.parametrize("headers", [True, False], ids=["of headers", "of content"])
def test_slow_retrieval_ends_though_bytes_come_all_the_time(board: Board, headers: bool) -> None:
    slow = Slow(board, headers=headers, each_s=1.0)
    board.server.behaviours = [slow]

    with pytest.raises(Unreachable, match="less than 200 bytes a second came in 60 s"):
        board.fetch(stopped=slow.stopped)

    assert 1_060 <= board.time.now_s < 1_070


def test_there_is_a_deadline_for_all(board: Board) -> None:
    board.pace = Pace(deadline_s=100.0, least_bytes_a_second=0.0)
    slow = Slow(board, headers=False, each_s=0.5)
    board.server.behaviours = [slow]

    with pytest.raises(Unreachable, match="within 100 s"):
        board.fetch(stopped=slow.stopped)

    assert 0 < board.part.stat().st_size < len(CONTENT)


def test_a_server_that_falls_silent_is_given_up(board: Board) -> None:
    board.pace = Pace(silence_s=0.1)
    ended: list[bytes] = []

    def silent(request: Request, content: bytes) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % len(content))
        ended.append(request.rfile.read(1))  # until the client goes
        request.close_connection = True

    board.server.behaviours = [silent]

    with pytest.raises(Unreachable, match="timed out"):
        board.fetch()

    assert board.part.read_bytes() == b"abc"


def test_the_bandwidth_that_is_allowed_is_kept_to(board: Board) -> None:
    board.pace = Pace(bytes_a_second=50_000)

    board.fetch()

    assert board.time.slept_s == pytest.approx(len(CONTENT) / 50_000, abs=0.01)


def test_a_day_has_its_bytes_and_the_next_day_the_rest_also_after_a_restart(board: Board) -> None:
    board.pace = Pace(bytes_a_day=200_000)

    for _ in range(2):
        with pytest.raises(Unreachable, match=r"today's 200000 bytes are used up\. It goes on tomorrow"):
            board.fetch()
        assert board.part.stat().st_size == 200_000
    board.day += 1

    assert board.fetch() == board.part
    assert board.server.ranges[0] is None
    assert board.server.ranges[-1] == "bytes=200000-"


@pytest.mark.parametrize("written", [b"", b"{}", b"[1]", b"[1e999, 0]", b"[" * 300, b"\xff"])
def test_a_spoilt_count_of_the_day_begins_at_nothing(board: Board, written: bytes) -> None:
    (board.folder / "spent.json").write_bytes(written)
    board.pace = Pace(bytes_a_day=len(CONTENT))

    assert board.fetch() == board.part


def test_whoever_asks_to_stop_keeps_what_came(board: Board) -> None:
    asked = iter([False] * 5)

    assert board.fetch(stopped=lambda: next(asked, True)) is None
    assert 0 < board.part.stat().st_size < len(CONTENT)
    assert board.fetch() == board.part


def test_without_room_nothing_is_fetched(board: Board) -> None:
    board.has(CONTENT[:1000])
    board.disk.said = len(CONTENT) - 1001 + SPARE_BYTES

    with pytest.raises(NoRoom, match=f"needs {len(CONTENT) - 1000 + SPARE_BYTES} bytes free"):
        board.fetch()
    assert board.server.asked == []

    board.disk.said += 1
    assert board.fetch() == board.part


def test_a_disk_that_fills_up_meanwhile_keeps_what_it_took(board: Board) -> None:
    board.disk.room = 2 * CHUNK_BYTES + 60_000

    with pytest.raises(NoRoom, match="No space left"):
        board.fetch()
    board.disk.room = 1 << 30

    assert board.part.stat().st_size > 0
    assert board.fetch() == board.part


def test_a_part_is_synced_again_and_again_and_at_the_end(board: Board) -> None:
    content = bytes(3 * SYNC_BYTES + 5)
    target = Target(path="stable/m.tar", length=len(content), sha256=hashlib.sha256(content).hexdigest())
    board.server.files[f"/targets/stable/{target.sha256}.m.tar"] = content

    board.fetch(target=target)

    first, *_, last = board.disk.synced
    assert SYNC_BYTES <= first < SYNC_BYTES + 2 * CHUNK_BYTES
    assert len(board.disk.synced) == 3
    assert last == len(content)
