"""What a terminal and a page say of a model on spoilt pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from model.training.evaluation import charts
from model.training.evaluation.corrupt import CORRUPTIONS
from model.training.evaluation.degrade import Cell, Degradation
from model.training.evaluation.figures import measure, wilson
from model.training.evaluation.scores import Scored
from model.training.evaluation.wording import alike, in_all, rows, table
from model.types import Label, ModelId

MODEL = ModelId("visual-clean", "1.0.0")


def cell(*, right: int, told: int, told_right: int, unseen: int = 0) -> Cell:
    """Of 200 pictures, half of them dirty."""
    return Cell(
        accuracy=wilson(right, 200),
        balanced_accuracy=right / 200,
        coverage=wilson(told, 200),
        accuracy_told=wilson(told_right, told),
        clean_though_dirty=wilson(unseen, 100),
    )


def spoilt(*fog: Cell) -> Degradation:
    """As little as fog leaves to judge, and nothing of all else."""
    nothing = cell(right=100, told=0, told_right=0)
    cells = {kind.name: (nothing,) * 5 for kind in CORRUPTIONS} | {"fog": fog}
    return Degradation(
        pictures=200,
        unspoilt=cell(right=199, told=197, told_right=197),
        cells=cells,
        mean_accuracy=0.5,
        mean_coverage=0.04,
        mean_accuracy_told=0.97,
    )


FOGGED = spoilt(
    cell(right=140, told=190, told_right=189),
    cell(right=130, told=150, told_right=148, unseen=1),
    cell(right=120, told=120, told_right=115, unseen=2),
    cell(right=110, told=46, told_right=43),
    cell(right=100, told=1, told_right=1),
)


def line_of(name: str) -> str:
    said = table(MODEL, measure([], 0.5), FOGGED)
    (line,) = (line for line in said.splitlines() if line.strip().startswith(name))
    return line


def test_of_spoilt_pictures_those_that_it_judges_are_told() -> None:
    fog = "fog 0.995 (95 %) 0.987 (75 %) 0.958 (60 %) 0.935 (23 %) 1.000 (<1 %) 2.0 %"
    assert " ".join(line_of("fog").split()) == fog
    assert " ".join(line_of("not spoilt").split()) == "not spoilt 1.000 (98 %) none"
    assert " ".join(line_of("contrast").split()) == "contrast - - - - - none"
    assert len(line_of("strength")) <= 120


def test_of_all_spoilt_pictures_both_answers_are_told() -> None:
    assert in_all(FOGGED) == "it judges 4.0 %, 97.0 % of these rightly; if it has to answer, 50.0 % are right"
    assert in_all(replace(FOGGED, mean_accuracy_told=None)).startswith("it judges none of them;")


def test_the_chart_is_of_those_that_it_judges_too() -> None:
    drawn = charts.degradation(FOGGED)
    surer = spoilt(*(replace(one, accuracy=wilson(200, 200)) for one in FOGGED.cells["fog"]))
    wronger = spoilt(*(replace(one, accuracy_told=wilson(1, 2)) for one in FOGGED.cells["fog"]))

    assert "accuracy of those that it judges" in drawn
    assert charts.degradation(surer) == drawn
    assert charts.degradation(wronger) != drawn


def test_beside_the_calibration_error_stands_what_is_chance() -> None:
    pictures = [Scored(name="", dirty=bool(n % 2), score=0.5, label=Label.CANNOT_TELL) for n in range(10)]
    (row,) = (row for row in rows(measure(pictures, 0.5)) if row.name == "calibration error")

    found = re.fullmatch(r"of so many, perfect scores would get (0\.\d{3}) by chance", row.interval)
    assert row.value == "0.000"
    assert found is not None
    assert float(found[1]) == pytest.approx(0.123, abs=0.01)  # 10 coins: the mean of |heads - 5| / 10


def test_a_few_twins_are_not_worth_a_word() -> None:
    assert list(alike(100, 79)) == [
        "100 pictures look like 79 different things: if they are, the intervals are too narrow"
    ]
    assert list(alike(100, 80)) == list(alike(100, None)) == []
