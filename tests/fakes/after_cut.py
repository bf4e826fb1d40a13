"""What a power cut may leave of a disk. Harsher than ext4, on purpose.

Of a file: what was synced last, or any beginning of what was written since, with zeros or a hole for the rest. Of each
name by itself: any file that it stood for since its folder was synced, or none. Of a folder whose own name was not
synced: all or nothing. What a failed fsync should have written is never written by a later one (Linux marks those pages
clean).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random

EXTREMES = 4  # of a file


@dataclass(frozen=True, slots=True)
class File:
    """`seen` by whoever reads it, `safe` from a power cut. `grown`: only appended to since. `failed`: its sync did."""

    seen: bytes
    safe: bytes = b""
    grown: bool = True
    failed: bool = False

    @property
    def ways(self) -> int:
        """How many `after_cut` there are; some are alike."""
        return EXTREMES + 3 * max(0, len(self.seen) - self._begun - 1)

    def after_cut(self, way: int) -> bytes:
        """What may be left of it, the extremes first: what lasts, all, zeros and nothing for what was written since."""
        kept, length = self.seen[: self._begun], len(self.seen)
        if way < EXTREMES:
            return (self.safe, self.seen, kept + bytes(length - self._begun), kept)[way]
        further, kind = divmod(way - EXTREMES, 3)
        end = self._begun + 1 + further
        begun, rest = self.seen[:end], self.seen[end:]
        return (begun, begun + bytes(length - end), kept + bytes(end - self._begun) + rest)[kind]

    @property
    def _begun(self) -> int:
        return len(self.safe) if self.grown else 0


@dataclass(slots=True)
class Held:
    """Files by number, names by what they stand for, folders, and of each what does not last yet."""

    files: dict[int, File] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    stood: dict[Path, list[int | None]] = field(default_factory=dict)  # all that a name stood for since it was synced
    folders: set[Path] = field(default_factory=set)
    fleeting: set[Path] = field(default_factory=set)  # folders that are not synced into theirs

    def copy(self) -> Held:
        stood = {path: list(numbers) for path, numbers in self.stood.items()}
        return Held(dict(self.files), dict(self.names), stood, set(self.folders), set(self.fleeting))

    def put(self, path: Path, number: int | None) -> None:
        stood = self.stood.setdefault(path, [self.names.get(path)])
        if number is None:
            del self.names[path]
        else:
            self.names[path] = number
        if number in stood:
            stood.remove(number)
        stood.append(number)

    def sync_names(self, folder: Path) -> None:
        self.stood = {path: numbers for path, numbers in self.stood.items() if path.parent != folder}
        self.fleeting = {path for path in self.fleeting if path.parent != folder}

    def after_cut(self, most: int, random: Random) -> Iterator[Held]:
        """All that may be left, if that is at most `most` of them; else the extremes and some, `most` in all."""
        named = {*self.names.values(), *(number for stood in self.stood.values() for number in stood)}
        torn = {number: file for number, file in self.files.items() if file.seen != file.safe and number in named}
        lost = dict.fromkeys(self.fleeting, (True, False))
        ways = [file.ways for file in torn.values()]
        sizes = [*ways, *map(len, self.stood.values()), *map(len, lost.values())]
        for pick in _picks(sizes, len(torn), most, random):
            take = iter(pick)
            yield self._left(
                {number: file.after_cut(next(take)) for number, file in torn.items()},
                {path: several[next(take)] for path, several in self.stood.items()},
                {folder for folder, several in lost.items() if several[next(take)]},
            )

    def _left(self, texts: dict[int, bytes], names: dict[Path, int | None], lost: set[Path]) -> Held:
        folders = {folder for folder in self.folders if lost.isdisjoint((folder, *folder.parents))}
        left = Held(folders=folders)
        for path, number in {**self.names, **names}.items():
            if number is not None and path.parent in folders:
                left.names[path] = number
                text = texts.get(number, self.files[number].safe)
                left.files[number] = File(text, text)
        return left


def _picks(sizes: list[int], texts: int, most: int, random: Random) -> Iterable[tuple[int, ...]]:
    """Indexes into lists of these sizes, of which the first `texts` are of files' contents.

    The extremes: all that does not last is lost, all is kept; all names are kept, of files with zeros, or empty.
    """
    if math.prod(sizes) <= most:
        return product(*map(range, sizes))
    last = [size - 1 for size in sizes]
    extremes = [tuple(min(kind, size) for size in last[:texts]) + tuple(last[texts:]) for kind in range(EXTREMES)]
    some = (tuple(random.randrange(size) for size in sizes) for _ in range(most))
    return list(dict.fromkeys([(0,) * len(sizes), *extremes, *some]))[:most]
