"""The one way in which an expression is refused."""

from __future__ import annotations


class BadExpression(Exception):
    """What is wrong with an expression and what to write instead: `problem`, at `text[start:end]`."""

    def __init__(self, problem: str, start: int, end: int) -> None:
        super().__init__(problem, start, end)
        self.problem = problem
        self.start = start
        self.end = end

    def __str__(self) -> str:
        """With the column, counted from 1 at the start of the text."""
        return f"column {self.start + 1}: {self.problem}"


def shown(word: str) -> str:
    """A piece of an expression as it may stand in a message: quoted, on one line, not longer than 40 characters."""
    words = " ".join(word.split())
    return repr(words if len(words) <= 40 else words[:37] + "...")
