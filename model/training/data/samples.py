"""What a training learns from: pictures with their labels, from a folder or a Ground Truth manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from model.errors import ModelError
from model.training.data.groundtruth import MANIFEST_SUFFIXES, Remark, read_manifest, unsaid
from model.types import Label

MOST_SAMPLES = 200_000
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
CLUTTER = frozenset({"thumbs.db", "desktop.ini"})  # what Windows leaves among pictures
MOST_KINDS = 4  # of other files that are told
FOLDERS = {"clean": Label.CLEAN, "dirty": Label.DIRTY}
LAYOUT = "It needs folders clean/ and dirty/, or train/ and test/ with these in each, or is a manifest of JSON lines"


class BadDataset(ModelError):
    """Nothing can be learned from this: no time was spent, nothing was written."""


class Split(Enum):
    """What whoever sorted the pictures wants them for. ANY leaves that to the training."""

    ANY = "any"
    TRAIN = "train"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One labelled picture. `name` is what people and files call it: its place below the folder, or its source-ref."""

    name: str
    path: Path
    label: Label  # CLEAN or DIRTY
    split: Split = Split.ANY


def read_samples(
    path: Path,
    *,
    places: Mapping[str, Path] | None = None,
    classes: Mapping[str, Label] | None = None,
    attribute: str | None = None,
    remark: Remark = unsaid,
) -> tuple[Sample, ...]:
    """All pictures of a folder or a manifest, by name; none is opened. Raises `BadDataset`, `BadManifest`.

    `places`: what stands for a prefix such as s3://bucket in a manifest. `classes`: what its class names mean, where
    they are not clean and dirty themselves. `attribute`: which of its labels counts. `remark` is told, in sentences,
    what is in the data and is no sample.
    """
    try:
        if path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file():
            entries = read_manifest(
                path, places=places or {}, classes=classes or {}, attribute=attribute, remark=remark
            )
            samples = [Sample(name=entry.source_ref, path=entry.path, label=entry.label) for entry in entries]
            if not samples:
                remedy = "Label its pictures, or name another manifest"
                raise BadDataset(f"{path}: no line of this manifest has a label", remedy=remedy)
        elif path.is_dir():
            samples = _in_folder(path, remark)
        else:
            problem = f"{path}: there is no such folder or manifest" if not path.exists() else f"{path}: is neither"
            raise BadDataset(problem, remedy=LAYOUT)
    except OSError as error:
        problem = f"{error.filename}: cannot be read ({error.strerror})"
        raise BadDataset(problem, remedy="Check who may read it") from error
    if not samples:
        raise BadDataset(f"{path}: holds no picture ({', '.join(sorted(SUFFIXES))})", remedy=LAYOUT)
    return tuple(sorted(samples, key=lambda sample: sample.name))


def require_trainable(samples: Sequence[Sample], *, fewest: int) -> None:
    """Raise `BadDataset` unless there are `fewest` pictures or more of each class."""
    for label in FOLDERS.values():
        count = sum(sample.label is label for sample in samples)
        if count < fewest:
            problem = f"only {count} of the pictures are {label.value}, and a training needs {fewest} of each class"
            raise BadDataset(problem, remedy="Add pictures of both, of many ducts and days")


def _in_folder(root: Path, remark: Remark) -> list[Sample]:
    samples: list[Sample] = []
    others: Counter[str] = Counter()
    for split, path, label in _in_splits(root):
        if path.suffix.lower() in SUFFIXES:
            samples.append(Sample(name=path.relative_to(root).as_posix(), path=path, label=label, split=split))
        elif not path.name.startswith(".") and path.name.lower() not in CLUTTER:
            others[path.suffix.lower() or "without a suffix"] += 1
        if len(samples) > MOST_SAMPLES:
            raise BadDataset(f"{root}: holds more than {MOST_SAMPLES} pictures", remedy="Leave out near twins")
    if others:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common(MOST_KINDS))
        more = ", ..." if len(others) > MOST_KINDS else ""
        remark(f"Files left out, as they are no pictures that can be read here: {others.total():,} ({kinds}{more}).")
    return samples


def _in_splits(root: Path) -> Iterator[tuple[Split, Path, Label]]:
    """All files, pictures or not."""
    splits = {split: root / split.value for split in (Split.TRAIN, Split.TEST)}
    found = [(split, folder) for split, folder in splits.items() if folder.is_dir()]
    if found and any((root / name).is_dir() for name in FOLDERS):
        raise BadDataset(f"{root}: has both train/ or test/ and clean/ or dirty/", remedy=LAYOUT)
    for split, folder in found or [(Split.ANY, root)]:
        if not any((folder / name).is_dir() for name in FOLDERS):
            raise BadDataset(f"{folder}: has neither clean/ nor dirty/", remedy=LAYOUT)
        above = frozenset({os.path.realpath(root), os.path.realpath(folder)})
        for name, label in FOLDERS.items():
            if os.path.lexists(folder / name):
                yield from ((split, path, label) for path in _files(folder / name, above))


def _files(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """All files below it. Links are followed, but not to a folder that the way there leads through. Raises OSError."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _files(path, above | {real})
        else:
            yield path  # a link that leads nowhere, too: it is told to be missing
