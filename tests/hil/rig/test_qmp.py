"""QEMU's monitor: answers find who asked, events are kept, and a QEMU that ends leaves nobody waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hil.rig.qmp import Qmp, Refused
from tests.hil.rig.guest import LIMIT_S, within_limit

pytestmark = pytest.mark.real


class Monitor:
    """QEMU's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(await within_limit(self._reader.readline()))
        return asked

    def say(self, **message: Any) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def end(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def monitored(path: Path) -> AsyncIterator[tuple[Qmp, asyncio.Queue[Monitor]]]:
    """A `Qmp`, and its connections as they come, each greeted and through its first command."""
    connections: asyncio.Queue[Monitor] = asyncio.Queue()
    ends: list[Monitor] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        monitor = Monitor(reader, writer)
        monitor.say(QMP={"version": {}, "capabilities": []})
        assert (await monitor.asked())["execute"] == "qmp_capabilities"
        monitor.say(**{"return": {}})
        ends.append(monitor)
        connections.put_nowait(monitor)

    qmp = Qmp(path)
    async with await asyncio.start_unix_server(greet, path), asyncio.TaskGroup() as group:
        running = group.create_task(qmp.run())
        yield qmp, connections
        running.cancel()
        for monitor in ends:
            await monitor.end()


async def test_an_answer_goes_to_who_asked(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections), asyncio.TaskGroup() as group:
        monitor = await within_limit(connections.get())
        first = group.create_task(qmp.execute("set_link", name="duct-nic", up=False))
        assert await monitor.asked() == {"execute": "set_link", "arguments": {"name": "duct-nic", "up": False}}
        second = group.create_task(qmp.execute("query-status"))
        await monitor.asked()
        monitor.say(**{"return": {}})
        monitor.say(**{"return": {"running": True}})

        assert (await within_limit(first), await within_limit(second)) == ({}, {"running": True})


async def test_what_qemu_refuses_is_said_to_who_asked(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections), asyncio.TaskGroup() as group:
        monitor = await within_limit(connections.get())
        asking = group.create_task(refusal(qmp))
        await monitor.asked()
        monitor.say(error={"class": "GenericError", "desc": "Device 'duct-nic' not found"})

        assert await within_limit(asking) == "Device 'duct-nic' not found"


async def refusal(qmp: Qmp) -> str:
    with pytest.raises(Refused) as refused:
        await qmp.execute("set_link", name="duct-nic", up=False)
    return str(refused.value)


async def test_an_event_between_command_and_answer_is_no_answer(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections), asyncio.TaskGroup() as group:
        monitor = await within_limit(connections.get())
        asking = group.create_task(qmp.execute("system_reset"))
        await monitor.asked()
        monitor.say(event="RESET", data={"guest": False})
        monitor.say(**{"return": {"done": True}})

        assert await within_limit(asking) == {"done": True}
        assert [(event.name, event.data) for event in qmp.events] == [("RESET", {"guest": False})]


async def test_an_event_may_be_waited_for_before_it_comes_and_after(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections), asyncio.TaskGroup() as group:
        monitor = await within_limit(connections.get())
        waiting = group.create_task(qmp.until("WATCHDOG", LIMIT_S))
        monitor.say(event="RESET")
        monitor.say(event="WATCHDOG", data={"action": "reset"})
        bite = await within_limit(waiting)

        assert bite.data == {"action": "reset"}
        assert await qmp.until("WATCHDOG", LIMIT_S) == bite
        with pytest.raises(TimeoutError):
            await qmp.until("WATCHDOG", 0.05, since_ns=bite.at_ns + 1)


async def test_the_next_qemu_is_found_and_the_events_of_the_one_before_stay(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections):
        for name in ("SHUTDOWN", "RESET"):
            monitor = await within_limit(connections.get())
            monitor.say(event=name)
            await qmp.until(name, LIMIT_S)
            await monitor.end()

        assert [event.name for event in qmp.events] == ["SHUTDOWN", "RESET"]


async def test_a_qemu_that_is_killed_leaves_nobody_waiting_for_an_answer(tmp_path: Path) -> None:
    async with monitored(tmp_path / "qmp") as (qmp, connections):
        monitor = await within_limit(connections.get())
        asking = asyncio.ensure_future(qmp.execute("query-status"))
        await monitor.asked()
        await monitor.end()

        with pytest.raises(ConnectionError, match="QEMU ended"):
            await within_limit(asking)
