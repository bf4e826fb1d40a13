"""How a training went, and when there is nothing left to learn."""

from __future__ import annotations

import pytest

from model.training.curve import Curve, is_learned, least_loss, smoothed


@pytest.mark.parametrize(("smoothing", "least"), [(0.0, 0.0), (0.05, 0.1985), (0.5, 0.6931)])
def test_smoothed_labels_leave_a_loss_that_nobody_gets_below(smoothing: float, least: float) -> None:
    assert least_loss(smoothing) == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize(
    ("losses", "learned"),
    [
        ([], False),
        ([0.2, 0.2], False),
        ([0.2, 0.2, 0.2], True),
        ([0.7, 0.3, 0.2, 0.2, 0.2, 0.2], True),
        ([0.7, 0.3, 0.2, 0.2, 0.2, 0.23], False),
        ([0.7, 0.7, 0.7, 0.2, 0.2], False),
        ([0.2, 0.2, 0.2, 0.5, 0.5], True),
        ([0.6, 0.6, 0.6, 0.6, 0.6, 0.6], False),
    ],
)
def test_it_is_learned_when_a_whole_epoch_of_three_steps_lost_hardly_more_than_it_must(
    losses: list[float], learned: bool
) -> None:
    assert is_learned(losses, 3, 0.1985) is learned


def test_the_line_is_level_where_the_loss_is_and_starts_where_it_does() -> None:
    assert smoothed([0.7] * 9).tolist() == pytest.approx([0.7] * 9)
    assert smoothed([1.0, 0.0], share=0.5).tolist() == pytest.approx([1.0, 1 / 3])


def test_the_document_numbers_steps_from_one() -> None:
    document = Curve(losses=(0.7, 0.6), planned=4).document(seed=7)

    assert (document["seed"], document["planned_steps"]) == (7, 4)
    assert document["curve"] == [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.6}]
