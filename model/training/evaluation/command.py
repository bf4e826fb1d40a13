"""`ductwatch model evaluate`: measures a model on labelled photos, as a board would judge them."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from model.classifier import Classifier
from model.errors import ModelError, Unreadable
from model.training.data.decisions import apply, beside, read_decisions
from model.training.data.pictures import digest, read_content
from model.training.data.samples import Sample, read_samples
from model.training.data.whole_file import write_whole
from model.training.evaluation.degrade import degrade
from model.training.evaluation.figures import measure
from model.training.evaluation.progress import reported
from model.training.evaluation.scores import Scored, forced_threshold, measured, score_sample
from model.training.evaluation.wording import table
from model.types import Label


class CannotWrite(ModelError):
    """The report has no place to go."""


def main(arguments: Namespace, *, bundle: Classifier) -> int:
    """Print a table or JSON, write a report if one is wanted. Raises `ModelError` where there is nothing to measure."""
    samples = samples_of(arguments)
    folder: Path | None = arguments.report
    if folder is not None:
        from model.training.evaluation import report  # needs matplotlib: said before the work, not after it

        _make(folder)
    scored = score_all(bundle, samples)
    figures = measure(scored, forced_threshold(bundle.manifest))
    degradation = degrade(bundle, samples) if arguments.corruptions else None
    if arguments.json:
        document = {
            "schema": "ductwatch.evaluation/1",
            "model": asdict(bundle.model),
            "figures": asdict(figures),
            "corruptions": None if degradation is None else asdict(degradation),
        }
        print(json.dumps(document, allow_nan=False))
    else:
        print(table(bundle.model, figures, degradation))
    if folder is not None:
        _write(folder / "index.html", report.report(bundle, samples, scored, figures, degradation))
    return 0


def samples_of(arguments: Namespace) -> tuple[Sample, ...]:
    """What to measure on: as people decided beside the data; of that, what is in test/ where somebody has split."""
    classes = {name: Label(meaning) for name, meaning in arguments.classes}
    in_data = read_samples(arguments.data, places=dict(arguments.places), classes=classes)
    decisions = beside(arguments.data)
    all_of_them = apply(in_data, read_decisions(decisions), _sha256_of).samples
    if all_of_them != in_data:
        print(f"as {decisions} has it: {len(all_of_them)} of {len(in_data)} pictures are left", file=sys.stderr)
    samples = measured(all_of_them)
    if len(samples) < len(all_of_them):
        print(f"measuring on test/ alone: {len(samples)} of {len(all_of_them)} pictures", file=sys.stderr)
    return samples


def _sha256_of(sample: Sample) -> str | None:
    try:
        return digest(read_content(sample.path))
    except (FileNotFoundError, Unreadable):
        return None


def score_all(classifier: Classifier, samples: Sequence[Sample]) -> list[Scored]:
    return [score_sample(classifier, sample) for sample in reported(samples, "judging pictures")]


def _write(page: Path, text: str) -> None:
    try:
        write_whole(page, text)
    except OSError as error:
        raise CannotWrite(f"{page}: {error.strerror}", remedy="Choose another folder for --report") from error
    print(f"written: {page}", file=sys.stderr)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror}", remedy="Choose another folder for --report") from error
