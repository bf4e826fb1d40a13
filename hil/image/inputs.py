"""What an image is made of, as one number: equal inputs give an equal image, so it need not be built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from hil.image.boards import Board
from hil.image.package import REPOSITORY, SOURCES

RECIPE = ("hil/image", "packaging")
LEFT_OUT = {"__pycache__"}


def lock_file(board: Board) -> Path:
    return Path(__file__).parent / f"packages.{board.architecture}.lock"


def image_key(board: Board) -> str:
    """Changes whenever the image of this board might."""
    others = {f"packages.{name}.lock" for name in ("amd64", "arm64")} - {lock_file(board).name}
    files = [path for path in files_below(REPOSITORY, (*SOURCES, *RECIPE)) if path.name not in others]
    return digest(REPOSITORY, files, board.architecture)


def files_below(root: Path, names: Iterable[str]) -> list[Path]:
    """The files `names` and those in the folders `names`, in order, without what Python leaves beside them."""
    found = []
    for name in names:
        path = root / name
        found += [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
    return sorted(path for path in found if not LEFT_OUT & set(path.relative_to(root).parts))


def digest(root: Path, files: Iterable[Path], *words: str) -> str:
    """SHA-256 over names, contents and whether each may be run; not over dates, nor where `root` lies."""
    total = hashlib.sha256()
    for word in words:
        total.update(f"{len(word)}:{word}".encode())
    for path in files:
        content, executable = path.read_bytes(), bool(path.stat().st_mode & 0o100)
        total.update(f"{path.relative_to(root)}\0{executable}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
