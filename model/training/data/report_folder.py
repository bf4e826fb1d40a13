"""The folder of a report: written beside its place, and put there whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from model.errors import ModelError
from model.training.data.examination import NAME_DIGITS
from model.training.data.places import no_place, require_away, require_place

PAGE, FINDINGS, PICTURES = "index.html", "findings.json", "pictures"
SCHEMA = "ductwatch.data/1"  # of `FINDINGS`, by which a report's folder is known again
BEGINNING_BYTES = 100
THUMBNAIL = re.compile(rf"[0-9a-f]{{{NAME_DIGITS}}}\.jpg")
OPTION = "--report"


class ReportFailed(ModelError):
    """The report could not be written: what was there before is as it was."""


@contextmanager
def report_folder(folder: Path, *, away_from: Collection[Path]) -> Iterator[Path]:
    """A folder to write `PAGE`, `FINDINGS` and JPEGs in `PICTURES` into; at the end of the block they are in `folder`.

    A report that is there already is replaced, and other files beside it are left alone. If the block raises, nothing
    has changed. Raises `ReportFailed`, also where `folder` holds something else; `NoPlace` where it is in `away_from`,
    or cannot be written from the first.
    """
    _check(folder, away_from)
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ductwatch-", dir=folder.parent, ignore_cleanup_errors=True) as beside:
            new = Path(beside)
            (new / PICTURES).mkdir()
            yield new
            _publish(new, folder)
    except OSError as error:
        problem = f"{error.filename or folder}: cannot be written ({error.strerror})"
        raise ReportFailed(problem, remedy="Choose a folder that may be written, on a disk with room") from error


def _check(folder: Path, away_from: Collection[Path]) -> None:
    require_away(folder, away_from, OPTION)
    with no_place(folder, OPTION):
        if folder.exists() and not folder.is_dir():
            raise ReportFailed(f"{folder}: is no folder", remedy="Choose another name")
        if folder.is_dir() and any(folder.iterdir()) and not _is_report(folder):
            raise ReportFailed(f"{folder}: holds other things than a report", remedy="Choose a new or an empty folder")
    require_place(folder, OPTION)


def _is_report(folder: Path) -> bool:
    try:
        with (folder / FINDINGS).open("rb") as file:
            return SCHEMA.encode() in file.read(BEGINNING_BYTES)
    except OSError:
        return False


def _publish(new: Path, folder: Path) -> None:
    """Pictures first, the page last: a page never shows what is not there."""
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    fresh = set()
    for picture in (new / PICTURES).iterdir():
        picture.replace(folder / PICTURES / picture.name)
        fresh.add(picture.name)
    (new / FINDINGS).replace(folder / FINDINGS)
    (new / PAGE).replace(folder / PAGE)
    for picture in (folder / PICTURES).iterdir():
        if THUMBNAIL.fullmatch(picture.name) and picture.name not in fresh:
            picture.unlink()
