"""Photos as the network is to learn from them: decoded by the board's own code, with labels and groups of twins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.errors import Unreadable
from model.tensors import Decoder, jpeg_frame
from model.training.data.contents import digest_of
from model.training.data.looking import look_at_all
from model.training.data.progress import reported
from model.training.data.samples import BadDataset, Sample, Split
from model.training.data.splits import split
from model.training.data.twins import Pairs, Prints, groups_and_copies, twin_pairs
from model.training.evaluation.frames import read_jpeg
from model.types import Label

FEWEST = 50  # different things of each class: with fewer there is little to learn, and next to nothing to measure on
FEWEST_IN_PART = 3  # of these in each part
MEASURED = 0.2  # of all
NETWORKS, ASIDE = 2, 0.125  # how many are taught, and what each of them does not see of the rest
MOST_UNUSABLE = 0.1  # of all: beyond it something is wrong with the data as a whole
COPIES, BESIDE_BYTES = 2.5, 2_000_000_000
"""What a training needs at most: copies of all decoded photos (these, those learned from, what is seen in them), and
for TensorFlow and the networks. 2.4 GB of 1,011 photos and 3.0 of 2,624, which took 2.1 and 2.3 while it taught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """`rgb` (n, side, side, 3), `dirty` (n,), `prints` (n, 4), `group` (n,) equal for twins and twins of twins;
    `copies` (m, 2): places of two that are the same picture, saved anew or shot again; `unusable`: names and why."""

    samples: tuple[Sample, ...]
    rgb: npt.NDArray[np.uint8]
    dirty: npt.NDArray[np.bool_]
    prints: Prints
    group: npt.NDArray[np.intp]
    copies: Pairs
    unusable: tuple[tuple[str, str], ...]

    def sha256(self) -> str:
        """Of what is learned from: pictures and labels."""
        digest = hashlib.sha256(np.packbits(self.dirty).tobytes())
        digest.update(np.ascontiguousarray(self.rgb).data)
        return digest.hexdigest()


def load_photos(
    samples: Sequence[Sample], side: int, *, fixed_cameras: bool = False, memory_bytes: int | None = None
) -> Photos:
    """Read each photo that can be used. Raises `BadDataset` if too few are left, too many cannot be, or all do not fit.

    With `fixed_cameras`, what looks alike is another day: only the same file counts once, and somebody must have split.
    `memory_bytes`: of this machine, unless given. 1,000 photos take 150 MB at 224 x 224, and a training of them
    `COPIES` times that.
    """
    _require_memory(len(samples), side, _memory_bytes() if memory_bytes is None else memory_bytes)
    if fixed_cameras and not any(sample.split is Split.TEST for sample in samples):
        said = "photos of fixed cameras look alike, so that a split by chance would measure what was learned by heart"
        raise BadDataset(said, remedy="Put the photos of later days into test/, and those before into train/")
    found, seen, unusable = [], [], []
    for look in look_at_all(samples):
        if look.seen.prints is None:
            unusable.append((look.seen.sample.name, look.seen.problem))
        else:
            found.append(look.seen.prints)
            seen.append(look.seen.sample)
    decoder = Decoder(side, side)
    kept: list[int] = []
    rgb = np.empty((len(seen), side, side, 3), np.uint8)
    for place, sample in enumerate(reported(seen, "decoding pictures")):
        try:
            rgb[len(kept)] = decoder.decode(jpeg_frame(read_jpeg(sample.path), sample.name))
            kept.append(place)
        except Unreadable as error:
            unusable.append((sample.name, error.problem))
    _require_few(unusable, len(samples))
    prints = np.array([found[place] for place in kept], np.uint64).reshape(-1, 4)
    if fixed_cameras:
        group, copies = _same_files([seen[place] for place in kept])
    else:
        group, copies = groups_and_copies(prints)
    photos = Photos(
        samples=tuple(seen[place] for place in kept),
        rgb=rgb[: len(kept)],
        dirty=np.array([seen[place].label is Label.DIRTY for place in kept], bool),
        prints=prints,
        group=group,
        copies=copies,
        unusable=tuple(unusable),
    )
    _require_different(photos)
    return photos


@dataclass(frozen=True, slots=True)
class Parts:
    """What is learned from, what of that each network does not see, as its scores are calibrated on it, and what
    is measured on: masks (n,)."""

    learned: npt.NDArray[np.bool_]
    aside: tuple[npt.NDArray[np.bool_], ...]
    measured: npt.NDArray[np.bool_]

    @property
    def left_out(self) -> int:
        """How many photos are for nothing, being the same as some in test/."""
        return int((~(self.learned | self.measured)).sum())


def parts(photos: Photos, *, seed: int) -> Parts:
    """Measured on is what somebody put into test/, else a fifth, with all twins. Each network learns from all but an
    eighth of the rest, another eighth each.

    Whoever has split knows what is alike: only the same pictures as in test/ are left out of the rest. Twins can be
    unlike things: of 1,968 photos of solar cells, whose makers split them at random, 930 have twins in a test/ of 656,
    and 236 are the same pictures by that measure.
    """
    wanted = np.array([sample.split is Split.TEST for sample in photos.samples], bool)
    was_split = bool(wanted.any())
    if was_split:
        known = wanted.copy()
        known[photos.copies[wanted[photos.copies].any(axis=1)]] = True
        rest = np.flatnonzero(~known)
    else:
        wanted = split(photos.dirty, photos.group, [1 - MEASURED, MEASURED], seed=seed) == 1
        rest = np.flatnonzero(~wanted)
    shares = [1 - NETWORKS * ASIDE, *[ASIDE] * NETWORKS]
    part = np.full(len(wanted), -1)
    part[rest] = split(photos.dirty[rest], photos.group[rest], shares, seed=seed)
    aside = tuple(part == 1 + network for network in range(NETWORKS))
    named = [("learned from", part == 0), *(("calibrated on", mask) for mask in aside), ("measured on", wanted)]
    for name, mask in named:
        for label, those in ((Label.CLEAN, mask & ~photos.dirty), (Label.DIRTY, mask & photos.dirty)):
            believed = was_split and mask is wanted
            if (those.sum() if believed else len(np.unique(photos.group[those]))) < FEWEST_IN_PART:
                what = "pictures" if believed else "different things"
                said = f"of what is {name}, fewer than {FEWEST_IN_PART} {what} are {label.value}"
                raise BadDataset(said, remedy="Add pictures of other ducts and days, and both kinds to each part")
    return Parts(part >= 0, aside, wanted)


def twins_measured(photos: Photos, which: Parts) -> int:
    """How many of the photos that are measured on have a twin among those that are learned from; twins of twins are
    none: of 289 photos of smooth metal, 283 hang together so with what is learned from, and 2 have a twin there."""
    has_twin = np.zeros(len(photos.dirty), bool)
    for pairs, _ in twin_pairs(photos.prints):
        for one, other in (pairs.T, pairs.T[::-1]):
            has_twin[one[which.learned[other]]] = True
    return int((has_twin & which.measured).sum())


def measured_samples(samples: Sequence[Sample], photos: Photos, which: Parts) -> list[Sample]:
    """What to measure on: all that somebody put into test/, read or not, as `evaluate` does; else the part for it."""
    in_test = [sample for sample in samples if sample.split is Split.TEST]
    return in_test or [sample for sample, wanted in zip(photos.samples, which.measured, strict=True) if wanted]


def _same_files(samples: Sequence[Sample]) -> tuple[npt.NDArray[np.intp], Pairs]:
    """As `groups_and_copies`, of files that are the same byte for byte."""
    first: dict[str | None, int] = {}
    group = np.array([first.setdefault(digest_of(one.path), place) for place, one in enumerate(samples)], np.intp)
    again = np.flatnonzero(group != np.arange(len(group)))
    return group, np.stack([group[again], again], axis=1)


def _require_memory(count: int, side: int, has_bytes: int) -> None:
    needed_bytes = round(count * side * side * 3 * COPIES) + BESIDE_BYTES
    if needed_bytes > has_bytes:
        gigabytes = f"some {needed_bytes / 1e9:.0f} GB of memory, and this machine has {has_bytes / 1e9:.1f}"
        raise BadDataset(
            f"to learn from {count} photos takes {gigabytes}", remedy="Take fewer photos, or another machine"
        )


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _require_few(unusable: Sequence[tuple[str, str]], of: int) -> None:
    if len(unusable) > MOST_UNUSABLE * of:
        name, problem = unusable[0]
        said = f"{len(unusable)} of {of} pictures cannot be used, such as {name}: {problem}"
        raise BadDataset(said, remedy="Look through them first: ductwatch model data")


def _require_different(photos: Photos) -> None:
    for label, those in ((Label.CLEAN, ~photos.dirty), (Label.DIRTY, photos.dirty)):
        count = len(np.unique(photos.group[those]))
        if count < FEWEST:
            said = f"of different things, the {int(those.sum())} {label.value} pictures show only {count}"
            remedy = "Add pictures of other ducts and days; if the cameras never move, see --fixed-cameras"
            raise BadDataset(f"{said}, and a training needs {FEWEST}", remedy=remedy)
