from __future__ import annotations

import pytest

from drivers.types import NS_PER_S
from firmware.agreement import Agreement, disagree
from model.types import Label, Reason, Verdict
from tests.builders import verdict

CLEAN, DIRTY, CANNOT_TELL = Label.CLEAN, Label.DIRTY, Label.CANNOT_TELL


def said(label: Label, source: str, *, taken_s: float = 0.0) -> Verdict:
    return verdict(label, source=source, taken_s=taken_s, reasons=(Reason.DARK,) if label is CANNOT_TELL else ())


@pytest.mark.parametrize(
    ("upstream", "downstream", "answer"),
    [
        (CLEAN, DIRTY, True),
        (DIRTY, CLEAN, True),
        (CLEAN, CLEAN, False),
        (DIRTY, DIRTY, False),
        (CLEAN, CANNOT_TELL, None),
        (CANNOT_TELL, CANNOT_TELL, None),
    ],
    ids=lambda value: value.value if isinstance(value, Label) else str(value),
)
def test_cameras_disagree_when_one_says_clean_and_the_other_dirty(
    upstream: Label, downstream: Label, answer: bool | None
) -> None:
    assert disagree([said(upstream, "upstream"), said(downstream, "downstream")]) is answer


def test_one_camera_has_nobody_to_disagree_with() -> None:
    assert disagree([said(DIRTY, "upstream")]) is None


def heard(*verdicts: Verdict, cameras: int = 2) -> list[float | None]:
    """What is reported after each verdict; snapshots are a minute apart."""
    agreement = Agreement(cameras, within_ns=30 * NS_PER_S)
    readings = [agreement.feed(one) for one in verdicts]
    assert {str(one.source) for one in readings if one is not None} <= {"board"}
    return [None if one is None else one.value for one in readings]


def test_it_is_told_once_a_snapshot_when_the_last_camera_has_spoken() -> None:
    assert heard(
        said(CLEAN, "upstream"),
        said(DIRTY, "downstream", taken_s=0.1),
        said(CLEAN, "downstream", taken_s=60),
        said(CLEAN, "upstream", taken_s=60.1),
    ) == [None, 1.0, None, 0.0]


def test_a_camera_that_is_away_is_not_compared_by_what_it_said_before() -> None:
    assert heard(
        said(DIRTY, "upstream"),
        said(DIRTY, "downstream"),
        said(CLEAN, "downstream", taken_s=60),
        said(CLEAN, "downstream", taken_s=120),
        said(CLEAN, "upstream", taken_s=120),
    ) == [None, 0.0, None, None, 0.0]


def test_one_of_three_cameras_is_enough_to_disagree() -> None:
    three = [said(CLEAN, "one"), said(CLEAN, "two"), said(DIRTY, "three")]

    assert heard(*three, cameras=3) == [None, None, 1.0]
