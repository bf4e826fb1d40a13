"""Where a command may write: asked before any time is spent. Nothing is left behind by asking.

Nothing is written into the data, and nothing of another kind is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from model.errors import NoPlace
from model.training.data.contents import real
from model.training.data.samples import FOLDERS, Split

BEGINNING_BYTES = 16 * 1024  # of a file, by which it is known again


def in_data(data: Path, places: Iterable[Path], pictures: Iterable[Path]) -> list[Path]:
    """The folders that pictures are read from: `pictures` are all of them, `places` what stands for the prefixes in a
    manifest. But not the manifest's own, or the table's: who has all in one place may have more there.
    """
    folders = dict.fromkeys(picture.parent for picture in pictures)
    if not data.is_dir():
        here = real(data.parent)
        return [*places, *(folder for folder in folders if real(folder) != here)]
    parts = (data, data / Split.TRAIN.value, data / Split.TEST.value)
    return [*parts, *(part / name for part in parts for name in FOLDERS), *folders]  # any may be a link to elsewhere


@contextmanager
def no_place(place: Path, option: str) -> Iterator[None]:
    """What the file system says in the block against this place becomes `NoPlace`."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # links that lead in a circle, and what is no path
        why = error.strerror if isinstance(error, OSError) else error
        raise NoPlace(f"{place}: {why}", remedy=f"Choose another folder for {option}") from error


def require_away(place: Path, away_from: Iterable[Path], option: str) -> None:
    """Raise `NoPlace` if it lies in one of these folders, or nowhere."""
    with no_place(place, option):
        ends = (place.resolve(), place.parent.resolve() / place.name)  # of a link, what it leads to and where it is
    for one in ends:
        for folder in away_from:
            if one.is_relative_to(real(folder)):
                remedy = "Choose a folder beside it: nothing is ever written into the data"
                raise NoPlace(f"{place}: lies in the data {folder}", remedy=remedy)


def require_place(folder: Path, option: str, *, away_from: Collection[Path] = ()) -> None:
    """Raise `NoPlace` unless files can be written there, once it is made."""
    require_away(folder, away_from, option)
    missing: list[Path] = []
    try:
        with no_place(folder, option):
            missing += [one for one in (folder, *folder.parents) if not one.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
    finally:
        for one in missing:
            with suppress(OSError):
                one.rmdir()


def require_file(file: Path, option: str, *, ours: str, away_from: Collection[Path] = ()) -> None:
    """Raise `NoPlace` unless it can be written, and what is there is one like it: its beginning has the text `ours`."""
    require_away(file, away_from, option)
    remedy = f"Choose another place for {option}"
    beginning = b""
    with no_place(file, option), suppress(FileNotFoundError, NotADirectoryError):
        if file.exists() and not file.is_file():
            raise NoPlace(f"{file}: is no file", remedy=remedy)
        with file.open("rb") as there:
            beginning = there.read(BEGINNING_BYTES)
    if beginning and ours.encode() not in beginning:
        raise NoPlace(f"{file}: is something else, and is not replaced", remedy=remedy)
    require_place(file.parent, option)


def make_folder(folder: Path, option: str) -> None:
    """Raises `NoPlace`."""
    with no_place(folder, option):
        folder.mkdir(parents=True, exist_ok=True)
