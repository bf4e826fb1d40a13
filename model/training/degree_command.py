"""`ductwatch model calibrate`: gives a model the table by which it estimates deposits, from wipe or vacuum tests."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model.classifier import Classifier
from model.degree import two_digits
from model.errors import NoPlace, UnfitModel, Unreadable
from model.manifest import DegreePoint
from model.photo import read_photo
from model.training.bundle import CARD, degree_rows, write_calibrated
from model.training.data.places import in_data, no_place, require_away, require_place
from model.training.data.progress import reported
from model.training.data.samples import BadDataset
from model.training.degree_card import degree_section, percent, with_section
from model.training.degree_table import FEWEST, DegreeFigures, fit_degree, measure_degree
from model.training.learned_from import is_among, keep_beside, learned_by, to_keep_beside
from model.training.measurements import Measurement, read_measurements
from model.types import ModelId, Reason

CALIBRATED = "+cal"  # short: name and version fit beside a verdict on 80 columns
LEARNED = "the model has learned from it"
LONGEST_VERSION = 64  # of a manifest
MOST_COUNTED = 2**31 - 1  # releases, as in `ota.offer`
REMEDY = "Choose another folder for --out"
AGAIN = "Copy it again, or leave its row out"  # a picture


def main(arguments: Namespace, *, bundle: Classifier, manifest: bytes, files: Mapping[str, bytes]) -> int:
    """Raises `ModelError`, and writes nothing, where there is nothing to fit or no place for the bundle."""
    counter = _counter(arguments.release_counter, bundle.manifest.release_counter, arguments.bundle)
    measurements = read_measurements(arguments.measurements)
    away_from = in_data(arguments.measurements, [], (one.picture for one in measurements))
    out = _new_folder(arguments.out, away_from)
    record = to_keep_beside(out, bundle, arguments.bundle)
    learned = frozenset() if arguments.learned_too else learned_by(bundle, arguments.bundle)
    fresh, known_before = _divided(measurements, learned, arguments.bundle)
    judged = _judged(arguments.measurements, fresh, bundle)
    refused = [one for one in judged if one.score is None]
    for one in refused:
        print(f"left out: {arguments.measurements}:{one.line}: {one.picture}: {one.why}", file=sys.stderr)
    left_out = sorted([*known_before, *refused], key=lambda one: one.line)
    known = [(one.score, one.g_m2) for one in judged if one.score is not None]
    scores, grams = [score for score, _ in known], [g_m2 for _, g_m2 in known]
    degree, figures = fit_degree(scores, grams), measure_degree(scores, grams)
    model = ModelId(bundle.model.name, arguments.version or _next_version(bundle.model.version, counter))
    _write(out, manifest, files, model, counter, degree, _card(files, bundle.model, model, figures), record)
    print((_json if arguments.json else _table)(model, figures, degree, left_out, out))
    return 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A measurement with what the bundle makes of its picture: a `score`, or `why` it has none that counts."""

    line: int
    picture: Path
    g_m2: float
    score: float | None
    why: str = ""


def _divided(
    measurements: Sequence[Measurement], learned: frozenset[str], bundle: Path
) -> tuple[list[Measurement], list[Judged]]:
    """Those of fresh pictures, and those of pictures `learned` from. Raises `BadDataset` if too few are fresh."""
    known = {one.line for one in measurements if is_among(one.picture, learned)}
    fresh = [one for one in measurements if one.line not in known]
    if known:
        said = f"{len(known)} of {len(measurements)} pictures are ones that {bundle} has learned from"
        if len(fresh) < FEWEST:
            remedy = "Measure further spots; or add --learned-too, and believe none of the estimates"
            raise BadDataset(f"{said}, and {len(fresh)} are too few: it takes {FEWEST} others", remedy=remedy)
        print(f"left out: {said}", file=sys.stderr)
    left_out = [Judged(one.line, one.picture, one.g_m2, None, LEARNED) for one in measurements if one.line in known]
    return fresh, left_out


def _judged(path: Path, measurements: Sequence[Measurement], classifier: Classifier) -> list[Judged]:
    return [_judge(path, one, classifier) for one in reported(measurements, "judging pictures")]


def _judge(path: Path, measurement: Measurement, classifier: Classifier) -> Judged:
    where = f"{path}:{measurement.line}: {measurement.picture}"
    try:
        judgement = classifier.judge(read_photo(measurement.picture, f"line-{measurement.line}"))
    except Unreadable as error:
        raise BadDataset(f"{where}: {error.problem}", remedy=AGAIN) from error
    if Reason.UNREADABLE in judgement.reasons:
        raise BadDataset(f"{where}: this JPEG is damaged", remedy=AGAIN)
    why = ", ".join(reason.value for reason in judgement.reasons) if judgement.score is None else ""
    return Judged(measurement.line, measurement.picture, measurement.g_m2, judgement.score, why)


def _counter(asked: int | None, old: int, bundle: Path) -> int:
    """Raises `UnfitModel` for one that no board with the old bundle takes."""
    said = f"{bundle}: has the release counter {old}"
    if old >= MOST_COUNTED:
        raise UnfitModel(f"{said}, and there is none above it", remedy="Calibrate a model with a lower one")
    if asked is not None and asked <= old:
        raise UnfitModel(
            f"{said}, and boards take a higher one only", remedy="Leave out --release-counter, or raise it"
        )
    return asked or old + 1


def _next_version(version: str, counter: int) -> str:
    """`1.2.0+cal4`, and of that `1.2.0+cal5`."""
    suffix = f"{CALIBRATED}{counter}"
    return version.partition(CALIBRATED)[0][: LONGEST_VERSION - len(suffix)] + suffix


def _card(files: Mapping[str, bytes], old: ModelId, new: ModelId, figures: DegreeFigures) -> str:
    title = f"# {old.name} {old.version}\n"
    text = files.get(CARD, title.encode()).decode(errors="replace")
    renamed = f"# {new.name} {new.version}\n{text.removeprefix(title)}"
    section = degree_section(figures, of="pictures whose deposit was measured")
    return with_section(renamed, f"{section}\nMade by `ductwatch model calibrate`.\n")


def _new_folder(asked: Path, away_from: Collection[Path]) -> Path:
    require_away(asked, away_from, "--out")
    with no_place(asked, "--out"):
        out = asked.resolve()
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if taken:
        raise NoPlace(f"{asked}: something is there already", remedy=REMEDY)
    require_place(out.parent, "--out")
    return out


def _write(
    out: Path,
    manifest: bytes,
    files: Mapping[str, bytes],
    model: ModelId,
    counter: int,
    degree: Sequence[DegreePoint],
    card: str,
    record: str | None,
) -> None:
    """The bundle is there whole or not at all. `record`: what its network has learned from, kept beside it."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ductwatch-", dir=out.parent) as folder:
            new = Path(folder) / "bundle"
            write_calibrated(
                new, manifest, files, version=model.version, release_counter=counter, degree=degree, card=card
            )
            if record is not None:
                keep_beside(out, record)
            new.replace(out)
    except OSError as error:
        raise NoPlace(f"{out}: {error.strerror}", remedy=REMEDY) from error


def _table(
    model: ModelId, figures: DegreeFigures, degree: Sequence[DegreePoint], left_out: Sequence[Judged], out: Path
) -> str:
    return "\n".join(
        [
            f"{model.name} {model.version}, fitted on {figures.measurements} measurements of {figures.least_g_m2:g} to "
            f"{figures.most_g_m2:g} g/m2" + (f"; {len(left_out)} left out" if left_out else ""),
            "",
            *_figures(figures),
            "",
            "   score      g/m2   90 % interval",
            *(_row(one) for one in degree),
            "",
            f"The bundle is {out}.",
        ]
    )


def _row(point: DegreePoint) -> str:
    interval = f"{two_digits(point.low_g_m2)} to {two_digits(point.high_g_m2)}"
    return f"  {point.score:6.3f}  {two_digits(point.g_m2):>8}   {interval}"


def _figures(figures: DegreeFigures) -> Iterator[str]:
    yield f"  rank correlation    {figures.spearman:8.2f}  of score and deposit; best is 1"
    yield f"  error               {percent(figures.relative_error):>8}  of the deposit: the median, left out in turn"
    held = f"{figures.covered}/{figures.measurements}"
    yield f"  within the interval {held:>8}  {percent(figures.coverage)}, left out in turn; meant to be 90 %"


def _json(
    model: ModelId, figures: DegreeFigures, degree: Sequence[DegreePoint], left_out: Sequence[Judged], out: Path
) -> str:
    document = {
        "schema": "ductwatch.calibration/1",
        "model": asdict(model),
        "figures": {**asdict(figures), "coverage": figures.coverage},
        "degree": degree_rows(degree),
        "left_out": [{"line": one.line, "picture": str(one.picture), "why": one.why} for one in left_out],
        "bundle": str(out),
    }
    return json.dumps(document, allow_nan=False)
