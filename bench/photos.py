"""`python -m bench.photos`: what `ductwatch model train` makes of a data set, by cross-validation.

Each round runs the commands that a user has, as programs of their own: `model train` and `model evaluate`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.folds import BadData, Rounds, cross_validation, elpv, linked, prepare, write_round
from bench.intervals import FEWEST_GROUPS, intervals
from bench.machine import load, this_machine
from bench.recipe import recipe
from bench.results import SCHEMA, Bar, Chart, Document, Result, Row, save
from bench.table import text
from model.errors import TO_TRAIN, ModelError
from model.training.data.whole_file import write_whole
from model.training.evaluation.figures import Figures, measure, value_of
from model.training.evaluation.paired import RESAMPLES, Difference, Groups
from model.training.evaluation.scores import Scored
from model.training.outcome import CURVE
from model.types import Label, Reason

FOLDER = Path("build/photos")
EX_USAGE = 2
DONE, ANSWERS, TRAINED = "round.json", "answers.jsonl", "trained"
COLUMNS = (
    *("photos", "accuracy", "from", "to", "in float"),
    *("balanced", "recall of dirty", "AUC", "calibration error", "training s"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of one. `groups` (n,): of each answer. `float_accuracy`: before the network was made int8.
    `trained_s` is None if the training was stopped in between."""

    number: int
    scored: tuple[Scored, ...]
    groups: Groups
    threshold: float
    float_accuracy: float
    trained_s: float | None


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.only is not None and not 1 <= arguments.only <= arguments.folds:
        parser.error(f"--only {arguments.only}: there are rounds 1 to {arguments.folds}")
    try:
        rounds = _rounds(arguments)
        folder: Path = arguments.out or FOLDER / rounds.name
        prepare(folder, rounds, recipe())
    except (BadData, ModelError) as error:
        print(f"bench.photos: {error}", file=sys.stderr)
        return EX_USAGE
    before = load()
    for number in [arguments.only] if arguments.only else range(1, arguments.folds + 1):
        place = folder / f"round-{number}"
        if not (place / DONE).exists():
            print(f"{rounds.name}: round {number} of {arguments.folds}", file=sys.stderr, flush=True)
            _run(place, rounds, number)
    done = [_read(folder / f"round-{number}", rounds, number) for number in _done(folder, arguments.folds)]
    document = Document(
        schema=SCHEMA,
        day=time.strftime("%Y-%m-%d", time.gmtime()),
        quick=False,
        load=(before, load()),
        machine=this_machine(),
        result=result_of(rounds, done),
    )
    print(text(document))
    print(f"written to {save(document, folder)}", file=sys.stderr)
    return 0


def result_of(rounds: Rounds, done: Sequence[Round]) -> Result:
    """The figures of each round, and of all answers together."""
    scored, groups = [one for each in done for one in each.scored], np.concatenate([each.groups for each in done])
    threshold = done[0].threshold
    pooled, sure = measure(scored, threshold), intervals(scored, groups, threshold)
    rows = [_row_of(each) for each in done]
    in_float = sum(each.float_accuracy * len(each.scored) for each in done) / len(scored)
    rows.append(_row("all answers together", pooled, sure.accuracy, in_float, None))
    return Result(
        name=f"photos-{rounds.name}",
        title=f"Photos: {rounds.name}",
        how=f"{rounds.how}. Each round: `ductwatch model train` with its defaults on a folder with train/ and test/, "
        "seed N in round N, then `ductwatch model evaluate` of its bundle on test/: int8, through the decoder of a "
        "board. Accuracy is of the forced answer, with its interval of 95 % for these trainings: by bootstrap, "
        f"{RESAMPLES:,} draws of whole groups, in the rows of rounds too. There is none of fewer than {FEWEST_GROUPS} "
        "groups, or where all answers are right, or all wrong. `grouped` in the details has those of balanced accuracy "
        "and recall of dirty; those in `together` are Wilson's, which takes photos for independent. `in float`: "
        "accuracy before the network was made int8.",
        columns=COLUMNS,
        rows=tuple(rows),
        chart=Chart(unit="accuracy", bars=tuple(Bar(label=row.label, value=row.values[1] or 0.0) for row in rows)),
        notes=() if len(done) == len(rounds.tested) else (f"{len(done)} of {len(rounds.tested)} rounds are done.",),
        details={"recipe": list(recipe()), "together": asdict(pooled), "grouped": asdict(sure)},
    )


def _rounds(arguments: argparse.Namespace) -> Rounds:
    if arguments.elpv is not None:
        return elpv(arguments.elpv, arguments.folds)
    return cross_validation(arguments.data, arguments.folds)


def _row_of(one: Round) -> Row:
    figures, sure = measure(one.scored, one.threshold), intervals(one.scored, one.groups, one.threshold)
    return _row(f"round {one.number}", figures, sure.accuracy, one.float_accuracy, one.trained_s)


def _row(label: str, figures: Figures, accuracy: Difference | None, in_float: float, trained_s: float | None) -> Row:
    return Row(
        label,
        (
            figures.pictures,
            value_of(figures.accuracy),
            None if accuracy is None else accuracy.low,
            None if accuracy is None else accuracy.high,
            in_float,
            figures.balanced_accuracy,
            value_of(figures.recall_dirty),
            figures.auc,
            figures.calibration_error,
            trained_s,
        ),
    )


def _run(place: Path, rounds: Rounds, number: int) -> None:
    """Its marker comes last. A training that was stopped goes on."""
    photos, trained = place / "photos", place / TRAINED
    write_round(photos, rounds, number - 1)
    fresh, started_s = not trained.exists(), time.monotonic()
    if not (trained / "bundle").exists():
        _ductwatch("train", "--data", str(photos), "--out", str(trained), "--seed", str(number))
    trained_s = time.monotonic() - started_s if fresh else None
    answers = ("--answers", str(place / ANSWERS))
    told = _ductwatch("evaluate", str(trained / "bundle"), "--data", str(photos), "--json", *answers)
    figures, learned = json.loads(told)["figures"], json.loads((trained / CURVE).read_text())
    document = {"figures": figures, "float_accuracy": learned["float_accuracy"], "trained_s": trained_s}
    write_whole(place / DONE, json.dumps(document) + "\n")


def _ductwatch(*arguments: str) -> str:
    """What it printed. Its progress and its complaints go to the screen; these end the benchmark."""
    command = [sys.executable, "-m", "firmware", "model", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode if done.returncode > 0 else 128 - done.returncode)
    return done.stdout


def _done(folder: Path, rounds: int) -> list[int]:
    return [number for number in range(1, rounds + 1) if (folder / f"round-{number}" / DONE).exists()]


def _read(place: Path, rounds: Rounds, number: int) -> Round:
    document: Mapping[str, Any] = json.loads((place / DONE).read_text())
    scored, photos = tuple(_scored((place / ANSWERS).read_text())), linked(rounds, number - 1)
    return Round(
        number=number,
        scored=scored,
        groups=rounds.groups[[photos[one.name] for one in scored]],
        threshold=document["figures"]["threshold"],
        float_accuracy=document["float_accuracy"],
        trained_s=document["trained_s"],
    )


def _scored(lines: str) -> Iterator[Scored]:
    for line in lines.splitlines():
        one = json.loads(line)
        reasons = tuple(Reason(reason) for reason in one.pop("reasons"))
        yield Scored(label=Label(one.pop("label")), reasons=reasons, **one)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.photos",
        description="Measure `ductwatch model train` on a data set. Rounds that are done are not run again, and one "
        f"that was stopped goes on. Needs more than a board has: {TO_TRAIN}.",
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="folder with clean/ and dirty/, parted by the column `group` of its manifest.csv or by near duplicates",
    )
    data.add_argument("--elpv", type=Path, metavar="DIR", help="folder of elpv-dataset with labels.csv and images/")
    parser.add_argument("--folds", type=int, default=5, choices=range(2, 11), metavar="N", help="rounds (default 5)")
    parser.add_argument("--only", type=int, metavar="K", help="run only round K, from 1 on")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"keep all here (default: {FOLDER}/NAME)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
