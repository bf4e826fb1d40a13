from __future__ import annotations

import errno
import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Semaphore

import pytest

from ota.download import SPARE_BYTES, SYNC_BYTES, Downloads, Progress
from ota.errors import NoRoom, Unreachable, Untrusted
from ota.folder import Folder
from ota.pace import CHUNK_BYTES, Clocks, Pace
from ota.storage import Disk
from ota.types import Target
from ota.web import Web
from tests.ota.web_server import (
    Behaviour,
    Request,
    WebServer,
    cut_after,
    endless,
    no_ranges,
    status,
    web_server,
    without_length,
)

pytestmark = pytest.mark.real

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TARGET = Target(path="stable/visual-clean.tar", length=len(CONTENT), sha256=SHA256)
STORED = f"targets/stable/{SHA256}.visual-clean.tar"


class Time:
    """Goes on only when somebody sleeps, or the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


class SmallDisk(Disk):
    """Takes `room` bytes; what it says is free is `said`. Counts its syncs of parts."""

    def __init__(self, *, room: int = 1 << 30, said: int = 1 << 30) -> None:
        self.room = room
        self.said = said
        self.synced: list[int] = []

    def free(self, _: Path) -> int:
        return self.said

    def append(self, path: Path, content: bytes) -> None:
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(path, content)

    def sync(self, path: Path) -> None:
        if path.suffix == ".part":
            self.synced.append(path.stat().st_size)
        super().sync(path)


class Board:
    """Its folder, its time, and the way to the repository."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.folder = folder
        self.server = server
        self.time = Time()
        self.disk = SmallDisk()
        self.day = 20_000
        self.pace = Pace()

    @property
    def downloads(self) -> Downloads:
        clocks = Clocks(self.time, self.time.sleep, lambda: self.day)
        return Downloads(self.folder, self.disk, self.pace, clocks=clocks)

    @property
    def part(self) -> Path:
        return self.folder / "part" / f"{SHA256}.part"

    def fetch(
        self,
        *,
        target: Target = TARGET,
        progress: Progress = lambda _here, _all: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Path | None:
        with Web(self.server.address, allow_http=True) as web:
            return self.downloads.fetch(target, web, progress=progress, stopped=stopped)

    def has(self, content: bytes) -> None:
        self.part.parent.mkdir(exist_ok=True)
        self.part.write_bytes(content)

    def misses(self) -> None:
        assert not self.part.exists()


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as server:
        server.files[f"/{STORED}"] = CONTENT
        yield server


@pytest.fixture
def board(tmp_path: Path, server: WebServer) -> Board:
    return Board(tmp_path, server)


def test_a_target_comes_whole(board: Board) -> None:
    seen: list[tuple[int, int]] = []

    path = board.fetch(progress=lambda *done: seen.append(done))

    assert path == board.part
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [here for here, _ in seen] == sorted(here for here, _ in seen)


def test_a_connection_that_ends_early_keeps_what_came_and_the_next_time_goes_on(board: Board) -> None:
    board.server.behaviours = [cut_after(100_000), cut_after(50_000)]

    for size in (100_000, 150_000):
        with pytest.raises(Unreachable, match="ended early"):
            board.fetch()
        assert board.part.read_bytes() == CONTENT[:size]

    assert board.fetch() == board.part
    assert board.part.read_bytes() == CONTENT
    assert board.server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_what_is_whole_already_is_checked_and_not_asked_for(board: Board) -> None:
    board.has(CONTENT)

    assert board.fetch() == board.part
    assert board.server.asked == []


FROM_BEFORE: dict[str, tuple[list[Behaviour], list[str | None]]] = {
    "a server without ranges": ([no_ranges], ["bytes=1000-"]),
    "a range from elsewhere": (
        [status(206, CONTENT[500:], Content_Range=f"bytes 500-{len(CONTENT) - 1}/{len(CONTENT)}")],
        ["bytes=1000-", None],
    ),
    "a range of a longer file": (
        [status(206, CONTENT[1000:], Content_Range=f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT) + 1}")],
        ["bytes=1000-", None],
    ),
    "a range beyond the file": (
        [status(206, CONTENT, Content_Range=f"bytes 1000-{len(CONTENT)}/*")],
        ["bytes=1000-", None],
    ),
    "a range that is not said": ([status(206, CONTENT[1000:])], ["bytes=1000-", None]),
    "several ranges in parts": (
        [status(206, b"--x", Content_Type="multipart/byteranges; boundary=x")],
        ["bytes=1000-", None],
    ),
    "range not satisfiable": ([status(416)], ["bytes=1000-", None]),
    "a file that changed and changed back": (
        [status(206, bytes(len(CONTENT) - 1000), Content_Range=f"bytes 1000-{len(CONTENT) - 1}/*", ETag='"2"')],
        ["bytes=1000-", None],
    ),
    "less of the range than was asked for": (
        [status(206, CONTENT[1000:2000], Content_Range=f"bytes 1000-1999/{len(CONTENT)}")],
        ["bytes=1000-", "bytes=2000-"],
    ),
}


@pytest.mark.parametrize(("behaviours", "asked"), FROM_BEFORE.values(), ids=FROM_BEFORE)
def test_a_part_from_before_becomes_whole_however_the_server_takes_ranges(
    board: Board, behaviours: list[Behaviour], asked: list[str | None]
) -> None:
    board.has(CONTENT[:1000])
    board.server.behaviours = behaviours

    for _ in range(2):
        try:
            path = board.fetch()
            break
        except Unreachable:
            continue

    assert path is not None
    assert path.read_bytes() == CONTENT
    assert board.server.ranges == asked


@pytest.mark.parametrize(
    ("before", "asked"),
    [(b"x" * 1000, ["bytes=1000-", None]), (bytes(len(CONTENT)), [None]), (CONTENT + b"x", [None])],
    ids=["other bytes", "as long, of zeros", "too long"],
)
def test_a_part_that_turns_out_wrong_is_begun_anew(board: Board, before: bytes, asked: list[str | None]) -> None:
    board.has(before)

    assert board.fetch() == board.part
    assert board.part.read_bytes() == CONTENT
    assert board.server.ranges == asked


def test_content_that_was_not_signed_is_refused_and_removed(board: Board) -> None:
    board.server.files[f"/{STORED}"] = CONTENT[:-1] + b"\0"

    with pytest.raises(Untrusted, match=r"stable/visual-clean\.tar: what the repository has there"):
        board.fetch()

    board.misses()
    assert len(board.server.asked) == 1


def test_content_that_stays_wrong_is_fetched_anew_only_once(board: Board) -> None:
    board.has(CONTENT[:1000])
    board.server.files[f"/{STORED}"] = bytes(len(CONTENT))

    with pytest.raises(Untrusted):
        board.fetch()

    board.misses()
    assert board.server.ranges == ["bytes=1000-", None]


def test_endless_data_is_read_only_to_the_signed_length(board: Board) -> None:
    board.server.behaviours = [endless]

    assert board.fetch() == board.part
    assert board.part.read_bytes() == CONTENT


def test_a_page_of_whoever_wants_a_log_in_is_not_read(board: Board) -> None:
    board.has(CONTENT[:1000])
    board.server.behaviours = [status(200, b"<html>Welcome to our hotel")]

    with pytest.raises(Unreachable, match="26 bytes where 300000 are expected"):
        board.fetch()

    assert board.part.read_bytes() == CONTENT[:1000]


def test_an_answer_without_length_may_end_early_or_be_whole(board: Board) -> None:
    board.server.behaviours = [without_length(CONTENT[:5000]), no_ranges]

    with pytest.raises(Unreachable, match="ended early"):
        board.fetch()
    board.server.behaviours = [without_length(CONTENT)]

    assert board.fetch() == board.part


@pytest.mark.parametrize("number", [400, 401, 403, 404, 410, 429, 500, 503])
def test_a_server_that_refuses_is_unreachable_and_the_part_stays(board: Board, number: int) -> None:
    board.has(CONTENT[:1000])
    board.server.behaviours = [status(number)]

    with pytest.raises(Unreachable, match=f"answers {number}"):
        board.fetch()

    assert board.part.read_bytes() == CONTENT[:1000]


def test_a_redirect_is_followed_with_the_range(board: Board) -> None:
    board.has(CONTENT[:1000])
    board.server.files["/store/1?signature=a%2Fb"] = CONTENT
    board.server.behaviours = [status(302, Location="/store/1?signature=a%2Fb")]

    assert board.fetch() == board.part
    assert board.part.read_bytes() == CONTENT
    assert board.server.asked[1] == ("/store/1?signature=a%2Fb", "bytes=1000-")


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


@pytest.mark.parametrize("path", ["../x.tar", "stable/../../x", "/etc/x", "stable//x", "stable/", "a\\b", ""])
def test_a_target_whose_path_leads_elsewhere_is_refused(board: Board, path: str) -> None:
    with pytest.raises(Untrusted, match="no plain name"):
        board.fetch(target=Target(path=path, length=1, sha256=SHA256))


def test_a_target_without_a_hash_is_refused(board: Board) -> None:
    with pytest.raises(Untrusted, match="SHA-256"):
        board.fetch(target=Target(path="stable/x", length=1, sha256="../../x"))


def test_a_target_of_no_bytes_is_refused(board: Board) -> None:
    with pytest.raises(Untrusted, match="no length"):
        board.fetch(target=Target(path="stable/x", length=0, sha256=hashlib.sha256(b"").hexdigest()))


def stick(folder: Path, content: bytes = CONTENT) -> Folder:
    (folder / STORED).parent.mkdir(parents=True)
    (folder / STORED).write_bytes(content)
    return Folder(folder)


def test_a_stick_is_read_without_the_limits_of_a_link(board: Board, tmp_path: Path) -> None:
    board.has(CONTENT[:1000])
    board.pace = Pace(bytes_a_day=1, bytes_a_second=1000)

    assert board.downloads.fetch(TARGET, stick(tmp_path / "stick")) == board.part
    assert board.part.read_bytes() == CONTENT
    assert board.time.slept_s == 0


def test_what_was_begun_from_the_web_is_ended_from_a_stick(board: Board, tmp_path: Path) -> None:
    board.server.behaviours = [cut_after(100_000)]
    with pytest.raises(Unreachable):
        board.fetch()

    assert board.downloads.fetch(TARGET, stick(tmp_path / "stick")) == board.part


def test_a_stick_with_other_content_is_refused(board: Board, tmp_path: Path) -> None:
    with pytest.raises(Untrusted):
        board.downloads.fetch(TARGET, stick(tmp_path / "stick", bytes(len(CONTENT))))


def test_parts_that_nobody_wants_any_more_are_swept(board: Board) -> None:
    board.has(CONTENT[:1000])
    old = board.part.with_name("0" * 64 + ".part")
    old.write_bytes(b"old")

    board.downloads.sweep({SHA256})

    assert board.part.exists()
    assert not old.exists()


def test_sweeping_where_nothing_was_ever_fetched_is_nothing(tmp_path: Path) -> None:
    Downloads(tmp_path, Disk(), Pace()).sweep(())


def test_a_cap_below_what_counts_as_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes_a_second 300 is not twice the least"):
        Pace(bytes_a_second=300)
