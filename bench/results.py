"""What a benchmark hands back, and how it is kept: one JSON file each, so that one can be measured anew alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.machine import Machine

SCHEMA = "ductwatch.bench/1"
MAX_RESULT_BYTES = 1024 * 1024  # the largest so far has 20 kB

Progress = Callable[[str], None]


class NothingToMeasure(Exception):
    """What a benchmark needs is not there; the message says how it comes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How to measure. `quick` shows in two minutes that everything runs; its figures are rough."""

    quick: bool
    model: Path | None  # a bundle; None: the one that ships
    progress: Progress

    def choose(self, thorough: int, quick: int) -> int:
        return quick if self.quick else thorough


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a value for each column, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What was promised, and what was measured."""

    what: str
    value: float
    at_most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the picture; `at_most` is where its goal's mark stands."""

    label: str
    value: float
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    unit: str
    bars: tuple[Bar, ...]
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How something grows: pairs of what it grows with and its value, both above 0."""

    label: str
    unit: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """A picture of their own, one panel for each unit. `along`: what they grow with."""

    along: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found. `how` says what was measured, for whoever reads or repeats it; `notes` what to know
    about this run; `details` what does not fit into a table. Column names end in their unit."""

    name: str
    title: str
    how: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: Chart
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()
    curves: Curves | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A result with the machine and the day it comes from. `load` is the machine's load average at start and end."""

    schema: str
    day: str
    quick: bool
    load: tuple[float, float]
    machine: Machine
    result: Result


def save(document: Document, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document.result.name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    return path


def load_all(folder: Path) -> list[Document]:
    """Every result in the folder, in the order of their names. Raises `msgspec.DecodeError` for anything else there."""
    return [_load(path) for path in sorted(folder.glob("*.json"))]


def _load(path: Path) -> Document:
    with path.open("rb") as file:
        return msgspec.json.decode(file.read(MAX_RESULT_BYTES), type=Document)
