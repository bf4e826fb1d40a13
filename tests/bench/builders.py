"""Results for tests: a test names only what matters."""

from __future__ import annotations

from bench.machine import Machine
from bench.results import SCHEMA, Bar, Chart, Document, Goal, Result, Row

MACHINE = Machine(
    processor="Cortex-A72",
    cores=4,
    virtual=False,
    memory_mib=2048,
    kernel="6.1.0",
    python="3.11.2",
    versions={"numpy": "2.0.0"},
)


def result(name: str = "memory", *, rows: tuple[Row, ...] = (), goals: tuple[Goal, ...] = ()) -> Result:
    return Result(
        name=name,
        title="Memory of the whole firmware",
        how="After warming up.",
        columns=("MB",),
        rows=rows or (Row("resident", (81.5,)),),
        chart=Chart(unit="MB", bars=(Bar(label="whole", value=81.5, at_most=90.0), Bar(label="numpy", value=13.4))),
        goals=goals,
    )


def goal(value: float, at_most: float = 90.0) -> Goal:
    return Goal(what="resident memory", value=value, at_most=at_most, unit="MB")


def document(of: Result | None = None, *, quick: bool = False, machine: Machine = MACHINE) -> Document:
    return Document(
        schema=SCHEMA, day="2026-05-01", quick=quick, load=(0.25, 1.5), machine=machine, result=of or result()
    )
