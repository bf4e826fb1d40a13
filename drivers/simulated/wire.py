"""A network cable that can be cut: what stands between a simulated board and a real broker while faults are planned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from drivers.clock import Clock
from drivers.simulated.faults import Fault
from drivers.simulated.world import World

CHUNK_BYTES = 64 * 1024
CONNECT_LIMIT_S = 5.0


class Wire:
    """Relays TCP from a port of its own on loopback to a broker; cut while `broker-down` holds."""

    def __init__(self, world: World, clock: Clock, host: str, port: int) -> None:
        self._world = world
        self._clock = clock
        self._far_end = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        """Inside, connections to the port that this yields reach the broker, or are refused at once."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        async with server, asyncio.TaskGroup() as group:
            cutting = group.create_task(self._cut())
            try:
                yield port
            finally:
                cutting.cancel()
                self._drop_all()
                await asyncio.gather(*self._relays)

    async def _cut(self) -> None:
        """End what is connected, each time the fault begins."""
        for edge in self._world.edges(Fault.BROKER_DOWN):
            await self._clock.sleep_until(edge)
            if self._is_cut:
                self._drop_all()

    @property
    def _is_cut(self) -> bool:
        return self._world.fails(Fault.BROKER_DOWN)

    def _drop_all(self) -> None:
        for writer in self._open:
            writer.close()

    async def _relay(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        relay: asyncio.Task[None] | None = asyncio.current_task()
        assert relay is not None
        self._relays.add(relay)
        self._open.add(to_near)
        try:
            if self._is_cut:
                return
            async with asyncio.timeout(CONNECT_LIMIT_S):
                far, to_far = await asyncio.open_connection(*self._far_end)
            self._open.add(to_far)
            try:
                await asyncio.gather(_pump(near, to_far), _pump(far, to_near))
            finally:
                self._open.discard(to_far)
                await _closed(to_far)
        except OSError:
            return  # the broker cannot be reached, or too late: to the board it is the same
        finally:
            self._open.discard(to_near)
            await _closed(to_near)
            self._relays.discard(relay)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry bytes one way until an end closes, then close the other."""
    with suppress(ConnectionError):
        while chunk := await source.read(CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    sink.close()
