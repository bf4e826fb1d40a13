"""Messages for tests of the uplink: of each class, with what matters named."""

from __future__ import annotations

from datetime import UTC, datetime

from firmware.uplink.spool import Row
from firmware.uplink.wire import Message, Priority, Topics, WallClock

TOPICS = Topics("ductwatch", "duct")
WALL = WallClock(round(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000_000, synchronised=True)
OLD_BOOT, BOOT = "0ddb007", "b007"

TELEMETRY, ALARM, IMAGE = Priority.TELEMETRY, Priority.ALARM, Priority.IMAGE


def note(priority: Priority = TELEMETRY, *, size_bytes: int = 100) -> Message:
    """A message of this class, whose payload has about this size."""
    return Message(f"ductwatch/duct/{priority.name.lower()}", priority, b'{"text":"%s"}' % (b"x" * (size_bytes - 11)))


def row(seq: int, priority: Priority = TELEMETRY, *, boot_id: str = BOOT, size_bytes: int = 100) -> Row:
    message = note(priority, size_bytes=size_bytes)
    return Row(priority, boot_id, seq, message.topic, message.payload)
