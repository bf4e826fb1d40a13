"""Asks a model that was just loaded for answers that are known, on this very board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drivers.types import Frame
from model.classifier import Classifier
from model.errors import UnfitModel, Unreadable
from model.manifest import REMEDY, parse_expected, parse_right
from model.tensors import jpeg_frame

EXPECTED = "golden/expected.json"
RIGHT = "golden/right.json"
BOARD_REMEDY = "Install another bundle; if each one fails, test the board's memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """To a bundle's golden pictures. `agreement`, 0..1: of the top answers with what is expected.

    `worst_lsb`: the largest difference from it, in steps of the output. `accuracy`, 0..1: of the top answers with what
    the pictures show; None where the bundle does not say that.
    """

    pictures: int
    agreement: float
    worst_lsb: int
    accuracy: float | None


def selftest(classifier: Classifier, files: Mapping[str, bytes]) -> None:
    """Judge the bundle's golden JPEGs through the deployed decode path.

    Raises `UnfitModel` if fewer top answers agree, or an output is further off, than the manifest's gate allows.
    """
    found, gate = answers(classifier, files), classifier.manifest.golden
    if found.agreement < gate.top1_agreement or found.worst_lsb > gate.max_difference_lsb:
        raise UnfitModel(
            f"{classifier.model.name} {classifier.model.version} gives other answers here than where it was made: "
            f"{round(found.agreement * found.pictures)} of {found.pictures} agree, "
            f"worst difference {found.worst_lsb} (allowed {gate.max_difference_lsb})",
            remedy=BOARD_REMEDY,
        )


def answers(classifier: Classifier, files: Mapping[str, bytes]) -> Answers:
    """What `classifier` makes of the golden pictures among `files`: its own, or another bundle's.

    Raises `UnfitModel` if there are none, or they cannot be read.
    """
    if EXPECTED not in files:
        raise UnfitModel(f"the bundle has no {EXPECTED}", remedy=REMEDY)
    expected = parse_expected(files[EXPECTED])
    right = parse_right(files[RIGHT]) if RIGHT in files else {}
    if not expected:
        raise UnfitModel(f"{EXPECTED} names no golden inputs", remedy=REMEDY)
    labels = classifier.manifest.labels
    agreed, worst_lsb, told = 0, 0, {}
    for name, output in expected.items():
        found = classifier.raw_output(golden_frame(name, files)).astype(np.int16)
        agreed += int(found.argmax() == np.argmax(output))
        worst_lsb = max(worst_lsb, int(np.abs(found - np.array(output)).max()))
        told[name] = labels[int(found.argmax())]
    known = [told[name] == label for name, label in right.items() if name in told]
    return Answers(
        pictures=len(expected),
        agreement=agreed / len(expected),
        worst_lsb=worst_lsb,
        accuracy=sum(known) / len(known) if known else None,
    )


def golden_frame(name: str, files: Mapping[str, bytes]) -> Frame:
    """Raises `UnfitModel`."""
    if name not in files:
        raise UnfitModel(f"the bundle has no {name}, which {EXPECTED} names", remedy=REMEDY)
    try:
        return jpeg_frame(files[name], name)
    except Unreadable as error:
        raise UnfitModel(f"{name}: {error.problem}", remedy=REMEDY) from error
