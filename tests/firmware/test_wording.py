"""Each kind of event, as a technician reads it on 80 columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.types import Quality, Quantity, Reading, SourceId
from firmware.alarms.states import NEXT, AlarmEvent, AlarmState, Withheld
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
from firmware.terminal import Colours, Style, paint
from firmware.wording import CLEANINGS, LABELS, REASONS, STATES, UPDATES, readings_rows, rows
from model.types import Cleanliness, Degree, Label, Reason
from tests.builders import at, reading, verdict

STAMP = ("   0:40  ", Style.DIM)
GAS, PM, BOARD = SourceId("duct-gas"), SourceId("duct-pm"), SourceId("board")


def shown(event: Event, width: int = 80, action: str = "") -> list[str]:
    return [paint(row, Colours.NONE) for row in rows(event, STAMP, width, lambda _: action)]


def together(*readings: Reading) -> list[str]:
    return [paint(row, Colours.NONE) for row in readings_rows(readings, STAMP, 80)]


def transition(
    event: AlarmEvent, after: AlarmState, *, before: AlarmState = AlarmState.UNACKNOWLEDGED, by: str = "rule"
) -> Transition:
    return Transition(
        alarm=AlarmId("duct_dirty", SourceId("upstream")),
        before=before,
        event=event,
        after=after,
        at=at(40),
        value=0.91,
        severity=Severity.HIGH,
        fault=False,
        reason="dirty_score 0.91 above 0.7 in 3 of 4 snapshots",
        by=by,
    )


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            replace(verdict(Label.CLEAN, score=0.08), latency_ns=1_734_800_000),
            "   0:40  upstream    CLEAN       ╸······· 0.08  1735 ms  test 1",
        ),
        (verdict(Label.CLEAN, score=0.08), "   0:40  upstream    CLEAN       ╸······· 0.08   3.0 ms  test 1"),
        (
            verdict(Label.DIRTY, source="downstream", score=1.0),
            "   0:40  downstream  DIRTY       ━━━━━━━━ 1.00   3.0 ms  test 1",
        ),
        (
            verdict(Label.CANNOT_TELL, score=0.5, reasons=(Reason.UNSURE,)),
            "   0:40  upstream    CANNOT TELL ━━━━···· 0.50   3.0 ms  between clean and dirty",
        ),
    ],
    ids=["late", "clean", "dirty", "cannot tell"],
)
def test_a_verdict_is_one_line_with_label_score_and_latency(event: Event, line: str) -> None:
    assert shown(event) == [line]


def test_an_estimated_deposit_stands_below_its_verdict() -> None:
    degree = Degree(2.41, 0.92, 2.9)

    assert shown(verdict(Label.DIRTY, score=0.9, degree=degree, cleanliness=(Cleanliness.MEDIUM,))) == [
        "   0:40  upstream    DIRTY       ━━━━━━━· 0.90   3.0 ms  test 1",
        "                     estimated 2.4 g/m² (0.92 to 2.9), class medium",
    ]


def test_a_picture_that_was_not_judged_has_no_score_and_all_its_reasons() -> None:
    assert shown(verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.DARK, Reason.UNLIT))) == [
        "   0:40  upstream    CANNOT TELL ········    –   3.0 ms  dark: LED off? covered?",
        "                                                         the light has no effect",
    ]


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_each_reason_fits_beside_its_verdict(reason: Reason) -> None:
    assert len(shown(verdict(Label.CANNOT_TELL, source="downstream", score=None, reasons=(reason,)))) == 1


def test_a_report_before_the_first_verdict_is_not_shown() -> None:
    assert shown(HealthReport(figures={"verdicts": 0, "latency_p50_ms": 0.0}, at=at(0))) == []


def test_every_label_reason_and_state_has_its_words() -> None:
    assert set(LABELS) == set(Label)
    assert set(REASONS) == set(Reason)
    assert set(STATES) == set(NEXT.values())


def test_a_new_alarm_stands_apart_with_its_reason_and_what_to_do() -> None:
    event = transition(AlarmEvent.RAISE, AlarmState.UNACKNOWLEDGED, before=AlarmState.NORMAL)

    assert shown(event, action="Have the duct inspected and cleaned.") == [
        "",
        "   0:40   ALARM   duct_dirty/upstream  high, not acknowledged",
        "                  dirty_score 0.91 above 0.7 in 3 of 4 snapshots",
        "                  Have the duct inspected and cleaned.",
        "",
    ]


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (
            transition(AlarmEvent.ACKNOWLEDGE, AlarmState.ACKNOWLEDGED, by="panel"),
            ["   0:40   alarm   duct_dirty/upstream  high, acknowledged, still there, by panel"],
        ),
        (
            transition(AlarmEvent.RETURN, AlarmState.RETURNED_UNACKNOWLEDGED),
            [
                "   0:40    over   duct_dirty/upstream  high, gone by itself, not acknowledged",
                "                  dirty_score 0.91 above 0.7 in 3 of 4 snapshots",
            ],
        ),
        (
            transition(AlarmEvent.RESET, AlarmState.NORMAL),
            ["   0:40    over   duct_dirty/upstream  high, back to normal"],
        ),
    ],
    ids=["acknowledged", "returned", "reset"],
)
def test_what_becomes_of_an_alarm_is_told_without_repeating_what_to_do(event: Event, lines: list[str]) -> None:
    assert shown(event, action="Have the duct inspected and cleaned.") == lines


@pytest.mark.parametrize(
    ("condition", "problem", "remedy", "lines"),
    [
        (
            Condition.FAILED,
            "no answer within 2 s",
            "Check the sensor's cable.",
            [
                "   0:40  failed   duct-pm  no answer within 2 s",
                "                  Check the sensor's cable.",
            ],
        ),
        (Condition.DEGRADED, "no real-time priority", "", ["   0:40  limited  duct-pm  no real-time priority"]),
        (Condition.RECOVERED, "back after 30 s", "", ["   0:40    back   duct-pm  back after 30 s"]),
    ],
    ids=lambda value: value.value if isinstance(value, Condition) else "",
)
def test_a_change_of_health_says_what_to_do(condition: Condition, problem: str, remedy: str, lines: list[str]) -> None:
    change = HealthChange(source=PM, condition=condition, problem=problem, remedy=remedy, at=at(40))

    assert shown(change) == lines


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (CleaningEvent.START, ["   0:40   clean   the duct  is being cleaned: alarms on dirt are quiet, by board"]),
        (CleaningEvent.VERIFY, ["   0:40   clean   the duct  is clean, by board"]),
    ],
)
def test_a_cleaning_is_told_with_its_report(event: CleaningEvent, lines: list[str]) -> None:
    change = CleaningChange(
        event=event,
        state=CleaningState.IDLE,
        by="board",
        reason="3 clean snapshots",
        report="cleaning/0001.html",
        at=at(40),
    )

    told = shown(change)

    assert told[:1] == lines
    assert [line.strip() for line in told[-2:]] == ["3 clean snapshots", "report: cleaning/0001.html"]
    assert all(each in CLEANINGS for each in CleaningEvent)


def test_an_update_is_told_with_its_reason() -> None:
    change = UpdateChange(
        step=UpdateStep.REFUSED,
        release="visual-clean 0.5.0",
        why="it is too slow",
        figures={"p95_ms": 151.0},
        at=at(40),
    )

    told = shown(change)

    assert told == ["   0:40   model   the model  visual-clean 0.5.0 is not taken", " " * 18 + "it is too slow"]
    assert all(each in UPDATES for each in UpdateStep)


def test_a_health_report_shows_the_figures_that_a_technician_looks_for() -> None:
    figures = {"verdicts": 40.0, "latency_p99_ms": 6.21, "budget_overruns": 0.0, "outbox_rows": 7.0}

    assert shown(HealthReport(figures=figures, at=at(40))) == [
        "   0:40  board       40 verdicts  99 % in 6.2 ms  0 over budget"
    ]


def test_readings_of_one_moment_are_one_line_a_sensor() -> None:
    assert together(
        reading(21.44, source=GAS, quantity=Quantity.TEMPERATURE),
        reading(44.4, source=GAS, quantity=Quantity.HUMIDITY),
        reading(1006.3, source=GAS, quantity=Quantity.PRESSURE),
        reading(66_000, source=GAS, quantity=Quantity.GAS_RESISTANCE, quality=Quality.WARMING_UP),
        reading(4, source=PM, quantity=Quantity.PM1),
        reading(6, source=PM, quantity=Quantity.PM2_5),
        reading(108, source=PM, quantity=Quantity.PM10),
        reading(1200, source=PM, quantity=Quantity.COUNT_0_3),
    ) == [
        "   0:40  duct-gas    21.4 °C  44 %RH  1006 hPa  gas  66 kΩ (warming up)",
        "         duct-pm     PM1   4  PM2.5   6  PM10 108 µg/m³",
    ]


def test_what_was_derived_stands_beside_what_was_measured() -> None:
    assert together(
        reading(21.44, source=GAS, quantity=Quantity.TEMPERATURE),
        reading(9.27, source=GAS, quantity=Quantity.DEW_POINT),
        reading(12.17, source=GAS, quantity=Quantity.CONDENSATION_MARGIN),
        reading(104.4, source=GAS, quantity=Quantity.GAS_INDEX, quality=Quality.LEARNING),
        reading(56, source=PM, quantity=Quantity.AQI),
    ) == [
        "   0:40  duct-gas    21.4 °C  dew point 9.3 °C  margin 12.2 K",
        "                     gas index 104 (learning)",
        "         duct-pm     AQI 56",
    ]


def test_a_value_that_cannot_be_is_not_shown_as_one() -> None:
    assert together(
        reading(65535, source=PM, quantity=Quantity.PM2_5, quality=Quality.BAD),
        reading(65535, source=PM, quantity=Quantity.PM10, quality=Quality.BAD),
    ) == ["   0:40  duct-pm     PM2.5 ?  PM10 ? µg/m³ (impossible)"]


@pytest.mark.parametrize(
    ("quantity", "value", "lines"),
    [
        (Quantity.FAN_RUNNING, 1, ["   0:40  board       running"]),
        (Quantity.FAN_RUNNING, 0, ["   0:40  board       not running"]),
        (Quantity.CLOCK_SYNCHRONISED, 0, ["   0:40  board       clock not synchronised"]),
        (Quantity.CPU_LOAD, 0.123, ["   0:40  board       load 0.12"]),
        (Quantity.ALIVE, 1, []),
        (Quantity.COUNT_0_3, 1200, []),
    ],
    ids=lambda value: value.signal if isinstance(value, Quantity) else "",
)
def test_a_reading_alone_is_shown_if_it_means_something_to_people(
    quantity: Quantity, value: float, lines: list[str]
) -> None:
    assert shown(reading(value, source=BOARD, quantity=quantity)) == lines


def test_a_kept_picture_is_not_news() -> None:
    picture = Picture(source=SourceId("upstream"), path="a.jpg", length_bytes=1, sha256="0", at=at(40))

    assert shown(picture) == []


@pytest.mark.parametrize("width", [80, 100, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    reasons = tuple(Reason)
    events: list[Event] = [
        verdict(Label.CANNOT_TELL, score=None, reasons=reasons),
        verdict(degree=Degree(0.123, 0.0123, 0.789), cleanliness=(Cleanliness.HIGH, Cleanliness.MEDIUM)),
        transition(AlarmEvent.RAISE, AlarmState.UNACKNOWLEDGED, before=AlarmState.NORMAL),
        HealthChange(source=PM, condition=Condition.FAILED, problem="word " * 30, remedy="word " * 30, at=at(40)),
    ]

    assert max(len(line) for event in events for line in shown(event, width, action="word " * 40)) <= width


def test_text_from_a_device_cannot_change_the_terminal() -> None:
    change = HealthChange(source=PM, condition=Condition.FAILED, problem="\x1b[2J", remedy="\x07", at=at(40))

    assert not any("\x1b" in line or "\x07" in line for line in shown(change))


def test_that_a_normal_alarm_is_suppressed_is_no_news() -> None:
    quiet = transition(AlarmEvent.SUPPRESS, AlarmState.NORMAL)

    assert shown(replace(quiet, before=AlarmState.NORMAL)) == []
    assert shown(replace(quiet, before=AlarmState.UNACKNOWLEDGED, after=AlarmState.UNACKNOWLEDGED)) != []


def test_an_alarm_that_nobody_is_told_of_is_shown_with_the_reason() -> None:
    shelved = replace(
        transition(AlarmEvent.SHELVE, AlarmState.UNACKNOWLEDGED, by="ann"),
        reason="the filter is being changed",
        withheld=frozenset({Withheld.SHELVED, Withheld.SUPPRESSED}),
    )

    assert shown(shelved) == [
        "   0:40   quiet   duct_dirty/upstream",
        "                  high, shelved and suppressed: not acknowledged, by ann",
        "                  the filter is being changed",
    ]
