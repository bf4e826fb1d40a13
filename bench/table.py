"""A result as text: what was measured and how, the figures, the goals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from bench.results import Document, Goal, Result

WIDTH = 110


def text(document: Document) -> str:
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    result = document.result
    start, end = document.load
    rough = "  (quick: rough figures)" if document.quick else ""
    yield f"== {result.title}{rough}"
    yield from textwrap.wrap(result.how, WIDTH)
    yield f"{document.machine.line}. Load {start:g} to {end:g}. {document.day}"
    yield ""
    yield from _table(result)
    yield ""
    yield from (_goal(goal) for goal in result.goals)
    for note in result.notes:
        yield from textwrap.wrap(f"- {note}", WIDTH, subsequent_indent="  ")
    yield ""


def _table(result: Result) -> Iterator[str]:
    cells = [[figure(value) for value in row.values] for row in result.rows]
    label_width = max(len(row.label) for row in result.rows)
    widths = [max(len(column), *(len(line[i]) for line in cells)) for i, column in enumerate(result.columns)]
    yield _line(" " * label_width, result.columns, widths)
    for row, line in zip(result.rows, cells, strict=True):
        yield _line(row.label.ljust(label_width), line, widths)


def _line(label: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join([label, *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))]).rstrip()


def figure(value: float | None) -> str:
    """Three digits that count, or whole; a dash where there is no value."""
    if value is None:
        return "-"
    size = abs(value)
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def _goal(goal: Goal) -> str:
    word = "met   " if goal.met else "MISSED"
    return f"goal {word}  {goal.what}: {figure(goal.value)} {goal.unit}, at most {goal.at_most:g} wanted"
