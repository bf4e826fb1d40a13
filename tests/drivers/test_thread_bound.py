from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from drivers.errors import Absent, Lost
from drivers.thread_bound import ThreadBound
from drivers.types import SourceId

pytestmark = pytest.mark.real

SOON_S = 0.01
LONG_S = 30.0


class Port:
    """A thing that opens, answers and closes, or hangs at its gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.opened = 0
        self.closed = 0
        self.released = threading.Semaphore(0)
        self.threads: set[int] = set()

    def open(self) -> Port:
        self.begun.set()
        self.gate.wait()
        self.opened += 1
        self.threads.add(threading.get_ident())
        return self

    def answer(self, question: str) -> str:
        self.begun.set()
        self.gate.wait()
        self.threads.add(threading.get_ident())
        return question.upper()

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1
        self.released.release()


def bound(port: Port, *, hangs: bool = False) -> ThreadBound[Port]:
    if not hangs:
        port.gate.set()
    return ThreadBound(SourceId("duct-dust"), "/dev/ttyS1", port.open, Port.close)


async def overdue(port: Port, attempt: Callable[[], Awaitable[object]]) -> str:
    """What is said of an attempt that hangs in its thread. A busy machine may give up one before it has begun."""
    said = ""
    port.begun.clear()
    while not port.begun.is_set():
        with pytest.raises((Absent, Lost)) as raised:
            await attempt()
        said = said or str(raised.value)
    return said


async def test_opens_answers_and_closes_in_one_thread_as_often_as_one_likes() -> None:
    port = Port()
    held = bound(port)
    for _ in range(3):
        port.threads.clear()
        await held.open()
        assert await held.call(Port.answer, "who?", limit_s=LONG_S) == "WHO?"
        await held.close()
        assert len(port.threads) == 1

    assert (port.opened, port.closed) == (3, 3)
    assert threading.get_ident() not in port.threads


async def test_a_device_that_hangs_while_answering_is_lost_and_closing_does_not_wait_for_it() -> None:
    port = Port()
    held = bound(port)
    await held.open()
    port.gate.clear()

    said = await overdue(port, lambda: held.call(Port.answer, "who?", limit_s=SOON_S))
    await held.close()

    assert said.startswith("duct-dust: /dev/ttyS1 did not answer within 0.01 s. It hangs in the kernel")
    assert port.closed == 0
    port.gate.set()
    assert await asyncio.to_thread(port.released.acquire, timeout=LONG_S)


async def test_while_it_hangs_opening_it_again_fails_at_once_and_costs_no_further_thread() -> None:
    port = Port()
    held = bound(port, hangs=True)
    before = threading.active_count()
    assert "did not open within" in await overdue(port, lambda: held.open(limit_s=SOON_S))

    for _ in range(10):
        with pytest.raises(Absent, match="still hangs"):
            await held.open(limit_s=LONG_S)

    assert threading.active_count() == before + 1
    port.gate.set()
    assert await asyncio.to_thread(port.released.acquire, timeout=LONG_S)


async def test_what_opened_too_late_is_closed_and_then_it_opens_again() -> None:
    port = Port()
    held = bound(port, hangs=True)
    await overdue(port, lambda: held.open(limit_s=SOON_S))

    port.gate.set()
    assert await asyncio.to_thread(port.released.acquire, timeout=LONG_S)
    await held.open()

    assert (port.opened, port.closed) == (2, 1)
    await held.close()


async def test_what_opens_after_its_opener_was_cancelled_is_closed() -> None:
    port = Port()
    held = bound(port, hangs=True)
    opening = asyncio.create_task(held.open())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)

    port.gate.set()

    assert await asyncio.to_thread(port.released.acquire, timeout=LONG_S)
    assert port.opened == 1
