"""How a model does on spoilt pictures: spoils some, sends them through JPEG, and has them judged as a board would."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.camera.jpeg import encode_jpeg
from model.classifier import Classifier
from model.errors import Unreadable
from model.training.data.pictures import Rgb
from model.training.data.progress import reported
from model.training.data.samples import Sample
from model.training.evaluation.corrupt import CORRUPTIONS, STRENGTHS, Corruption, corrupt
from model.training.evaluation.figures import Share, measure
from model.training.evaluation.frames import decode, read_jpeg
from model.training.evaluation.scores import Scored, forced_threshold, score
from model.types import Label

MOST_PICTURES = 200  # spoilt 45 times each, which takes some three minutes
LONGEST_PX = 640  # as the cameras are: what is larger is shrunk first
SEED = 20_260_801
SHEET_STRENGTHS = (1, 3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One corruption at one strength (0: only shrunk and encoded). As in `Figures`, of all pictures:
    `clean_though_dirty` is the share of the dirty ones that a board calls CLEAN, the one mistake that nobody sees."""

    accuracy: Share | None
    balanced_accuracy: float | None
    coverage: Share | None
    accuracy_told: Share | None
    clean_though_dirty: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """`cells`: for each corruption's name its five strengths. Over all of them, as in `Figures`: `mean_accuracy` of the
    forced answer, `mean_coverage`, and `mean_accuracy_told`, None if nothing is judged."""

    pictures: int
    unspoilt: Cell
    cells: dict[str, tuple[Cell, ...]]
    mean_accuracy: float
    mean_coverage: float
    mean_accuracy_told: float | None


def degrade(classifier: Classifier, samples: Sequence[Sample]) -> Degradation | None:
    """Of at most `MOST_PICTURES` pictures, drawn by a fixed seed from those that can be decoded. None if none can."""
    unspoilt: list[Scored] = []
    spoilt: dict[tuple[str, int], list[Scored]] = {(kind.name, at): [] for kind in CORRUPTIONS for at in STRENGTHS}
    for sample in reported(some(samples), "spoiling pictures"):
        try:
            rgb = decode(read_jpeg(sample.path), longest_px=LONGEST_PX)
        except Unreadable:
            continue
        unspoilt.append(_score(classifier, sample, rgb))
        for kind, at, picture in _spoilt(rgb, sample.name):
            spoilt[kind.name, at].append(_score(classifier, sample, picture))
    if not unspoilt:
        return None
    threshold = forced_threshold(classifier.manifest)
    scored = [each for those in spoilt.values() for each in those]
    told = [each.is_told_right for each in scored if each.is_told]
    return Degradation(
        pictures=len(unspoilt),
        unspoilt=_cell(unspoilt, threshold),
        cells={kind.name: tuple(_cell(spoilt[kind.name, at], threshold) for at in STRENGTHS) for kind in CORRUPTIONS},
        mean_accuracy=float(np.mean([each.is_right(threshold) for each in scored])),
        mean_coverage=len(told) / len(scored),
        mean_accuracy_told=float(np.mean(told)) if told else None,
    )


def contact_sheet(samples: Sequence[Sample]) -> tuple[Rgb, dict[str, tuple[Rgb, ...]]] | None:
    """The first picture that can be decoded, and what each corruption makes of it at `SHEET_STRENGTHS`."""
    for sample in samples:
        try:
            rgb = decode(read_jpeg(sample.path), longest_px=LONGEST_PX)
        except Unreadable:
            continue
        spoilt = {
            kind.name: tuple(corrupt(rgb, kind, at, _seed(sample.name)) for at in SHEET_STRENGTHS)
            for kind in CORRUPTIONS
        }
        return rgb, spoilt
    return None


def some(samples: Sequence[Sample]) -> Sequence[Sample]:
    """All, or `MOST_PICTURES` of them: the same each time, in their order."""
    if len(samples) <= MOST_PICTURES:
        return samples
    chosen = np.random.default_rng(SEED).choice(len(samples), MOST_PICTURES, replace=False)
    return [samples[at] for at in sorted(chosen)]


def _spoilt(rgb: Rgb, name: str) -> Iterator[tuple[Corruption, int, Rgb]]:
    for kind in CORRUPTIONS:
        for at in STRENGTHS:
            yield kind, at, corrupt(rgb, kind, at, _seed(name))


def _seed(name: str) -> int:
    """Each picture has noise of its own, whatever others are there."""
    return zlib.crc32(name.encode(errors="backslashreplace"))


def _score(classifier: Classifier, sample: Sample, rgb: Rgb) -> Scored:
    return score(classifier, encode_jpeg(rgb), name=sample.name, dirty=sample.label is Label.DIRTY)


def _cell(scored: Sequence[Scored], threshold: float) -> Cell:
    figures = measure(scored, threshold)
    return Cell(
        accuracy=figures.accuracy,
        balanced_accuracy=figures.balanced_accuracy,
        coverage=figures.coverage,
        accuracy_told=figures.accuracy_told,
        clean_though_dirty=figures.clean_though_dirty,
    )
