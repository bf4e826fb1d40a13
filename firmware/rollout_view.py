"""A rollout on a terminal: a bar for each cohort, and the boards that somebody should look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firmware.fleet.report import Report
from firmware.terminal import Colours, Row, Style, paint, printable
from ota.job_messages import Status
from ota.rollout import FAILURES, Phase, Totals, totals

BAR = 24  # columns
MOST_BOARDS = 20  # in a table that is looked at again and again
LONGEST_DETAIL = 60
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
    """A line for each rollout."""
    return [paint(_head(one), shown) for one in reports] or ["No rollout was started."]


def table(one: Report, shown: Colours, *, most: int | None = MOST_BOARDS, width: int | None = None) -> list[str]:
    """One rollout in full: `most` of its boards, those that failed or are at it; None for all, whatever they do.

    Lines are cut at `width` columns if one is given.
    """
    rows = [_head(one), *_news(one)]
    for number, percent in enumerate(one.rollout.plan.percents):
        rows.append(_cohort(number, percent, totals(one.progress, number)))
    rows += _boards(one.boards(), most)
    return [paint(_cut(row, width), shown) for row in rows]


def screenful(one: Report, shown: Colours, *, columns: int, rows: int) -> list[str]:
    """As much of the table as a terminal shows without scrolling or wrapping, so that it can be drawn over."""
    others = len(one.rollout.plan.percents) + 5  # head, two news, what is left out, and the cursor's line
    return table(one, shown, most=max(0, rows - others), width=columns)[: rows - 1]


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
    if one.rollout.phase in (Phase.RUNNING, Phase.PAUSED) and not one.is_served:
        text = "  nobody serves it now, and its clock stands still: run `ductwatch ota jobs-server`"
        rows.append([(text, Style.YELLOW)])
    elif one.rollout.phase is Phase.RUNNING and one.wait_s is not None:
        some = totals(one.progress)
        what = "a board that is silent has failed" if some.queued or some.in_progress else "the next cohort"
        rows.append([(f"  {what} in {duration(one.wait_s)} at the earliest", Style.DIM)])
    return rows


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


def _boards(boards: Sequence[dict[str, Any]], most: int | None) -> list[Row]:
    urgent = {status.value for status in FAILURES} | {Status.IN_PROGRESS.value}
    chosen = [one for one in boards if most is None or one["status"] in urgent]
    failed = {status.value for status in FAILURES}
    chosen.sort(key=lambda one: (one["status"] not in failed, one["board"]))
    width = max((len(one["board"]) for one in chosen), default=0)
    rows = [_board(one, width) for one in chosen[:most]]
    if (rest := len(chosen) - len(rows)) > 0:
        rows.append([(f"  and {rest} more: --all shows each board", Style.DIM)])
    return rows


def _board(one: dict[str, Any], width: int) -> Row:
    status = one["status"] or "waiting"
    style = Style.RED if status in {each.value for each in FAILURES} else Style.PLAIN
    details = printable(", ".join(f"{key} {value}" for key, value in one["details"].items()))
    cut = details if len(details) <= LONGEST_DETAIL else details[: LONGEST_DETAIL - 1] + "…"
    return [
        (f"  {one['board']:<{width}}  ", Style.PLAIN),
        (f"{status.replace('_', ' ').lower():<11}", style),
        (f"  {printable(one['availability'] or 'never seen'):<10}  {cut}", Style.DIM),
    ]


def _cut(row: Row, width: int | None) -> Row:
    if width is None:
        return row
    kept: Row = []
    for text, style in row:
        kept.append((text[:width], style))
        width -= len(text[:width])
    return kept


def duration(seconds: float) -> str:
    """`2 h 5 min`, `5 min`, `40 s`."""
    whole = round(seconds)
    if whole >= HOUR_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{whole // MINUTE_S} min" if whole >= MINUTE_S else f"{whole} s"
