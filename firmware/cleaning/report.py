"""The report of a cleaning: one HTML page that a contractor hands to a customer. It opens from disk, prints on A4.

Everything is in it, pictures too. It is well-formed XML, so that a test can tell that no text breaks out of its place.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from drivers.types import NS_PER_S, SourceId
from firmware.cleaning.record import Look, Measured, Outcome, Scene, Stamp, Step
from firmware.cleaning.states import CleaningEvent
from firmware.deposit import classes_in_words
from model.cleanliness import Limits
from model.degree import two_digits
from model.types import Label

E = CleaningEvent

TITLES = {
    E.VERIFY: ("Verified clean", "The last {needed} snapshots of each camera show a clean duct."),
    E.GIVE_UP: ("Not verified", "The cameras did not see a clean duct: {reason}."),
    E.ABANDON: ("Not completed", "Nobody completed this cleaning, and it ended by itself: {reason}."),
}
"""How it ended, in words."""

EVENTS = {
    E.START: "Cleaning began",
    E.FINISH: "Cleaning finished",
    E.VERIFY: "Verified by the cameras",
    E.GIVE_UP: "Ended without being verified",
    E.ABANDON: "Ended by itself",
    E.CANCEL: "Cancelled",
}
AGAIN = "Cleaned further"

LABELS = {Label.CLEAN: "clean", Label.DIRTY: "dirty", Label.CANNOT_TELL: "cannot tell"}

QUANTITIES = {
    "temperature": "Temperature",
    "humidity": "Relative humidity",
    "pm1": "Particulates PM1",
    "pm2_5": "Particulates PM2.5",
    "pm4": "Particulates PM4",
    "pm10": "Particulates PM10",
    "gas_index": "Gas index (100 is usual)",
    "gas_resistance": "Gas resistance",
    "differential_pressure": "Pressure drop of the filter",
    "filter_load": "Filter load",
    "condensation_margin": "Margin to condensation",
}
"""Signals that say something of a cleaning, in the order of the report."""

UNITS = {"Cel": ("°C", 1.0), "%RH": ("%", 1.0), "ug/m3": ("µg/m³", 1.0), "Ohm": ("kΩ", 0.001), "1": ("", 1.0)}
"""How they are shown, and by what a value is multiplied for that."""

WHAT_IT_SAYS = """
<ul>
<li>It says what the cameras of the board saw where they look, and nothing of the rest of the duct system.</li>
<li>Deposits in g/m² are <strong>estimated from pictures</strong>, and so are the classes of EN 15780 that they leave
open. They are <strong>no measurement</strong> and replace no wipe or vacuum test as EN 15780 or NADCA ACR ask for.</li>
<li>The interval is meant to hold a test's result nine times in ten, as far as this duct looks like those that the model
was fitted to. Classes here: high below {high} g/m², medium below {medium} g/m², low below {low} g/m².</li>
<li>It says nothing of germs, mould or smells. Particulates and gas can be higher just after a cleaning.</li>
</ul>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What stands on every report of a board."""

    board: str
    firmware: str
    limits: Limits


def page(outcome: Outcome, head: Letterhead, *, number: int, style: str) -> str:
    """The document. `number` is that of the report on this board, `style` its CSS."""
    end = outcome.steps[-1]
    title = f"Duct cleaning report {number}, {head.board}"
    body = "".join(
        (
            _head(head.board, number, outcome.steps[0].moment.stamp),
            _outcome(outcome, end),
            _course(outcome),
            *(_camera(camera, outcome) for camera in _cameras(outcome)),
            _readings(outcome),
            _what_it_says(head.limits, outcome),
            _signatures(outcome),
            f"<footer>{_t(head.board)} · report {number} · made by ductwatch {_t(head.firmware)} on the board, "
            f"{_when(end.moment.stamp)}</footer>",
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\"/>"
        f'<meta name="viewport" content="width=device-width"/><title>{_t(title)}</title><style>{style}</style></head>'
        f"<body>{body}</body></html>\n"
    )


def _head(board: str, number: int, began: Stamp) -> str:
    return (
        f'<div class="head"><div><h1>Duct cleaning report</h1><p>{_t(board)}</p></div>'
        f'<p class="number">Report {number}<br/>{_t(_date(began))}</p></div>'
    )


def _outcome(outcome: Outcome, end: Step) -> str:
    title, sentence = TITLES[end.event]
    words = sentence.format(needed=outcome.needed, reason=end.reason)
    return f'<div class="outcome {end.event.value}"><strong>{title}</strong><span>{_t(words)}</span></div>'


def _course(outcome: Outcome) -> str:
    rows = [_row(_step_name(index, step), _step(step)) for index, step in enumerate(outcome.steps)]
    rows.append(_row("Duration of the work", _t(_duration(outcome))))
    if outcome.snapshots:
        row = f"{outcome.snapshots} judged; {outcome.needed} in a row of each camera had to be clean"
        rows.append(_row("Snapshots to verify it", _t(row)))
    if outcome.alarms:
        alarms = [f"{_t(alarm)}: {'over' if over else 'still stands'}" for alarm, over in outcome.alarms.items()]
        rows.append(_row("Alarms on dirt", "<br/>".join(alarms)))
    if models := _models(outcome):
        rows.append(_row("Judged by the model", _t(", ".join(models))))
    return f"<section><h2>What was done</h2><table><tbody>{''.join(rows)}</tbody></table></section>"


def _step_name(index: int, step: Step) -> str:
    return AGAIN if index and step.event is E.START else EVENTS[step.event]


def _step(step: Step) -> str:
    by = "" if step.event in TITLES else f", by <strong>{_t(step.by)}</strong>"
    reason = f"<br/><small>{_t(step.reason)}</small>" if step.reason and step.event not in TITLES else ""
    return f"{_when(step.moment.stamp)}{by}{reason}"


def _camera(camera: SourceId, outcome: Outcome) -> str:
    before, after = outcome.before.looks.get(camera), outcome.after.looks.get(camera)
    figures = _figure("Before", camera, before) + _figure("After", camera, after)
    rows = "".join(
        f"<tr><th>{name}</th><td>{cell(before) if before else '–'}</td><td>{cell(after) if after else '–'}</td></tr>"
        for name, cell in CELLS.items()
    )
    return (
        f'<section class="camera"><h2>Camera {_t(camera)}</h2><div class="pair">{figures}</div>'
        f"{_compared(rows)}</section>"
    )


def _figure(when: str, camera: SourceId, look: Look | None) -> str:
    if look is None:
        picture, taken = '<div class="none">no picture was taken</div>', ""
    elif not look.jpeg:
        picture, taken = '<div class="none">the picture cannot be shown</div>', _clock_time(look.stamp)
    else:
        source = f"data:image/jpeg;base64,{base64.b64encode(look.jpeg).decode()}"
        picture = f'<img alt="{when}, seen by the camera {_t(camera)}" src="{source}"/>'
        taken = _clock_time(look.stamp)
    return f"<figure><figcaption>{when} <small>{_t(taken)}</small></figcaption>{picture}</figure>"


def _label(look: Look) -> str:
    reasons = ", ".join(reason.value for reason in look.verdict.reasons) if look.label is Label.CANNOT_TELL else ""
    return (
        f'<span class="label {look.label.value.lower()}">{LABELS[look.label]}</span>'
        f"{f' <small>({_t(reasons)})</small>' if reasons else ''}"
    )


def _score(look: Look) -> str:
    score = look.verdict.score
    return "–" if score is None else f'{score:.2f}<span class="bar" style="--score:{100 * score:.0f}%"></span>'


def _deposit(look: Look) -> str:
    degree = look.verdict.degree
    if degree is None:
        return "–"
    low, high = two_digits(degree.low_g_m2), two_digits(degree.high_g_m2)
    return f"{two_digits(degree.g_m2)} g/m² <small>({low} to {high})</small>"


def _classes(look: Look) -> str:
    return _t(classes_in_words(look.verdict.cleanliness)) if look.verdict.cleanliness else "–"


CELLS: Mapping[str, Callable[[Look], str]] = {
    "This picture shows a duct that is": _label,
    "Score <small>(0 clean, 1 dirty)</small>": _score,
    "Deposit, <strong>estimated</strong>": _deposit,
    "Class of EN 15780, <strong>estimated</strong>": _classes,
}


def _readings(outcome: Outcome) -> str:
    before, after = _by_place(outcome.before), _by_place(outcome.after)
    places = sorted({*before, *after}, key=lambda place: (list(QUANTITIES).index(place[1]), place[0]))
    rows = "".join(
        f"<tr><th>{_t(QUANTITIES[signal])} <small>{_t(source)}</small></th>"
        f"<td>{_value(before.get((source, signal)))}</td><td>{_value(after.get((source, signal)))}</td></tr>"
        for source, signal in places
    )
    if not rows:
        return ""
    return f'<section class="readings"><h2>Air in the duct</h2>{_compared(rows)}</section>'


def _compared(rows: str) -> str:
    head = "<thead><tr><th></th><th>Before</th><th>After</th></tr></thead>"
    return f'<table class="compared">{head}<tbody>{rows}</tbody></table>'


def _by_place(scene: Scene) -> dict[tuple[SourceId, str], Measured]:
    return {(one.source, one.signal): one for one in scene.readings if one.signal in QUANTITIES}


def _value(one: Measured | None) -> str:
    if one is None:
        return "–"
    unit, scale = UNITS.get(one.unit, (one.unit, 1.0))
    value = one.value * scale
    return f"{value:.{0 if abs(value) >= 100 else 1}f} {_t(unit)}".rstrip()


def _what_it_says(limits: Limits, outcome: Outcome) -> str:
    words = WHAT_IT_SAYS.format(high=f"{limits.high:g}", medium=f"{limits.medium:g}", low=f"{limits.low:g}")
    trusted = all(step.moment.stamp.trusted for step in outcome.steps)
    clock = (
        "The board's clock was synchronised at each step."
        if trusted
        else "<strong>The board's clock was not synchronised</strong> where a time is marked: those may be off."
    )
    return f'<section class="says"><h2>What this report says, and what not</h2>{words}<p>{clock}</p></section>'


def _signatures(outcome: Outcome) -> str:
    finished = _last(outcome.steps, E.FINISH)
    if finished is None:
        said = "Nobody finished this cleaning."
    else:
        said = f"Finished and signed off by <strong>{_t(finished.by)}</strong>, {_when(finished.moment.stamp)}."
    line = '<div class="line">Name, date, signature</div>'
    return (
        f'<section class="sign"><div><h2>Contractor</h2><p>{said}</p>{line}</div>'
        f"<div><h2>Customer</h2><p>Received.</p>{line}</div></section>"
    )


def _duration(outcome: Outcome) -> str:
    """From the first start to the last word that it is finished."""
    end = _last(outcome.steps, E.FINISH) or outcome.steps[-1]
    minutes = round((end.moment.at - outcome.steps[0].moment.at) / NS_PER_S / 60)
    words = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"at least {words}: the board was off meanwhile" if outcome.interrupted else words


def _last(steps: Sequence[Step], event: CleaningEvent) -> Step | None:
    return next((step for step in reversed(steps) if step.event is event), None)


def _cameras(outcome: Outcome) -> list[SourceId]:
    return list(dict.fromkeys((*outcome.before.looks, *outcome.after.looks)))


def _models(outcome: Outcome) -> list[str]:
    looks = (*outcome.before.looks.values(), *outcome.after.looks.values())
    return list(dict.fromkeys(f"{look.verdict.model.name} {look.verdict.model.version}" for look in looks))


def _row(name: str, cell: str) -> str:
    return f"<tr><th>{name}</th><td>{cell}</td></tr>"


def _when(stamp: Stamp) -> str:
    doubt = "" if stamp.trusted else " <small>(clock not synchronised)</small>"
    return f"{_t(_date(stamp))}, {_t(_clock_time(stamp))}{doubt}"


def _date(stamp: Stamp) -> str:
    moment = datetime.fromisoformat(stamp.time)
    return f"{moment.day} {moment:%B %Y}"


def _clock_time(stamp: Stamp) -> str:
    moment = datetime.fromisoformat(stamp.time)
    offset = f"{moment:%z}"
    return f"{moment:%H:%M} UTC{'' if offset == '+0000' else f'{offset[:3]}:{offset[3:5]}'}"


def _t(text: str) -> str:
    """Text from outside, as it may stand in a page: control characters are none of XML."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))
