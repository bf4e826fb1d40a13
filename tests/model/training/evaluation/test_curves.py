"""Ranking and calibration, against figures worked out by hand and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.evaluation.curves import (
    Bin,
    auc,
    average_precision,
    bins_for,
    brier,
    calibration_error,
    error_by_chance,
    precision_recall,
    reliability,
    spearman,
)

PICTURES = st.lists(st.tuples(st.booleans(), st.integers(0, 255)), min_size=1, max_size=60)  # truth, int8 score
BOTH = PICTURES.filter(lambda pictures: len({dirty for dirty, _ in pictures}) == 2)

Drawn = list[tuple[bool, int]]


def arrays(pictures: Drawn) -> tuple[np.ndarray, np.ndarray]:
    return np.array([dirty for dirty, _ in pictures], bool), np.array([score / 255 for _, score in pictures])


def of(dirty: str, *scores: float) -> tuple[np.ndarray, np.ndarray]:
    """`dirty`: d for a dirty picture, c for a clean one."""
    return np.array([letter == "d" for letter in dirty]), np.array(scores)


@pytest.mark.parametrize(
    ("dirty", "scores", "expected"),
    [
        ("ccdd", (0.1, 0.4, 0.35, 0.8), 0.75),
        ("cd", (0.2, 0.9), 1.0),
        ("cd", (0.9, 0.2), 0.0),
        ("cdcd", (0.5, 0.5, 0.5, 0.5), 0.5),
        ("ccd", (0.1, 0.5, 0.5), 0.75),
        ("dd", (0.1, 0.5), None),
        ("", (), None),
    ],
    ids=["one pair of four wrong", "parted", "upside down", "all the same", "a tie", "no clean one", "nothing"],
)
def test_auc_is_the_share_of_pairs_in_the_right_order(
    dirty: str, scores: tuple[float, ...], expected: float | None
) -> None:
    assert auc(*of(dirty, *scores)) == expected


@given(BOTH)
def test_auc_counts_pairs(pictures: Drawn) -> None:
    clean, dirty = ([score for truth, score in pictures if truth is wanted] for wanted in (False, True))
    won = sum((high > low) + (high == low) / 2 for high in dirty for low in clean)

    assert auc(*arrays(pictures)) == pytest.approx(won / (len(clean) * len(dirty)))


@given(BOTH)
def test_auc_knows_only_the_order(pictures: Drawn) -> None:
    truth, scores = arrays(pictures)

    assert auc(truth, scores) == auc(truth, np.exp(5 * scores) - 3)
    assert auc(truth, scores) == pytest.approx(1 - (auc(truth, -scores) or 0.0))


def test_precision_and_recall_have_a_point_for_each_score() -> None:
    curve = precision_recall(*of("ccdd", 0.1, 0.4, 0.35, 0.8))

    assert curve is not None
    assert curve.threshold.tolist() == [0.8, 0.4, 0.35, 0.1]
    assert curve.precision.tolist() == [1, 1 / 2, 2 / 3, 2 / 4]
    assert curve.recall.tolist() == [0.5, 0.5, 1, 1]
    assert average_precision(curve) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_equal_scores_are_found_together() -> None:
    curve = precision_recall(*of("cdd", 0.5, 0.5, 0.5))

    assert curve is not None
    assert (curve.precision.tolist(), curve.recall.tolist()) == ([2 / 3], [1])


def test_without_dirt_there_is_nothing_to_find() -> None:
    assert precision_recall(*of("cc", 0.1, 0.9)) is None
    assert average_precision(None) is None


def test_bins_hold_equal_numbers_by_rising_score() -> None:
    truth, scores = of("cdcd", 0.9, 0.1, 0.2, 0.8)

    bins = reliability(truth, scores, bins=2)

    assert [each.score for each in bins] == pytest.approx([0.15, 0.85])
    assert [(each.dirty, each.pictures) for each in bins] == [(1, 2), (1, 2)]
    assert calibration_error(bins) == pytest.approx(0.35)


def test_equal_scores_are_not_parted_by_the_order_of_the_files() -> None:
    """As an int8 network gives them: parted, clean files first, they would seem well told apart."""
    truth, scores = of("ccccdddd", *[0.5] * 8)

    assert reliability(truth, scores, bins=4) == (Bin(0.5, 4, 8),)


@given(PICTURES)
def test_bins_lose_no_picture_and_scores_stay_between_their_bounds(pictures: Drawn) -> None:
    truth, scores = arrays(pictures)
    bins = reliability(truth, scores)

    assert sum(each.pictures for each in bins) == len(pictures)
    assert sum(each.dirty for each in bins) == truth.sum()
    assert 1 <= len(bins) <= 15
    assert 0 <= (calibration_error(bins) or 0.0) <= 1


@given(PICTURES)
def test_calibration_error_is_at_least_the_bias_and_at_most_the_mean_miss(pictures: Drawn) -> None:
    truth, scores = arrays(pictures)
    error = calibration_error(reliability(truth, scores))

    assert error is not None
    assert abs(scores.mean() - truth.mean()) - 1e-9 <= error <= np.abs(scores - truth).mean() + 1e-9


def test_a_few_pictures_get_fewer_bins_and_many_the_usual_ones() -> None:
    assert [bins_for(pictures) for pictures in (0, 1, 29, 30, 149, 150, 480)] == [2, 2, 2, 3, 14, 15, 15]


@pytest.mark.parametrize("pictures", [10, 60, 200])
def test_perfect_scores_have_the_calibration_error_that_is_expected_of_them(pictures: int) -> None:
    rng = np.random.default_rng(1)
    score = rng.beta(0.5, 0.5, pictures)
    found = [calibration_error(reliability(rng.random(pictures) < score, score)) for _ in range(400)]

    expected = error_by_chance(score)
    assert expected == pytest.approx(np.mean(np.array(found, float)), rel=0.1)
    assert 0.05 < (expected or 0.0) < 0.15


def test_scores_that_leave_no_doubt_err_by_no_chance() -> None:
    assert error_by_chance(np.array([0.0, 1.0, 1.0])) == 0


def test_brier_is_the_mean_square_of_the_miss() -> None:
    assert brier(*of("cd", 0.1, 0.6)) == pytest.approx((0.01 + 0.16) / 2)


@pytest.mark.parametrize(
    ("degrees", "scores", "expected"),
    [
        ((0.1, 1, 5, 15), (0.1, 0.2, 0.6, 0.9), 1.0),
        ((0.1, 1, 5, 15), (0.9, 0.6, 0.2, 0.1), -1.0),
        ((1, 2, 3), (0.2, 0.3, 0.1), -0.5),
        ((1, 1, 2), (0.1, 0.2, 0.3), 0.8660254),
        ((1, 2), (0.5, 0.5), None),
        ((1,), (0.5,), None),
    ],
    ids=["in order", "upside down", "by 1 - 6 d² / n (n² - 1)", "a tie", "scores all the same", "one picture"],
)
def test_spearman_asks_whether_dirtier_ducts_score_higher(
    degrees: tuple[float, ...], scores: tuple[float, ...], expected: float | None
) -> None:
    found = spearman(np.array(degrees, float), np.array(scores))

    assert found == (None if expected is None else pytest.approx(expected))


def test_of_nothing_nothing_is_said() -> None:
    assert (brier(*of("")), reliability(*of("")), calibration_error(())) == (None, (), None)
    assert error_by_chance(np.zeros(0)) is None
