from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware.update.fitness import Examined, budget_ms, misfits, percentile, shortcomings
from tests.firmware.update.builders import BOARD, GOOD, examined, manifest

RUNTIME = {"name": "ai-edge-litert", "at_least": "2.1", "below": "3"}


def test_a_good_model_fits_and_falls_short_of_nothing() -> None:
    assert misfits(manifest(), BOARD) == []
    assert shortcomings(manifest(), BOARD, GOOD) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hardware": ["imx8mp"]}, "it is for imx8mp; this board is aarch64, raspberrypi,4-model-b"),
        ({"runtime": RUNTIME | {"name": "onnxruntime"}}, "needs the runtime onnxruntime; this board has ai-edge"),
        ({"runtime": RUNTIME | {"at_least": "2.3.1"}}, "at least 2.3.1 and below 3; this board has 2.3.0"),
        ({"runtime": RUNTIME | {"below": "2.3"}}, "at least 2.1 and below 2.3; this board has 2.3.0"),
        ({"image_quality_at_least": 2}, "judge of pictures in version 2; this firmware has version 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_this_board_cannot_run_is_not_tried(changes: dict[str, Any], problem: str) -> None:
    (found,) = misfits(manifest(**changes), BOARD)

    assert problem in found


@pytest.mark.parametrize("hardware", [["any"], ["imx8mp", "raspberrypi,4-model-b"], ["aarch64"]])
def test_a_board_goes_by_each_of_its_names(hardware: list[str]) -> None:
    assert misfits(manifest(hardware=hardware), BOARD) == []


@pytest.mark.parametrize(("version", "fits"), [("2.1", True), ("2.1.0", True), ("2.10.1", True), ("3.0rc1", False)])
def test_versions_are_compared_number_by_number(version: str, fits: bool) -> None:
    assert (misfits(manifest(), replace(BOARD, runtime_version=version)) == []) is fits


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (examined(golden={"agreement": 0.875}), "88% of 8 golden pictures are answered as expected, wanted 100%"),
        (examined(golden={"worst_lsb": 5}), "5 steps off what is expected, allowed 4"),
        (examined(golden={"accuracy": 0.875}), "right on 88% of the golden pictures, the model that is in use on 100%"),
        (examined(speed={"p95_ms": 150.1}), "up to 150.1 ms while the cameras run, allowed 150 ms"),
        (examined(speed={"runs": 39}), "only 39 runs were timed"),
        (examined(memory_mib=129.0), "takes 129 MiB of memory, allowed 128 MiB"),
    ],
    ids=["golden disagree", "golden differ", "accuracy falls", "too slow", "hardly timed", "too large"],
)
def test_a_model_that_falls_short_is_told_by_its_figures(found: Examined, problem: str) -> None:
    (told,) = shortcomings(manifest(), BOARD, found)

    assert problem in told


def test_without_right_answers_in_the_bundle_accuracy_says_nothing() -> None:
    assert shortcomings(manifest(), BOARD, examined(golden={"accuracy": None}, accuracy_before=None)) == []


@pytest.mark.parametrize(
    ("budgets", "board_ms", "wanted_ms"),
    [
        ({"any": 150}, 100.0, 100.0),
        ({"any": 80}, 100.0, 80.0),
        ({"any": 80, "raspberrypi,4-model-b": 120}, 150.0, 120.0),
        ({"imx8mp": 20}, 150.0, 150.0),
    ],
    ids=["the board's", "for any", "for this class", "only for another class"],
)
def test_the_stricter_budget_counts(budgets: dict[str, float], board_ms: float, wanted_ms: float) -> None:
    board = replace(BOARD, latency_budget_ms=board_ms)

    assert budget_ms(manifest(latency_budget_ms=budgets), board) == wanted_ms


def test_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 0.95), percentile(values, 0.5), percentile([3.0], 0.95)) == (95.0, 50.0, 3.0)
