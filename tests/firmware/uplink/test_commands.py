"""Commands from a broker: obeyed if they are commands, answered whatever they are."""

from __future__ import annotations

import json

import pytest

from drivers.types import SourceId
from firmware.alarms.operations import Acknowledge, Reset, ReturnToService, Shelve, TakeOutOfService, Unshelve
from firmware.alarms.types import AlarmId, Note
from firmware.uplink.commands import (
    MAX_COMMAND_BYTES,
    Answer,
    BadCommand,
    CleaningCancel,
    CleaningFinish,
    CleaningStart,
    Command,
    Report,
    Request,
    Snapshot,
    parse,
    refusal,
    reply,
)

HOUR_NS = 3600 * 10**9
DIRTY = AlarmId("duct_dirty", SourceId("upstream"))


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        ('{"command": "snapshot"}', Snapshot()),
        ('{"command": "report"}', Report()),
        ('{"command": "acknowledge", "rule": "duct_dirty", "source": "upstream"}', Acknowledge(DIRTY, "mqtt")),
        (
            '{"command": "acknowledge", "rule": "duct_dirty", "source": "upstream", "by": "panel"}',
            Acknowledge(DIRTY, "panel"),
        ),
        ('{"command": "reset", "rule": "duct_dirty", "source": "upstream"}', Reset(DIRTY, "mqtt")),
        ('{"command": "reset"}', Reset(None, "mqtt")),
        (
            '{"command": "shelve", "rule": "duct_dirty", "source": "upstream", "for": "2h", "reason": "tests"}',
            Shelve(DIRTY, 2 * HOUR_NS, Note("tests", "mqtt")),
        ),
        (
            '{"command": "unshelve", "rule": "duct_dirty", "source": "upstream", "by": "panel"}',
            Unshelve(DIRTY, Note("unshelved", "panel")),
        ),
        (
            '{"command": "take_out_of_service", "rule": "duct_dirty", "source": "upstream", "reason": "new camera"}',
            TakeOutOfService(DIRTY, Note("new camera", "mqtt")),
        ),
        (
            '{"command": "return_to_service", "rule": "duct_dirty", "source": "upstream", "reason": "it is in"}',
            ReturnToService(DIRTY, Note("it is in", "mqtt")),
        ),
        ('{"command": "cleaning_start", "by": "ann", "reason": "yearly"}', CleaningStart("ann", "yearly")),
        ('{"command": "cleaning_finish"}', CleaningFinish("mqtt", "")),
        ('{"command": "cleaning_cancel", "by": "ann"}', CleaningCancel("ann", "")),
    ],
)
def test_a_command_is_understood(payload: str, command: Command) -> None:
    assert parse(payload.encode()) == Request(command)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "this is not JSON"),
        (b"snapshot", "this is not JSON"),
        (b"\xff\xfe", "this is not JSON"),
        (b"[" * MAX_COMMAND_BYTES, "this is not JSON"),
        (b"x" * (MAX_COMMAND_BYTES + 1), "4097 bytes are too many"),
        (b"[]", "a command is a JSON object"),
        (b"{}", "unknown command null: use one of snapshot, acknowledge, reset, shelve"),
        (b'{"command": "cleaning_start", "by": ""}', "cleaning_start: by must be a text of 1 to 200 characters"),
        (b'{"command": "cleaning_finish", "note": "x"}', 'cleaning_finish does not take "note": it takes reason, by'),
        (b'{"command": "reboot"}', 'unknown command "reboot": use one of'),
        (b'{"command": ["snapshot"]}', "unknown command"),
        (b'{"command": "snapshot", "now": true}', 'snapshot does not take "now": it takes no fields'),
        (b'{"command": "acknowledge"}', "acknowledge: rule must be a text"),
        (b'{"command": "acknowledge", "rule": "r"}', "acknowledge: source must be a text"),
        (b'{"command": "reset", "rule": "r"}', "reset: source must be a text"),
        (b'{"command": "reset", "by": ""}', "reset: by must be a text of 1 to 200"),
        (b'{"command": "acknowledge", "rule": "%s", "source": "s"}' % (b"r" * 201), "rule must be a text of 1 to 200"),
        (b'{"command": "reset", "by": "\\ud800"}', "reset: by must be a text that can be printed"),
        (b'{"command": "shelve", "rule": "r", "source": "s", "for": "2h"}', "shelve: reason must be a text"),
        (b'{"command": "shelve", "rule": "r", "source": "s", "reason": "x"}', "for must be a duration such as"),
        (b'{"command": "shelve", "rule": "r", "source": "s", "for": "0s", "reason": "x"}', "more than nothing"),
        (b'{"command": "shelve", "rule": "r", "source": "s", "for": "8d", "reason": "x"}', "at most 7d"),
        (b'{"command": "snapshot", "id": 5}', "id must be a text"),
    ],
)
def test_a_bad_command_is_told_what_would_be_a_good_one(payload: bytes, problem: str) -> None:
    with pytest.raises(BadCommand, match=problem.replace("[", r"\[")):
        parse(payload)


def test_a_reply_carries_the_id_of_its_request() -> None:
    request = parse(b'{"command": "snapshot", "id": "42"}')

    assert json.loads(reply(request, Answer(True, "the snapshot is being taken"))) == {
        "schema": "ductwatch.reply/1",
        "id": "42",
        "command": "snapshot",
        "done": True,
        "text": "the snapshot is being taken",
    }


def test_a_refusal_carries_the_id_too_and_stays_short() -> None:
    with pytest.raises(BadCommand) as caught:
        parse(b'{"id": "42", "command": "%s"}' % (b"x" * 3000))

    answer = refusal(caught.value)

    assert json.loads(answer)["id"] == "42"
    assert len(answer) < 400
