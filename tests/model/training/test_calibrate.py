"""Scores that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from model.image_quality import Measures, measure, unfit
from model.manifest import ImageLimits
from model.training.calibrate import MOST_SURE, fit_line, limits_for
from model.training.data.samples import BadDataset
from model.types import Reason
from tests.model.pictures import flat, ripples


def drawn(slope: float, shift: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that are dirty with the probability that slope * logit + shift stands for."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, count).astype(np.float32)
    return logits, rng.random(count) < 1 / (1 + np.exp(-(slope * logits + shift)))


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.4, -1.0), (1.4, 0.7)])
def test_the_line_that_made_the_labels_is_found_whichever_class_is_rare(slope: float, shift: float) -> None:
    """The odds of the labels are the line's; counted alike, those of a rarer class rise by as much as it is rarer."""
    logits, dirty = drawn(slope, shift)

    line = fit_line(logits, dirty)

    odds = np.log(dirty.sum() / (~dirty).sum())
    assert line == pytest.approx((slope, shift - odds), abs=0.15)


def test_classes_that_part_cleanly_do_not_make_it_sure_of_everything() -> None:
    logits = np.array([-2, -1.5, -1, 1, 1.5, 2], np.float32)

    line = fit_line(logits, logits > 0)

    certainty = 1 / (1 + np.exp(-(line.slope * logits + line.shift)))
    assert certainty.max() < 0.9


def test_few_photos_move_the_threshold_a_little_and_many_as_far_as_they_say() -> None:
    few, many = drawn(1.0, 2.5, 80), drawn(1.0, 2.5)

    best = 2.5 - np.log(many[1].sum() / (~many[1]).sum())
    assert fit_line(*many).shift == pytest.approx(best, abs=0.1)
    assert 0 < fit_line(*few).shift < best / 2


def test_a_network_that_has_learned_the_opposite_is_refused() -> None:
    with pytest.raises(BadDataset, match="does not hold for the photos that were kept aside"):
        fit_line(*drawn(-1.0, 0.0))


def test_no_logit_is_larger_than_int8_can_bear() -> None:
    logits = np.concatenate([np.linspace(-1, 1, 2000), [200.0]]).astype(np.float32)

    line = fit_line(logits, logits > 0)

    assert line.slope * 200 == pytest.approx(MOST_SURE)
    assert abs(line.shift) < 0.5


def test_pictures_like_those_that_were_learned_from_are_judged_and_black_ones_are_not() -> None:
    learned = [measure(ripples(160, 160, seed=seed)) for seed in range(20)]

    limits = ImageLimits(**limits_for(learned))

    assert unfit(measure(ripples(160, 160, seed=99)), limits) == ()
    assert unfit(measure(flat(160, 160, (3, 3, 3))), limits) != ()


def test_a_set_with_bright_photos_may_be_bright_and_one_without_depth_has_no_shadows() -> None:
    learned = [Measures(brightness=200, saturated_share=0.6, contrast=0.1, focus=1.0, veil=0.8)] * 50

    limits = limits_for(learned)

    assert limits["saturated_share_above"] > 0.6
    assert 0.8 < limits["veil_above"] < 0.9


def test_photos_of_a_dead_lamp_or_a_white_wall_make_these_no_pictures_to_be_judged() -> None:
    """Two of a hundred are enough to move a hundredth."""
    odd = [measure(flat(160, 160, level)) for level in ((3, 3, 3), (3, 3, 3), (255, 255, 255), (255, 255, 255))]
    learned = [*(measure(ripples(160, 160, seed=seed)) for seed in range(96)), *odd]

    limits = ImageLimits(**limits_for(learned))

    assert [unfit(measure(flat(160, 160, (level,) * 3)), limits)[:1] for level in (3, 255)] == [
        (Reason.DARK,),
        (Reason.SATURATED,),
    ]
