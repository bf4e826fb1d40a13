"""What a terminal can show, and text in its colours. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

LEAST_ROOM = 16  # columns for what comes after names: on a narrower terminal rows are longer than it
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class Colours(Enum):
    """How many colours the terminal shows."""

    NONE = 0
    INDEXED = 256
    TRUE = 256**3


class Style(Enum):
    """Select Graphic Rendition parameters (ECMA-48, 8.3.117), of the sixteen colours that a terminal's theme sets."""

    PLAIN = ""
    DIM = "2"
    BOLD = "1"
    GREEN = "1;32"
    YELLOW = "1;33"
    RED = "1;31"
    CYAN = "36"
    ALARM = "1;97;41"
    WARNING = "30;43"
    FINE = "30;42"


Span = tuple[str, Style]
Row = list[Span]


def colours(environment: Mapping[str, str], *, is_terminal: bool) -> Colours:
    """NO_COLOR (no-color.org), TERM and COLORTERM decide, in this order; no colour but on a terminal."""
    term = environment.get("TERM", "dumb")
    if not is_terminal or environment.get("NO_COLOR") or term == "dumb":
        return Colours.NONE
    deep = environment.get("COLORTERM") in ("truecolor", "24bit") or term.endswith("-direct")
    return Colours.TRUE if deep else Colours.INDEXED


def printable(text: str) -> str:
    """Text from a device or a file, without what could move the cursor or change the terminal."""
    return _NOT_PRINTABLE.sub("�", text)


def paint(spans: Sequence[Span], shown: Colours) -> str:
    """One line of one or more spans, without blanks at its end."""
    if shown is Colours.NONE:
        return "".join(text for text, _ in spans).rstrip()
    last, style = spans[-1]
    return "".join(_in_style(*span) for span in (*spans[:-1], (last.rstrip(), style)))


def listed(first: Row, items: Sequence[Span], width: int) -> list[Row]:
    """`first`, and after it the items, two blanks apart, on as many rows as they need on `width` columns.

    Further rows are indented by the length of `first`. An item that is wider than a row is broken between words,
    or anywhere if it has none.
    """
    indent = _length(first)
    room = max(LEAST_ROOM, width - indent)
    made: list[Row] = [list(first)]
    used = 0
    for text, style in items:
        for piece in _pieces(text, room):
            gap = "  " if used else ""
            if used + len(gap) + len(piece) > room:
                made.append([(" " * indent, Style.PLAIN)])
                used, gap = 0, ""
            made[-1] += [(gap, Style.PLAIN), (piece, style)]
            used += len(gap) + len(piece)
    return made


def _in_style(text: str, style: Style) -> str:
    return text if style is Style.PLAIN or not text else f"\x1b[{style.value}m{text}\x1b[0m"


def _length(row: Row) -> int:
    return sum(len(text) for text, _ in row)


def _pieces(text: str, width: int) -> list[str]:
    pieces = []
    while len(text) > width:
        cut = text.rfind(" ", 1, width + 1)
        pieces.append(text[: cut if cut > 0 else width])
        text = text[cut + 1 if cut > 0 else width :]
    return [*pieces, text]
