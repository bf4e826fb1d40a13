"""Sockets whose server is QEMU, which may not run yet, and may be killed and started again at any time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

RETRY_S = 0.05  # between two attempts: QEMU makes its sockets before the guest's first instruction


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Wait until somebody listens at `path`, however long that takes, and connect."""
    reader, writer = await _reach(path)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _reach(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_unix_connection(path)
        except (FileNotFoundError, ConnectionError):  # not there yet, or left behind by a QEMU that was killed
            await asyncio.sleep(RETRY_S)
