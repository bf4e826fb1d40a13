"""What a board talks about beside events and commands: heard, sent, and refused without harm to the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware.observations import Condition
from firmware.streams import Mailbox
from firmware.uplink import conversation
from tests.firmware.uplink.builders import ALARM, TOPICS, note
from tests.firmware.uplink.sender import LONG_S, sending, settings
from tests.mosquitto import Cable, Inbox, Mosquitto

pytestmark = pytest.mark.real

ANSWERS, QUESTIONS = "ductwatch/duct/jobs/answers", "ductwatch/duct/jobs/questions"


@dataclass(frozen=True)
class Said:
    topic: str
    payload: bytes


class Parrot:
    """Begins with a word, and repeats what it hears."""

    def __init__(self, topic: str = QUESTIONS) -> None:
        self.subscriptions: Sequence[str] = (ANSWERS,)
        self._topic = topic
        self._words: Mailbox[Said] = Mailbox(8)

    def begin(self) -> None:
        self._words.put(Said(self._topic, b"hello"))

    def hear(self, topic: str, payload: bytes) -> None:
        assert topic == ANSWERS
        self._words.put(Said(self._topic, payload))

    async def next_words(self) -> Said:
        return await self._words.get()


async def test_it_begins_at_each_connection_and_hears_its_own_topics_alone(tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path) as broker,
        Cable(broker.port) as cable,
        inbox.listening(broker.port) as other,
        sending(tmp_path / "outbox.sqlite", settings(cable.port), jobs=Parrot()) as sender,
    ):
        await inbox.payloads(QUESTIONS, 1)
        await other.publish(TOPICS.command, '{"command": "snapshot"}', qos=1)
        await inbox.payloads(TOPICS.reply, 1)
        await other.publish(ANSWERS, "polly", qos=1)
        assert await inbox.payloads(QUESTIONS, 2) == [b"hello", b"polly"]
        await cable.pull_out()
        await cable.plug_in()

        assert await inbox.payloads(QUESTIONS, 3) == [b"hello", b"polly", b"hello"]
        assert len(sender.commands) == 1


async def test_a_broker_that_refuses_it_serves_the_board_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PATIENCE_S", 0.1)
    access, inbox = tmp_path / "access", Inbox()
    for name in ("availability", "command", "alarm"):
        with access.open("a") as file:
            file.write(f"topic readwrite ductwatch/duct/{name}\n")
    options = ("allow_anonymous true", f"acl_file {access}")
    async with (
        Mosquitto(tmp_path, options) as broker,
        sending(tmp_path / "outbox.sqlite", settings(broker.port), jobs=Parrot()) as sender,
    ):
        refused = await sender.next_change()
        async with inbox.listening(broker.port, "ductwatch/duct/alarm"):
            sender.outbox.accept(note(ALARM))
            await inbox.until(lambda messages: len(messages) == 1)
        assert sender.session.figures()["uplink_connections"] == 1
        with access.open("a") as file:
            file.write("topic readwrite ductwatch/duct/jobs/#\n")
        broker.reload()
        granted = await asyncio.wait_for(sender.next_change(), LONG_S)

    assert (refused.source, refused.condition) == ("jobs", Condition.DEGRADED)
    assert refused.problem.endswith(f"does not authorise this board, for {QUESTIONS}")
    assert "<prefix>/<board>/jobs/#" in refused.remedy
    assert (granted.source, granted.condition) == ("jobs", Condition.RECOVERED)
