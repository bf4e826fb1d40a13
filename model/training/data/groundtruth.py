"""Manifests of SageMaker Ground Truth and Rekognition Custom Labels: JSON lines, a picture and its label in each.

The format: docs.aws.amazon.com, SageMaker, "Labeling job output data", classification. Of each line this reads
`source-ref` and the one attribute that is labelled as an image classification; further keys are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import ModelError
from model.types import Label

MANIFEST_SUFFIXES = frozenset({".manifest", ".jsonl", ".json"})
MOST_LINES = 200_000
MOST_LINE_BYTES = 64_000  # a line has some 400
KIND = "groundtruth/image-classification"
NAMES = {"clean": Label.CLEAN, "dirty": Label.DIRTY}
LINE_REMEDY = 'A line has {"source-ref": "s3://...", "<label>": 0 or 1, "<label>-metadata": {"class-name": "...", ...}}'


class BadManifest(ModelError):
    """A line of the manifest cannot be used; nothing of it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    source_ref: str
    path: Path
    label: Label
    confidence: float  # 0..1, of whoever labelled


def read_manifest(path: Path, *, places: Mapping[str, Path], classes: Mapping[str, Label]) -> list[Entry]:
    """All lines. Raises `BadManifest`, with file and line, for the first that cannot be used.

    `places`: the folder that stands for a prefix such as s3://bucket. `classes`: what class names mean, by their
    lower case, besides clean and dirty.
    """
    known = NAMES | {name.casefold(): label for name, label in classes.items()}
    entries: dict[str, Entry] = {}
    for where, document in _documents(path):
        entry = _entry(document, where, path.parent, places, known)
        before = entries.setdefault(entry.source_ref, entry)
        if before.label is not entry.label:
            raise BadManifest(
                f"{where}: {entry.source_ref} is {entry.label.value} here and {before.label.value} before",
                remedy="Keep the line that is right",
            )
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


def _entry(
    document: dict[str, Any], where: str, folder: Path, places: Mapping[str, Path], known: Mapping[str, Label]
) -> Entry:
    source_ref = document.get("source-ref")
    if not isinstance(source_ref, str) or not source_ref:
        raise BadManifest(f"{where}: no source-ref", remedy=LINE_REMEDY)
    name, metadata = _attribute(document, where)
    said = metadata.get("class-name")
    label = known.get(said.casefold()) if isinstance(said, str) else None
    if label is None:
        problem = f"{where}: {name}-metadata has the class-name {said!r}, which is neither clean nor dirty"
        raise BadManifest(problem, remedy="Say what it means, such as --class dusty=dirty")
    confidence = metadata.get("confidence", 1.0)
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise BadManifest(f"{where}: {name}-metadata has the confidence {confidence!r}, not 0 to 1", remedy=LINE_REMEDY)
    return Entry(
        source_ref=source_ref,
        path=_place(source_ref, where, folder, places),
        label=label,
        confidence=float(confidence),
    )


def _attribute(document: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """The label attribute: the one whose metadata says that it classifies images."""
    found = [
        (key.removesuffix("-metadata"), value)
        for key, value in document.items()
        if key.endswith("-metadata") and isinstance(value, dict) and value.get("type") == KIND
    ]
    if len(found) != 1:
        names = ", ".join(name for name, _ in found) or "none"
        raise BadManifest(f"{where}: one label of type {KIND} is needed, and there is {names}", remedy=LINE_REMEDY)
    name, metadata = found[0]
    if name not in document:
        raise BadManifest(f"{where}: {name}-metadata without {name}", remedy=LINE_REMEDY)
    return name, metadata


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
