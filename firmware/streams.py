"""The ways one stage hands over to the next: the latest value, or every message up to a bound.

The third way, what must outlive the process, is `firmware.uplink.outbox`. There is no fourth.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds one value; a newer one takes its place. For whoever wants the present, not the past."""

    def __init__(self) -> None:
        self.overwritten = 0  # values that nobody took in time
        self._values: deque[T] = deque()
        self._filled = asyncio.Event()

    def put(self, value: T) -> None:
        if self._values:
            self._values.clear()
            self.overwritten += 1
        self._values.append(value)
        self._filled.set()

    async def get(self) -> T:
        """Wait for a value and take it. One consumer only."""
        await self._filled.wait()
        self._filled.clear()
        return self._values.popleft()


class Mailbox(Generic[T]):
    """Holds up to `size` messages in order; at the bound the oldest is dropped and counted."""

    def __init__(self, size: int) -> None:
        self.dropped = 0
        self._size = size
        self._messages: deque[T] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: T) -> None:
        if len(self._messages) == self._size:
            self._messages.popleft()
            self.dropped += 1
        self._messages.append(message)
        self._filled.set()

    async def get(self) -> T:
        """Wait for a message and take the oldest. One consumer only."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        return self._messages.popleft()
