from __future__ import annotations

from drivers.types import Instant, SourceId
from model.training.evaluate import evaluate
from model.types import Judgement, Label, ModelId

LABELS = {"clean": Label.CLEAN, "dirty": Label.DIRTY, "?": Label.CANNOT_TELL}


def said(label: str, score: float | None) -> Judgement:
    return Judgement(
        source=SourceId("rendered"),
        label=LABELS[label],
        score=score,
        reasons=(),
        at=Instant(0),
        decode_ns=0,
        invoke_ns=0,
        model=ModelId("test", "1"),
    )


def test_figures_keep_silence_apart_from_error() -> None:
    figures = evaluate(
        [
            (0.1, said("clean", 0.1)),
            (0.1, said("dirty", 0.9)),
            (0.4, said("?", 0.45)),
            (5.0, said("dirty", 0.8)),
            (15.0, said("?", None)),
            (1.3, said("?", 0.5)),
            (1.3, said("clean", 0.2)),
        ]
    )

    assert (figures.obvious, figures.between) == (5, 2)
    assert (figures.told, figures.right, figures.top1) == (3 / 5, 2 / 3, 3 / 5)
    assert (figures.called_dirty_though_clean, figures.called_clean_though_dirty) == (1, 0)
    assert figures.between_cannot_tell == 0.5


def test_no_pictures_are_no_division_by_nought() -> None:
    assert evaluate([]).right == 0.0
