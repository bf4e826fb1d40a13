"""Events on the wire: plain values, safe topics, bounded sizes, whatever happened on the board."""

from __future__ import annotations

import json
import math

import pytest

from drivers.types import Instant, SourceId
from firmware.events import Event
from firmware.observations import Condition, HealthChange, HealthReport, Picture
from firmware.uplink.wire import (
    MAX_FIGURES,
    MAX_PAYLOAD_BYTES,
    MAX_TEXT,
    Priority,
    Topics,
    WallClock,
    as_dict,
    level,
    line,
    message,
    seal,
)
from tests.builders import at, reading, verdict
from tests.firmware.uplink.builders import TOPICS, WALL


def health_change(problem: str) -> HealthChange:
    return HealthChange(source=SourceId("x"), condition=Condition.FAILED, problem=problem, remedy=problem, at=at(0))


def picture(path: str) -> Picture:
    return Picture(source=SourceId("upstream"), path=path, length_bytes=1, sha256="00", at=at(0))


@pytest.mark.parametrize(
    ("at_ns", "offset_ns", "utc"),
    [
        (0, 0, "1970-01-01T00:00:00.000000Z"),
        (1_999, 0, "1970-01-01T00:00:00.000001Z"),
        (0, 1_777_636_800 * 10**9, "2026-05-01T12:00:00.000000Z"),
        (5 * 10**9, -10 * 10**9, "1969-12-31T23:59:55.000000Z"),
        (0, 4_102_444_800 * 10**9, "2100-01-01T00:00:00.000000Z"),
    ],
    ids=["epoch", "below a microsecond", "today", "clock set behind the start", "clock set years ahead"],
)
def test_wall_time_follows_the_clock_wherever_it_is_set(at_ns: int, offset_ns: int, utc: str) -> None:
    assert WallClock(offset_ns, synchronised=True).utc(Instant(at_ns)) == utc


def test_a_clock_that_jumped_is_not_trusted_but_the_distance_of_events_is_kept() -> None:
    before = as_dict(reading(1.0, taken_s=10), WallClock(0, synchronised=False))
    after = as_dict(reading(1.0, taken_s=12.5), WALL)

    assert (before["time_trusted"], after["time_trusted"]) == (False, True)
    assert after["at_s"] - before["at_s"] == 2.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_null(value: float) -> None:
    assert json.loads(line(reading(value), WALL))["value"] is None
    assert as_dict(HealthReport(figures={"lag_ms": value}, at=at(0)), WALL)["figures"] == {"lag_ms": None}


def test_an_event_is_one_line_whatever_its_texts_hold() -> None:
    text = line(health_change('two\nlines, a "quote", a tab\t and a file name \udcff'), WALL)

    assert text.isprintable()
    assert json.loads(text)["problem"] == 'two\nlines, a "quote", a tab\t and a file name ?'


@pytest.mark.parametrize(
    "event",
    [
        health_change("\x00" * 100_000),
        health_change("😀" * 100_000),
        picture("\x00" * 100_000),
        HealthReport(figures={f"{number:0<100}": 1 / 3 for number in range(10_000)}, at=at(0)),
    ],
    ids=["control characters", "four bytes each", "path", "figures"],
)
def test_no_payload_is_larger_than_the_limit(event: HealthChange | HealthReport | Picture) -> None:
    payload = message(event, WALL, TOPICS).payload

    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert len(json.loads(payload).get("figures", ())) in (0, MAX_FIGURES)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("duct-gas", "duct-gas"),
        ("Zuluft Süd", "Zuluft Süd"),
        ("a/b", "a_b"),
        ("+", "_"),
        ("all#", "all_"),
        ("", "_"),
        ("nul\x00", "nul_"),
        ("line\n", "line_"),
    ],
)
def test_a_name_in_a_topic_is_one_level_without_wildcards(name: str, safe: str) -> None:
    assert level(name) == safe
    assert message(reading(1.0, source=name), WALL, TOPICS).topic == f"ductwatch/duct/reading/{safe}"


def test_a_very_long_name_makes_a_topic_that_mqtt_can_carry() -> None:
    assert len(TOPICS.alarm("😀" * 100_000, "😀" * 100_000).encode()) < 65536
    assert len(level("x" * 100_000)) == MAX_TEXT


@pytest.mark.parametrize("prefix", ["", "/", "a/", "/a", "a//b", "a/+", "#", "$SYS/a", "a\x00", "x" * 300])
def test_a_prefix_that_mqtt_cannot_carry_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"topic prefix .* without"):
        Topics(prefix, "duct")


@pytest.mark.parametrize("board", ["", "a/b", "+", "a#"])
def test_a_board_name_that_is_no_level_is_refused(board: str) -> None:
    with pytest.raises(ValueError, match="leave out"):
        Topics("ductwatch", board)


def test_a_site_may_use_a_prefix_of_several_levels() -> None:
    assert Topics("site/hall 3", "duct").availability == "site/hall 3/duct/availability"


def test_what_went_wrong_goes_before_what_was_measured_and_pictures_come_last() -> None:
    events: list[Event] = [picture("a.jpg"), verdict(), reading(1.0), health_change("broken")]

    sent = sorted((message(event, WALL, TOPICS) for event in events), key=lambda message: message.priority)

    assert [message.topic.split("/")[2] for message in sent] == ["health", "verdict", "reading", "picture"]
    assert sent[0].priority is Priority.ALARM


def test_a_sealed_message_is_the_event_with_its_number() -> None:
    payload = message(reading(1.0), WALL, TOPICS).payload

    live = json.loads(seal(payload, boot_id="b007", seq=7, historical=False))
    replayed = json.loads(seal(payload, boot_id="b007", seq=7, historical=True))

    assert live == as_dict(reading(1.0), WALL) | {"boot_id": "b007", "seq": 7}
    assert replayed == live | {"historical": True}
