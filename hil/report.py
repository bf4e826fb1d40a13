"""Figures that tests measure, for the table at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

LIMIT_S = 12 * 60.0  # of the whole suite: longer, and nobody runs it


@dataclass(frozen=True, slots=True)
class Report:
    """`figure` and `remark` note one each; all are kept in the order of the tests."""

    test: str
    figures: ClassVar[list[tuple[str, str, str]]] = []

    def figure(self, what: str, value: float, unit: str) -> None:
        number = f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"  # which would make 1e+03 of it
        self.remark(what, f"{number} {unit}".rstrip())

    def remark(self, what: str, text: str) -> None:
        """Something to know about the run that is no number."""
        self.figures.append((self.test, what, text))


def told_duration(seconds: float) -> str:
    """As people say it: 11 min 40 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
