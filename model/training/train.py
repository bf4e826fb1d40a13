"""Makes the shipped model from nothing: `python -m model.training.train --out DIR`.

Draws ducts, trains, calibrates, quantises, measures on ducts that nothing was fitted on, and writes the bundle. What
was drawn is kept, so that another network learns from the same: `python -m model.training.candidates`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from model.classifier import Classifier
from model.errors import ModelError
from model.training.bundle import Golden, Recipe, classifier_of, write_bundle
from model.training.calibrate import Line, fit_line
from model.training.card import card_of_rendered
from model.training.degree_card import degree_section, with_section
from model.training.degree_table import fit_degree, measure_degree
from model.training.evaluation.rendered import RenderedFigures, measure_rendered
from model.training.evaluation.scores import Scored, forced_threshold, score
from model.training.render import NICE, Drawings, Pictures, draw
from model.training.rendered_set import (
    CLEAN,
    DIRTY,
    HELD_OUT,
    TUNED,
    Rendered,
    RenderedSet,
    drawn_before,
    render_set,
)
from model.training.strangers import hidden, strangers
from model.training.targets import DIRTY_G_M2, is_obvious
from model.types import Label, Reason

if TYPE_CHECKING:
    from model.training.architectures import Architecture  # with TensorFlow

RECIPE: Final = Recipe(
    name="visual-clean",
    version="0.5.0",
    release_counter=7,
    side=160,
    clean_below=0.25,
    dirty_above=0.75,
    # found on rendered ducts: 1 in 1000 sound pictures is beyond them, and 19 in 20 of those with a fault
    image_limits={
        "dark_below": 30.0,
        "saturated_share_above": 0.45,
        "contrast_below": 0.0345,
        "focus_below": 0.7,
        "lit_difference_below": 10.0,
        "veil_above": 0.3,
    },
)
SHIPPED: Final = "cut-160-long"
NAMES: Final = (
    *("lite0-224", "cut-224", "cut-160", "cut-160-long"),
    *("mobilenet-160", "mobilenet-wide-160", "small-160", "student-160"),
)
"""Of `model.training.architectures`, which takes TensorFlow: a command line is read before that is loaded."""
EX_USAGE: Final = 2
STRANGERS: Final = 1500
HIDDEN_EACH: Final = 14  # of the pictures, one in so many is also shown behind a veil
GOLDEN_EACH: Final = 2  # of each class

Say = Callable[[str], None]


class MeasuredOn(ModelError):
    """Ducts would be learned from that scores are fitted or models measured on."""


@dataclass(frozen=True, slots=True)
class Ducts:
    """What is learned from, what scores and limits are fitted on, and what is measured on: other scenes each."""

    learned: Drawings
    tuned: RenderedSet
    held_out: RenderedSet


@dataclass(frozen=True, slots=True)
class Worth:
    """Of the held-out ducts: the network in float and in int8, and its file. Shares are 0..1."""

    float_accuracy: float
    figures: RenderedFigures
    size_bytes: int


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    try:
        _run(options)
    except ModelError as error:
        print(f"model.training.train: {error}", file=sys.stderr)
        return EX_USAGE
    return 0


def _run(options: argparse.Namespace) -> None:
    quiet_and_nice()
    say = timed_lines()
    ducts = draw_all(options.drawn, scenes=options.scenes, measured=options.measured, seed=options.seed)
    from model.training.architectures import ARCHITECTURES

    worth = make(options.out, ARCHITECTURES[options.architecture], ducts, seed=options.seed, say=say, taught={})
    for name, value in asdict(worth.figures).items():
        say(f"{name} {value}")
    say(f"written to {options.out}")


def quiet_and_nice() -> None:
    """To be called before TensorFlow is imported, which reads this then."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.nice(NICE)


def draw_all(folder: Path, *, scenes: int, measured: int, seed: int) -> Ducts:
    """Into `folder`, or from it. Raises `NoPlace` where other things are there, and `MeasuredOn`; then nothing is
    drawn."""
    seeds = TUNED // scenes
    if not 0 <= seed < seeds:
        problem = f"--seed {seed}: there are {seeds} times {scenes} ducts that nothing is measured on"
        raise MeasuredOn(problem, remedy=f"Choose one from 0 to {seeds - 1}")
    tuned, held_out = folder / "tuned", folder / "held-out"
    for place in (tuned, held_out):
        drawn_before(place)
    learned = range(seed * scenes, (seed + 1) * scenes)
    return Ducts(
        learned=draw(learned, folder=folder / "learned"),
        tuned=render_set(tuned, range(TUNED, TUNED + measured)),
        held_out=render_set(held_out, range(HELD_OUT, HELD_OUT + measured)),
    )


def make(
    out: Path, architecture: Architecture, ducts: Ducts, *, seed: int, say: Say, taught: dict[Architecture, Any]
) -> Worth:
    """Train a network and write its bundle. `taught`: see `teach`."""
    network, pictures = teach(architecture, ducts.learned, seed=seed, say=say, taught=taught)
    say("quantising")
    return write_out(out, architecture, network, pictures, tuned=ducts.tuned, held_out=ducts.held_out)


def write_out(
    out: Path,
    architecture: Architecture,
    network: Any,
    pictures: Pictures,
    *,
    tuned: RenderedSet,
    held_out: RenderedSet,
) -> Worth:
    """Calibrate a network that was taught `pictures`, bring it to int8, and write the bundle."""
    from model.training.backbone import look
    from model.training.export import Opinion, int8_of

    side = architecture.side
    obvious = is_obvious(tuned.g_m2)
    line = fit_line(look(network, tuned.decoded(side))[obvious], (tuned.g_m2 > DIRTY_G_M2)[obvious])
    model = int8_of([Opinion(network, line)], pictures.rgb)
    fit = [one for one in _scored(classifier_of(replace(RECIPE, side=side), model), tuned) if _is_fit(one)]
    scores, grams = np.array([(one.score, one.degree) for one in fit], float).T
    recipe = replace(RECIPE, side=side, degree=fit_degree(scores, grams))
    classifier = classifier_of(recipe, model)
    scored = _scored(classifier, held_out)
    figures = measure_rendered(scored, forced_threshold(classifier.manifest))
    write_bundle(
        out,
        recipe,
        model=model,
        golden=_golden(held_out, scored),
        training_data_sha256=pictures.sha256(),
        card=with_section(
            card_of_rendered(recipe, architecture.title, figures),
            degree_section(measure_degree(scores, grams), of="pictures of other rendered ducts"),
        ),
    )
    accuracy = _float_accuracy(look(network, held_out.decoded(side)), line, held_out.g_m2)
    return Worth(accuracy, figures, len(model))


def teach(
    architecture: Architecture, learned: Drawings, *, seed: int, say: Say, taught: dict[Architecture, Any]
) -> tuple[Any, Pictures]:
    """A Keras model, and what it has learned from.

    `taught`: the networks that have learned from the same with the same seed, of which its teacher is taken, if it has
    one, or else taught before it. What is taught here is added.
    """
    from model.training.architectures import ARCHITECTURES
    from model.training.network import train

    teacher = None
    if architecture.teacher is not None:
        of_teacher = ARCHITECTURES[architecture.teacher]
        if of_teacher not in taught:
            teach(of_teacher, learned, seed=seed, say=say, taught=taught)
        teacher = taught[of_teacher]
    side = architecture.side
    pictures = learned.decoded(side, architecture.cells)
    strange = np.concatenate([strangers(STRANGERS, side, seed), hidden(pictures.rgb[::HIDDEN_EACH], seed)])
    say(f"training {architecture.title}, {side} x {side}")
    network = taught[architecture] = train(pictures, strange, architecture, seed=seed, progress=say, teacher=teacher)
    return network, pictures


def _scored(classifier: Classifier, ducts: RenderedSet) -> list[Scored]:
    """As the board judges them."""
    return [
        score(classifier, ducts.jpeg(one), name=one.name, dirty=one.g_m2 > DIRTY_G_M2, degree=one.g_m2)
        for one in ducts.pictures
    ]


def _is_fit(one: Scored) -> bool:
    """Whether a board would let the network judge it."""
    return one.score is not None and set(one.reasons) <= {Reason.UNSURE}


def _float_accuracy(logits: npt.NDArray[np.float32], line: Line, g_m2: npt.NDArray[np.float32]) -> float:
    right = (logits * line.slope + line.shift > 0) == (g_m2 > DIRTY_G_M2)
    return float(right[is_obvious(g_m2)].mean())


def _golden(ducts: RenderedSet, scored: Sequence[Scored]) -> list[Golden]:
    """Of each class those that it is surest of: a board refuses the model if one of its answers turns."""
    golden = []
    for kind, label in ((CLEAN, Label.CLEAN), (DIRTY, Label.DIRTY)):
        of_kind = [(one, said) for one, said in zip(ducts.pictures, scored, strict=True) if one.kind == kind]
        told = sorted((pair for pair in of_kind if pair[1].is_told_right), key=_doubt)
        for number, (one, _) in enumerate(told[:GOLDEN_EACH]):
            golden.append(Golden(f"{number}-{kind}.jpg", ducts.jpeg(one), label))
    return golden


def _doubt(pair: tuple[Rendered, Scored]) -> float:
    return -abs((pair[1].score or 0.0) - 0.5)


def timed_lines() -> Say:
    started_s = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started_s:6.0f} s  {what}\n")
        sys.stderr.flush()

    return say


def drawing_options(parser: argparse.ArgumentParser) -> None:
    """What this command and that of the candidates have in common."""
    parser.add_argument("--seed", type=int, default=0, help="of scenes, weights and order (default: %(default)s)")
    parser.add_argument(
        "--scenes", type=_ducts, default=1200, help="ducts to learn from, 12 pictures each (default: %(default)s)"
    )
    parser.add_argument(
        "--measured",
        type=_ducts,
        default=120,
        help="ducts to calibrate on, as many to measure (default: %(default)s)",
    )
    parser.add_argument(
        "--drawn", type=Path, default=Path("build/drawn"), metavar="DIR", help="what was drawn (default: %(default)s)"
    )


def _ducts(text: str) -> int:
    most = min(TUNED, HELD_OUT - TUNED)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 1 to {most}")
    return int(text)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.training.train", description="Makes the shipped model.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the new bundle")
    parser.add_argument(
        "--architecture",
        choices=NAMES,
        default=SHIPPED,
        metavar="NAME",
        help="of model.training.architectures (default: %(default)s)",
    )
    drawing_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
