"""What a training learns from: pictures with their labels, from a folder or a Ground Truth manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from model.errors import ModelError
from model.training.data.groundtruth import MANIFEST_SUFFIXES, read_manifest
from model.types import Label

MOST_SAMPLES = 200_000
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
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
    path: Path, *, places: Mapping[str, Path] | None = None, classes: Mapping[str, Label] | None = None
) -> tuple[Sample, ...]:
    """All pictures of a folder or a manifest, by name; none is opened. Raises `BadDataset`.

    `places`: what stands for a prefix such as s3://bucket in a manifest. `classes`: what its class names mean, where
    they are not clean and dirty themselves.
    """
    if path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file():
        entries = read_manifest(path, places=places or {}, classes=classes or {})
        samples = [Sample(name=entry.source_ref, path=entry.path, label=entry.label) for entry in entries]
    elif path.is_dir():
        samples = list(_in_splits(path))
    else:
        problem = f"{path}: there is no such folder or manifest" if not path.exists() else f"{path}: is neither"
        raise BadDataset(problem, remedy=LAYOUT)
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


def _in_splits(root: Path) -> Iterator[Sample]:
    splits = {split: root / split.value for split in (Split.TRAIN, Split.TEST)}
    found = [(split, folder) for split, folder in splits.items() if folder.is_dir()]
    if found and any((root / name).is_dir() for name in FOLDERS):
        raise BadDataset(f"{root}: has both train/ or test/ and clean/ or dirty/", remedy=LAYOUT)
    count = 0
    for split, folder in found or [(Split.ANY, root)]:
        for sample in _in_classes(root, folder, split):
            count += 1
            if count > MOST_SAMPLES:
                raise BadDataset(f"{root}: holds more than {MOST_SAMPLES} pictures", remedy="Leave out near twins")
            yield sample


def _in_classes(root: Path, folder: Path, split: Split) -> Iterator[Sample]:
    if not any((folder / name).is_dir() for name in FOLDERS):
        raise BadDataset(f"{folder}: has neither clean/ nor dirty/", remedy=LAYOUT)
    for name, label in FOLDERS.items():
        for path in sorted((folder / name).rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield Sample(name=path.relative_to(root).as_posix(), path=path, label=label, split=split)
