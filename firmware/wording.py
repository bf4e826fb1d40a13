"""Events in a technician's words, as rows of coloured text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from drivers.types import Quality, Quantity, Reading, SourceId
from firmware import deposit
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, Transition
from firmware.cleaning.states import CleaningEvent
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
from firmware.terminal import Row, Span, Style, listed, printable
from model.types import Label, Reason, Verdict

NS_PER_MS = 1_000_000
TIME_WIDTH, NAME_WIDTH, LABEL_WIDTH, BAR_WIDTH, BADGE_WIDTH = 9, 12, 12, 8, 7  # a verdict fits on 80 columns
NO_TIME: Span = (" " * TIME_WIDTH, Style.PLAIN)
EMPTY: Row = [("", Style.PLAIN)]

LABELS = {
    Label.CLEAN: ("CLEAN", Style.GREEN),
    Label.DIRTY: ("DIRTY", Style.RED),
    Label.CANNOT_TELL: ("CANNOT TELL", Style.YELLOW),
}

REASONS = {
    Reason.UNREADABLE: "the picture is damaged",
    Reason.DARK: "dark: LED off? covered?",
    Reason.SATURATED: "far too much light",
    Reason.BLURRED: "blurred: focus? smear?",
    Reason.FOGGED: "fogged? lens covered?",
    Reason.MOVED: "another view: moved?",
    Reason.HAZY: "hazier: lens dusty?",
    Reason.FROZEN: "same picture as before",
    Reason.UNLIT: "the light has no effect",
    Reason.UNSURE: "between clean and dirty",
    Reason.UNSETTLED: "too few snapshots agree",
}
"""One of them fits beside a verdict on 80 columns."""

STATES = {
    AlarmState.UNACKNOWLEDGED: (" ALARM ", Style.ALARM, "not acknowledged"),
    AlarmState.ACKNOWLEDGED: (" alarm ", Style.WARNING, "acknowledged, still there"),
    AlarmState.RETURNED_UNACKNOWLEDGED: ("  over ", Style.WARNING, "gone by itself, not acknowledged"),
    AlarmState.LATCHED_UNACKNOWLEDGED: (" alarm ", Style.WARNING, "gone, but kept until acknowledged and reset"),
    AlarmState.LATCHED_ACKNOWLEDGED: (" alarm ", Style.WARNING, "acknowledged, kept until reset"),
    AlarmState.NORMAL: ("  over ", Style.FINE, "back to normal"),
}

QUIET = " quiet "
BY_HAND = {AlarmEvent.ACKNOWLEDGE, AlarmEvent.RESET}
"""Events whose state says all: their reason repeats it."""

CONDITIONS = {
    Condition.FAILED: ("failed ", Style.RED),
    Condition.DEGRADED: ("limited", Style.YELLOW),
    Condition.RECOVERED: ("  back ", Style.GREEN),
}

DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60

CLEANINGS = {
    CleaningEvent.START: (" clean ", Style.WARNING, "is being cleaned: alarms on dirt are quiet"),
    CleaningEvent.FINISH: (" clean ", Style.WARNING, "is said to be clean: the cameras look"),
    CleaningEvent.VERIFY: (" clean ", Style.FINE, "is clean"),
    CleaningEvent.GIVE_UP: (" clean ", Style.ALARM, "is not clean"),
    CleaningEvent.CANCEL: (" clean ", Style.DIM, "was not cleaned after all"),
    CleaningEvent.ABANDON: (" clean ", Style.ALARM, "was not said to be clean in time"),
}

UPDATES = {
    UpdateStep.NONE: (" model ", Style.DIM, "stays"),
    UpdateStep.FOUND: (" model ", Style.DIM, "is offered"),
    UpdateStep.FETCHING: (" model ", Style.DIM, "is being fetched"),
    UpdateStep.STAGED: (" model ", Style.DIM, "is here, whole and signed"),
    UpdateStep.TRIAL: (" model ", Style.WARNING, "judges beside the one that counts"),
    UpdateStep.PROBATION: (" model ", Style.WARNING, "counts, and has to show itself"),
    UpdateStep.KEPT: (" model ", Style.FINE, "is the board's model from now on"),
    UpdateStep.REFUSED: (" model ", Style.ALARM, "is not taken"),
    UpdateStep.WENT_BACK: (" model ", Style.ALARM, "counts no more: the one before it does"),
    UpdateStep.POSTPONED: (" model ", Style.DIM, "comes later"),
}

QUALITIES = {
    Quality.GOOD: ("", Style.PLAIN),
    Quality.WARMING_UP: (" (warming up)", Style.DIM),
    Quality.LEARNING: (" (learning)", Style.DIM),
    Quality.BAD: (" (impossible)", Style.RED),
}


class Shown(NamedTuple):
    """How a number is shown: words before and after it, its width, decimals and scale."""

    before: str
    after: str
    width: int = 0
    decimals: int = 0
    scale: float = 1.0

    def text(self, value: float) -> str:
        return f"{self.before}{value * self.scale:{self.width}.{self.decimals}f}{self.after}"


SHOWN = {
    Quantity.TEMPERATURE: Shown("", " °C", 4, 1),
    Quantity.HUMIDITY: Shown("", " %RH", 2),
    Quantity.PRESSURE: Shown("", " hPa", 4),
    Quantity.GAS_RESISTANCE: Shown("gas ", " kΩ", 3, scale=0.001),
    Quantity.PM1: Shown("PM1", "", 4),
    Quantity.PM2_5: Shown("PM2.5", "", 4),
    Quantity.PM4: Shown("PM4", "", 4),
    Quantity.PM10: Shown("PM10", " µg/m³", 4),
    Quantity.DIFFERENTIAL_PRESSURE: Shown("drop ", " Pa"),
    Quantity.PM2_5_CORRECTED: Shown("PM2.5 corrected ", " µg/m³"),
    Quantity.AQI: Shown("AQI ", ""),
    Quantity.DEW_POINT: Shown("dew point ", " °C", decimals=1),
    Quantity.CONDENSATION_MARGIN: Shown("margin ", " K", decimals=1),
    Quantity.GAS_INDEX: Shown("gas index ", ""),
    Quantity.MOULD_INDEX: Shown("mould ", " of 6", decimals=1),
    Quantity.FILTER_LOAD: Shown("filter ", " %"),
    Quantity.DAYS_TO_LIMIT: Shown("cleaning in ", " d"),
    Quantity.CPU_TEMPERATURE: Shown("CPU ", " °C"),
    Quantity.CPU_LOAD: Shown("load ", "", decimals=2),
    Quantity.MEMORY_USED: Shown("memory ", " %"),
    Quantity.DISK_USED: Shown("disk ", " %"),
}
"""What is not here, such as counts and signals that only rules look at, is left to the events and the broker."""

WORDS = {
    Quantity.FAN_RUNNING: ("not running", "running"),
    Quantity.CLOCK_SYNCHRONISED: ("clock not synchronised", "clock synchronised"),
}

FIGURES = {
    "verdicts": Shown("", " verdicts"),
    "latency_p50_ms": Shown("median ", " ms", decimals=1),
    "latency_p99_ms": Shown("99 % in ", " ms", decimals=1),
    "budget_overruns": Shown("", " over budget"),
}


def rows(event: Event, stamp: Span, width: int, action: Callable[[AlarmId], str]) -> list[Row]:
    """An event as rows of spans on `width` columns; `stamp` is its time."""
    match event:
        case Verdict():
            return _verdict(event, stamp, width)
        case Transition() if not event.is_news:
            return []
        case Transition():
            return _transition(event, stamp, width, action(event.alarm))
        case HealthChange():
            return _health_change(event, stamp, width)
        case HealthReport():
            if not event.figures.get("verdicts"):
                return []
            figures = [
                (shown.text(event.figures[name]), Style.DIM) for name, shown in FIGURES.items() if name in event.figures
            ]
            return listed([stamp, _name("board")], figures, width)
        case Reading():
            return readings_rows([event], stamp, width)
        case CleaningChange():
            return _cleaning(event, stamp, width)
        case UpdateChange():
            return _update(event, stamp, width)
        case Picture():
            return []  # where it is kept is in the events


def readings_rows(readings: Sequence[Reading], stamp: Span, width: int) -> list[Row]:
    """Readings of one moment, a row for each source; none for a source without anything to show."""
    by_source: dict[SourceId, list[Reading]] = {}
    for reading in readings:
        if reading.quantity in SHOWN or reading.quantity in WORDS:
            by_source.setdefault(reading.source, []).append(reading)
    made: list[Row] = []
    for source, of_source in by_source.items():
        made += listed([NO_TIME if made else stamp, _name(source)], _values(of_source), width)
    return made


def _values(readings: Sequence[Reading]) -> list[Span]:
    """The note on their quality follows the last of a row of alike ones."""
    spans: list[Span] = []
    for reading, following in zip(readings, [*readings[1:], None], strict=True):
        note, style = QUALITIES[reading.quality]
        alike = following is not None and following.quality is reading.quality
        spans.append((_value(reading) + ("" if alike else note), style))
    return spans


def _value(reading: Reading) -> str:
    if reading.quantity in WORDS:
        return WORDS[reading.quantity][reading.value >= 0.5]
    shown = SHOWN[reading.quantity]
    return f"{shown.before} ?{shown.after}" if reading.quality is Quality.BAD else shown.text(reading.value)


def _verdict(verdict: Verdict, stamp: Span, width: int) -> list[Row]:
    title, style = LABELS[verdict.label]
    score = "   –" if verdict.score is None else f"{verdict.score:4.2f}"
    first: Row = [
        stamp,
        _name(verdict.source),
        (f"{title:<{LABEL_WIDTH}}", style),
        (_bar(verdict.score), style),
        (f" {score}", Style.BOLD),
        (f"{_six_wide(verdict.latency_ns / NS_PER_MS)} ms  ", Style.DIM),
    ]
    made = listed(first, [(REASONS[reason], Style.PLAIN) for reason in verdict.reasons] or [_model(verdict)], width)
    if verdict.degree is not None:
        below: Row = [(" " * (TIME_WIDTH + NAME_WIDTH), Style.PLAIN)]
        made += listed(below, [(deposit.in_words(verdict.degree, verdict.cleanliness), Style.DIM)], width)
    return made


def _six_wide(value: float) -> str:
    return f"{value:6.1f}" if value < 999.95 else f"{value:6.0f}"


def _model(verdict: Verdict) -> Span:
    return f"{printable(verdict.model.name)} {printable(verdict.model.version)}", Style.DIM


def _bar(score: float | None) -> str:
    """The score as a bar, to half a cell."""
    halves = round(2 * BAR_WIDTH * min(1.0, max(0.0, score or 0.0)))
    return ("━" * (halves // 2) + "╸" * (halves % 2)).ljust(BAR_WIDTH, "·")


def _transition(transition: Transition, stamp: Span, width: int, action: str) -> list[Row]:
    badge, style, state = STATES[transition.after]
    if transition.withheld:
        why = " and ".join(sorted(each.value.replace("_", " ") for each in transition.withheld))
        badge, style, state = QUIET, Style.DIM, f"{why}: {state}"
    by = "" if transition.by == "rule" else f", by {printable(transition.by)}"
    title = [
        (printable(str(transition.alarm)), Style.BOLD),
        (f"{transition.severity.value}, {state}{by}", Style.PLAIN),
    ]
    made = listed([stamp, (badge, style), ("  ", Style.PLAIN)], title, width)
    if transition.event not in BY_HAND:
        made += _below(printable(transition.reason), Style.PLAIN, width)
    if transition.event is not AlarmEvent.RAISE:
        return made
    return [EMPTY, *made, *_below(printable(action), Style.CYAN, width), EMPTY]


def _health_change(change: HealthChange, stamp: Span, width: int) -> list[Row]:
    badge, style = CONDITIONS[change.condition]
    title = [(printable(change.source), Style.BOLD), (printable(change.problem), Style.PLAIN)]
    made = listed([stamp, (badge, style), ("  ", Style.PLAIN)], title, width)
    return made + _below(printable(change.remedy), Style.CYAN, width)


def _cleaning(change: CleaningChange, stamp: Span, width: int) -> list[Row]:
    badge, style, words = CLEANINGS[change.event]
    title = [("the duct", Style.BOLD), (f"{words}, by {printable(change.by)}", Style.PLAIN)]
    made = listed([stamp, (badge, style), ("  ", Style.PLAIN)], title, width)
    made += _below(printable(change.reason), Style.PLAIN, width)
    return made + _below(f"report: {change.report}" if change.report else "", Style.CYAN, width)


def _update(change: UpdateChange, stamp: Span, width: int) -> list[Row]:
    badge, style, words = UPDATES[change.step]
    title = [("the model", Style.BOLD), (f"{printable(change.release)} {words}".strip(), Style.PLAIN)]
    made = listed([stamp, (badge, style), ("  ", Style.PLAIN)], title, width)
    return made + _below(printable(change.why), Style.PLAIN, width)


def _below(text: str, style: Style, width: int) -> list[Row]:
    """Under the title of an alarm or a health change."""
    return listed([(" " * (TIME_WIDTH + BADGE_WIDTH + 2), Style.PLAIN)], [(text, style)], width) if text else []


def _name(source: str) -> Span:
    return f"{printable(source):<{NAME_WIDTH - 2}}  ", Style.BOLD


def since(seconds: float) -> str:
    """`3 d 4 h`, `2 h 5 min`, `40 s`."""
    whole = round(seconds)
    for unit_s, unit, smaller_s, smaller in ((DAY_S, "d", HOUR_S, "h"), (HOUR_S, "h", MINUTE_S, "min")):
        if whole >= unit_s:
            rest = whole % unit_s // smaller_s
            return f"{whole // unit_s} {unit} {rest} {smaller}" if rest else f"{whole // unit_s} {unit}"
    return f"{whole // MINUTE_S} min" if whole >= MINUTE_S else f"{whole} s"
