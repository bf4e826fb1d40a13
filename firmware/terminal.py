"""What a terminal can show, and text in its colours. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

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
    WARNING = "1;30;43"


Span = tuple[str, Style]


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
    """One line of spans, without blanks at its end."""
    spans = list(spans)
    while spans and not spans[-1][0].rstrip() and spans[-1][1] is not Style.ALARM:
        spans.pop()
    if spans:
        spans[-1] = (spans[-1][0].rstrip(), spans[-1][1])
    if shown is Colours.NONE:
        return "".join(text for text, _ in spans)
    return "".join(text if style is Style.PLAIN else f"\x1b[{style.value}m{text}\x1b[0m" for text, style in spans)


def wrap(first: Sequence[Span], spans: Sequence[Span], width: int, indent: int) -> list[list[Span]]:
    """Lines of at most `width` columns: `first`, padded to `indent`, then `spans`, which are not torn apart.

    A span that is wider than a line by itself is broken between words, or at the width where it has none.
    """
    lines: list[list[Span]] = [[*first, (" " * (indent - _length(first)), Style.PLAIN)]]
    for span in spans:
        for text in _pieces(span[0], max(8, width - indent)):
            if _length(lines[-1]) + len(text.rstrip()) > max(width, indent + 8):
                lines.append([(" " * indent, Style.PLAIN)])
            lines[-1].append((text, span[1]))
    return lines


def _length(spans: Sequence[Span]) -> int:
    return sum(len(text) for text, _ in spans)


def _pieces(text: str, width: int) -> list[str]:
    pieces = []
    while len(text.rstrip()) > width:
        cut = text.rfind(" ", 1, width + 1)
        cut = cut + 1 if cut > 0 else width
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text]
