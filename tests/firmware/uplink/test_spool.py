"""The outbox's file: order, bounds, and what a repeated or a failed write leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from firmware.uplink.spool import Damaged, Row, Spool, SpoolFailed
from firmware.uplink.wire import Priority
from tests.firmware.uplink.builders import ALARM, BOOT, IMAGE, OLD_BOOT, TELEMETRY, row

pytestmark = pytest.mark.real


@contextmanager
def spool(path: Path, *, boot_id: str = BOOT, max_rows: int = 1000, max_bytes: int = 1_000_000) -> Iterator[Spool]:
    with closing(Spool(path, boot_id, max_rows=max_rows, max_bytes=max_bytes)) as opened:
        yield opened


def write(opened: Spool, *rows: Row) -> None:
    opened.write(rows, [], durable=False)


def anothers() -> bytes:
    """The database of another program."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE other (x)")
        return db.serialize()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


def test_alarms_come_first_then_telemetry_then_images_each_in_order_across_starts(path: Path) -> None:
    old = [row(1, IMAGE, boot_id=OLD_BOOT), row(2, boot_id=OLD_BOOT), row(3, ALARM, boot_id=OLD_BOOT)]
    new = [row(1, ALARM), row(2), row(3, IMAGE), row(4, ALARM)]
    with spool(path, boot_id=OLD_BOOT) as opened:
        write(opened, *old)
    with spool(path) as opened:
        write(opened, *new)

        assert opened.read({}, 100) == [old[2], new[0], new[3], old[1], new[1], old[0], new[2]]


def test_reading_goes_on_behind_the_last_row_of_each_class(path: Path) -> None:
    with spool(path) as opened:
        write(opened, *(row(seq, ALARM if seq % 2 else TELEMETRY) for seq in range(1, 11)))

        first = opened.read({}, 3)
        rest = opened.read({ALARM: first[-1]}, 100)

    assert [one.seq for one in first] == [1, 3, 5]
    assert [one.seq for one in rest] == [7, 9, 2, 4, 6, 8, 10]


def test_writing_the_same_again_changes_nothing(path: Path) -> None:
    with spool(path) as opened:
        write(opened, row(1), row(2), row(3))
        stock = opened.write([row(2), row(3), row(4)], [row(1), row(9)], durable=True)
        again = opened.write([row(2), row(3), row(4)], [row(1), row(9)], durable=True)

        assert [one.seq for one in opened.read({}, 10)] == [2, 3, 4]
    assert stock == again
    assert (stock.rows, stock.size_bytes) == (3, 3 * row(2).size_bytes)


def test_a_full_file_drops_the_oldest_of_the_lowest_class(path: Path) -> None:
    with spool(path, max_rows=4) as opened:
        write(opened, row(1, IMAGE), row(2), row(3), row(4, IMAGE))
        stock = opened.write([row(5, ALARM), row(6, ALARM), row(7, ALARM)], [], durable=False)

        assert [one.seq for one in opened.read({}, 10)] == [5, 6, 7, 3]
    assert stock.dropped == {IMAGE: 2, TELEMETRY: 1}


def test_bytes_are_bounded_too_and_what_is_on_its_way_is_spared(path: Path) -> None:
    size_bytes = row(1).size_bytes
    with spool(path, max_bytes=3 * size_bytes) as opened:
        write(opened, row(1), row(2), row(3))
        stock = opened.write([row(4)], [], durable=False, spare=[row(1)])

        assert [one.seq for one in opened.read({}, 10)] == [1, 3, 4]
    assert (stock.size_bytes, stock.dropped) == (3 * size_bytes, {TELEMETRY: 1})


def test_a_lower_bound_in_a_new_configuration_is_kept_at_the_next_write(path: Path) -> None:
    with spool(path) as opened:
        write(opened, *(row(seq) for seq in range(1, 1001)))
    with spool(path, boot_id=OLD_BOOT, max_rows=10) as opened:
        stock = opened.write([], [], durable=False)

        assert (stock.rows, stock.dropped) == (10, {TELEMETRY: 990})
        assert opened.read({}, 100)[0].seq == 991


def test_what_was_written_is_counted_when_the_file_is_opened_again(path: Path) -> None:
    with spool(path) as opened:
        write(opened, row(1, ALARM), row(2), row(3, IMAGE))
    with spool(path) as opened:
        assert (opened.stock.rows, opened.stock.size_bytes) == (3, sum(row(1, one).size_bytes for one in Priority))


def test_the_file_belongs_to_one_process_at_a_time(path: Path) -> None:
    with spool(path) as opened:
        write(opened, row(1))

        with pytest.raises(SpoolFailed, match="stop the other ductwatch"), spool(path):
            pass


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda path: path.write_bytes(b"no database" * 1000), "not a database"),
        (
            lambda path: sqlite3.connect(path).execute("CREATE TABLE other (x)").connection.close(),
            "not those of an out",
        ),
    ],
    ids=["rubbish", "another program's database"],
)
def test_a_file_that_is_no_outbox_is_told_from_one_that_cannot_be_opened(path: Path, prepare, problem: str) -> None:  # type: ignore[no-untyped-def]
    prepare(path)

    with pytest.raises(Damaged, match=problem), spool(path):
        pass


def test_a_folder_that_is_missing_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SpoolFailed, match="Create the folder"), spool(tmp_path / "nowhere" / "outbox.sqlite"):
        pass


def test_a_row_that_rotted_inside_is_noticed(path: Path) -> None:
    with spool(path) as opened:
        write(opened, *(row(seq) for seq in range(1, 50)))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"xxxx", b"xxyx", 1))

    with spool(path) as opened, pytest.raises(Damaged, match="does not match its checksum"):
        opened.read({}, 100)


def test_a_rotten_key_that_leaves_no_room_for_another_start_is_noticed(path: Path) -> None:
    with spool(path) as opened:
        write(opened, row(1))
    with closing(sqlite3.connect(path)) as vandal, vandal:
        vandal.execute(f"UPDATE telemetry SET key = {2**63 - 1}")

    with pytest.raises(Damaged, match="a row is of start 8388607, which no board reaches"), spool(path):
        pass
