"""When which alarm stood, as a picture: a row for each alarm, with the course of its signal and the limit. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape

from drivers.types import NS_PER_S, Instant
from firmware.alarms.types import AlarmId, Severity
from firmware.rules.replay import Course, Replayed
from firmware.rules.types import Rule, quantity

WIDTH, LEFT, RIGHT = 1200, 260, 90
ROW, BAR, GAP, TOP, BOTTOM = 84, 12, 18, 34, 16
MOST_ROWS = 100  # alarms in one picture; the page says which were left out
COLOURS = {
    Severity.LOW: "#6b8fb5",
    Severity.MEDIUM: "#d9a521",
    Severity.HIGH: "#d9622b",
    Severity.CRITICAL: "#b3202c",
}
STEPS_S = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
MOST_MARKS = 8  # of time, below each other's text


def timeline(replayed: Replayed, rules: Sequence[Rule], start: datetime) -> str:
    """An SVG. Most severe alarms come first, at most `MOST_ROWS` of those that came at all."""
    by_name = {rule.name: rule for rule in rules}
    alarms = sorted(replayed.severities, key=lambda alarm: (-replayed.severities[alarm].rank, alarm))[:MOST_ROWS]
    height = TOP + len(alarms) * (ROW + GAP) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="alarms over time">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_marks(replayed.end, start, height),
    ]
    for index, alarm in enumerate(alarms):
        parts += _row(alarm, replayed, by_name.get(alarm.rule), TOP + index * (ROW + GAP))
    return "\n".join([*parts, "</svg>"])


def _row(alarm: AlarmId, replayed: Replayed, rule: Rule | None, top: int) -> Iterator[str]:
    spans = replayed.spans(alarm)
    severity = replayed.severities[alarm]
    yield f'<text x="8" y="{top + 14}" font-weight="600">{escape(alarm.rule)}</text>'
    yield f'<text x="8" y="{top + 30}" fill="#555">{escape(alarm.source)}, {severity.value}</text>'
    times = replayed.raised(alarm)
    how_often = f"{times} time{'s' * (times != 1)}, {100 * replayed.share(alarm):.0f} % of the time"
    yield f'<text x="8" y="{top + 46}" fill="#555">{how_often}</text>'
    yield f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{ROW}" fill="#f6f6f4"/>'
    course = replayed.courses.get((alarm.source, rule.signal)) if rule is not None else None
    if rule is not None and course is not None and course.buckets:
        yield from _course(course, rule, replayed.end, top)
    for span in spans:
        left = _x(span.start, replayed.end)
        wide = max(1.5, _x(span.end if span.end is not None else replayed.end, replayed.end) - left)
        y, colour = top + ROW - BAR, COLOURS[severity]
        yield f'<rect x="{left:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" fill="{colour}"/>'


def _course(course: Course, rule: Rule, end: Instant, top: int) -> Iterator[str]:
    """The band between least and most of each bucket, and the limit through it if the rule has one of its own."""
    limits = [rule.limit.value] if rule.when is None else []
    low = min(*limits, *(least for least, _ in course.buckets.values()), math.inf)
    high = max(*limits, *(most for _, most in course.buckets.values()), -math.inf)
    room, height = (high - low) or 1.0, ROW - BAR - 8

    def y(value: float) -> float:
        return top + 4 + height * (1 - (value - low) / room)

    wide = max(1.0, course.width_ns / max(1, end) * (WIDTH - LEFT - RIGHT))
    band = "".join(
        f"M{_x(Instant(number * course.width_ns), end):.1f},{y(most):.1f}h{wide:.1f}V{y(least) + 1:.1f}h{-wide:.1f}z"
        for number, (least, most) in sorted(course.buckets.items())
    )
    yield f'<path d="{band}" fill="#3f6f8f"/>'
    for limit in limits:
        at, shown = f"{y(limit):.1f}", escape(quantity(limit, rule.unit))
        line = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" stroke="#b3202c"'
        yield f'<line {line} stroke-dasharray="5 4"/>'
        yield f'<text x="{WIDTH - RIGHT + 6}" y="{y(limit) + 4:.1f}" fill="#b3202c">{shown}</text>'


def _marks(end: Instant, start: datetime, height: int) -> Iterator[str]:
    """Times on a round grid of the wall clock, above and through all rows."""
    whole_s = max(1.0, end / NS_PER_S)
    step_s = next((step for step in STEPS_S if whole_s / step <= MOST_MARKS), STEPS_S[-1])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = -(-(start - midnight).total_seconds() // step_s) * step_s
    mark = midnight + timedelta(seconds=first)
    while (mark - start).total_seconds() <= whole_s:
        x = _x(Instant(round((mark - start).total_seconds() * NS_PER_S)), end)
        shape = "%d %b %H:%M" if step_s >= 900 else "%H:%M:%S"
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - BOTTOM}" stroke="#ccc"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#555">{mark.strftime(shape)}</text>'
        mark += timedelta(seconds=step_s)


def _x(at: Instant, end: Instant) -> float:
    return LEFT + at / max(1, end) * (WIDTH - LEFT - RIGHT)


def page(replayed: Replayed, rules: Sequence[Rule], start: datetime, notes: Sequence[str], moves: int = 500) -> str:
    """The picture, and the first moves in words, as a page that opens from a disk."""
    shown = replayed.moves[:moves]
    rows = "\n".join(
        f"<tr><td>{(start + timedelta(microseconds=move.at // 1000)).strftime('%Y-%m-%d %H:%M:%S')}</td>"
        f"<td>{escape(str(move.alarm))}</td><td>{move.event.value.replace('_', ' ')}</td>"
        f"<td>{move.after.value.replace('_', ' ')}</td><td>{escape(move.reason)}</td></tr>"
        for move in shown
    )
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    total = len(replayed.moves) + replayed.lost
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What these rules would have done</title>
<style>body{{font-family:system-ui,sans-serif;margin:2em;color:#222}}td,th{{text-align:left;padding:.2em 1em .2em 0;
vertical-align:top}}svg{{max-width:100%;height:auto}}</style>
<h1>What these rules would have done</h1>
{said}
{timeline(replayed, rules, start)}
<h2>Moves: {len(shown)} of {total}</h2>
<table><tr><th>time (UTC)</th><th>alarm</th><th>event</th><th>then</th><th>why</th></tr>
{rows}
</table></html>
"""
