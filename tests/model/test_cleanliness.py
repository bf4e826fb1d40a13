from __future__ import annotations

import pytest

from model.cleanliness import SUPPLY_DUCTS, classes
from model.types import Cleanliness, Degree

HIGH, MEDIUM, LOW, NONE = Cleanliness


@pytest.mark.parametrize(
    ("low", "high", "open_classes"),
    [
        (0.1, 0.5, (HIGH,)),
        (0.7, 2.9, (MEDIUM,)),
        (3.0, 4.4, (LOW,)),
        (4.5, 9.0, (NONE,)),
        (0.1, 0.6, (HIGH, MEDIUM)),
        (0.9, 3.1, (MEDIUM, LOW)),
        (2.9, 5.0, (MEDIUM, LOW, NONE)),
        (0.05, 20.0, (HIGH, MEDIUM, LOW, NONE)),
    ],
)
def test_every_class_that_the_interval_leaves_open_is_named(
    low: float, high: float, open_classes: tuple[Cleanliness, ...]
) -> None:
    assert classes(Degree((low + high) / 2, low, high), SUPPLY_DUCTS) == open_classes
