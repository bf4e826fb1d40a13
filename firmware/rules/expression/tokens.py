"""Cuts the text of an expression into tokens, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from firmware.rules.expression.errors import BadExpression, shown

MAX_TEXT = 2_000  # characters: an operator reads it on one page


class Kind(Enum):
    SPACE = r"[ \t\r\n\f]+|//[^\n]*"
    DURATION = r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+(?![\w.])"
    DECIMAL = r"(?:\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])"
    WHOLE = r"\d+(?![\w.])"
    STRING = r""""[^"\\\r\n]*"|'[^'\\\r\n]*'"""
    NAME = r"[A-Za-z_]\w*"
    SIGN = r"&&|\|\||[<>=!]=|[-+*/<>!?:(),.\[\]]"
    END = r"\Z"


TOKEN = re.compile("|".join(f"(?P<{kind.name}>{kind.value})" for kind in Kind), re.ASCII)
NUMBER_LIKE = re.compile(r"\.?\d[\w.]*", re.ASCII)
INSTEAD = {
    "=": "a single = means nothing here: write == to compare",
    "&": "write && for and",
    "|": "write || for or",
    "%": 'no % here: percent is a unit, such as amount(70.0, "%RH"), and remainders are left out',
    '"': "text that begins here must end on its line, without a backslash in it",
    "'": "text that begins here must end on its line, without a backslash in it",
}


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text` without its spaces and comments; the last one is END. Raises `BadExpression`."""
    if len(text) > MAX_TEXT:
        raise BadExpression(f"longer than {MAX_TEXT} characters: make several rules of it", MAX_TEXT, len(text))
    place = 0
    while True:
        match = TOKEN.match(text, place)
        if match is None:
            raise _no_token(text, place)
        kind = Kind[str(match.lastgroup)]
        if kind is not Kind.SPACE:
            yield Token(kind, match[0], place)
        if kind is Kind.END:
            return
        place = match.end()


def _no_token(text: str, place: int) -> BadExpression:
    if match := NUMBER_LIKE.match(text, place):
        problem = (
            f"{shown(match[0])} is neither a number, such as 35 or 35.4, nor a duration, such as 10m, 1h30m or 30s; "
            'a unit is written as in amount(35.4, "ug/m3")'
        )
        return BadExpression(problem, place, match.end())
    character = text[place]
    problem = INSTEAD.get(character, f"the character {character!r} has no place here")
    return BadExpression(problem, place, place + 1)
