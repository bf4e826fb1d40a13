"""The whole firmware against a real Mosquitto that comes and goes, while the firmware itself is killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.mosquitto import Inbox, Mosquitto, Received

pytestmark = pytest.mark.real

LIMIT_S = 90.0
KILLS = 4
CLASSES = {"alarm": 0, "health_change": 0, "reading": 1, "verdict": 1, "health_report": 1, "picture": 2}


@asynccontextmanager
async def firmware(port: int, data: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = ["-m", "firmware", "run", "--quiet", "--broker", f"127.0.0.1:{port}", "--data", str(data), *arguments]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(inbox: Inbox, kind: str, count: int = 1) -> list[Received]:
    """Wait for so many messages of a kind."""

    def found() -> list[Received]:
        return [one for one in inbox.messages if one.payload.startswith(b"{") and one.fields.get("type") == kind]

    await inbox.until(lambda _: len(found()) >= count, limit_s=LIMIT_S)
    return found()


async def test_verdicts_and_alarms_reach_the_broker_and_a_command_is_obeyed(tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path) as broker,
        inbox.listening(broker.port) as client,
        firmware(broker.port, tmp_path / "data", "--time-factor", "10"),
    ):
        (verdict, *_) = await heard(inbox, "verdict")
        await heard(inbox, "alarm")
        await client.publish("ductwatch/simulated/command", json.dumps({"command": "snapshot", "id": "7"}), qos=1)
        (reply,) = await inbox.payloads("ductwatch/simulated/reply", 1)

    assert verdict.topic in {"ductwatch/simulated/verdict/upstream", "ductwatch/simulated/verdict/downstream"}
    assert (json.loads(reply)["id"], json.loads(reply)["done"]) == ("7", True)


async def test_the_broker_says_offline_when_the_board_is_killed_and_stopped_when_it_was_told_to(tmp_path: Path) -> None:
    inbox = Inbox()
    topic = "ductwatch/simulated/availability"
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port):
        async with firmware(broker.port, tmp_path / "data") as board:
            await inbox.payloads(topic, 1)
            board.kill()
            await inbox.payloads(topic, 2)
        async with firmware(broker.port, tmp_path / "data") as board:
            await inbox.payloads(topic, 3)
            board.terminate()
            said = await inbox.payloads(topic, 4)

    assert said == [b"online", b"offline", b"online", b"stopped"]


async def test_nothing_is_lost_or_disordered_while_the_broker_is_killed_and_the_firmware_too(tmp_path: Path) -> None:
    inbox = Inbox()
    data = tmp_path / "data"
    async with Mosquitto(tmp_path) as broker:
        for _ in range(KILLS):
            async with inbox.listening(broker.port), firmware(broker.port, data, "--time-factor", "20") as board:
                before = len(by_boot(inbox))
                while len(by_boot(inbox)) == before:  # the first verdicts may still be those of the start before
                    await heard(inbox, "verdict", 1 + len(verdicts(inbox)))
                await broker.kill()
                await broker.start()
                board.kill()
        async with inbox.listening(broker.port), firmware(broker.port, data, "--time-factor", "20"):
            await heard(inbox, "verdict", 20 + len(verdicts(inbox)))

    boots = by_boot(inbox)
    assert len(boots) == KILLS + 1
    for numbers in boots.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), "a number is missing"
    assert_ordered_in_each_class(inbox)


def verdicts(inbox: Inbox) -> list[Received]:
    return [one for one in inbox.messages if "/verdict/" in one.topic]


def numbered(inbox: Inbox) -> list[tuple[str, int, int]]:
    """(boot, number, class) of each message, the first time that it came."""
    events = [one.fields for one in inbox.messages if one.payload.startswith(b"{") and b'"seq"' in one.payload]
    return list(dict.fromkeys((event["boot_id"], event["seq"], CLASSES[event["type"]]) for event in events))


def by_boot(inbox: Inbox) -> dict[str, list[int]]:
    boots: dict[str, list[int]] = {}
    for boot, number, _ in numbered(inbox):
        boots.setdefault(boot, []).append(number)
    return boots


def assert_ordered_in_each_class(inbox: Inbox) -> None:
    for _, messages in itertools.groupby(sorted(numbered(inbox), key=lambda one: one[2]), key=lambda one: one[2]):
        of_boots: dict[str, list[int]] = {}
        for boot, number, _ in messages:
            of_boots.setdefault(boot, []).append(number)
        for numbers in of_boots.values():
            assert numbers == sorted(numbers)
