"""The names on the command line are those of the networks."""

from __future__ import annotations

from model.training.architectures import ARCHITECTURES
from model.training.train import NAMES, SHIPPED


def test_each_network_can_be_asked_for_by_its_name() -> None:
    assert tuple(ARCHITECTURES) == NAMES
    assert SHIPPED in NAMES


def test_a_teacher_sees_what_its_student_sees() -> None:
    taught = [one for one in ARCHITECTURES.values() if one.teacher is not None]

    assert taught
    for one in taught:
        assert ARCHITECTURES[one.teacher or ""].side == one.side
        assert one.plan.crop_steps == 0


def test_a_title_says_what_it_is_without_the_others() -> None:
    """It stands in a sorted table, and alone in the card of a bundle."""
    assert not [one.title for one in ARCHITECTURES.values() if "same" in one.title]
