"""A recording is read back as the rules saw it when it was new."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from drivers.types import Quality, Quantity, Reading
from firmware.events import Event
from firmware.observations import Condition, HealthChange
from firmware.rules.recording import MOST_SOURCES, Recording
from firmware.rules.samples import samples
from firmware.rules.types import Sample
from firmware.uplink.wire import WallClock, line
from model.types import Label, Reason
from tests.builders import at, reading, verdict

WALL = WallClock(offset_ns=1_777_636_800 * 10**9, synchronised=True)


def read(lines: Iterable[bytes], recording: Recording | None = None) -> list[Sample]:
    return list((recording or Recording()).samples(lines, lambda number, problem: ValueError(f"{number}: {problem}")))


EVENTS: list[Event] = [
    reading(12.5),
    reading(99.0, quantity=Quantity.HUMIDITY, quality=Quality.BAD),
    verdict(Label.DIRTY, score=0.9),
    verdict(Label.CANNOT_TELL, score=0.5, reasons=(Reason.UNSURE,)),
    verdict(Label.CANNOT_TELL, score=0.5, reasons=(Reason.DARK,)),
    verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.MOVED,)),
]


@pytest.mark.parametrize("event", EVENTS)
def test_samples_are_those_of_the_event_itself(event: Reading) -> None:
    (expected, found) = samples(event), read([line(event, WALL).encode()])

    assert [(one.source, one.signal, one.value) for one in found] == [
        (one.source, one.signal, one.value) for one in expected
    ]


def test_time_counts_from_the_first_event_and_other_kinds_of_events_are_passed_over() -> None:
    failed = HealthChange(source=reading(1).source, condition=Condition.FAILED, problem="gone", remedy="look", at=at(5))
    lines = [line(event, WALL).encode() for event in (failed, reading(1, taken_s=7.5))]
    recording = Recording()

    (sample,) = read([lines[0], b"\n", lines[1]], recording)

    assert (sample.at, recording.events) == (at(2.5), 2)


def test_what_is_before_the_line_above_counts_as_that_one() -> None:
    seconds = (10, 12, 3, 13)
    recording = Recording()

    found = read((line(reading(1, taken_s=s), WALL).encode() for s in seconds), recording)

    assert ([one.at for one in found], recording.out_of_order) == ([at(0), at(2), at(2), at(3)], 1)


def test_its_start_is_in_utc_whatever_the_offset_of_the_lines() -> None:
    text = line(reading(1), WALL).replace("2026-05-01T12:00:00.000000Z", "2026-05-01T14:00:00+02:00")
    recording = Recording()

    read([text.encode()], recording)

    assert "+02:00" in text
    assert str(recording.start) == "2026-05-01 12:00:00+00:00"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
def test_a_time_at_which_no_board_was_there_is_refused(time: str) -> None:
    text = line(reading(1), WALL).replace("2026-05-01T12:00:00.000000Z", time)

    with pytest.raises(ValueError, match=r"^1: no board was there at "):
        read([text.encode()])


def test_recordings_of_ever_more_devices_are_of_no_board() -> None:
    lines = (line(reading(1, source=f"sensor-{number}"), WALL).encode() for number in range(MOST_SOURCES + 1))

    with pytest.raises(ValueError, match="1001: more than 1000 devices"):
        read(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{", "2: not JSON"),
        (b"\xff", "2: not JSON"),
        (b'{"type":"health_change","time":"2026-05-01T12:00:00Z","source":"\xff"}', "2: no event"),
        (b"[1]", "2: no event of a board"),
        (b'{"type":"reading"}', "2: no event of a board"),
        (b'{"type":"reading","time":"2026-05-01T00:00:00Z","source":"a"}', "2: no event of a board"),
        (b'{"type":"reading","time":"soon","source":"a","quantity":"pm1","value":1}', "2: no event of a board"),
        (b'{"type":"reading","time":"2026-05-01T00:00:00","source":"a","quantity":"pm1","value":1}', "2: no event"),
        (b"[" * 5_000, "2: "),
    ],
)
def test_a_line_that_is_no_event_is_named(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read([line(reading(1), WALL).encode(), text])
