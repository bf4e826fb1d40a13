"""A board and a real broker: what each says when the other comes, goes, refuses or asks."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from drivers.types import SourceId
from firmware.alarms.operations import Acknowledge
from firmware.alarms.types import AlarmId
from firmware.observations import Condition
from firmware.uplink.commands import Snapshot
from firmware.uplink.discovery import Retained
from tests.firmware.uplink.builders import ALARM, IMAGE, OLD_BOOT, TELEMETRY, TOPICS, note
from tests.firmware.uplink.sender import LONG_S, sending, settings
from tests.mosquitto import Inbox, Mosquitto, free_port

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


async def test_the_board_says_that_it_is_there_and_that_it_was_stopped(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port):
        async with sending(path, settings(broker.port)) as sender:
            assert await inbox.payloads(TOPICS.availability, 1) == [b"online"]
            await sender.stop()

        assert await inbox.payloads(TOPICS.availability, 2) == [b"online", b"stopped"]


async def test_who_comes_later_still_learns_that_the_board_is_there_and_what_it_has(tmp_path: Path, path: Path) -> None:
    first, late, announcement = Inbox(), Inbox(), Retained("homeassistant/device/duct/config", b"{}")
    async with (
        Mosquitto(tmp_path) as broker,
        first.listening(broker.port),
        sending(path, settings(broker.port), announcements=[announcement]),
    ):
        await first.payloads(TOPICS.availability, 1)
        async with late.listening(broker.port, "#"):
            messages = await late.until(lambda messages: len(messages) == 2)

    assert {(message.topic, message.payload) for message in messages if message.retained} == {
        (TOPICS.availability, b"online"),
        (announcement.topic, b"{}"),
    }


async def test_messages_carry_their_number_and_whether_they_waited(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port, "ductwatch/duct/telemetry"):
        async with sending(path, settings(free_port()), boot_id=OLD_BOOT) as sender:
            sender.outbox.accept(note())
        async with sending(path, settings(broker.port)) as sender:
            await inbox.until(lambda messages: len(messages) == 1)
            sender.outbox.accept(note())
            waited, live = await inbox.until(lambda messages: len(messages) == 2)

    assert waited.fields == {"text": "x" * 89, "boot_id": OLD_BOOT, "seq": 1, "historical": True}
    assert live.fields == {"text": "x" * 89, "boot_id": "b007", "seq": 1}


async def test_alarms_are_sent_before_telemetry_and_images_last(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with sending(path, settings(free_port())) as sender:
        for priority in (IMAGE, TELEMETRY, ALARM, IMAGE, TELEMETRY, ALARM):
            sender.outbox.accept(note(priority))
    async with (
        Mosquitto(tmp_path) as broker,
        inbox.listening(broker.port),
        sending(path, settings(broker.port), boot_id="b"),
    ):
        messages = await inbox.until(lambda messages: len(messages) == 7)

    assert [message.fields["seq"] for message in messages if message.topic != TOPICS.availability] == [3, 6, 2, 5, 1, 4]


async def test_a_broker_that_is_away_is_said_once_and_its_return_once(tmp_path: Path, path: Path) -> None:
    broker, inbox = Mosquitto(tmp_path), Inbox()
    async with sending(path, settings(broker.port)) as sender:
        away = await sender.next_change()
        async with broker, inbox.listening(broker.port):
            back = await sender.next_change()
            await inbox.payloads(TOPICS.availability, 1)
            figures = sender.session.figures()
        again = await sender.next_change()

        assert [away.condition, back.condition, again.condition] == [
            Condition.FAILED,
            Condition.RECOVERED,
            Condition.FAILED,
        ]
        assert away.problem == f"nothing listens at 127.0.0.1:{broker.port}"
        assert (figures["uplink_online"], figures["uplink_connections"]) == (1, 1)


async def test_a_command_is_obeyed_and_answered(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path) as broker,
        inbox.listening(broker.port) as panel,
        sending(path, settings(broker.port)) as sender,
    ):
        await inbox.payloads(TOPICS.availability, 1)
        await panel.publish(TOPICS.command, '{"command": "snapshot", "id": "1"}', qos=1)
        await panel.publish(TOPICS.command, '{"command": "acknowledge", "rule": "r", "source": "s"}', qos=1)
        await panel.publish(TOPICS.command, "rubbish", qos=1)
        replies = [json.loads(reply) for reply in await inbox.payloads(TOPICS.reply, 3)]

        assert sender.commands == [Snapshot(), Acknowledge(AlarmId("r", SourceId("s")), "mqtt")]
    assert [(reply["id"], reply["command"], reply["done"]) for reply in replies] == [
        ("1", "snapshot", True),
        (None, "acknowledge", True),
        (None, None, False),
    ]


async def test_a_retained_command_of_yesterday_is_not_obeyed(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port) as panel:
        await panel.publish(TOPICS.command, '{"command": "reset"}', qos=1, retain=True)
        async with sending(path, settings(broker.port)) as sender:
            await inbox.payloads(TOPICS.availability, 1)
            await panel.publish(TOPICS.command, '{"command": "snapshot"}', qos=1)
            await inbox.payloads(TOPICS.reply, 1)

            assert sender.commands == [Snapshot()]


async def test_a_broker_that_refuses_a_message_does_not_get_it_deleted(tmp_path: Path, path: Path) -> None:
    access, inbox = tmp_path / "access", Inbox()
    access.write_text("topic readwrite ductwatch/duct/availability\ntopic readwrite ductwatch/duct/command\n")
    options = ("allow_anonymous true", f"acl_file {access}")
    async with Mosquitto(tmp_path, options) as broker, sending(path, settings(broker.port)) as sender:
        sender.outbox.accept(note(ALARM))
        refused = await sender.next_change()
        access.write_text("topic readwrite ductwatch/#\n")
        broker.reload()
        async with inbox.listening(broker.port, "ductwatch/duct/alarm"):
            messages = await inbox.until(lambda messages: len(messages) == 1)

    assert "does not authorise this board" in refused.problem
    assert "access list" in refused.remedy
    assert messages[0].fields["seq"] == 1


async def test_a_broker_that_lets_the_board_in_and_throws_it_out_again_is_said_once(tmp_path: Path, path: Path) -> None:
    access, inbox = tmp_path / "access", Inbox()
    access.write_text("topic readwrite ductwatch/duct/availability\ntopic readwrite ductwatch/duct/command\n")
    options = ("allow_anonymous true", f"acl_file {access}")
    async with Mosquitto(tmp_path, options) as broker, sending(path, settings(broker.port)) as sender:
        sender.outbox.accept(note(ALARM))
        refused = await sender.next_change()
        async with inbox.listening(broker.port, TOPICS.availability):
            await inbox.payloads(TOPICS.availability, 12)  # in and out, again and again
        access.write_text("topic readwrite ductwatch/#\n")
        broker.reload()
        rest = [await sender.next_change()]
        while rest[-1].condition is not Condition.RECOVERED or not sender.session.figures()["uplink_sent"]:
            rest.append(await sender.next_change())

    assert refused.condition is Condition.FAILED
    assert len(rest) <= 3  # the first reconnection was believed, the others were not


async def test_another_board_of_the_same_name_is_thought_of(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with (
        Mosquitto(tmp_path) as broker,
        inbox.listening(broker.port),
        sending(path, settings(broker.port)) as first,
    ):
        await inbox.payloads(TOPICS.availability, 1)
        async with sending(tmp_path / "second.sqlite", settings(broker.port)):
            change = await first.next_change()

    assert "no other board has this board.name" in change.remedy


async def test_a_stop_that_comes_together_with_an_acknowledgement_is_not_lost(tmp_path: Path, path: Path) -> None:
    inbox = Inbox()
    async with Mosquitto(tmp_path) as broker, inbox.listening(broker.port) as panel:
        for attempt in range(1, 31):
            async with sending(path, settings(broker.port)) as sender:
                await inbox.payloads(TOPICS.availability, 2 * attempt - 1)
                await panel.publish(TOPICS.command, '{"command": "snapshot"}', qos=1)
                await inbox.payloads(TOPICS.reply, attempt)  # which Mosquitto sends before it acknowledges
                async with asyncio.timeout(LONG_S):
                    await sender.stop()

    assert (await inbox.payloads(TOPICS.availability, 60))[1::2] == [b"stopped"] * 30


async def test_a_name_that_can_be_none_is_told_and_tried_again(path: Path) -> None:
    async with sending(path, settings(1883, host="broker..example.com")) as sender:
        change = await sender.next_change()
        assert not sender.running.done()
        await sender.stop()

    assert change.problem == "the name in broker..example.com:1883 is unknown"


async def test_a_listener_that_never_answers_does_not_hold_up_the_end(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        for tls in (False, True):
            async with sending(path, settings(mute.getsockname()[1], tls=tls)) as sender:
                link, _ = await asyncio.get_running_loop().run_in_executor(None, mute.accept)
                await sender.stop()
                link.close()

    assert sender.running.cancelled()
