"""The table is fitted to ducts whose truth is known here: log grams on a line over the score's logit, and noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from model.degree import degree_of
from model.manifest import DegreePoint
from model.training.data.samples import BadDataset
from model.training.degree_table import FEWEST, MOST_POINTS, fit_degree, measure_degree

Numbers = npt.NDArray[np.float64]

CLEAREST, DIRTIEST = 0.05, 15.0  # g/m2
NOISE = 0.5  # standard deviation of a picture's log grams
FITS = 60


def ducts(rng: np.random.Generator, count: int, noise: float = NOISE) -> tuple[Numbers, Numbers]:
    """Scores as an int8 network gives them, and the grams."""
    log = rng.uniform(np.log(CLEAREST), np.log(DIRTIEST), count)
    logit = 1.4 * (log + rng.normal(0, noise, count) - np.log(1.3))
    return np.round(256 / (1 + np.exp(-logit))) / 256, np.exp(log)


def held(table: tuple[DegreePoint, ...], scores: Numbers, grams: Numbers) -> float:
    """The share that is within the interval."""
    degrees = [degree_of(score, table) for score in scores]
    within = [one is not None and one.low_g_m2 <= g <= one.high_g_m2 for one, g in zip(degrees, grams, strict=True)]
    return float(np.mean(within))


@pytest.mark.parametrize(("measured", "unlucky"), [(FEWEST, 0.65), (14, 0.7), (25, 0.75), (60, 0.8), (300, 0.85)])
def test_the_interval_holds_nine_in_ten_of_fresh_ducts_but_less_with_bad_luck(measured: int, unlucky: float) -> None:
    """One fit in twenty holds less, but not less than `unlucky`."""
    rng = np.random.default_rng(measured)

    shares = [held(fit_degree(*ducts(rng, measured)), *ducts(rng, 400)) for _ in range(FITS)]

    assert 0.87 < np.mean(shares) < 0.96
    assert unlucky < np.quantile(shares, 0.05) < 0.9


def test_the_figures_tell_what_fresh_ducts_will_show() -> None:
    rng = np.random.default_rng(1)
    figures = measure_degree(*ducts(rng, 200))
    table, (scores, grams) = fit_degree(*ducts(rng, 200)), ducts(rng, 2000)
    estimates = np.array([one.g_m2 for score in scores if (one := degree_of(score, table))])

    assert figures.measurements == 200
    assert figures.coverage == pytest.approx(held(table, scores, grams), abs=0.06)
    assert figures.relative_error == pytest.approx(np.median(np.abs(estimates - grams) / grams), abs=0.08)
    assert figures.spearman > 0.9


def test_the_estimate_follows_the_truth() -> None:
    table = fit_degree(*ducts(np.random.default_rng(2), 2000, noise=0.05))

    for score, grams in ((0.1, 1.3 * (1 / 9) ** (1 / 1.4)), (0.5, 1.3), (0.9, 1.3 * 9 ** (1 / 1.4))):
        degree = degree_of(score, table)
        assert degree is not None
        assert degree.g_m2 == pytest.approx(grams, rel=0.1)


def test_the_interval_is_wide_where_the_score_says_little_and_narrow_where_it_says_much() -> None:
    """A score that is flat below 0.6 g/m2: there it may be anything."""
    rng = np.random.default_rng(3)
    log = rng.uniform(np.log(CLEAREST), np.log(DIRTIEST), 800)
    score = np.clip((log - np.log(0.6)) / 4 + rng.normal(0, 0.01, 800), 0.01, 0.99)

    first, *_, last = fit_degree(score, np.exp(log))

    assert first.high_g_m2 / first.low_g_m2 > 5
    assert last.high_g_m2 / last.low_g_m2 < 1.5


def test_fewer_measurements_make_a_wider_interval() -> None:
    rng = np.random.default_rng(4)

    def width(measured: int) -> float:
        tables = [fit_degree(*ducts(rng, measured)) for _ in range(FITS)]
        return float(np.mean([np.log(one.high_g_m2 / one.low_g_m2) for table in tables for one in table]))

    assert width(FEWEST) > width(40) > width(400)


@pytest.mark.parametrize("measured", [FEWEST, 33, 1000])
def test_a_table_is_what_a_manifest_takes(measured: int) -> None:
    table = fit_degree(*ducts(np.random.default_rng(5), measured))

    assert 2 <= len(table) <= MOST_POINTS
    assert all(one.low_g_m2 <= one.g_m2 <= one.high_g_m2 for one in table)
    assert all(one.score < after.score and one.g_m2 <= after.g_m2 for one, after in pairwise(table))


def test_the_same_measurements_in_another_order_make_the_same_table() -> None:
    rng = np.random.default_rng(6)
    scores, grams = ducts(rng, 90)
    order = rng.permutation(90)

    assert fit_degree(scores[order], grams[order]) == fit_degree(scores, grams)
    assert measure_degree(scores[order], grams[order]) == measure_degree(scores, grams)


def test_where_a_higher_score_was_found_cleaner_both_count_as_one() -> None:
    scores = np.repeat([0.2, 0.4, 0.6, 0.8], 5)
    grams = np.repeat([0.1, 2.0, 1.0, 8.0], 5)

    table = fit_degree(scores, grams)

    middle = [one.g_m2 for one in table if one.score in (0.4, 0.6)]
    assert middle == pytest.approx([2**0.5] * 2, rel=1e-3)


def test_nothing_is_lighter_than_a_balance_can_tell() -> None:
    scores = np.linspace(0, 1, 20)

    table = fit_degree(scores, np.where(scores < 0.5, 0.0, 1.0))

    assert (table[0].g_m2, table[0].low_g_m2) == (0.01, 0.01)


@pytest.mark.parametrize(
    ("scores", "grams", "problem"),
    [
        (np.linspace(0, 1, 9), np.linspace(0, 9, 9), "9 pictures of known deposit are too few"),
        (np.linspace(0, 1, 12), np.full(12, 0.5), r"all 12 deposits are 0\.5 g/m2"),
        (np.full(12, 0.5), np.linspace(0, 9, 12), "do not score higher"),
        (np.linspace(1, 0, 12), np.linspace(0, 9, 12), "do not score higher"),
    ],
    ids=["too few", "all equal", "one score", "the wrong way round"],
)
def test_what_nothing_can_be_learned_from_is_refused(scores: Numbers, grams: Numbers, problem: str) -> None:
    for refuse in (fit_degree, measure_degree):
        with pytest.raises(BadDataset, match=problem):
            refuse(scores, grams)


@pytest.mark.parametrize(("score", "grams"), [(float("nan"), 1.0), (1.1, 1.0), (0.5, -1.0), (0.5, float("inf"))])
def test_numbers_that_are_no_scores_and_deposits_are_a_fault_of_the_caller(score: float, grams: float) -> None:
    with pytest.raises(ValueError, match="scores are 0 to 1"):
        fit_degree([*np.linspace(0, 1, 11), score], [*np.linspace(0, 9, 11), grams])
