"""What a bundle's card says of ducts whose dirt is known by the gram."""

from __future__ import annotations

from model.training.evaluation.rendered import measure_rendered
from model.training.evaluation.scores import Scored
from model.training.targets import DIRTY_G_M2
from model.types import Label

SAID = {"clean": Label.CLEAN, "dirty": Label.DIRTY, "?": Label.CANNOT_TELL}


def duct(grams: float, said: str, score: float | None) -> Scored:
    return Scored(name="duct", dirty=grams > DIRTY_G_M2, degree=grams, label=SAID[said], score=score)


def test_the_card_keeps_silence_apart_from_error_and_the_obvious_from_the_rest() -> None:
    figures = measure_rendered(
        [
            duct(0.1, "clean", 0.1),
            duct(0.1, "dirty", 0.9),
            duct(0.4, "?", 0.45),
            duct(5.0, "dirty", 0.8),
            duct(15.0, "?", None),
            duct(1.3, "?", 0.5),
            duct(1.3, "clean", 0.2),
        ],
        threshold=0.5,
    )

    assert (figures.obvious, figures.between) == (5, 2)
    assert (figures.coverage, figures.accuracy_told, figures.accuracy) == (3 / 5, 2 / 3, 3 / 5)
    assert (figures.called_dirty_though_clean, figures.called_clean_though_dirty) == (1, 0)
    assert figures.between_cannot_tell == 0.5
    assert figures.spearman is not None


def test_of_no_pictures_nothing_is_said() -> None:
    figures = measure_rendered([], threshold=0.5)

    assert (figures.obvious, figures.accuracy, figures.between_cannot_tell) == (0, None, None)
