"""A peer that dies is heard of by whoever asks next, and the bench is closed all the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from hil.desk import Desk
from hil.host import Host
from tests.mosquitto import Received

pytestmark = pytest.mark.real

LIMIT_S = 30.0


class Died(Exception):
    """What a peer may end with."""


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


async def dying(told: asyncio.Event) -> None:
    await told.wait()
    raise Died("of the guest's nonsense")


def test_a_peer_that_dies_ends_the_waiting_of_others(desk: Desk) -> None:
    told = asyncio.Event()
    desk.spawn(dying(told))

    with pytest.raises(Died, match="nonsense"):
        desk.wait(waiting_after(told), LIMIT_S)
    with pytest.raises(Died):
        desk.do(lambda: None)


def test_what_a_peer_died_of_is_raised_once_more_at_its_end_and_the_desk_works_on(desk: Desk) -> None:
    told = asyncio.Event()
    end = desk.spawn(dying(told))
    with pytest.raises(Died):
        desk.wait(waiting_after(told), LIMIT_S)

    with pytest.raises(Died):
        end()

    assert desk.do(lambda: "done") == "done"


def test_a_peer_that_is_well_ends_in_silence(desk: Desk) -> None:
    end = desk.spawn(dying(asyncio.Event()))

    assert desk.do(lambda: "done") == "done"
    end()


def test_what_still_runs_is_cancelled_when_the_desk_is_closed() -> None:
    desk, ended = Desk(), threading.Event()
    desk.spawn(until_ended(ended))
    desk.do(lambda: None)
    desk.close()

    assert ended.is_set()


def test_a_bench_with_a_dead_peer_closes_all_else_and_says_what_it_died_of(tmp_path: Path) -> None:
    told = asyncio.Event()
    host = Host(tmp_path, "127.0.0.1", host="127.0.0.1")
    with pytest.raises(Died), host:  # noqa: PT012  # the second one is that of its end
        host._play(dying(told))
        host._desk.wait(waiting_after(told), LIMIT_S)

    assert not host._desk._thread.is_alive()
    with pytest.raises(aiomqtt.MqttError):
        asyncio.run(reach(host.broker.port))


def test_each_message_is_looked_at_once_while_one_is_waited_for(tmp_path: Path) -> None:
    looked_at: list[bytes] = []

    def fits(message: Received) -> bool:
        looked_at.append(message.payload)
        return message.payload == b"9"

    with Host(tmp_path, "127.0.0.1", host="127.0.0.1") as host:
        for number in range(10):
            host.broker.send("count", b"%d" % number)
        found = host.messages.until(fits, since=2, limit_s=LIMIT_S)

    assert found.payload == b"9"
    assert looked_at == [b"%d" % number for number in range(2, 10)]


async def until_ended(ended: threading.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def waiting_after(told: asyncio.Event) -> None:
    told.set()
    await asyncio.Event().wait()


async def reach(port: int) -> None:
    async with aiomqtt.Client("127.0.0.1", port):
        pass
