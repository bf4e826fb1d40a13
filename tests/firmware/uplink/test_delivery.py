"""Every message arrives, in order in its class, once for a receiver that drops what it has seen: whoever is killed."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from firmware.uplink.wire import Priority
from tests.child import running, running_unheard
from tests.firmware.uplink.builders import ALARM, IMAGE, TELEMETRY, TOPICS, note
from tests.firmware.uplink.sender import sending, settings
from tests.mosquitto import Cable, Inbox, Mosquitto

pytestmark = pytest.mark.real

MessageId = tuple[str, int]
KILLS_OF_BROKER = 5
KILLS_OF_BOARD = 12
PULLS = 10
WINDOW = 16  # the most that can be on its way, and so be sent twice, when a connection breaks
PRIORITIES = (TELEMETRY, ALARM, TELEMETRY, IMAGE)


def arrived(inbox: Inbox, priority: Priority) -> list[MessageId]:
    """Ids of the messages of one class, in the order of arrival, repetitions and all."""
    topic = note(priority).topic
    fields = [message.fields for message in inbox.messages if message.topic == topic]
    return [(one["boot_id"], one["seq"]) for one in fields]


def check(inbox: Inbox, expected: Mapping[Priority, Sequence[MessageId]], *, at_most: int) -> None:
    """What was expected is there, in order, and `at_most` as much twice. Says how much that was."""
    raw = {priority: arrived(inbox, priority) for priority in Priority}
    once = {priority: list(dict.fromkeys(ids)) for priority, ids in raw.items()}
    for priority, ids in expected.items():
        assert [one for one in once[priority] if one in set(ids)] == list(ids)
    repeated = sum(map(len, raw.values())) - sum(map(len, once.values()))
    print(f"{sum(map(len, once.values()))} messages, {repeated} of them twice")
    assert repeated <= at_most


async def test_a_broker_that_is_killed_again_and_again_gets_everything(tmp_path: Path) -> None:
    inbox, accepted = Inbox(), {priority: list[MessageId]() for priority in Priority}
    async with (
        Mosquitto(tmp_path) as broker,
        Cable(broker.port) as cable,
        sending(tmp_path / "outbox.sqlite", settings(cable.port), boot_id="a") as sender,
    ):

        async def flow(count: int) -> None:
            for priority in itertools.islice(itertools.cycle(PRIORITIES), count):
                accepted[priority].append(("a", sender.outbox.accept(note(priority))))
                await asyncio.sleep(0)

        for kill in range(KILLS_OF_BROKER):
            async with inbox.listening(broker.port):
                seen = len(inbox.messages)
                await flow(100)
                await inbox.until(lambda messages, enough=seen + 20 + 7 * kill: len(messages) > enough)  # type: ignore[misc]
                await broker.kill()
                await inbox.until_hung_up()
            await cable.pull_out()
            await flow(100)
            await broker.start()
            async with inbox.listening(broker.port):  # before the board is back: Mosquitto keeps nothing for us
                await cable.plug_in()
                await inbox.until(lambda _: all(set(accepted[one]) <= set(arrived(inbox, one)) for one in Priority))

    check(inbox, accepted, at_most=KILLS_OF_BROKER * WINDOW)


async def test_a_board_that_is_killed_again_and_again_has_sent_everything(tmp_path: Path) -> None:
    path, chance, inbox = tmp_path / "outbox.sqlite", random.Random(7), Inbox()
    sure = {priority: list[MessageId]() for priority in Priority}
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port):
        for kill in range(KILLS_OF_BOARD):
            start = f"a{kill:02}"
            count = chance.randrange(1, 200)
            for seq, name in await asyncio.to_thread(said_before_death, path, broker.port, start, count):
                sure[Priority[name]].append((start, seq))
        async with sending(path, settings(broker.port), boot_id="b"):
            await inbox.until(lambda _: all(set(sure[one]) <= set(arrived(inbox, one)) for one in Priority))

    check(inbox, sure, at_most=sum(map(len, sure.values())) // 2)  # what the disk had not yet forgotten, and the window


def board(path: Path, port: int, start: str) -> list[str]:
    return [sys.executable, "-m", "tests.firmware.uplink.keep_sending", str(path), str(port), start]


def said_before_death(path: Path, port: int, start: str, count: int) -> list[tuple[int, str]]:
    """Kill a board when it has made sure of `count` messages; return those that it has said."""
    with running(board(path, port, start)) as lines:
        said = [line.split() for line in itertools.islice(lines, count)]
    return [(int(seq), name) for seq, name in said]


async def test_a_board_that_vanishes_is_offline(tmp_path: Path) -> None:
    inbox = Inbox()
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port):
        with running_unheard(board(tmp_path / "outbox.sqlite", broker.port, "a")):
            assert await inbox.payloads(TOPICS.availability, 1) == [b"online"]

        assert await inbox.payloads(TOPICS.availability, 2) == [b"online", b"offline"]


async def test_a_cable_that_is_pulled_out_and_put_back_costs_nothing(tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path) as broker,
        inbox.listening(broker.port),
        Cable(broker.port) as cable,
        sending(tmp_path / "outbox.sqlite", settings(cable.port), boot_id="a") as sender,
    ):
        for pull in range(PULLS):
            for _ in range(50):
                sender.outbox.accept(note())
            await inbox.until(lambda _, enough=pull * 50 + 5: len(arrived(inbox, TELEMETRY)) > enough)  # type: ignore[misc]
            await cable.pull_out()
            await cable.plug_in()
        await inbox.until(lambda _: ("a", 500) in arrived(inbox, TELEMETRY))

    check(inbox, {TELEMETRY: [("a", seq) for seq in range(1, 501)]}, at_most=PULLS * WINDOW)
