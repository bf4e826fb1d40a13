"""What the lock says, and how the mirror's packages differ from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hil.image.boards import BOARDS, Board
from hil.image.debian import Lock, Unlocked, differences, installed, parse_lock, render_lock, versions
from hil.image.inputs import lock_file
from hil.image.rootfs import packages

DATE = datetime(2026, 11, 23, 11, 22, 37, tzinfo=UTC)

STATUS = """Package: busybox-static
Status: install ok installed
Architecture: amd64
Source: busybox
Version: 1:1.35.0-4+b7
Description: small
 in many lines: all of them
 .
 and more

Package: gone
Status: deinstall ok config-files
Version: 1

Package: zstd
Status: install ok installed
Architecture: amd64
Version: 1.5.4
"""


def test_what_is_locked_is_read_again() -> None:
    lock = Lock(DATE, {"zstd": "1.5.4", "busybox-static": "1:1.35.0-4+b7"})

    assert parse_lock(render_lock(lock, "amd64")) == lock
    assert lock.epoch == 1795432957


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zstd=1\n", "no line"),
        ("# date = 2026-11-23\nzstd=1\n", "zone"),
        ("# date = yesterday\n", "line 1"),
        ("# date = 2026-11-23T00:00:00+00:00\n\nzstd\n", "line 3"),
        ("# date = 2026-11-23T00:00:00+00:00\n=1\n", "line 2"),
    ],
)
def test_a_lock_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Unlocked, match=problem):
        parse_lock(text)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"a": "1", "b": "2"}, []),
        ({"a": "1", "b": "3"}, ["b: locked 2, now 3"]),
        ({"a": "1"}, ["b: locked 2, now gone"]),
        ({"a": "1", "b": "2", "c": "0"}, ["c: not locked, now 0"]),
    ],
    ids=["equal", "newer", "gone", "new"],
)
def test_each_package_that_is_not_as_locked_is_named(found: dict[str, str], told: list[str]) -> None:
    assert differences({"a": "1", "b": "2"}, found) == told


def test_only_what_is_installed_counts() -> None:
    assert versions(STATUS) == {"busybox-static": "1:1.35.0-4+b7", "zstd": "1.5.4"}
    assert installed(STATUS)[0]["Description"] == "small"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_package_that_a_board_asks_for_is_locked(board: Board) -> None:
    locked = parse_lock(lock_file(board).read_text()).versions

    assert set(packages(board)) <= locked.keys()
