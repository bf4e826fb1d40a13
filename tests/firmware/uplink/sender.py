"""A board's way to the broker, for tests: outbox and session, and what they said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.settings import Duration
from drivers.types import Instant
from firmware.observations import HealthChange
from firmware.supervisor import Pulse
from firmware.uplink.commands import Answer, Command
from firmware.uplink.conversation import Conversation
from firmware.uplink.discovery import Retained
from firmware.uplink.outbox import Outbox
from firmware.uplink.session import PULSE_LIMIT_S, Session
from firmware.uplink.settings import UplinkSettings
from tests.firmware.uplink.builders import BOOT, TOPICS

LONG_S = 60.0  # no test waits for it, unless it fails


def settings(port: int, **further: Any) -> UplinkSettings:
    """Impatient: a broker that comes back is noticed at once."""
    return UplinkSettings(
        **{
            "host": "127.0.0.1",
            "port": port,
            "first_retry": Duration(0.02),
            "longest_retry": Duration(0.2),
            **further,
        }
    )


def now() -> Instant:
    return Instant(time.monotonic_ns())


@dataclass
class Sender:
    outbox: Outbox
    session: Session
    running: asyncio.Task[None]
    changes: asyncio.Queue[HealthChange]
    commands: list[Command] = field(default_factory=list)

    async def next_change(self) -> HealthChange:
        return await asyncio.wait_for(self.changes.get(), LONG_S)

    async def stop(self) -> None:
        """As at the end of the firmware: by cancellation."""
        self.running.cancel()
        await asyncio.wait([self.running])


@asynccontextmanager
async def sending(
    path: Path,
    settings: UplinkSettings,
    *,
    boot_id: str = BOOT,
    announcements: Sequence[Retained] = (),
    jobs: Conversation | None = None,
) -> AsyncIterator[Sender]:
    changes: asyncio.Queue[HealthChange] = asyncio.Queue()
    commands: list[Command] = []

    async def obey(command: Command) -> Answer:
        commands.append(command)
        return Answer(True, "done")

    async with Outbox(path, boot_id=boot_id, report=changes.put_nowait, now=now, max_rows=10_000) as outbox:
        session = Session(
            settings,
            outbox,
            TOPICS,
            on_command=obey,
            report=changes.put_nowait,
            now=now,
            announcements=announcements,
            jobs=jobs,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(session.run(Pulse(PULSE_LIMIT_S, asyncio.get_running_loop().time)))
            sender = Sender(outbox, session, running, changes, commands)
            yield sender
            await sender.stop()
