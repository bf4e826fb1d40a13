"""What a bundle says of itself to people: what the model was taught, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from model.training.bundle import Recipe
from model.training.evaluation.figures import Figures
from model.training.evaluation.rendered import RenderedFigures
from model.training.evaluation.wording import rows
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2


def card_of_rendered(recipe: Recipe, network: str, figures: RenderedFigures) -> str:
    """Of a model that was taught by rendered ducts."""
    table = _table((name.replace("_", " "), _cell(value)) for name, value in asdict(figures).items())
    return f"""# {recipe.name} {recipe.version}

**Trained on rendered ducts only**: no camera, no real duct and no real dust had a part in what the network learned.
What it says of a real duct is unknown until somebody measures it there. It is here so that a board runs from the first
minute; train on photos of your own ducts (`ductwatch model train`), and compare (`ductwatch model compare`), before
anything depends on it.

It tells an obviously clean rendered duct (less than {CLEAN_G_M2} g/m2) from an obviously dirty one (more than
{DIRTY_G_M2} g/m2), and says CANNOT_TELL between.

{network}. {recipe.side} x {recipe.side}, int8 in and out.
CLEAN below a score of {recipe.clean_below}, DIRTY above {recipe.dirty_above}.

Measured on held-out rendered ducts, quantised, through JPEG and the deployed decode path, image checks included:

{table}

Made by `python -m model.training.train`.
"""


def card_of_photos(
    recipe: Recipe,
    figures: Figures,
    *,
    float_accuracy: float,
    learned: int,
    clean: int,
    second_opinion: bool,
    twins: int | None,
    seed: int,
    data: str,
) -> str:
    """Of a model that was taught by somebody's photos. `learned` of them, `clean` of these; `data` is their digest.

    `second_opinion`: whether all of Lite1 stands beside what was taught.
    `twins`: how many of what was measured on look like some of these. None with cameras that never move: all do.
    """
    if twins is None:
        measured = "other photos of the same cameras, which never move"
    elif twins:
        measured = f"other photos, {twins} of them with a twin among those"
    else:
        measured = "other photos without a twin among those"
    if second_opinion:
        beside = ", beside all of Lite1 as it was"
    else:
        beside = ". All of Lite1 as it was knew nothing of these photos, and is left out"
    table = _table((row.name, f"{row.value} {row.interval}".strip()) for row in rows(figures))
    return f"""# {recipe.name} {recipe.version}

Trained on {learned} photos, {clean} clean and {learned - clean} dirty: two networks, from ImageNet's EfficientNet-Lite0
and Lite1 up to where a cell is 16 pixels wide{beside}.
{recipe.side} x {recipe.side}, int8 in and out.
CLEAN below a score of {recipe.clean_below}, DIRTY above {recipe.dirty_above}, and CANNOT_TELL between: 0.8 means
that four in five such photos would be dirty, if as many were dirty as clean.

It knows what these photos show: this kind of ducts, cameras and light. Measure it before you trust it elsewhere.

Measured on {figures.pictures} {measured}, quantised, through the deployed decode path:

{table}

In floats, before it was made int8, accuracy was {float_accuracy:.3f}.

Seed {seed}, photos {data}. Made by `ductwatch model train`.
"""


def _table(cells: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in cells)])


def _cell(value: float | int | None) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
