"""A child process: a board that keeps saving its cleaning until it is killed. Argument: its folder."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from firmware.cleaning.record import Scene
from firmware.cleaning.states import CleaningEvent
from firmware.cleaning_store import UnderWay
from tests.firmware.cleaning.builders import UP, look, step
from tests.firmware.test_cleaning_store import Board


async def main(folder: Path) -> None:
    before = Scene({UP: look(jpeg=bytes(300_000))})
    async with Board(folder).store() as store:
        for seconds in itertools.count():
            await store.save(UnderWay(steps=[step(CleaningEvent.START, seconds)], before=before))
            print(seconds, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
