"""Writes what is left of a data set as manifests that Rekognition Custom Labels imports."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from model.errors import ModelError
from model.training.data.contents import real
from model.training.data.decisions import beside
from model.training.data.groundtruth import MANIFEST_SUFFIXES, manifest_lines
from model.training.data.places import no_place, require_away, require_file
from model.training.data.samples import Sample, Split
from model.training.data.whole_file import write_whole

ATTRIBUTE, JOB, OPTION = "duct", "ductwatch", "--export-manifest"
OURS = f'"job-name": "{JOB}"'  # in each line, by which our own are known again


class ExportFailed(ModelError):
    """The manifest of this name was not written; what was there is as it was."""


def check_export(file: Path, samples: Sequence[Sample], *, data: Path, away_from: Collection[Path]) -> None:
    """Raises `ExportFailed` where a manifest would replace some of the data, `NoPlace` where it lies in `away_from` or
    would replace anything but a manifest made here."""
    if file.suffix.lower() not in MANIFEST_SUFFIXES:
        remedy = f"Choose one that ends in {', '.join(sorted(MANIFEST_SUFFIXES))}"
        raise ExportFailed(f"{file}: is no name of a manifest", remedy=remedy)
    taken = {real(data), real(beside(data)), *(real(sample.path) for sample in samples)}
    for path in _by_file(file, samples):
        require_away(path, away_from, OPTION)
        if real(path) in taken:
            raise ExportFailed(f"{path}: is of the data", remedy="Choose another name: the data is never changed")
        with no_place(path, OPTION):
            if path.is_dir() or not path.parent.is_dir():
                raise ExportFailed(f"{path}: is a folder, or in none", remedy="Name a file in a folder that there is")
        require_file(path, OPTION, ours=OURS)


def export_manifests(file: Path, samples: Sequence[Sample], *, data: Path, places: Mapping[str, Path]) -> list[str]:
    """Write each file whole or not at all; what is in which, in sentences. Raises `ExportFailed`.

    Rekognition has data sets of their own for training and testing: where somebody has split, left.manifest becomes
    left.train.manifest and left.test.manifest. `places`: see `source_refs`.
    """
    if not samples:
        raise ExportFailed(f"{file}: not written, as no picture is left", remedy="Look at what was found first")
    said = []
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for path, part in _by_file(file, samples).items():
        refs = source_refs(part, data=data, file=path, places=places)
        labels = [sample.label for sample in part]
        lines = manifest_lines(zip(refs, labels, strict=True), attribute=ATTRIBUTE, job=JOB, created=created)
        try:
            write_whole(path, "".join(lines))
        except OSError as error:
            raise ExportFailed(
                f"{path}: cannot be written ({error.strerror})", remedy="Choose another place"
            ) from error
        said.append(f"What is left{_of(part)} is in {path}.")
        if local := [ref for ref in refs if "://" not in ref]:
            said.append(
                f"It names files of this machine, such as {local[0]}. For Rekognition, say where they will lie: "
                f"--map s3://BUCKET/FOLDER={data if data.is_dir() else 'DIR'}"
            )
    return said


def source_refs(samples: Sequence[Sample], *, data: Path, file: Path, places: Mapping[str, Path]) -> list[str]:
    """What a manifest at `file` calls the pictures: as before if that is no path, such as s3://bucket/a.jpg.

    A path in the folder of one of `places` begins with what that stands for; any other is relative to the manifest.
    """
    here = data if data.is_dir() else data.parent
    prefixes = {real(folder): prefix.rstrip("/") for prefix, folder in places.items()}
    resolved = cache(real)

    def ref(sample: Sample) -> str:
        if sample.path != here / sample.name:
            return sample.name
        path = sample.path.absolute()
        for folder in path.parents:  # the nearest first
            if prefix := prefixes.get(resolved(folder)):
                return f"{prefix}/{path.relative_to(folder).as_posix()}"
        return os.path.relpath(real(path), real(file.parent))

    return [ref(sample) for sample in samples]


def _by_file(file: Path, samples: Sequence[Sample]) -> dict[Path, list[Sample]]:
    """A file for each split, in its name where somebody has split."""
    parts: dict[Path, list[Sample]] = {}
    for sample in samples:
        parts.setdefault(_named(file, sample.split), []).append(sample)
    return parts


def _named(file: Path, split: Split) -> Path:
    return file if split is Split.ANY else file.with_name(f"{file.stem}.{split.value}{file.suffix}")


def _of(part: Sequence[Sample]) -> str:
    return "" if part[0].split is Split.ANY else f" of {part[0].split.value}/"
