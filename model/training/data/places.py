"""Where a command may write: asked before any time is spent. Nothing is left behind by asking.

Nothing is written into the data, and nothing of another kind is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from model.errors import NoPlace
from model.training.data.samples import FOLDERS, Split

BEGINNING_BYTES = 16 * 1024  # of a file, by which it is known again


def in_data(data: Path, places: Iterable[Path], pictures: Iterable[Path]) -> list[Path]:
    """The folders that pictures are read from: `pictures` are all of them, `places` what stands for the prefixes in a
    manifest. But not the manifest's own, or the table's: who has all in one place may have more there.
    """
    folders = dict.fromkeys(picture.parent for picture in pictures)
    if not data.is_dir():
        here = data.parent.resolve()
        return [*places, *(folder for folder in folders if folder.resolve() != here)]
    parts = (data, data / Split.TRAIN.value, data / Split.TEST.value)
    return [*parts, *(part / name for part in parts for name in FOLDERS), *folders]  # any may be a link to elsewhere


def require_away(place: Path, away_from: Iterable[Path]) -> None:
    """Raise `NoPlace` if it lies in one of these folders."""
    for one in (place.resolve(), place.parent.resolve() / place.name):  # of a link, what it leads to and where it is
        for folder in away_from:
            if one.is_relative_to(folder.resolve()):
                remedy = "Choose a folder beside it: nothing is ever written into the data"
                raise NoPlace(f"{place}: lies in the data {folder}", remedy=remedy)


def require_place(folder: Path, option: str, *, away_from: Collection[Path] = ()) -> None:
    """Raise `NoPlace` unless files can be written there, once it is made."""
    require_away(folder, away_from)
    missing: list[Path] = []
    try:
        missing += [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _no_place(folder, error, option) from error
    finally:
        for one in missing:
            with suppress(OSError):
                one.rmdir()


def require_file(file: Path, option: str, *, ours: str, away_from: Collection[Path] = ()) -> None:
    """Raise `NoPlace` unless it can be written, and what is there is one like it: its beginning has the text `ours`."""
    require_away(file, away_from)
    remedy = f"Choose another place for {option}"
    try:
        if file.exists() and not file.is_file():
            raise NoPlace(f"{file}: is no file", remedy=remedy)
        with file.open("rb") as there:
            beginning = there.read(BEGINNING_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        beginning = b""
    except OSError as error:
        raise _no_place(file, error, option) from error
    if beginning and ours.encode() not in beginning:
        raise NoPlace(f"{file}: is something else, and is not replaced", remedy=remedy)
    require_place(file.parent, option)


def make_folder(folder: Path, option: str) -> None:
    """Raises `NoPlace`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_place(folder, error, option) from error


def _no_place(place: Path, error: OSError, option: str) -> NoPlace:
    return NoPlace(f"{place}: {error.strerror}", remedy=f"Choose another folder for {option}")
