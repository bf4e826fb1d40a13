"""Figures that tests measure, for the table at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Report:
    """`figure` notes one; all are kept in the order of the tests."""

    test: str
    figures: ClassVar[list[tuple[str, str, str]]] = []

    def figure(self, what: str, value: float, unit: str) -> None:
        text = f"{value:.3g} {unit}".rstrip() if value < 1000 else f"{value:.0f} {unit}".rstrip()
        self.figures.append((self.test, what, text))
