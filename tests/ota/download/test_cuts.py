"""The power is cut, or the disk refuses, at each operation of a download: the next one ends with the right bytes."""

from __future__ import annotations

import errno
import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from ota.download import Downloads
from ota.errors import NoRoom
from ota.pace import Clocks, Pace
from ota.repository import Answer, Watch
from ota.types import Target
from tests.fakes.cut_disk import CutDisk, Fault, PowerCut

CONTENT = random.Random(1).randbytes(400)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TARGET = Target(path="stable/m.tar", length=len(CONTENT), sha256=SHA256)
ROOT = Path("/data/ota")
PART = ROOT / "part" / f"{SHA256}.part"
LEFT = 12  # of what a cut may leave, so many are gone on from


class Pieces:
    """A repository that sends 30 bytes at a time."""

    metered = True

    def read(self, name: str, limit: int) -> bytes | None:
        """It has no metadata."""

    @contextmanager
    def open(self, _: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
        rest = iter(range(first, length, 30))

        def read(most: int) -> bytes:
            watch()
            start = next(rest, length)
            return CONTENT[start : start + min(30, most)]

        yield Answer(first, read)


def fetch(disk: CutDisk, *, bytes_a_day: int | None = 100_000) -> Path | None:
    clocks = Clocks(now_s=lambda: 0.0, today=lambda: 1)
    return Downloads(ROOT, disk, Pace(bytes_a_day=bytes_a_day), clocks=clocks, sync_bytes=100).fetch(TARGET, Pieces())


def operations() -> range:
    disk = CutDisk(ROOT)
    fetch(disk)
    return range(len(disk.operations))


@pytest.mark.parametrize("at", operations())
def test_the_power_is_cut_and_the_next_download_ends_well(at: int) -> None:
    disk = CutDisk(ROOT).fork(Fault(at))
    with suppress(PowerCut):  # none at what only reads
        fetch(disk)

    for left in disk.after_cut(LEFT, Random(at)):
        assert fetch(left) == PART
        assert left.files()[PART] == CONTENT


@pytest.mark.parametrize("bytes_a_day", [None, 100_000])
def test_what_a_download_said_was_whole_outlasts_a_power_cut(bytes_a_day: int | None) -> None:
    disk = CutDisk(ROOT)
    fetch(disk, bytes_a_day=bytes_a_day)

    assert all(left.files()[PART] == CONTENT for left in disk.after_cut(LEFT, Random(0)))


@pytest.mark.parametrize("at", operations())
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS], ids=errno.errorcode.get)
def test_a_disk_that_refuses_is_told_and_gone_on_from(at: int, error: int) -> None:
    disk = CutDisk(ROOT).fork(Fault(at, error))
    with pytest.raises(NoRoom, match=r"/data/ota/part/.*Make room"):
        fetch(disk)

    again = disk.fork()
    assert fetch(again) == PART
    assert again.files()[PART] == CONTENT
