from __future__ import annotations

import pytest

from drivers.types import Instant, SourceId
from model.smoothing import Smoothing
from model.types import Judgement, Label, ModelId, Reason

SEEN = {
    "clean": (Label.CLEAN, ()),
    "dirty": (Label.DIRTY, ()),
    "unsure": (Label.CANNOT_TELL, (Reason.UNSURE,)),
    "dark": (Label.CANNOT_TELL, (Reason.DARK, Reason.UNLIT)),
}


def judgement(seen: str) -> Judgement:
    label, reasons = SEEN[seen]
    return Judgement(
        source=SourceId("upstream"),
        label=label,
        score=None,
        reasons=reasons,
        at=Instant(0),
        decode_ns=0,
        invoke_ns=0,
        model=ModelId("test", "1"),
    )


STORIES = {
    "one snapshot is not enough": ("clean", Label.CANNOT_TELL, (Reason.UNSETTLED,)),
    "two agree": ("clean clean", Label.CLEAN, ()),
    "one stray picture changes nothing": ("clean clean dirty", Label.CLEAN, ()),
    "two dirty out of three": ("clean dirty dirty", Label.DIRTY, ()),
    "the oldest no longer counts": ("dirty dirty clean clean", Label.CLEAN, ()),
    "no two agree": ("clean unsure dirty", Label.CANNOT_TELL, (Reason.UNSETTLED,)),
    "unsure between two clean": ("clean clean unsure", Label.CLEAN, ()),
    "unsure for long": ("clean unsure unsure", Label.CANNOT_TELL, (Reason.UNSURE,)),
    "a dead LED is never clean by older votes": (
        "clean clean clean dark",
        Label.CANNOT_TELL,
        (Reason.DARK, Reason.UNLIT),
    ),
    "a dark picture votes for nothing": ("clean dark dirty", Label.CANNOT_TELL, (Reason.UNSETTLED,)),
    "back after one dark picture": ("clean dark clean", Label.CLEAN, ()),
}


@pytest.mark.parametrize(("seen", "label", "reasons"), STORIES.values(), ids=STORIES)
def test_two_of_three_snapshots(seen: str, label: Label, reasons: tuple[Reason, ...]) -> None:
    smoothing = Smoothing(needed=2, of=3)

    verdicts = [smoothing.feed(judgement(each)) for each in seen.split()]

    assert verdicts[-1] == (label, reasons)


def test_one_of_one_passes_each_judgement_on() -> None:
    smoothing = Smoothing(needed=1, of=1)

    assert smoothing.feed(judgement("dirty")) == (Label.DIRTY, ())
    assert smoothing.feed(judgement("clean")) == (Label.CLEAN, ())


@pytest.mark.parametrize(("needed", "of"), [(1, 2), (2, 4), (4, 3), (0, 1)])
def test_less_than_a_majority_is_refused(needed: int, of: int) -> None:
    with pytest.raises(ValueError, match="majority"):
        Smoothing(needed=needed, of=of)
