"""What a model is worth on rendered ducts, whose dirt is known by the gram: the figures on a bundle's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.training.evaluation.figures import measure, value_of, wilson
from model.training.evaluation.scores import Scored
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2
from model.types import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFigures:
    """Shares are 0..1, and None of nothing. Of the `obvious` ducts, as in `Figures`: `accuracy`, `recall_dirty`,
    `calibration_error`, `coverage`, `accuracy_told`, and the two mistakes. Of those `between`, where CANNOT_TELL is
    right: the share of that answer. Of all: `spearman`, of the score against the coverage."""

    obvious: int
    accuracy: float | None
    recall_dirty: float | None
    calibration_error: float | None
    coverage: float | None
    accuracy_told: float | None
    called_clean_though_dirty: int
    called_dirty_though_clean: int
    between: int
    between_cannot_tell: float | None
    spearman: float | None


def measure_rendered(scored: Sequence[Scored], threshold: float) -> RenderedFigures:
    """Each with its degree in g/m2, and `dirty` where that is above `DIRTY_G_M2`."""
    degrees = [each.degree or 0.0 for each in scored]
    between = [each for each, grams in zip(scored, degrees, strict=True) if CLEAN_G_M2 <= grams <= DIRTY_G_M2]
    obvious = [each for each, grams in zip(scored, degrees, strict=True) if not CLEAN_G_M2 <= grams <= DIRTY_G_M2]
    figures = measure(obvious, threshold)
    return RenderedFigures(
        obvious=len(obvious),
        accuracy=value_of(figures.accuracy),
        recall_dirty=value_of(figures.recall_dirty),
        calibration_error=figures.calibration_error,
        coverage=value_of(figures.coverage),
        accuracy_told=value_of(figures.accuracy_told),
        called_clean_though_dirty=figures.confusion[Label.DIRTY.value][Label.CLEAN.value],
        called_dirty_though_clean=figures.confusion[Label.CLEAN.value][Label.DIRTY.value],
        between=len(between),
        between_cannot_tell=value_of(wilson(sum(not each.is_told for each in between), len(between))),
        spearman=measure(scored, threshold).spearman,
    )
