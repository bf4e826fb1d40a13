"""An estimated deposit as others read it: in a technician's words, and as fields of JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.degree import two_digits
from model.types import Cleanliness, Degree

FIELDS = {"estimated_g_m2": "g_m2", "estimated_low_g_m2": "low_g_m2", "estimated_high_g_m2": "high_g_m2"}


def in_words(degree: Degree, cleanliness: Sequence[Cleanliness]) -> str:
    """`estimated 2.4 g/m² (0.9 to 5.1), class medium or worse`: an estimate, and never without how sure it is."""
    low, high = two_digits(degree.low_g_m2), two_digits(degree.high_g_m2)
    return f"estimated {two_digits(degree.g_m2)} g/m² ({low} to {high}), {classes_in_words(cleanliness)}"


def as_fields(degree: Degree | None, cleanliness: Sequence[Cleanliness]) -> dict[str, Any]:
    """As docs/events.md describes them; None and empty where nothing is estimated."""
    numbers = {name: None if degree is None else round(getattr(degree, part), 3) for name, part in FIELDS.items()}
    return {**numbers, "cleanliness_classes": [one.value for one in cleanliness]}


def classes_in_words(cleanliness: Sequence[Cleanliness]) -> str:
    """`class medium or worse`: all that the interval of an estimate leaves open, of which there is one at least."""
    best, worst = cleanliness[0], cleanliness[-1]
    if best is Cleanliness.NONE:
        return "meets no class"
    if best is worst:
        return f"class {best.value}"
    return f"class {best.value} or worse" if worst is Cleanliness.NONE else f"class {best.value} to {worst.value}"
