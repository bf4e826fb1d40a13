from __future__ import annotations

from itertools import pairwise

import pytest

from model.degree import degree_of, two_digits
from model.manifest import DegreePoint
from model.types import Degree


def point(score: float, g_m2: float, low_g_m2: float, high_g_m2: float) -> DegreePoint:
    return DegreePoint(score=score, g_m2=g_m2, low_g_m2=low_g_m2, high_g_m2=high_g_m2)


TABLE = (point(0.2, 0.1, 0.05, 0.4), point(0.4, 0.9, 0.3, 2.0), point(0.8, 3.6, 1.2, 8.0))


def test_without_a_table_nothing_is_estimated() -> None:
    assert degree_of(0.5, None) is None


@pytest.mark.parametrize("known", TABLE, ids=lambda known: str(known.score))
def test_at_a_point_its_own_estimate_holds(known: DegreePoint) -> None:
    assert degree_of(known.score, TABLE) == Degree(known.g_m2, known.low_g_m2, known.high_g_m2)


@pytest.mark.parametrize(("score", "end"), [(0.0, TABLE[0]), (0.19, TABLE[0]), (0.81, TABLE[-1]), (1.0, TABLE[-1])])
def test_beyond_the_ends_nothing_is_invented(score: float, end: DegreePoint) -> None:
    assert degree_of(score, TABLE) == Degree(end.g_m2, end.low_g_m2, end.high_g_m2)


def test_half_way_between_two_points_is_their_geometric_mean() -> None:
    degree = degree_of(0.6, TABLE)

    assert degree is not None
    assert (degree.g_m2, degree.low_g_m2, degree.high_g_m2) == pytest.approx((1.8, 0.6, 4.0))


def test_a_higher_score_never_means_less() -> None:
    degrees = [degree_of(step / 256, TABLE) for step in range(257)]

    assert all(before.g_m2 <= after.g_m2 for before, after in pairwise(degrees) if before and after)
    assert all(one is not None and one.low_g_m2 < one.g_m2 < one.high_g_m2 for one in degrees)


@pytest.mark.parametrize(
    ("g_m2", "read"), [(0.01, "0.01"), (0.0749, "0.075"), (0.996, "1"), (3.14, "3.1"), (12.5, "12"), (999, "1000")]
)
def test_people_read_two_digits(g_m2: float, read: str) -> None:
    assert two_digits(g_m2) == read
