"""What a classifier made of one labelled picture: the board's answer, and the score it would be forced to give."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from model.classifier import Classifier
from model.errors import Unreadable
from model.manifest import Manifest
from model.tensors import jpeg_frame
from model.training.data.samples import Sample, Split
from model.training.evaluation.frames import read_jpeg
from model.types import Label, Reason

_cameras = itertools.count()  # each picture is a camera of its own: two that are alike are no frozen camera


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One picture. `dirty` and `degree` are the truth, the latter where it is known, in g/m2.

    `score`: 0 (clean) to 1 (dirty) from the network whatever the image checks say; None if the picture is unreadable.
    `label` and `reasons`: what a board says. `decode_ns`, `invoke_ns`: as in `model.types.Judgement`.
    """

    name: str
    dirty: bool
    score: float | None
    label: Label
    reasons: tuple[Reason, ...] = ()
    decode_ns: int = 0
    invoke_ns: int = 0
    degree: float | None = None

    def is_right(self, threshold: float) -> bool:
        """Whether the forced answer is the truth: above the threshold is dirty. Unreadable is wrong."""
        return self.score is not None and (self.score > threshold) == self.dirty

    @property
    def is_told(self) -> bool:
        return self.label is not Label.CANNOT_TELL

    @property
    def is_told_right(self) -> bool:
        return self.label is (Label.DIRTY if self.dirty else Label.CLEAN)


def forced_threshold(manifest: Manifest) -> float:
    """Where the two thresholds would meet if the model might not say CANNOT_TELL: in their middle."""
    return (manifest.thresholds.clean_below + manifest.thresholds.dirty_above) / 2


def measured(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The pictures to measure on: those in test/ where somebody has split, else all."""
    return tuple(sample for sample in samples if sample.split is Split.TEST) or tuple(samples)


def score_sample(classifier: Classifier, sample: Sample, *, degree: float | None = None) -> Scored:
    """Never raises for a bad picture: that is UNREADABLE. `degree`: of the truth, in g/m2, where it is known."""
    dirty = sample.label is Label.DIRTY
    try:
        return score(classifier, read_jpeg(sample.path), name=sample.name, dirty=dirty, degree=degree)
    except Unreadable:
        return Scored(name=sample.name, dirty=dirty, score=None, label=Label.CANNOT_TELL, reasons=(Reason.UNREADABLE,))


def score(classifier: Classifier, jpeg: bytes, *, name: str, dirty: bool, degree: float | None = None) -> Scored:
    """Raises `Unreadable` for what has no JPEG's header."""
    frame = jpeg_frame(jpeg, f"picture-{next(_cameras)}")
    judgement = classifier.judge(frame)
    forced = judgement.score
    if forced is None and Reason.UNREADABLE not in judgement.reasons:
        forced = classifier.forced_score(frame)
    return Scored(
        name=name,
        dirty=dirty,
        degree=degree,
        score=forced,
        label=judgement.label,
        reasons=judgement.reasons,
        decode_ns=judgement.decode_ns,
        invoke_ns=judgement.invoke_ns,
    )
