"""A rollout on a terminal: a bar for each cohort, and the boards that somebody should look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firmware.fleet.report import Report
from firmware.terminal import Colours, Row, Style, listed, paint, printable
from ota.job_messages import Status
from ota.rollout import FAILURES, Phase, Totals, totals

BAR = 24  # columns
MOST_BOARDS = 20  # in a table that is looked at again and again
REASON = "reason"  # of the details that boards report: what somebody looks for
HOUR_S, MINUTE_S = 3600, 60

PHASES = {
    Phase.RUNNING: Style.BOLD,
    Phase.PAUSED: Style.YELLOW,
    Phase.ABORTED: Style.RED,
    Phase.FINISHED: Style.GREEN,
}
MARKS = (
    ("succeeded", "█", Style.GREEN),
    ("failed", "x", Style.RED),
    ("in_progress", "▒", Style.YELLOW),
    ("queued", "░", Style.PLAIN),
    ("withdrawn", "-", Style.DIM),
    ("waiting", "·", Style.DIM),
)
"""Of a bar, from left to right: a count of `Totals`, its sign, its colour."""


def overview(reports: Sequence[Report], shown: Colours) -> list[str]:
    """A line for each rollout, and one more if any of them should be served and is not."""
    rows = [_head(one) for one in reports]
    if any(map(_is_stuck, reports)):
        rows.append(_STUCK)
    return [paint(row, shown) for row in rows] or ["No rollout was started."]


def table(one: Report, shown: Colours, *, most: int | None = MOST_BOARDS, width: int | None = None) -> list[str]:
    """One rollout in full: `most` of its boards, those that failed or are at it; None for all, whatever they do.

    A board has a line, or if a `width` is given as many as its details need on so many columns.
    """
    return [paint(row, shown) for row in _rows(one, most, width)]


def screenful(one: Report, shown: Colours, *, columns: int, rows: int) -> list[str]:
    """As much of the table as a terminal shows without scrolling or wrapping, so that it can be drawn over."""
    others = len(one.rollout.plan.percents) + 5  # head, two news, what is left out, and the cursor's line
    cut = [_cut(row, columns) for row in _rows(one, max(0, rows - others), None)]
    return [paint(row, shown) for row in cut[: rows - 1]]


def _rows(one: Report, most: int | None, width: int | None) -> list[Row]:
    rows = [_head(one), *_news(one)]
    for number, percent in enumerate(one.rollout.plan.percents):
        rows.append(_cohort(number, percent, totals(one.progress, number)))
    return [*rows, *_boards(one.boards(), most, width)]


def _head(one: Report) -> Row:
    some = totals(one.progress)
    wanted = one.rollout.document
    return [
        (f"{one.rollout.id}  ", Style.BOLD),
        (one.rollout.phase.value, PHASES[one.rollout.phase]),
        (f"  {wanted.model} {wanted.release_counter} of {wanted.channel}: {_counts(some)}", Style.PLAIN),
    ]


def _news(one: Report) -> list[Row]:
    rows: list[Row] = []
    if one.rollout.why:
        rows.append([(f"  {printable(one.rollout.why)}", Style.PLAIN)])
    if _is_stuck(one):
        rows.append(_STUCK)
    elif one.rollout.phase is Phase.RUNNING and one.wait_s is not None:
        rows.append([(f"  {_next(totals(one.progress), duration(one.wait_s))}", Style.DIM)])
    return rows


_STUCK: Row = [
    ("  nobody serves rollouts now, and their clock stands still: run `ductwatch ota jobs-server`", Style.YELLOW)
]


def _is_stuck(one: Report) -> bool:
    return one.rollout.phase in (Phase.RUNNING, Phase.PAUSED) and not one.is_served


def _next(some: Totals, wait: str) -> str:
    """What happens after this wait, if nothing is heard before."""
    if some.queued or some.in_progress:
        return f"a board that is silent has failed in {wait} at the earliest"
    if some.waiting:
        return f"the next cohort in {wait} at the earliest"
    return f"all boards have answered: finished after the soak of the last, in {wait}"


def _cohort(number: int, percent: int, some: Totals) -> Row:
    return [(f"  {number + 1}. to {percent:>3} %  ", Style.PLAIN), *_bar(some), (f"  {_counts(some)}", Style.PLAIN)]


def _bar(some: Totals) -> Row:
    """As long as `BAR`; each kind has its share, and the ends of shares are rounded."""
    row: Row = []
    counted = filled = 0
    for name, mark, style in MARKS:
        counted += getattr(some, name)
        end = round(BAR * counted / some.boards) if some.boards else 0
        row.append((mark * (end - filled), style))
        filled = end
    return [*row, (" " * (BAR - filled), Style.PLAIN)]


def _counts(some: Totals) -> str:
    if not some.boards:
        return "no board"
    words = [f"{getattr(some, name)} {name.replace('_', ' ')}" for name, *_ in MARKS if getattr(some, name)]
    return f"{some.boards} board{'s' if some.boards > 1 else ''}, {', '.join(words)}"


def _boards(boards: Sequence[dict[str, Any]], most: int | None, width: int | None) -> list[Row]:
    urgent = {status.value for status in FAILURES} | {Status.IN_PROGRESS.value}
    chosen = [one for one in boards if most is None or one["status"] in urgent]
    failed = {status.value for status in FAILURES}
    chosen.sort(key=lambda one: (one["status"] not in failed, one["board"]))
    longest = max((len(one["board"]) for one in chosen), default=0)
    rows = [row for one in chosen[:most] for row in _board(one, longest, width)]
    if (rest := len(chosen) - len(chosen[:most])) > 0:
        rows.append([(f"  and {rest} more: --all shows each board", Style.DIM)])
    return rows


def _board(one: dict[str, Any], longest: int, width: int | None) -> list[Row]:
    status = one["status"] or "waiting"
    style = Style.RED if status in {each.value for each in FAILURES} else Style.PLAIN
    first: Row = [
        (f"  {one['board']:<{longest}}  ", Style.PLAIN),
        (f"{status.replace('_', ' ').lower():<11}", style),
        (f"  {printable(one['availability'] or 'never seen'):<10}  ", Style.DIM),
    ]
    told = list(one["details"].items())
    if style is Style.RED:
        told.sort(key=lambda detail: detail[0] != REASON)
    details = [printable(f"{key} {value}") for key, value in told]
    if width is None:
        return [[*first, (", ".join(details), Style.DIM)]]
    return listed(first, [(detail, Style.DIM) for detail in details], width)


def _cut(row: Row, width: int) -> Row:
    if sum(len(text) for text, _ in row) <= width:
        return row
    kept: Row = []
    left = width - 1
    for text, style in row:
        kept.append((text[:left], style))
        left -= len(text[:left])
    return [*kept, ("…", Style.DIM)]


def duration(seconds: float) -> str:
    """`2 h 5 min`, `5 min`, `40 s`."""
    whole = round(seconds)
    if whole >= HOUR_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{whole // MINUTE_S} min" if whole >= MINUTE_S else f"{whole} s"
