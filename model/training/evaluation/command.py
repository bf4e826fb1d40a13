"""`ductwatch model evaluate`: measures a model on labelled photos, as a board would judge them."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import numpy as np

from model.classifier import Classifier
from model.errors import NoPlace
from model.training.data.asked import as_decided, folders_of, found_by
from model.training.data.contents import real
from model.training.data.places import make_folder, require_file
from model.training.data.progress import reported
from model.training.data.samples import BadDataset, Sample
from model.training.data.whole_file import write_whole
from model.training.evaluation.alike import groups_of
from model.training.evaluation.degrade import Degradation, degrade
from model.training.evaluation.figures import Figures, measure
from model.training.evaluation.scores import Scored, forced_threshold, measured, score_sample
from model.training.evaluation.wording import table
from model.training.learned_from import learned_by, unlearned
from model.training.measurements import BETWEEN, read_measurements
from model.training.page import MEASURED, title_ends
from model.types import Label, ModelId

PAGE = "index.html"
REASONS = ', "reasons": ['  # in each line of answers, which are known again by it


def main(arguments: Namespace, *, bundle: Classifier) -> int:
    """Print a table or JSON, write a report if one is wanted. Raises `ModelError` where there is nothing to measure."""
    folder: Path | None = arguments.report
    answers: Path | None = arguments.answers
    found = found_by(arguments)
    away_from = folders_of(found, arguments)
    if answers is not None and folder is not None:
        _require_apart(answers, folder / PAGE)
    if answers is not None:
        require_file(answers, "--answers", ours=REASONS, away_from=away_from)
    if folder is not None:
        from model.training.evaluation import report  # needs matplotlib: said before the work, not after it

        require_file(folder / PAGE, "--report", ours=title_ends(MEASURED), away_from=away_from)
    samples = samples_of(found, arguments, {arguments.bundle: bundle})
    degrees = _degrees(arguments.degrees, samples)
    scored = score_all(bundle, samples, degrees)
    require_readable(samples, scored)
    between = score_all(bundle, _between(arguments.data, degrees), degrees)
    figures = measure(scored, forced_threshold(bundle.manifest), between=between)
    degradation = degrade(bundle, samples) if arguments.corruptions else None
    groups = len(np.unique(groups_of(samples)))
    print(told(bundle.model, figures, degradation, groups, as_json=arguments.json))
    if answers is not None:
        _write(answers, "".join(map(_line, scored)), "--answers")
    if folder is not None:
        _write(folder / PAGE, report.report(bundle, samples, scored, figures, degradation, groups), "--report")
    return 0


def told(
    model: ModelId, figures: Figures, degradation: Degradation | None, groups: int | None = None, *, as_json: bool
) -> str:
    """A table, or one JSON object. `groups`: of pictures that look alike, where it is known."""
    if not as_json:
        return table(model, figures, degradation, groups)
    document = {
        "schema": "ductwatch.evaluation/1",
        "model": asdict(model),
        "groups": groups,
        "figures": asdict(figures),
        "corruptions": None if degradation is None else asdict(degradation),
    }
    return json.dumps(document, allow_nan=False)


def samples_of(
    found: tuple[Sample, ...], arguments: Namespace, bundles: Mapping[Path, Classifier]
) -> tuple[Sample, ...]:
    """What to measure on of all that was `found`: as people decided beside the data; of that, what is in test/ where
    somebody has split; and of that, what none of the `bundles`, by their paths, has learned from as far as is known.

    Raises `BadDataset` if nothing is left.
    """
    all_of_them = as_decided(found, arguments)
    samples = measured(all_of_them)
    if len(samples) < len(all_of_them):
        print(f"measuring on test/ alone: {len(samples)} of {len(all_of_them)} pictures", file=sys.stderr)
    return samples if arguments.learned_too else _not_learned(samples, bundles)


def _not_learned(samples: tuple[Sample, ...], bundles: Mapping[Path, Classifier]) -> tuple[Sample, ...]:
    for path, classifier in bundles.items():
        left = unlearned(samples, learned_by(classifier, path))
        said = f"{len(samples) - len(left)} of {len(samples)} pictures are ones that {path} has learned from"
        if not left:
            raise BadDataset(said, remedy="Measure on others; or add --learned-too, and believe none of the figures")
        if len(left) < len(samples):
            print(f"left out: {said}", file=sys.stderr)
        samples = left
    return samples


def score_all(
    classifier: Classifier, samples: Sequence[Sample], degrees: Mapping[Path, float] = MappingProxyType({})
) -> list[Scored]:
    """`degrees`: deposits in g/m2 by pictures' paths, of those where it is known."""
    return [
        score_sample(classifier, sample, degree=degrees.get(real(sample.path)) if degrees else None)
        for sample in reported(samples, "judging pictures")
    ]


def require_readable(samples: Sequence[Sample], scored: Sequence[Scored]) -> None:
    """Raise `BadDataset` if there is not one score: nothing could be said of the model, and that at length."""
    if all(each.score is None for each in scored):
        said = f"none of the {len(samples)} pictures can be read. The first would be {samples[0].path}"
        raise BadDataset(said, remedy="Check --data, and for a manifest --map")


def _require_apart(answers: Path, page: Path) -> None:
    """Raise `NoPlace` if the one is to be the other, or a folder of it."""
    ends = real(answers), real(page)
    if ends[0].is_relative_to(ends[1]) or ends[1].is_relative_to(ends[0]):
        raise NoPlace(f"{answers}: --report writes {page}", remedy="Choose another file for --answers")


def _degrees(table: Path | None, samples: Sequence[Sample]) -> dict[Path, float]:
    if table is None:
        return {}
    degrees = {real(each.picture): each.g_m2 for each in read_measurements(table)}
    known = sum(real(sample.path) in degrees for sample in samples)
    if not known:
        raise BadDataset(f"{table}: has a row for none of the pictures", remedy="Its paths are relative to its folder")
    if known < len(samples):
        print(f"{table}: has rows for {known} of {len(samples)} pictures", file=sys.stderr)
    return degrees


def _between(data: Path, degrees: Mapping[Path, float]) -> list[Sample]:
    """Pictures of known deposit in DATA/between/, as `model render` makes it: no label is right for them, so one is as
    good as the other."""
    folder = real(data / BETWEEN)
    return [
        Sample(name=f"{BETWEEN}/{path.name}", path=path, label=Label.CLEAN)
        for path in sorted(degrees)
        if path.parent == folder
    ]


def _line(one: Scored) -> str:
    reasons = [reason.value for reason in one.reasons]
    answer = {"name": one.name, "dirty": one.dirty, "score": one.score, "label": one.label.value, "reasons": reasons}
    return json.dumps(answer, allow_nan=False) + "\n"


def _write(file: Path, text: str, option: str) -> None:
    make_folder(file.parent, option)
    try:
        write_whole(file, text)
    except OSError as error:
        raise NoPlace(f"{file}: {error.strerror}", remedy=f"Choose another place for {option}") from error
    print(f"written: {file}", file=sys.stderr)
