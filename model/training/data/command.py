"""`ductwatch model data`: looks through labelled photos, and says what would mislead a training."""

from __future__ import annotations

import importlib
import json
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import quote

from model.errors import TO_TRAIN, ModelError
from model.training.data.asked import folders_of, named_by
from model.training.data.contents import real
from model.training.data.decisions import (
    BadDecisions,
    Decision,
    beside,
    merge,
    read_all,
    read_decisions,
    write_decisions,
)
from model.training.data.examination import Examination, examine, thumbnail_name
from model.training.data.export import check_export, export_manifests
from model.training.data.looking import Seen
from model.training.data.report import Report, Shown, render
from model.training.data.report_folder import FINDINGS, PAGE, PICTURES, report_folder
from model.training.data.samples import Sample
from model.training.data.suspects import FEWEST_GROUPS, Embed
from model.training.data.told import document, notes, table
from model.training.native_messages import native_messages_into

EX_FOUND = 1
FEWEST_EMBEDDED = 2 * FEWEST_GROUPS  # pictures: fewer are not worth starting a network for


def main(arguments: Namespace) -> int:
    """Print what was found; 1 if a person must look at it. Raises `ModelError`; no file is half-written then."""
    data: Path = arguments.data
    places: dict[str, Path] = dict(arguments.places)
    samples, left_out = _named(arguments)
    away_from = folders_of(samples, arguments)
    export: Path | None = arguments.export_manifest
    if export:
        check_export(export, samples, data=data, away_from=away_from)
    decisions = _decisions(data, arguments.decisions, samples)
    with report_folder(arguments.report, away_from=away_from) if arguments.report else nullcontext() as folder:
        thumbnails = folder / PICTURES if folder else None
        with native_messages_into(Path(os.devnull)):  # TensorFlow tells of the machine
            embed, not_embedded = _network(len(samples))
            examination = examine(samples, decisions, embed=embed, thumbnails=thumbnails)
        said = [*left_out, *notes(examination, not_embedded=not_embedded)]
        if folder:
            _write_report(folder, arguments, decisions, examination, said)
    usable = [one.sample for one in examination.left if not one.problem]
    exported = export_manifests(export, usable, data=data, places=places) if export else []
    _print(arguments, examination, said)
    for sentence in exported:
        print(sentence, file=sys.stderr if arguments.json else sys.stdout)
    return EX_FOUND if examination.audit.needs_person else 0


def _named(arguments: Namespace) -> tuple[tuple[Sample, ...], list[str]]:
    """All pictures, and in sentences what else is there: said at once if that is all."""
    said: list[str] = []
    try:
        return named_by(arguments, remark=said.append), said
    except ModelError:
        for sentence in said:
            print(sentence, file=sys.stderr)
        raise


def _decisions(data: Path, saved: Path | None, samples: Sequence[Sample]) -> dict[str, Decision]:
    """Those there are, with those of a file that the report saved, which are put beside the data."""
    decisions, _ = read_all(data)
    if saved is None:
        return decisions
    remedy = "Say where the browser has saved it"
    try:
        if not saved.is_file():
            raise BadDecisions(f"{saved}: there is no such file", remedy=remedy)
    except OSError as error:
        raise BadDecisions(f"{saved}: cannot be read ({error.strerror})", remedy=remedy) from error
    new = read_decisions(saved)
    if new and new.keys().isdisjoint(sample.name for sample in samples):
        raise BadDecisions(f"{saved}: decides on none of these pictures", remedy="It belongs to other data")
    merged = merge(decisions, new)
    write_decisions(beside(data), merged)
    return merged


def _network(pictures: int) -> tuple[Embed | None, str]:
    """What makes feature vectors, or why there is nothing that does."""
    if pictures < FEWEST_EMBEDDED:
        return None, f"that takes {FEWEST_EMBEDDED} pictures or more"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
    try:
        embed: Embed = importlib.import_module("model.training.backbone").load_features()
    except ModuleNotFoundError as error:
        return None, f"this needs the Python package {error.name}: {TO_TRAIN}"
    return embed, ""


def _write_report(
    folder: Path, arguments: Namespace, decisions: Mapping[str, Decision], examination: Examination, said: Sequence[str]
) -> None:
    report = Report(
        data=str(arguments.data),
        place=str(beside(arguments.data).absolute()),
        pictures=[_shown(one, arguments.report) for one in examination.seen],
        audit=examination.audit,
        decisions=decisions,
        decided=examination.applied.decided,
        notes=said,
    )
    (folder / FINDINGS).write_text(_as_json(arguments, examination, said), encoding="utf-8")
    (folder / PAGE).write_text(render(report), encoding="utf-8", errors="backslashreplace")


def _shown(seen: Seen, folder: Path) -> Shown:
    if seen.problem:
        return Shown(seen=seen, thumbnail="", original="")
    original = os.path.relpath(real(seen.sample.path), real(folder))
    return Shown(seen=seen, thumbnail=f"{PICTURES}/{thumbnail_name(seen)}", original=quote(os.fsencode(original)))


def _print(arguments: Namespace, examination: Examination, said: Sequence[str]) -> None:
    if arguments.json:
        print(_as_json(arguments, examination, said), end="")
        return
    for line in table(str(arguments.data), examination):
        print(line)
    for note in said:
        print(note)
    if arguments.report:
        print(f"The report is {arguments.report / PAGE}: open it in a browser.")
    elif examination.audit.findings:
        print("To look at the pictures and to decide on them: --report DIR")


def _as_json(arguments: Namespace, examination: Examination, said: Sequence[str]) -> str:
    return json.dumps(document(str(arguments.data), examination, said), indent=2) + "\n"
