"""`ductwatch model train`: from labelled photos to a bundle that a board runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model.errors import ModelError
from model.image_quality import measure as measure_image
from model.training.bundle import Recipe, classifier_of, write_bundle
from model.training.calibrate import fit_line, limits_for
from model.training.card import card_of_photos
from model.training.checkpoint import Checkpoint
from model.training.data.asked import asked_for
from model.training.data.pictures import open_picture, read_content
from model.training.data.progress import Progress
from model.training.data.samples import require_trainable
from model.training.evaluation.command import score_all, told
from model.training.evaluation.figures import Figures, measure
from model.training.evaluation.scores import forced_threshold
from model.training.photos import FEWEST, Parts, Photos, load_photos, parts

if TYPE_CHECKING:
    from model.training.finetune import Settings, Step  # with TensorFlow, which the checks before need not wait for

SIDE: Final = 256  # of the network's input
CLEAN_BELOW, DIRTY_ABOVE = 0.25, 0.75  # calibrated scores: it dares where it is right three times in four, or more
GOLDEN_EACH = 2  # of each class
GOLDEN_PX = 640
BUNDLE, CURVES, WORK = "bundle", "training.json", "unfinished"


class NoPlace(ModelError):
    """The folder to write into cannot be used; nothing was trained."""


def main(arguments: Namespace) -> int:
    """Raises `ModelError` before any time is spent where the photos or the folder cannot be used."""
    samples = asked_for(arguments)
    require_trainable(samples, fewest=FEWEST)
    out: Path = arguments.out
    _make(out)
    photos = load_photos(samples, SIDE)
    for name, problem in photos.unusable:
        print(f"left out: {name}: {problem}", file=sys.stderr)
    which = parts(photos, seed=arguments.seed)
    model, curve, recipe = _taught(photos, which, arguments)
    classifier = classifier_of(recipe, model)
    measured = [sample for sample, wanted in zip(photos.samples, which.measured, strict=True) if wanted]
    figures = measure(score_all(classifier, measured), forced_threshold(classifier.manifest))
    _write(out, recipe, model, photos, which, figures, curve, arguments.seed)
    print(told(classifier.model, figures, None, as_json=arguments.json))
    print(f"The bundle is {out / BUNDLE}.", file=sys.stderr)
    return 0


def _taught(photos: Photos, which: Parts, arguments: Namespace) -> tuple[bytes, list[dict[str, float]], Recipe]:
    """The int8 network, how its loss fell, and what a board must know of it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
    from model.training.backbone import imagenet_weights
    from model.training.export import int8_of
    from model.training.finetune import Settings, finetune, logits, steps_for

    settings = Settings()
    rgb, dirty = photos.rgb[which.learned], photos.dirty[which.learned]
    checkpoint = Checkpoint(arguments.out / WORK, _fingerprint(photos, settings, arguments.seed))
    curve: list[dict[str, float]] = []
    progress = Progress("teaching, step", steps_for(len(rgb), settings))

    def report(step: Step) -> None:
        progress(step.number)
        curve.append({"step": step.number, "loss": step.loss})

    try:
        network: Any = finetune(
            rgb, dirty, imagenet_weights(), settings, seed=arguments.seed, progress=report, checkpoint=checkpoint
        )
    finally:
        progress.end()
    line = fit_line(logits(network, photos.rgb[which.tuned]), photos.dirty[which.tuned])
    recipe = Recipe(
        name=arguments.name,
        version=arguments.version,
        release_counter=1,
        side=SIDE,
        clean_below=CLEAN_BELOW,
        dirty_above=DIRTY_ABOVE,
        image_limits=limits_for([measure_image(one) for one in rgb]),
    )
    return int8_of(network, line, rgb), curve, recipe


def _fingerprint(photos: Photos, settings: Settings, seed: int) -> str:
    return json.dumps([photos.sha256(), asdict(settings), seed], sort_keys=True)


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoPlace(f"{out}: {error.strerror}", remedy="Choose another folder for --out") from error
    if (out / BUNDLE).exists():
        raise NoPlace(f"{out}: has a bundle already", remedy="Choose another folder for --out, or remove that one")


def _write(
    out: Path,
    recipe: Recipe,
    model: bytes,
    photos: Photos,
    which: Parts,
    figures: Figures,
    curve: Sequence[dict[str, float]],
    seed: int,
) -> None:
    """The bundle is there whole or not at all."""
    digest = photos.sha256()
    learned = photos.dirty[which.learned]
    card = card_of_photos(
        recipe, figures, learned=len(learned), clean=int((~learned).sum()), seed=seed, data=digest[:12]
    )
    new = out / f"{BUNDLE}.new"
    shutil.rmtree(new, ignore_errors=True)
    write_bundle(new, recipe, model=model, golden=_golden(photos, which), training_data_sha256=digest, card=card)
    (out / CURVES).write_text(json.dumps({"schema": "ductwatch.training/1", "seed": seed, "curve": curve}) + "\n")
    new.replace(out / BUNDLE)
    (out / WORK).unlink(missing_ok=True)


def _golden(photos: Photos, which: Parts) -> dict[str, bytes]:
    """The first of each class that nothing was learned from, as JPEGs of a camera's size."""
    golden = {}
    for name, those in (("clean", which.measured & ~photos.dirty), ("dirty", which.measured & photos.dirty)):
        for number, place in enumerate(np.flatnonzero(those)[:GOLDEN_EACH]):
            picture = open_picture(read_content(photos.samples[place].path))
            golden[f"{number}-{name}.jpg"] = picture.jpeg(GOLDEN_PX, quality=90)
    return golden
