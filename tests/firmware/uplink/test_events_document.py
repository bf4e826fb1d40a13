"""docs/events.md shows what the code makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from drivers.types import SourceId
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, Severity, Transition
from firmware.cleaning.states import CleaningEvent, CleaningState
from firmware.events import Event
from firmware.observations import (
    CleaningChange,
    Condition,
    HealthChange,
    HealthReport,
    Picture,
    UpdateChange,
    UpdateStep,
)
from firmware.uplink.commands import Answer, BadCommand, parse, refusal, reply
from firmware.uplink.wire import WallClock, as_dict, message, seal
from model.types import Cleanliness, Degree, Label, Reason
from tests.builders import at, reading, verdict
from tests.firmware.uplink.builders import TOPICS, WALL

DOCUMENT = Path(__file__).parents[3] / "docs" / "events.md"

READING = reading(12.4, taken_s=10.25)
EXAMPLES: list[tuple[Event, WallClock]] = [
    (READING, WALL),
    (
        verdict(
            Label.DIRTY,
            score=0.91,
            taken_s=35,
            degree=Degree(3.84217, 2.4001, 6.97),
            cleanliness=(Cleanliness.MEDIUM, Cleanliness.LOW, Cleanliness.NONE),
        ),
        WALL,
    ),
    (verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.DARK,), taken_s=40), WALL),
    (
        Transition(
            alarm=AlarmId("duct_dirty", SourceId("upstream")),
            before=AlarmState.NORMAL,
            event=AlarmEvent.RAISE,
            after=AlarmState.UNACKNOWLEDGED,
            at=at(41),
            value=0.91,
            severity=Severity.HIGH,
            fault=False,
            reason="dirty_score 0.91 above 0.7 in 3 of 4 snapshots",
        ),
        WALL,
    ),
    (
        HealthChange(
            source=SourceId("duct-gas"),
            condition=Condition.FAILED,
            problem="no answer at 0x77 on /dev/i2c-1",
            remedy="Check the sensor cable, then i2cdetect -y 1.",
            at=at(60),
        ),
        WallClock(WALL.offset_ns, synchronised=False),
    ),
    (HealthReport(figures={"latency_p99_ms": 7.25, "verdicts": 24, "outbox_waiting": 0}, at=at(120)), WALL),
    (
        Picture(
            source=SourceId("upstream"),
            path="pictures/upstream/000040.jpg",
            length_bytes=48213,
            sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            at=at(40),
        ),
        WALL,
    ),
    (
        CleaningChange(
            event=CleaningEvent.VERIFY,
            state=CleaningState.IDLE,
            by="board",
            reason="3 clean snapshots in a row of each camera",
            report="cleaning/0007-2026-05-01-verified.html",
            at=at(150),
        ),
        WALL,
    ),
    (
        UpdateChange(
            step=UpdateStep.TRIAL,
            release="visual-clean 0.5.0",
            why="passed its examination on this board",
            figures={"golden_agreement": 1.0, "p95_ms": 12.5, "memory_mib": 61.0},
            at=at(180),
        ),
        WALL,
    ),
]


def documented() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]


def test_each_example_of_an_event_is_what_the_board_says() -> None:
    made = [as_dict(event, wall) for event, wall in EXAMPLES]

    assert documented()[: len(made)] == made
    assert [list(example) for example in documented()[: len(made)]] == [list(event) for event in made]  # in this order


def test_the_example_of_a_message_is_what_the_board_sends() -> None:
    payload = message(READING, WALL, TOPICS).payload

    sealed = seal(payload, boot_id="3f1c9a52-7d57-4c0f-9a39-6f2f3f0f8a11", seq=4711, historical=True)

    assert documented()[len(EXAMPLES)] == json.loads(sealed)


def test_the_examples_of_commands_and_replies_are_those_of_the_board() -> None:
    command, accepted, refused = documented()[len(EXAMPLES) + 1 :]

    assert accepted == json.loads(reply(parse(json.dumps(command).encode()), Answer(True, "handed to the alarms")))
    with pytest.raises(BadCommand) as caught:
        parse(b'{"command": "snap"}')
    assert refused == json.loads(refusal(caught.value))


def test_every_reason_of_a_verdict_is_explained() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").split("| reason |")[1].split("\n\n")[0]

    assert set(re.findall(r"`([a-z]+)`", table)) == {reason.value for reason in Reason}
