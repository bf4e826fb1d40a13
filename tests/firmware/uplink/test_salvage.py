"""A damaged outbox: what can be read is saved, in order and byte for byte; the file is kept for a look."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from firmware.uplink.salvage import KEPT, Salvage, open_spool
from firmware.uplink.spool import Row, Spool
from firmware.uplink.wire import Priority
from tests.child import run_and_kill
from tests.firmware.uplink.builders import BOOT, OLD_BOOT, row

pytestmark = pytest.mark.real

ROWS = 600
PAGE = 4096


def opened(path: Path, boot_id: str = BOOT, *, rebuild: bool = False) -> tuple[Spool, Salvage | None]:
    return open_spool(path, boot_id, max_rows=100_000, max_bytes=1 << 25, rebuild=rebuild)


def some_rows(count: int = ROWS) -> list[Row]:
    chance = random.Random(count)
    return [
        row(seq, chance.choice(list(Priority)), boot_id=OLD_BOOT, size_bytes=chance.choice([150, 300, 2000, 9000]))
        for seq in range(1, count + 1)
    ]


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda one: (one.priority, one.seq))


def read_all(path: Path) -> list[Row]:
    """What a new start finds, after whatever repair it takes."""
    spool, _ = opened(path, rebuild=True)
    with closing(spool):
        return spool.read({}, ROWS + 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "outbox.sqlite"
    spool, _ = opened(path, OLD_BOOT)
    with closing(spool):
        spool.write(some_rows(), [], durable=True)
    return path


@pytest.mark.parametrize("places", [1, 5, 25])
@pytest.mark.parametrize("seed", range(5))
def test_bytes_overwritten_at_many_places_cost_only_the_rows_they_hit(path: Path, seed: int, places: int) -> None:
    chance, content = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(places):
        at = chance.randrange(len(content) - 64)
        content[at : at + 64] = chance.randbytes(64)
    path.write_bytes(content)

    found, all_rows = read_all(path), set(some_rows())

    assert found == in_order(found)
    assert all_rows.issuperset(found)
    assert len(found) >= ROWS - 30 * places  # a page holds up to 26 of the smallest


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (lambda content: b"\0" * PAGE + content[PAGE:], 0),
        (lambda content: b"\0" * 3 * PAGE + content[3 * PAGE :], 30),
        (lambda content: content[: len(content) // 2], ROWS * 6 // 10),
        (lambda content: content[:-1], 26),
        (lambda content: content + b"rubbish", 0),
        (lambda _: b"", ROWS),
        (lambda _: b"rubbish" * 100_000, ROWS),
    ],
    ids=["no header", "no roots", "half a file", "a byte short", "rubbish behind", "empty", "nothing but rubbish"],
)
def test_a_file_that_lost_its_beginning_or_end(path: Path, damage: Callable[[bytes], bytes], lost: int) -> None:
    path.write_bytes(damage(path.read_bytes()))

    found = read_all(path)

    assert found == in_order(found)
    assert ROWS - lost <= len(found) <= ROWS


def test_a_killed_process_and_then_a_lost_header_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    run_and_kill([sys.executable, "-m", "tests.firmware.uplink.write_and_wait", str(path)], until="written")
    content = path.read_bytes()
    path.write_bytes(b"\0" * len(content))

    assert read_all(path) == [row(seq) for seq in range(1, 101)]  # all was in the log


def test_what_was_acknowledged_does_not_rise_from_the_dead(path: Path) -> None:
    spool, _ = opened(path, OLD_BOOT)
    with closing(spool):
        spool.write([], some_rows()[: ROWS - 10], durable=True)
    path.write_bytes(b"\0" * PAGE + path.read_bytes()[PAGE:])

    assert read_all(path) == in_order(some_rows()[ROWS - 10 :])


def test_a_damaged_file_is_repaired_when_it_is_opened_and_kept_for_a_look(path: Path) -> None:
    damaged = b"\0" * PAGE + path.read_bytes()[PAGE:]
    path.write_bytes(damaged)

    spool, salvage = opened(path)
    spool.close()

    assert salvage == Salvage(ROWS, path.with_name("outbox.corrupt-1"))
    assert salvage.kept_as.read_bytes() == damaged


def test_only_the_newest_damaged_files_are_kept(path: Path) -> None:
    for _ in range(KEPT + 3):
        spool, _ = opened(path, rebuild=True)
        spool.close()

    assert sorted(file.name for file in path.parent.iterdir()) == [
        "outbox.corrupt-4",
        "outbox.corrupt-5",
        "outbox.sqlite",
    ]


def test_a_repair_that_was_cut_off_between_its_two_renames_is_completed(path: Path) -> None:
    path.replace(path.with_name("outbox.sqlite.new"))

    spool, salvage = opened(path)

    with closing(spool):
        assert (salvage, spool.stock.rows) == (None, ROWS)


def test_a_repair_that_was_cut_off_earlier_begins_again(path: Path) -> None:
    path.with_name("outbox.sqlite.new").write_bytes(b"half a file")

    spool, _ = opened(path)

    with closing(spool):
        assert spool.stock.rows == ROWS
    assert [file.name for file in path.parent.iterdir()] == ["outbox.sqlite"]
