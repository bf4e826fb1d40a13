from __future__ import annotations

import asyncio
import contextlib

import pytest

from drivers.clock import SimulatedClock
from drivers.simulated.faults import Faults, parse_fault
from drivers.simulated.wire import Wire
from drivers.simulated.world import World
from tests.builders import at

pytestmark = pytest.mark.real


echoes: list[asyncio.Task[None] | None] = []


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    echoes.append(asyncio.current_task())
    while chunk := await reader.read(100):
        writer.write(chunk)
        await writer.drain()
    await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_wire_carries_until_it_is_cut_refuses_then_and_carries_again() -> None:
    clock = SimulatedClock(factor=100)
    world = World(1, clock, Faults([parse_fault("broker-down@10s+10s")]))
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Wire(world, clock, "127.0.0.1", server.sockets[0].getsockname()[1]).laid() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"before")
        before = await reader.read(100)
        at_the_cut = await reader.read(100)
        refused, unheard = await asyncio.open_connection("127.0.0.1", port)
        while_cut = await refused.read(100)
        await clock.sleep_until(at(21))
        reader, again = await asyncio.open_connection("127.0.0.1", port)
        again.write(b"after")
        after = await reader.read(100)
        for one in (writer, unheard, again):
            await closed(one)
    await asyncio.gather(*(task for task in echoes if task is not None))

    assert (before, at_the_cut, while_cut, after) == (b"before", b"", b"", b"after")
