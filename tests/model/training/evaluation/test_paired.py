"""When one model may be called better than another, and when not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.training.evaluation.compare import verdict
from model.training.evaluation.paired import (
    Comparison,
    Difference,
    Outcome,
    compare,
    decide,
    pictures_needed,
    sign_test,
)
from model.training.evaluation.smoothed import smoothed

RIGHTS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40)  # dirty, A, B


def answers(both: int = 0, only_a: int = 0, only_b: int = 0, neither: int = 0, *, dirty: bool = False) -> np.ndarray:
    """(n, 3): truth, A right, B right."""
    counts = {(True, True): both, (True, False): only_a, (False, True): only_b, (False, False): neither}
    return np.array([(dirty, *right) for right, count in counts.items() for _ in range(count)], bool).reshape(-1, 3)


def compared(*parts: np.ndarray, groups: np.ndarray | None = None) -> Comparison:
    dirty, a_right, b_right = np.concatenate(parts).T
    return compare(dirty, a_right, b_right, groups, interval=smoothed)


@pytest.mark.parametrize(
    ("for_a", "for_b", "p_value"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 2 / 32), (2, 10, 2 * (1 + 12 + 66) / 4096), (10, 2, 158 / 4096), (0, 1, 1.0)],
)
def test_mcnemar_counts_what_only_one_got_right(for_a: int, for_b: int, p_value: float) -> None:
    assert sign_test(for_a, for_b) == p_value


def test_mcnemar_is_exact_for_sets_of_any_size() -> None:
    assert sign_test(10_000, 10_000) == 1.0
    assert sign_test(9_500, 10_500) == pytest.approx(1.6e-12, rel=0.1)  # z = 7.07
    assert sign_test(0, 20_000) == 0.0


def test_a_model_that_is_right_more_often_is_better() -> None:
    found = compared(answers(both=60, only_a=5, only_b=30, neither=5), answers(both=80, only_b=20, dirty=True))

    assert found.outcome is Outcome.BETTER
    assert (found.only_a_right, found.only_b_right) == (5, 50)
    assert found.accuracy.value == pytest.approx(45 / 200)
    assert 0 < found.accuracy.low < found.accuracy.value < found.accuracy.high


def test_the_interval_is_that_of_the_normal_for_many_pictures() -> None:
    found = compared(answers(both=700, only_a=100, only_b=200))
    half = 1.96 * np.sqrt((0.3 - 0.1**2) / 1000)

    assert found.accuracy.low == pytest.approx(0.1 - half, abs=3e-3)
    assert found.accuracy.high == pytest.approx(0.1 + half, abs=3e-3)


@pytest.mark.parametrize(
    ("part", "dirty"),
    [
        (answers(both=8), answers(neither=8, dirty=True)),
        (answers(only_a=8), answers(only_a=8, dirty=True)),
        (answers(both=8), answers(only_a=8, dirty=True)),
    ],
    ids=["they agree on all", "they agree on none", "they agree on all clean ones and on no dirty one"],
)
def test_sixteen_pictures_are_never_certain(part: np.ndarray, dirty: np.ndarray) -> None:
    """Who differs on 17 % of all pictures agrees on 16 of them once in twenty times."""
    found = compared(part, dirty)

    for difference in (found.accuracy, found.balanced_accuracy):
        assert difference is not None
        assert -1 <= difference.low <= difference.value <= difference.high <= 1
        assert 0.2 < difference.high - difference.low < 0.6


def test_the_interval_of_pictures_is_that_of_bonett_and_price() -> None:
    """Of n = 16 with 1 and 3 discordant, one of each added: d = 2/18 and its variance (6/18 - d²) / 18."""
    accuracy, _ = smoothed(np.zeros(16, bool), np.array([-1, 1, 1, 1] + [0] * 12), np.arange(16))
    half = 1.959964 * np.sqrt((6 / 18 - (2 / 18) ** 2) / 18)

    assert [accuracy.value, accuracy.low, accuracy.high] == pytest.approx([2 / 16, 2 / 18 - half, 2 / 18 + half])


@pytest.mark.parametrize(
    ("pictures", "a", "b"),
    [(16, 0.9, 0.98), (16, 0.02, 0.99), (30, 0.9, 0.9), (200, 0.9, 0.9), (200, 0.02, 0.99)],
)
def test_nineteen_intervals_in_twenty_hold_and_equal_models_get_no_verdict(pictures: int, a: float, b: float) -> None:
    drawn = np.random.default_rng(1).random((400, pictures, 3))
    found = [compare(*(one < [0.5, a, b]).T, interval=smoothed) for one in drawn]

    both = [(one.accuracy, one.balanced_accuracy) for one in found if one.balanced_accuracy is not None]
    for differences in zip(*both, strict=True):
        assert np.mean([each.low <= b - a <= each.high for each in differences]) > 0.93
    if a == b:
        assert np.mean([one.outcome is not Outcome.CANNOT_TELL for one in found]) < 0.05


@given(RIGHTS, st.data())
def test_every_interval_holds_the_difference_and_is_the_contrary_the_other_way_round(
    pictures: list[tuple[bool, bool, bool]], data: st.DataObject
) -> None:
    dirty, a_right, b_right = np.array(pictures).T
    group = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(dirty), max_size=len(dirty))))
    there, back = (
        compare(dirty, *rights, group, interval=smoothed) for rights in ((a_right, b_right), (b_right, a_right))
    )

    for one, other in ((there.accuracy, back.accuracy), (there.balanced_accuracy, back.balanced_accuracy)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert -1 <= one.low <= one.value <= one.high <= 1
            assert one.low < one.high
            assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_a_few_pictures_cannot_tell_and_say_how_many_could() -> None:
    found = compared(answers(both=17, only_a=1, only_b=2))

    assert found.outcome is Outcome.CANNOT_TELL
    assert found.pictures_needed == pictures_needed(3 / 20, 1 / 20)


def test_connors_number_of_pictures() -> None:
    # (1.95996 * sqrt 0.2 + 0.84162 * sqrt 0.19)² / 0.1² = 154.6
    assert pictures_needed(0.2, 0.1) == 155
    assert pictures_needed(0.2, -0.1) == 155
    assert pictures_needed(0.2, 0.0) is None
    assert pictures_needed(1.0, 1.0) == 6  # five all alike have a p of 0.06


def test_twins_are_no_further_evidence() -> None:
    """One duct photographed 40 times, on which B is right, does not make B better."""
    alike = answers(only_b=40)
    others = answers(both=60)

    apart = compared(alike, others)
    together = compared(alike, others, groups=np.r_[np.zeros(40, int), 1:61])

    assert apart.outcome is Outcome.BETTER
    assert together.outcome is Outcome.CANNOT_TELL
    assert (together.groups, together.groups_for_b, together.only_b_right) == (61, 1, 40)
    assert together.accuracy.low < apart.accuracy.low


def test_the_numbers_of_groups_do_not_matter() -> None:
    parts = answers(only_a=3, only_b=9, both=8)
    groups = np.arange(20) // 2

    assert compared(parts, groups=groups) == compared(parts, groups=1000 - 7 * groups)


def test_more_right_but_blind_to_dirt_is_not_better() -> None:
    """Nine in ten are clean: B gains there, and loses nearly all of the dirty ones."""
    found = compared(answers(both=120, only_b=60), answers(only_a=20, dirty=True))

    assert found.balanced_accuracy is not None
    assert found.accuracy.low > 0
    assert found.balanced_accuracy.value < 0
    assert found.outcome is Outcome.CANNOT_TELL


def test_of_one_class_there_is_no_balanced_accuracy() -> None:
    assert compared(answers(both=3, only_b=3)).balanced_accuracy is None


def test_test_and_interval_must_agree() -> None:
    above, around = Difference(value=0.1, low=0.01, high=0.2), Difference(value=0.1, low=0.0, high=0.2)

    assert decide(0.049, above, None) is Outcome.BETTER
    assert decide(0.051, above, None) is Outcome.CANNOT_TELL
    assert decide(0.049, around, None) is Outcome.CANNOT_TELL


@settings(max_examples=30)
@given(RIGHTS)
def test_the_other_way_round_says_the_contrary(pictures: list[tuple[bool, bool, bool]]) -> None:
    dirty, a_right, b_right = np.array(pictures).T
    there, back = compare(dirty, a_right, b_right), compare(dirty, b_right, a_right)

    contrary = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER, Outcome.CANNOT_TELL: Outcome.CANNOT_TELL}
    assert back.outcome is contrary[there.outcome]
    assert (back.p_value, back.accuracy.value) == (there.p_value, -there.accuracy.value)


def test_the_same_pictures_give_the_same_interval_each_time() -> None:
    parts = answers(both=10, only_a=4, only_b=9)

    assert compared(parts) == compared(parts)


def test_nothing_cannot_be_compared_on() -> None:
    with pytest.raises(ValueError, match="nothing to compare on"):
        compared(answers())


@pytest.mark.parametrize(
    ("parts", "groups", "said"),
    [
        (answers(both=9), None, "cannot be told with 9 pictures: they answer alike on all of them."),
        (answers(neither=9), None, "cannot be told with 9 pictures: they answer alike on all of them."),
        (answers(only_a=1, only_b=1), None, "each is right where the other is wrong equally often."),
        (answers(only_b=40), np.zeros(40, int), "too many of them are twins."),
        (np.concatenate([answers(both=120, only_b=60), answers(only_a=20, dirty=True)]), None, "do not agree."),
        (answers(both=17, only_a=1, only_b=2), None, "about 469 pictures like these would show it"),
        (answers(only_b=40), None, "B is better than A, as far as these 40 pictures show."),
    ],
    ids=["the same", "both wrong", "evenly", "twins", "blind to dirt", "few", "better"],
)
def test_the_verdict_is_a_sentence(parts: np.ndarray, groups: np.ndarray | None, said: str) -> None:
    assert said in verdict(compared(parts, groups=groups))
