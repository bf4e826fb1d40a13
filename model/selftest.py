"""Asks a model that was just loaded for answers that are known, on this very board."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drivers.types import Frame
from model.classifier import Classifier
from model.errors import UnfitModel, Unreadable
from model.manifest import REMEDY, parse_expected
from model.tensors import jpeg_frame

EXPECTED = "golden/expected.json"
BOARD_REMEDY = "Install another bundle; if each one fails, test the board's memory"


def selftest(classifier: Classifier, files: Mapping[str, bytes]) -> None:
    """Judge the bundle's golden JPEGs through the deployed decode path.

    Raises `UnfitModel` if fewer top answers agree, or an output is further off, than the manifest's gate allows.
    """
    if EXPECTED not in files:
        raise UnfitModel(f"the bundle has no {EXPECTED}", remedy=REMEDY)
    expected = parse_expected(files[EXPECTED])
    if not expected:
        raise UnfitModel(f"{EXPECTED} names no golden inputs", remedy=REMEDY)
    agreed, worst_lsb = 0, 0
    for name, output in expected.items():
        found = classifier.raw_output(_frame(name, files)).astype(np.int16)
        agreed += int(found.argmax() == np.argmax(output))
        worst_lsb = max(worst_lsb, int(np.abs(found - np.array(output)).max()))
    gate = classifier.manifest.golden
    if agreed < gate.top1_agreement * len(expected) or worst_lsb > gate.max_difference_lsb:
        raise UnfitModel(
            f"{classifier.model.name} {classifier.model.version} gives other answers here than where it was made: "
            f"{agreed} of {len(expected)} agree, worst difference {worst_lsb} (allowed {gate.max_difference_lsb})",
            remedy=BOARD_REMEDY,
        )


def _frame(name: str, files: Mapping[str, bytes]) -> Frame:
    if name not in files:
        raise UnfitModel(f"the bundle has no {name}, which {EXPECTED} names", remedy=REMEDY)
    try:
        return jpeg_frame(files[name], name)
    except Unreadable as error:
        raise UnfitModel(f"{name}: {error.problem}", remedy=REMEDY) from error
