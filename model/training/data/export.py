"""Writes what is left of a data set as a manifest that Rekognition Custom Labels imports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from model.errors import ModelError
from model.training.data.groundtruth import manifest_lines
from model.training.data.samples import Sample
from model.training.data.whole_file import write_whole

ATTRIBUTE, JOB = "duct", "ductwatch"


class ExportFailed(ModelError):
    """No manifest was written; what was there is as it was."""


def check_export(file: Path, data: Path) -> None:
    """Raises `ExportFailed` where a manifest would be in the data's way."""
    if file.resolve() == data.resolve() or (data.is_dir() and file.resolve().is_relative_to(data.resolve())):
        remedy = "Choose a place beside it: nothing is ever written into the data"
        raise ExportFailed(f"{file}: is the data, or lies in it", remedy=remedy)
    if file.is_dir() or not file.parent.is_dir():
        raise ExportFailed(f"{file}: is a folder, or in none", remedy="Name a file in a folder that there is")


def export_manifest(file: Path, samples: Sequence[Sample], data: Path) -> None:
    """Write the whole file or nothing. Raises `ExportFailed`."""
    if not samples:
        raise ExportFailed(f"{file}: not written, as no picture is left", remedy="Look at what was found first")
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    entries = [(source_ref(sample, data=data, file=file), sample.label) for sample in samples]
    try:
        write_whole(file, "".join(manifest_lines(entries, attribute=ATTRIBUTE, job=JOB, created=created)))
    except OSError as error:
        raise ExportFailed(f"{file}: cannot be written ({error.strerror})", remedy="Choose another place") from error


def source_ref(sample: Sample, *, data: Path, file: Path) -> str:
    """What a manifest at `file` calls the picture: as before, but for a path, which begins at the manifest's folder."""
    here = data if data.is_dir() else data.parent
    if sample.path != here / sample.name:
        return sample.name  # it stands for something elsewhere, such as s3://bucket/a.jpg
    return os.path.relpath(sample.path.resolve(), file.parent.resolve())
