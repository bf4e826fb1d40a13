"""Labels that all other pictures speak against, and pictures that are like no other. Features are drawn here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.training.data.suspects import mislabelled, outliers

COUNT = 120
EACH = np.arange(COUNT)  # a group each: no twins


def labels() -> npt.NDArray[np.bool_]:
    dirty: npt.NDArray[np.bool_] = EACH % 2 == 0
    return dirty


def features(dirty: npt.NDArray[np.bool_], *, apart: float = 1.5) -> npt.NDArray[np.float32]:
    """Positive, as a network's are; what is dirty has more of the first half."""
    random = np.random.default_rng(0)
    x = 3 + random.normal(size=(len(dirty), 64))
    x[:, :32] += apart * dirty[:, None]
    return x.astype(np.float32)


def test_labels_turned_round_are_found_the_surest_first() -> None:
    truth = labels()
    said = truth.copy()
    said[[7, 30, 77]] ^= True

    doubts = mislabelled(features(truth), said, EACH)

    assert {one.place for one in doubts.suspects} == {7, 30, 77}
    assert doubts.suspects == sorted(doubts.suspects, key=lambda one: -one.strength)
    assert doubts.agreement is not None
    assert doubts.agreement > 0.95


def test_right_labels_are_not_doubted() -> None:
    assert mislabelled(features(labels()), labels(), EACH).suspects == []


def test_twins_with_one_wrong_label_do_not_vote_for_each_other() -> None:
    truth = labels()
    x, said, group = features(truth), truth.copy(), EACH.copy()
    x[10:20], said[10:20], group[10:20] = x[10], ~truth[10], 10

    assert {one.place for one in mislabelled(x, said, group).suspects} >= set(range(10, 20))


def test_pictures_that_nothing_is_learned_from_come_with_little_agreement() -> None:
    doubts = mislabelled(features(labels(), apart=0.0), labels(), EACH)

    assert doubts.agreement is not None
    assert doubts.agreement < 0.7


def test_twenty_shots_of_one_dirty_duct_are_too_few_to_doubt_a_label() -> None:
    group = np.where(labels(), 0, EACH)

    doubts = mislabelled(features(labels()), labels(), group)

    assert (doubts.suspects, doubts.agreement) == ([], None)


def test_a_hand_before_the_lens_is_an_outlier_and_a_second_shot_of_it_too() -> None:
    x, group = features(labels(), apart=0.3), EACH.copy()
    hand = np.random.default_rng(5).uniform(0, 6, 64)
    x[40], x[41], group[41] = hand, hand + 0.01, 40

    assert {one.place for one in outliers(x, group)} == {40, 41}


def test_pictures_that_are_all_alike_have_no_outlier() -> None:
    assert outliers(np.ones((COUNT, 64), np.float32), EACH) == []
    assert outliers(np.zeros((COUNT, 64), np.float32), np.zeros(COUNT, np.intp)) == []


def test_among_a_few_pictures_each_is_odd() -> None:
    assert outliers(features(labels())[:30], EACH[:30]) == []
