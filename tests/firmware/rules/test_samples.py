"""What the rules see of what the board notices."""

from __future__ import annotations

import pytest

from drivers.types import Quality
from firmware.observations import Observation
from firmware.rules.samples import samples
from model.types import Degree, Label, Reason
from tests.builders import reading, verdict

DEGREE = Degree(3.8, 2.4, 7.0)


@pytest.mark.parametrize(
    ("observation", "seen"),
    [
        (reading(12.0), {"pm2_5": 12.0}),
        (reading(12.0, quality=Quality.WARMING_UP), {"pm2_5": None}),
        (
            verdict(Label.DIRTY, score=0.9, degree=DEGREE),
            {"dirty_score": 0.9, "estimated_deposit": 3.8, "blind": 0.0, "moved": 0.0},
        ),
        (
            verdict(Label.CANNOT_TELL, score=0.6, reasons=(Reason.UNSETTLED,), degree=DEGREE),
            {"dirty_score": 0.6, "estimated_deposit": 3.8, "blind": 0.0, "moved": 0.0},
        ),
        (verdict(Label.CLEAN, score=0.1), {"dirty_score": 0.1, "estimated_deposit": None, "blind": 0.0, "moved": 0.0}),
        (
            verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.DARK,)),
            {"dirty_score": None, "estimated_deposit": None, "blind": 1.0, "moved": None},
        ),
        (
            verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.MOVED,)),
            {"dirty_score": None, "estimated_deposit": None, "blind": 0.0, "moved": 1.0},
        ),
    ],
    ids=["a reading", "a bad reading", "a verdict", "an unsettled one", "without an estimate", "blind", "moved"],
)
def test_what_rules_see(observation: Observation, seen: dict[str, float | None]) -> None:
    assert {sample.signal: sample.value for sample in samples(observation)} == seen
