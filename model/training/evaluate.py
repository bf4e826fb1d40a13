"""What the quantised model is worth on ducts that it never saw, judged as the board judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.types import Frame
from model.classifier import Classifier
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2
from model.types import Judgement, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares are 0..1. `told`: of the obvious ones, those that were called CLEAN or DIRTY at all.

    `right`: of those told, the right ones. `top1`: of the obvious ones, the right side of one half, told or not.
    """

    obvious: int
    told: float
    right: float
    top1: float
    called_clean_though_dirty: int
    called_dirty_though_clean: int
    between: int
    between_cannot_tell: float


def evaluate(judged: Sequence[tuple[float, Judgement]]) -> Figures:
    """`judged`: coverage in g/m2 and what the classifier said."""
    obvious = [(grams > DIRTY_G_M2, said) for grams, said in judged if grams < CLEAN_G_M2 or grams > DIRTY_G_M2]
    between = [said for grams, said in judged if CLEAN_G_M2 <= grams <= DIRTY_G_M2]
    told = [(dirty, said) for dirty, said in obvious if said.label is not Label.CANNOT_TELL]
    right = [said for dirty, said in told if (said.label is Label.DIRTY) == dirty]
    top1 = [said for dirty, said in obvious if said.score is not None and (said.score > 0.5) == dirty]
    return Figures(
        obvious=len(obvious),
        told=_share(len(told), len(obvious)),
        right=_share(len(right), len(told)),
        top1=_share(len(top1), len(obvious)),
        called_clean_though_dirty=sum(dirty and said.label is Label.CLEAN for dirty, said in told),
        called_dirty_though_clean=sum(not dirty and said.label is Label.DIRTY for dirty, said in told),
        between=len(between),
        between_cannot_tell=_share(sum(said.label is Label.CANNOT_TELL for said in between), len(between)),
    )


def judge_all(classifier: Classifier, pictures: Iterable[tuple[float, Frame]]) -> list[tuple[float, Judgement]]:
    return [(grams, classifier.judge(frame)) for grams, frame in pictures]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
