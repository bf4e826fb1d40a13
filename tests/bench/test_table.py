from __future__ import annotations

import pytest

from bench.results import Row
from bench.table import figure, text
from tests.bench.builders import document, goal, result


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.000"), (0.2144, "0.214"), (2.2438, "2.24"), (81.52, "81.5"), (61104.2, "61104"), (None, "-")],
    ids=["nothing", "below one", "ones", "tens", "thousands", "no value"],
)
def test_three_digits_count(value: float | None, shown: str) -> None:
    assert figure(value) == shown


def test_columns_stand_under_their_names() -> None:
    rows = (Row("resident", (81.5,)), Row("part: numpy", (13.4,)))

    lines = text(document(result(rows=rows))).splitlines()

    at = next(number for number, line in enumerate(lines) if line.endswith("MB"))
    assert lines[at : at + 3] == ["               MB", "resident     81.5", "part: numpy  13.4"]


def test_a_goal_that_was_missed_says_so() -> None:
    shown = text(document(result(goals=(goal(81.5), goal(97.0)))))

    assert "goal met     resident memory: 81.5 MB, at most 90 wanted" in shown
    assert "goal MISSED  resident memory: 97.0 MB, at most 90 wanted" in shown


def test_the_machine_its_load_and_the_day_are_named() -> None:
    shown = text(document())

    assert "Cortex-A72, 4 cores (2 GiB), Linux 6.1.0, Python 3.11.2. Load 0.25 to 1.5. 2026-05-01" in shown


def test_rough_figures_are_called_rough() -> None:
    assert "quick: rough figures" in text(document(quick=True))
    assert "rough" not in text(document(quick=False))
