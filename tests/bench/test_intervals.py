"""How sure a share is: as many groups as there are, not as many photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.intervals import FEWEST_GROUPS, Intervals, intervals
from model.training.evaluation.paired import Difference
from model.training.evaluation.scores import Scored
from model.types import Label

SCENES = 40


def asked(right: Sequence[bool], *, each: int = 1, alike: bool = True) -> Intervals:
    """Scenes that are clean and dirty by turns, with as many answers to each; `alike`: they count as one group."""
    scored = [
        Scored(name="", dirty=bool(n % 2), score=float(is_right == bool(n % 2)), label=Label.CANNOT_TELL)
        for n, is_right in enumerate(right)
        for _ in range(each)
    ]
    groups = np.repeat(np.arange(len(right)), each) if alike else np.arange(len(scored))
    return intervals(scored, groups, 0.5)


def width(share: Difference | None) -> float:
    assert share is not None
    return share.high - share.low


MOSTLY = [n % 5 > 0 for n in range(SCENES)]


def test_more_pictures_of_the_same_scenes_make_nothing_surer() -> None:
    once, often = asked(MOSTLY), asked(MOSTLY, each=9)

    assert often == once
    assert once.groups == SCENES


def test_unlike_pictures_do() -> None:
    alike, unlike = asked(MOSTLY, each=9), asked(MOSTLY, each=9, alike=False)

    assert width(alike.accuracy) == pytest.approx(3 * width(unlike.accuracy), rel=0.1)
    assert width(alike.balanced_accuracy) == pytest.approx(3 * width(unlike.balanced_accuracy), rel=0.1)
    assert width(alike.recall_dirty) == pytest.approx(3 * width(unlike.recall_dirty), rel=0.1)


def test_the_shares_are_those_of_all_and_of_the_dirty_ones() -> None:
    found = asked([n % 4 != 1 for n in range(SCENES)])  # every second dirty one is wrong

    assert found.accuracy is not None
    assert found.accuracy.value == 0.75
    assert found.accuracy.high - found.accuracy.low == pytest.approx(2 * 1.96 * (0.75 * 0.25 / SCENES) ** 0.5, abs=0.02)
    assert found.balanced_accuracy is not None
    assert found.balanced_accuracy.value == 0.75
    assert found.recall_dirty is not None
    assert found.recall_dirty.value == 0.5


def test_a_few_scenes_say_nothing_however_many_pictures_there_are() -> None:
    few = asked(MOSTLY[: FEWEST_GROUPS - 1], each=15)

    assert few.accuracy is few.balanced_accuracy is few.recall_dirty is None
    assert asked(MOSTLY[:FEWEST_GROUPS]).accuracy is not None


def test_where_all_are_right_drawing_says_nothing() -> None:
    assert asked([True] * SCENES).accuracy is None
