"""What a bundle's card says of its estimate of the deposit."""

from __future__ import annotations

import re

from model.training.degree_table import DegreeFigures

HEADING = "## Estimated deposit"


def degree_section(figures: DegreeFigures, *, of: str) -> str:
    """In Markdown. `of` says what the pictures show, and where the deposits come from."""
    held = f"{figures.covered} of {figures.measurements} ({percent(figures.coverage)})"
    return f"""{HEADING}

The table from score to g/m2 was fitted on {figures.measurements} {of},
of {figures.least_g_m2:g} to {figures.most_g_m2:g} g/m2. What it gives are estimates.

Left out of the fit in turn, half of these were estimated with an error of less than {percent(figures.relative_error)},
and {held} were within the interval, which is meant to hold 90 %.
Rank correlation of score and deposit: {figures.spearman:.2f}.
"""


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def with_section(card: str, section: str) -> str:
    """The card with this section instead of the one that it may have."""
    rest = re.sub(rf"^{HEADING}\n.*?(?=^## |\Z)", "", card, flags=re.DOTALL | re.MULTILINE)
    return f"{rest.rstrip()}\n\n{section}"
