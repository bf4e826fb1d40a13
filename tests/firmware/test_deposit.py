from __future__ import annotations

import pytest

from firmware.deposit import as_fields, in_words
from model.types import Cleanliness, Degree

HIGH, MEDIUM, LOW, NONE = Cleanliness


@pytest.mark.parametrize(
    ("degree", "cleanliness", "words"),
    [
        (Degree(2.41, 0.92, 2.9), (MEDIUM,), "estimated 2.4 g/m² (0.92 to 2.9), class medium"),
        (Degree(2.41, 0.92, 4.1), (MEDIUM, LOW), "estimated 2.4 g/m² (0.92 to 4.1), class medium to low"),
        (Degree(0.08, 0.01, 20), (HIGH, MEDIUM, LOW, NONE), "estimated 0.08 g/m² (0.01 to 20), class high or worse"),
        (Degree(12, 5.5, 120), (NONE,), "estimated 12 g/m² (5.5 to 120), meets no class"),
    ],
    ids=["one class", "two", "any", "none"],
)
def test_in_words_it_is_an_estimate_with_how_sure_it_is(
    degree: Degree, cleanliness: tuple[Cleanliness, ...], words: str
) -> None:
    assert in_words(degree, cleanliness) == words


def test_where_nothing_is_estimated_the_fields_are_empty() -> None:
    assert as_fields(None, ()) == {
        "estimated_g_m2": None,
        "estimated_low_g_m2": None,
        "estimated_high_g_m2": None,
        "cleanliness_classes": [],
    }
    assert as_fields(Degree(0.0123456, 0.01, 1.0), (HIGH,))["estimated_g_m2"] == 0.012
