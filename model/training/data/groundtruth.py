"""Manifests of SageMaker Ground Truth and Rekognition Custom Labels: JSON lines, a picture and its label in each.

The format: docs.aws.amazon.com, SageMaker, "Labeling job output data", classification. Of each line this reads
`source-ref` and one attribute that is labelled as an image classification; further keys are left alone. A job that
adjusts or follows another one adds an attribute: it has to be said then which one counts. Where labelling failed, the
metadata has `failure-reason`, and nothing else is sure to be there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from model.errors import ModelError
from model.training.data.contents import can_be_path
from model.types import Label

MANIFEST_SUFFIXES = frozenset({".manifest", ".jsonl", ".json"})
MOST_LINES = 200_000
MOST_LINE_BYTES = 64_000  # a line has some 400
KIND = "groundtruth/image-classification"
FAILED = "failure-reason"
LONGEST_REASON = 200  # characters that are shown
NAMES = {"clean": Label.CLEAN, "dirty": Label.DIRTY}
LINE_REMEDY = 'A line has {"source-ref": "s3://...", "<label>": 0 or 1, "<label>-metadata": {"class-name": "...", ...}}'

Remark = Callable[[str], None]  # takes a sentence that a person should read


class BadManifest(ModelError):
    """A line of the manifest cannot be used; nothing of it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    source_ref: str
    path: Path
    label: Label
    confidence: float  # 0..1, of whoever labelled


def unsaid(_sentence: str) -> None:
    """Where nobody is to be told."""


def read_manifest(
    path: Path,
    *,
    places: Mapping[str, Path],
    classes: Mapping[str, Label],
    attribute: str | None = None,
    remark: Remark = unsaid,
) -> list[Entry]:
    """All lines that have a label. Raises `BadManifest`, with file and line, for the first that cannot be used.

    `places`: the folder that stands for a prefix such as s3://bucket. `classes`: what class names mean, by their
    lower case, besides clean and dirty. `attribute`: the label that counts, where a line has several. `remark` is told
    in a sentence of lines that are left out, as labelling failed.
    """
    known = NAMES | {name.casefold(): label for name, label in classes.items()}
    entries: dict[str, Entry] = {}
    failed: list[str] = []
    for where, document in _documents(path):
        source_ref = _source_ref(document, where)
        name, metadata = _attribute(document, where, attribute)
        if FAILED in metadata:
            failed.append(f"{where}: {shorten(str(metadata[FAILED]), LONGEST_REASON)}")
            continue
        entry = Entry(
            source_ref=source_ref,
            path=_place(source_ref, where, path.parent, places),
            label=_label(name, metadata, where, known),
            confidence=_confidence(name, metadata, where),
        )
        before = entries.setdefault(entry.source_ref, entry)
        if before.label is not entry.label:
            raise BadManifest(
                f"{where}: {entry.source_ref} is {entry.label.value} here and {before.label.value} before",
                remedy="Keep the line that is right",
            )
    if failed:
        remark(f"Lines left out, as labelling failed: {len(failed):,}, such as {failed[0]}")
    return list(entries.values())


def manifest_lines(entries: Iterable[tuple[str, Label]], *, attribute: str, job: str, created: str) -> Iterator[str]:
    """The lines, each with its end, that Rekognition Custom Labels imports. `created`: such as 2026-11-26T10:00:00."""
    classes = [Label.CLEAN, Label.DIRTY]
    for source_ref, label in entries:
        document = {
            "source-ref": source_ref,
            attribute: classes.index(label),
            f"{attribute}-metadata": {
                "confidence": 1.0,
                "job-name": job,
                "class-name": label.value.lower(),
                "human-annotated": "yes",
                "creation-date": created,
                "type": KIND,
            },
        }
        yield json.dumps(document) + "\n"


def _documents(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MOST_LINE_BYTES + 1):
                number += 1
                where = f"{path}, line {number}"
                if len(line) > MOST_LINE_BYTES:
                    raise BadManifest(f"{where}: longer than {MOST_LINE_BYTES} bytes", remedy=LINE_REMEDY)
                if number > MOST_LINES:
                    raise BadManifest(f"{where}: more than {MOST_LINES} lines", remedy="Split the manifest")
                if line.strip():
                    yield where, _document(line, where)
    except OSError as error:
        raise BadManifest(f"{path}: cannot be read ({error.strerror})", remedy="Check the path") from error


def _document(line: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise BadManifest(f"{where}: not JSON ({error})", remedy=LINE_REMEDY) from error
    if not isinstance(document, dict):
        raise BadManifest(f"{where}: not an object", remedy=LINE_REMEDY)
    return document


def _source_ref(document: Mapping[str, Any], where: str) -> str:
    source_ref = document.get("source-ref")
    if not isinstance(source_ref, str) or not source_ref:
        raise BadManifest(f"{where}: no source-ref", remedy=LINE_REMEDY)
    if not can_be_path(source_ref):
        remedy = "Take the line out: no file can be called so"
        raise BadManifest(f"{where}: source-ref {source_ref!r} has a zero byte, or half a letter", remedy=remedy)
    return source_ref


def _attribute(document: Mapping[str, Any], where: str, wanted: str | None) -> tuple[str, dict[str, Any]]:
    """The label that counts, and its metadata, which says that it classifies images, or why there is none."""
    found = {
        key.removesuffix("-metadata"): value
        for key, value in document.items()
        if key.endswith("-metadata") and isinstance(value, dict)
        if value.get("type") == KIND or (FAILED in value and "type" not in value)
    }
    names = ", ".join(found) or "none"
    if wanted is not None and wanted not in found:
        problem = f"{where}: no label {wanted} of type {KIND}: there is {names}"
        raise BadManifest(problem, remedy="Name one that each line has: --attribute NAME")
    if wanted is None and len(found) != 1:
        remedy = f"Say which one counts, such as --attribute {list(found)[-1]}" if found else LINE_REMEDY
        raise BadManifest(f"{where}: one label of type {KIND} is needed, and there is {names}", remedy=remedy)
    name = wanted or next(iter(found))
    if name not in document and FAILED not in found[name]:
        raise BadManifest(f"{where}: {name}-metadata without {name}", remedy=LINE_REMEDY)
    return name, found[name]


def _label(name: str, metadata: Mapping[str, Any], where: str, known: Mapping[str, Label]) -> Label:
    said = metadata.get("class-name")
    if said is None:
        problem = f"{where}: {name}-metadata has no class-name"
        raise BadManifest(problem, remedy="Label the picture, or take the line out")
    label = known.get(said.casefold()) if isinstance(said, str) else None
    if label is None:
        problem = f"{where}: {name}-metadata has the class-name {said!r}, which is neither clean nor dirty"
        raise BadManifest(problem, remedy="Say what it means, such as --class dusty=dirty")
    return label


def _confidence(name: str, metadata: Mapping[str, Any], where: str) -> float:
    confidence = metadata.get("confidence", 1.0)
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise BadManifest(f"{where}: {name}-metadata has the confidence {confidence!r}, not 0 to 1", remedy=LINE_REMEDY)
    return float(confidence)


def _place(source_ref: str, where: str, folder: Path, places: Mapping[str, Path]) -> Path:
    prefix = max(
        (p for p in places if source_ref == p or source_ref.startswith(p.rstrip("/") + "/")), key=len, default=""
    )
    if prefix:
        return places[prefix] / source_ref[len(prefix) :].lstrip("/")
    if "://" in source_ref:
        bucket = "/".join(source_ref.split("/")[:3])
        problem = f"{where}: {source_ref} is not on this machine"
        raise BadManifest(problem, remedy=f"Copy it, and say where it is: --map {bucket}=FOLDER")
    return folder / source_ref
