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
MOST_KINDS = 4  # of other files, and of other folders, that are told
BESIDE = frozenset({"between", "degrees.csv", "drawn.json", "learned-from.json"})  # of `render` and `train`
DECISIONS = ".decisions.json"  # how the names of files end that say what a person decided
FOLDERS = {"clean": Label.CLEAN, "dirty": Label.DIRTY}
LAYOUT = (
    "It needs folders clean/ and dirty/, in small letters, or train/ and test/ with these in each, or is a manifest of "
    "JSON lines"
)


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
            raise BadDataset(f"{path}: {_neither(path)}", remedy=LAYOUT)
    except OSError as error:
        problem = f"{error.filename}: cannot be read ({error.strerror})"
        raise BadDataset(problem, remedy="Check who may read it") from error
    if not samples:
        raise BadDataset(f"{path}: holds no picture ({', '.join(sorted(SUFFIXES))})", remedy=LAYOUT)
    return tuple(sorted(samples, key=lambda sample: sample.name))


def _neither(path: Path) -> str:
    if not path.exists():
        return "there is no such folder or manifest"
    if not path.is_file():
        return "is neither"
    return f"is no folder, and a manifest's name ends in {', '.join(sorted(MANIFEST_SUFFIXES))}"


def require_trainable(samples: Sequence[Sample], *, fewest: int) -> None:
    """Raise `BadDataset` unless there are `fewest` pictures or more of each class."""
    for label in FOLDERS.values():
        count = sum(sample.label is label for sample in samples)
        if count < fewest:
            problem = f"only {count} of the pictures are {label.value}, and a training needs {fewest} of each class"
            raise BadDataset(problem, remedy="Add pictures of both, of many ducts and days")


def _in_folder(root: Path, remark: Remark) -> list[Sample]:
    samples: list[Sample] = []
    others: list[Path] = []
    parts = _parts(root)
    for split, path, label in _in_parts(root, parts):
        if path.suffix.lower() in SUFFIXES:
            samples.append(Sample(name=path.relative_to(root).as_posix(), path=path, label=label, split=split))
        elif not _is_clutter(path):
            others.append(path)
        if len(samples) > MOST_SAMPLES:
            raise BadDataset(f"{root}: holds more than {MOST_SAMPLES} pictures", remedy="Leave out near twins")
    if others:
        remark(f"Files left out, as they are no pictures that can be read here: {_kinds(others)}.")
    _tell_of_others(root, parts, remark)
    return samples


def _tell_of_others(root: Path, parts: Mapping[Path, Split], remark: Remark) -> None:
    """What lies beside the classes' folders: pictures in val/, Dirty/ or unsure/ would be missed by nobody."""
    others = [
        path
        for folder in dict.fromkeys((root, *parts))
        for path in sorted(folder.iterdir())
        if path not in parts and not (folder in parts and path.name in FOLDERS)
        if not _is_clutter(path) and path.name not in BESIDE and not path.name.endswith(DECISIONS)
    ]
    folders = [f"{path.relative_to(root).as_posix()}/" for path in others if path.is_dir()]
    if folders:
        more = ", ..." if len(folders) > MOST_KINDS else ""
        remark(f"Folders left out, as they are no classes: {', '.join(folders[:MOST_KINDS])}{more}.")
    if files := [path for path in others if not path.is_dir()]:
        remark(f"Files left out, as they lie in neither clean/ nor dirty/: {_kinds(files)}.")


def _is_clutter(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in CLUTTER


def _kinds(files: Sequence[Path]) -> str:
    """3 (2 .heic, 1 .gif)."""
    suffixes = Counter(path.suffix.lower() or "without a suffix" for path in files)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in suffixes.most_common(MOST_KINDS))
    return f"{len(files):,} ({kinds}{', ...' if len(suffixes) > MOST_KINDS else ''})"


def _parts(root: Path) -> dict[Path, Split]:
    """The folders that have clean/ and dirty/."""
    splits = {root / split.value: split for split in (Split.TRAIN, Split.TEST)}
    found = {folder: split for folder, split in splits.items() if folder.is_dir()}
    if found and any((root / name).is_dir() for name in FOLDERS):
        raise BadDataset(f"{root}: has both train/ or test/ and clean/ or dirty/", remedy=LAYOUT)
    return found or {root: Split.ANY}


def _in_parts(root: Path, parts: Mapping[Path, Split]) -> Iterator[tuple[Split, Path, Label]]:
    """All files, pictures or not."""
    for folder, split in parts.items():
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
