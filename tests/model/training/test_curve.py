"""How a training went, and when it is time to stop."""

from __future__ import annotations

import pytest

from model.training.curve import Curve, Look, best, has_settled, smoothed


def curve(*worth: float, made: int = 40, planned: int = 40) -> Curve:
    """With a look every ten steps, which found these losses."""
    looks = tuple(Look(10 * number, loss) for number, loss in enumerate(worth, start=1))
    return Curve(losses=(0.7,) * made, looks=looks, planned=planned)


@pytest.mark.parametrize(
    ("losses", "settled"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.6], False),
        ([0.5, 0.6, 0.55], True),
        ([0.5, 0.5, 0.5], True),
        ([0.5, 0.6, 0.4], False),
        ([0.5, 0.4, 0.6, 0.3, 0.4], False),
        ([0.5, 0.4, 0.6, 0.3, 0.4, 0.3], True),
        ([0.5, 0.4999, 0.4998], True),
    ],
)
def test_it_has_settled_when_two_looks_brought_hardly_anything(losses: list[float], settled: bool) -> None:
    assert has_settled(losses, 2) is settled


def test_of_equals_the_first_is_the_best() -> None:
    assert best([0.5, 0.3, 0.3]) == 1


def test_the_weights_are_those_of_the_best_look() -> None:
    assert curve(0.5, 0.2, 0.3).kept == Look(20, 0.2)


def test_the_line_is_level_where_the_loss_is_and_starts_where_it_does() -> None:
    assert smoothed([0.7] * 9).tolist() == pytest.approx([0.7] * 9)
    assert smoothed([1.0, 0.0], share=0.5).tolist() == pytest.approx([1.0, 1 / 3])


def test_the_document_numbers_steps_from_one() -> None:
    document = curve(0.5, 0.2, 0.3, made=30).document(seed=7)

    assert (document["seed"], document["planned_steps"], document["kept_step"]) == (7, 40, 20)
    assert document["curve"][0] == {"step": 1, "loss": 0.7}
    assert document["curve"][-1]["step"] == 30
    assert document["looks"][1] == {"step": 20, "loss": 0.2}
