"""What a training leaves in its folder: the bundle, how it was learned, and what it is worth."""

from __future__ import annotations

import html
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from model.classifier import Classifier
from model.errors import NoPlace, Unreadable
from model.tensors import jpeg_frame
from model.training.bundle import Golden, Recipe, write_bundle
from model.training.curve import SCHEMA as CURVE_SCHEMA
from model.training.curve import Curve, smoothed
from model.training.data.contents import read_content
from model.training.data.pictures import open_picture
from model.training.data.places import require_file
from model.training.data.samples import BadDataset, Sample
from model.training.data.whole_file import write_whole
from model.training.evaluation import charts
from model.training.evaluation.figures import Figures
from model.training.evaluation.report import report
from model.training.evaluation.scores import Scored
from model.training.learned_from import FILE as LEARNED_FROM
from model.training.learned_from import SCHEMA as LEARNED_SCHEMA
from model.training.learned_from import record_of
from model.training.page import MEASURED, TRAINED, page, title_ends
from model.types import Label

BUNDLE: Final = "bundle"
CURVE, CURVE_PAGE, REPORT = "training.json", "training.html", "report/index.html"
UNFINISHED, MESSAGES = "unfinished.npz", "tensorflow.log"  # while it lasts
MESSAGES_BEGIN: Final = "What TensorFlow said of its own during `ductwatch model train`:\n"
OURS: Final = {
    CURVE: CURVE_SCHEMA,
    CURVE_PAGE: title_ends(TRAINED),
    LEARNED_FROM: LEARNED_SCHEMA,
    REPORT: title_ends(MEASURED),
    MESSAGES: MESSAGES_BEGIN,
}
"""What the beginnings of these hold, so that nothing else is replaced."""
GOLDEN_EACH = 2  # of each class
GOLDEN_PX, GOLDEN_QUALITY = 640, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """The int8 network, what a board must know of it, and how it was learned.

    `second_opinion`: whether one stands beside what was taught.
    `float_accuracy`, 0..1: of the photos that were measured on and can be read, before it was made int8.
    """

    model: bytes
    recipe: Recipe
    curve: Curve
    second_opinion: bool
    float_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What it made of photos that nothing was learned from. `samples` and `scored` are in the same order."""

    samples: Sequence[Sample]
    scored: Sequence[Scored]
    figures: Figures


def require_no_bundle(out: Path) -> None:
    """Raise `NoPlace` if there is one, or anything that is not of an earlier training and would be replaced."""
    if (out / BUNDLE).exists():
        raise NoPlace(f"{out}: has a bundle already", remedy="Choose another folder for --out, or remove that one")
    for name, ours in OURS.items():
        require_file(out / name, "--out", ours=ours)


def write_outcome(
    out: Path,
    taught: Taught,
    learned: Sequence[Sample],
    measured: Measured,
    classifier: Classifier,
    *,
    card: str,
    data_sha256: str,
    seed: int,
) -> None:
    """The bundle comes last, and whole or not at all. Raises OSError, `UnfitModel` as `write_bundle` does."""
    pages = {
        CURVE: json.dumps(taught.curve.document(seed=seed) | {"float_accuracy": taught.float_accuracy}) + "\n",
        CURVE_PAGE: curve_page(f"{taught.recipe.name} {taught.recipe.version}{TRAINED}", taught.curve),
        LEARNED_FROM: record_of(taught.model, learned=learned, measured=measured.samples),
        REPORT: report(classifier, measured.samples, measured.scored, measured.figures, None),
    }
    for name, text in pages.items():
        (out / name).parent.mkdir(exist_ok=True)
        write_whole(out / name, text)
    golden = _golden(measured, classifier)
    with tempfile.TemporaryDirectory(prefix=".ductwatch-", dir=out) as folder:
        new = Path(folder) / BUNDLE
        write_bundle(new, taught.recipe, model=taught.model, golden=golden, training_data_sha256=data_sha256, card=card)
        new.replace(out / BUNDLE)


def curve_page(title: str, curve: Curve) -> str:
    made = len(curve.losses)
    early = "; then there was nothing left to learn" if made < curve.planned else ""
    return page(
        title,
        f"<p>{made} of {curve.planned} steps were made{early}. The loss is of the very photos that each step learned "
        f'from. What the model is worth on others is in <a href="{html.escape(REPORT)}">the report</a>.</p>'
        f"{charts.learning(np.array(curve.losses), smoothed(curve.losses))}",
    )


def _golden(measured: Measured, classifier: Classifier) -> list[Golden]:
    """JPEGs of a camera's size that nothing was learned from: it is right about them, and surest of their photos.

    A board refuses the model if one of its answers turns: near the middle, a step of int8 would turn it. Nor does it
    take a model that gets fewer of them right than the one that it has. Raises `BadDataset` if it is right about none.
    """
    golden: list[Golden] = []
    threshold = measured.figures.threshold
    for label in (Label.CLEAN, Label.DIRTY):
        sure = sorted(
            (
                (one.is_told_right, abs(one.score - 0.5), sample.path)
                for sample, one in zip(measured.samples, measured.scored, strict=True)
                if one.dirty is (label is Label.DIRTY) and one.score is not None and one.is_right(threshold)
            ),
            reverse=True,
        )
        jpegs = filter(None, (_jpeg(path) for *_, path in sure))
        right = (one for one in jpegs if _says(classifier, one, label, threshold))
        golden += [
            Golden(f"{number}-{label.value.lower()}.jpg", jpeg, label)
            for number, jpeg in enumerate(islice(right, GOLDEN_EACH))
        ]
    if not golden:
        n = len(measured.samples)
        said = f"the model is right about none of the {n} photos that it was measured on, or not as JPEGs for a board"
        raise BadDataset(said, remedy="Look through the labels: ductwatch model data; or add pictures")
    return golden


def _jpeg(path: Path) -> bytes | None:
    """None of a picture that a board can judge, and that is too small for people."""
    try:
        return open_picture(read_content(path)).jpeg(GOLDEN_PX, quality=GOLDEN_QUALITY)
    except Unreadable:
        return None


def _says(classifier: Classifier, jpeg: bytes, label: Label, threshold: float) -> bool:
    """Of the JPEG itself, which is smaller than its photo, and may have been turned upright."""
    return (classifier.forced_score(jpeg_frame(jpeg, "golden")) > threshold) is (label is Label.DIRTY)
