"""Figures that tests measure, for the table at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(slots=True)
class Report:
    """`figure` notes one; all are kept in the order of the tests."""

    test: str
    figures: ClassVar[list[tuple[str, str, str]]] = []
    own: list[str] = field(default_factory=list)

    def figure(self, what: str, value: float, unit: str) -> None:
        text = f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
        self.own.append(f"{what}: {text}")
        self.figures.append((self.test, what, text))
