"""Rows read from bare pages are those that SQLite would have given."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from firmware.uplink.pages import PAGE_BYTES, Value, rows

pytestmark = pytest.mark.real

SIZES = [0, 1, 12, 127, 128, 2000, 4030, 4061, 4062, 4100, 8200, 20_000, 100_000]


def pages_of(path: Path) -> tuple[Callable[[int], bytes], int]:
    content = path.read_bytes()
    return lambda number: content[(number - 1) * PAGE_BYTES : number * PAGE_BYTES], len(content) // PAGE_BYTES


def filled(path: Path, seed: int) -> list[tuple[int, list[Value]]]:
    """A file with rows of every size around which the format changes, some of them deleted again."""
    chance = random.Random(seed)
    integers = [0, 1, -1, 127, 2**15, 2**23, 2**31, 2**47, 2**62, chance.getrandbits(31)]
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("CREATE TABLE things (key INTEGER PRIMARY KEY, content BLOB, number INTEGER)")
        for key in chance.sample(range(2**61), 300):
            content = chance.randbytes(chance.choice(SIZES))
            db.execute("INSERT INTO things VALUES (?, ?, ?)", (key, content, chance.choice(integers)))
        db.execute("DELETE FROM things WHERE key % 5 = 0")
        db.commit()
        return [(key, [None, content, number]) for key, content, number in db.execute("SELECT * FROM things")]


@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_found_and_nothing_that_was_deleted(tmp_path: Path, seed: int) -> None:
    there = filled(tmp_path / "db", seed)

    found = [(key, columns) for key, columns in rows(*pages_of(tmp_path / "db")) if len(columns) == 3]

    assert sorted(found) == there


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_ends_and_raises_nothing(tmp_path: Path, seed: int) -> None:
    filled(tmp_path / "db", seed)
    content, chance = bytearray((tmp_path / "db").read_bytes()), random.Random(seed)
    for _ in range(5000):
        content[chance.randrange(len(content))] = chance.randrange(256)
    (tmp_path / "db").write_bytes(content)

    assert len(list(rows(*pages_of(tmp_path / "db")))) < 300
