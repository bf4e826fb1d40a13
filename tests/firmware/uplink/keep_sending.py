"""A child process: a board that keeps accepting messages of all classes and sending them, until it is killed.

Arguments: file of the outbox, port of the broker, id of this start. Prints the number of each message that the
outbox has made sure of, with its class.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from firmware.uplink.wire import Priority
from tests.firmware.uplink.builders import note
from tests.firmware.uplink.sender import LONG_S, sending, settings

PATTERN = (Priority.TELEMETRY, Priority.TELEMETRY, Priority.ALARM, Priority.TELEMETRY, Priority.IMAGE)
BURST = 20


async def main(path: Path, port: int, boot_id: str) -> None:
    async with sending(path, settings(port), boot_id=boot_id) as sender:
        for priorities in itertools.repeat((PATTERN * BURST)[:BURST]):
            accepted = [(sender.outbox.accept(note(priority)), priority) for priority in priorities]
            await sender.outbox.flush(LONG_S)
            print("".join(f"{seq} {priority.name}\n" for seq, priority in accepted), end="", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
