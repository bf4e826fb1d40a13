from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.worker import QUEUE_SIZE, Stuck, Worker

pytestmark = pytest.mark.real

SOON_S = 0.01  # a limit that is meant to be overrun
LONG_S = 30.0  # a limit that is not


@asynccontextmanager
async def working(**options: Any) -> AsyncIterator[tuple[Worker, threading.Event]]:
    """A worker, and the gate that a call of `gate.wait` hangs at until it is opened."""
    worker, gate = Worker("duct-gas", **options), threading.Event()
    try:
        yield worker, gate
    finally:
        gate.set()
        if not worker.stuck:
            worker.close()


async def test_calls_run_in_one_thread_of_their_own_in_the_order_they_came() -> None:
    order: list[int] = []
    async with working() as (worker, _):
        threads = await asyncio.gather(*(worker.run(_note, order, n, limit_s=LONG_S) for n in range(20)))

    assert order == list(range(20))
    assert set(threads) == {"duct-gas"}


def _note(order: list[int], number: int) -> str:
    order.append(number)
    return threading.current_thread().name


async def test_what_the_call_raises_reaches_the_caller() -> None:
    async with working() as (worker, _):
        with pytest.raises(ZeroDivisionError):
            await worker.run(divmod, 1, 0, limit_s=LONG_S)

        assert await worker.run(divmod, 7, 2, limit_s=LONG_S) == (3, 1)


async def test_an_iterator_that_ends_is_an_error_and_not_a_silence() -> None:
    async with working() as (worker, _):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await worker.run(next, iter(()), limit_s=LONG_S)


async def test_a_call_that_hangs_is_stuck_and_so_is_every_further_one_until_it_returns() -> None:
    made: list[int] = []
    begun = threading.Event()
    async with working() as (worker, gate):

        def hang() -> None:
            begun.set()
            gate.wait()

        while not begun.is_set():  # on a busy machine one may be given up before it has begun
            with pytest.raises(Stuck):
                await worker.run(hang, limit_s=SOON_S)
        with pytest.raises(Stuck):
            await worker.run(_note, made, 1, limit_s=LONG_S)
        assert worker.stuck

        gate.set()
        while worker.stuck:  # noqa: ASYNC110  # the thread gives no other sign
            await asyncio.sleep(0)

        assert await worker.run(_note, made, 2, limit_s=LONG_S) == "duct-gas"
    assert made == [2]


async def test_a_call_that_waited_too_long_for_its_turn_is_not_made_later() -> None:
    made: list[int] = []
    async with working() as (worker, gate):
        hanging = asyncio.create_task(worker.run(gate.wait, limit_s=LONG_S))
        await asyncio.sleep(0)
        with pytest.raises(Stuck):
            await worker.run(_note, made, 1, limit_s=SOON_S)

        gate.set()
        assert await hanging
    assert made == []


async def test_a_cancelled_callers_call_is_still_made_for_it_may_be_the_one_that_switches_off() -> None:
    made: list[int] = []
    async with working() as (worker, gate):
        hanging = asyncio.create_task(worker.run(gate.wait, limit_s=LONG_S))
        switching_off = asyncio.create_task(worker.run(_note, made, 0, limit_s=LONG_S))
        await asyncio.sleep(0)
        switching_off.cancel()
        gate.set()
        await hanging

        await worker.run(int, limit_s=LONG_S)
    assert made == [0]


async def test_the_error_of_a_cancelled_callers_call_is_not_logged_as_lost() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with working() as (worker, gate):
        hanging = asyncio.create_task(worker.run(gate.wait, limit_s=LONG_S))
        failing = asyncio.create_task(worker.run(divmod, 1, 0, limit_s=LONG_S))
        await asyncio.sleep(0)
        failing.cancel()
        gate.set()
        await hanging
        await worker.run(int, limit_s=LONG_S)
        del failing

    assert complaints == []


async def test_more_calls_than_the_queue_holds_are_refused() -> None:
    async with working() as (worker, gate):
        barrier = threading.Barrier(2)
        hanging = asyncio.create_task(worker.run(_meet_and_wait, barrier, gate, limit_s=LONG_S))
        await asyncio.to_thread(barrier.wait, LONG_S)
        waiting = [asyncio.create_task(worker.run(int, limit_s=LONG_S)) for _ in range(QUEUE_SIZE)]
        await asyncio.sleep(0)

        with pytest.raises(queue.Full):
            await worker.run(int, limit_s=LONG_S)
        gate.set()
        await asyncio.gather(hanging, *waiting)


def _meet_and_wait(barrier: threading.Barrier, gate: threading.Event) -> None:
    barrier.wait(LONG_S)
    gate.wait()


async def test_start_and_end_run_in_the_thread_around_its_calls() -> None:
    order: queue.Queue[tuple[str, str]] = queue.Queue()

    def note(what: str) -> None:
        order.put((what, threading.current_thread().name))

    worker = Worker("duct-gas", on_start=lambda: note("start"), on_end=lambda: note("end"))
    await worker.run(note, "call", limit_s=LONG_S)
    worker.close()

    noted = [await asyncio.to_thread(order.get, True, LONG_S) for _ in range(3)]
    assert noted == [("start", "duct-gas"), ("call", "duct-gas"), ("end", "duct-gas")]


def test_a_call_that_outlives_the_loop_ends_quietly() -> None:
    gate, ended = threading.Event(), threading.Event()
    worker = Worker("duct-gas", on_end=ended.set)

    async def give_up() -> None:
        with pytest.raises(Stuck):
            await worker.run(gate.wait, limit_s=SOON_S)

    asyncio.run(give_up())
    gate.set()
    worker.close()

    assert ended.wait(LONG_S)  # an error in the thread would fail this test: warnings are errors
