"""The outbox's thread has little to do at a time, whatever its reader does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.types import Instant, SourceId
from drivers.worker import QUEUE_SIZE
from firmware.uplink.news import News
from firmware.uplink.spool_thread import SpoolThread
from tests.firmware.uplink.builders import BOOT, row

pytestmark = pytest.mark.real

ROWS = 1000  # each read of them takes longer than a turn of the loop


async def test_reads_that_are_given_up_do_not_pile_up(tmp_path: Path) -> None:
    news = News(SourceId("outbox"), lambda _: None, lambda: Instant(0))
    thread = SpoolThread(tmp_path / "outbox.sqlite", BOOT, max_rows=ROWS, max_bytes=ROWS * 1024, news=news)
    await thread.mend()
    rows = [row(seq) for seq in range(ROWS)]
    await thread.write(rows, [], durable=False, spare=())
    for _ in range(2 * QUEUE_SIZE):
        reading = asyncio.create_task(thread.read({}, ROWS))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
    assert await thread.read({}, ROWS) == rows
    await thread.close(1.0)
