"""A target comes whole, from wherever it left off, and is what was signed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ota.download import Downloads
from ota.errors import Unreachable, Untrusted
from ota.folder import Folder
from ota.pace import Pace
from ota.storage import Disk
from ota.types import Target
from tests.ota.download.board import CONTENT, SHA256, STORED, TARGET, Board
from tests.ota.web_server import (
    Behaviour,
    cut_after,
    endless,
    no_ranges,
    status,
    without_length,
)

pytestmark = pytest.mark.real


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
