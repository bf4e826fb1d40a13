"""A child process on a disk that is full and then has room again: its files may not grow beyond a limit for a while.

The kernel refuses the writes (setrlimit(2), RLIMIT_FSIZE), which needs no privilege and no disk of its own.
Prints a line of JSON for each thing that happens.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from drivers.types import Instant
from firmware.observations import HealthChange
from firmware.uplink.outbox import Outbox
from tests.firmware.uplink.builders import ALARM, BOOT, note

ROOM_BYTES = 300_000
MESSAGES = 2000


async def main(path: Path) -> None:
    changes: asyncio.Queue[HealthChange] = asyncio.Queue()

    async def say_next() -> None:
        change = await changes.get()
        print(json.dumps([change.condition.value, change.problem, change.remedy]), flush=True)

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
    async with Outbox(
        path, boot_id=BOOT, report=changes.put_nowait, now=lambda: Instant(time.monotonic_ns()), retry_s=0.02
    ) as outbox:
        for _ in range(MESSAGES):
            outbox.accept(note(size_bytes=300))
            await asyncio.sleep(0)
        await say_next()
        outbox.accept(note(ALARM))
        print(json.dumps([row.seq for row in await outbox.take(3)]), flush=True)
        outbox.rewind()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await say_next()
        print(json.dumps([await outbox.flush(30), outbox.figures()["outbox_in_memory"]]), flush=True)
        print(json.dumps(changes.qsize()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
