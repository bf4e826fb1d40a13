"""Data sets parted for measuring: which photos are measured on in which round, and the folders that say so.

Nothing is copied: a folder has links to the photos where they are.
"""

from __future__ import annotations

import csv
import hashlib
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from model.training.data.asked import asked_for
from model.training.data.looking import look_at_all
from model.training.data.samples import Sample
from model.training.data.splits import split
from model.training.data.twins import groups
from model.training.evaluation.paired import Groups
from model.types import Label

GROUPS, LABELS = "manifest.csv", "labels.csv"
PLAN = "rounds.sha256"
CSV_BYTES = 16 * 1024 * 1024
DEFECTIVE_ABOVE = 0.5  # of elpv's probabilities
TESTED = 4  # one in so many: 656 of elpv's 2,624

Mask = npt.NDArray[np.bool_]


class BadData(Exception):
    """Nothing can be measured on this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """`tested[k]` (n,): the photos that round k measures on; it learns from the others. `how`: for whoever reads it.

    `groups` (n,): a number for each photo, the same for near duplicates, which are right or wrong together.
    """

    name: str
    how: str
    samples: tuple[Sample, ...]
    groups: Groups
    tested: tuple[Mask, ...]

    @property
    def digest(self) -> str:
        lines = [f"{sample.name} {sample.label.value}" for sample in self.samples]
        masks = [np.packbits(mask).tobytes().hex() for mask in self.tested]
        return hashlib.sha256("\n".join([*lines, *masks]).encode()).hexdigest()


def cross_validation(data: Path, folds: int) -> Rounds:
    """Each photo is tested on once, with all that are near duplicates of it. Raises `BadData`, `ModelError`."""
    samples = asked_for(Namespace(data=data, places=[], classes=[], attribute=None))
    given = _given_groups(data / GROUPS, samples)
    if given is None:
        samples, group = _found_groups(samples)
    else:
        group = given
    whose = f"as {GROUPS} has them" if given is not None else "found by perceptual hashes"
    dirty = np.array([sample.label is Label.DIRTY for sample in samples], bool)
    parts = split(dirty, group, [1 / folds] * folds, seed=0)
    return Rounds(
        name=data.resolve().name,
        how=f"{folds}-fold cross-validation by {len(np.unique(group))} groups of near duplicates, {whose}",
        samples=samples,
        groups=group,
        tested=tuple(parts == fold for fold in range(folds)),
    )


def elpv(folder: Path, seeds: int) -> Rounds:
    """The solar cells of the package elpv-dataset, a quarter of them tested on, at random, as its authors do.

    `folder` has labels.csv: lines of file, probability of a defect, and kind of cell. A quarter of each probability and
    kind is tested on (Deitsch et al. 2019, Solar Energy 185: 75 % are learned from).
    """
    rows = [line.split() for line in _read(folder / LABELS).splitlines() if line.strip()]
    if not rows or any(len(row) != 3 for row in rows):
        raise BadData(f"{folder / LABELS}: its lines are not file, probability and kind, as in elpv-dataset 1.0")
    samples = tuple(
        Sample(name=name, path=folder / name, label=Label.DIRTY if float(share) > DEFECTIVE_ABOVE else Label.CLEAN)
        for name, share, _ in rows
    )
    _, kinds = np.unique([f"{share} {kind}" for _, share, kind in rows], return_inverse=True)
    return Rounds(
        name="elpv",
        how=f"{seeds} random splits into three quarters and one, stratified by probability and kind of cell: a photo "
        "may be tested on more than once, and is a group by itself; cells of one wafer or module, which nothing names, "
        "are several, which makes intervals too narrow",
        samples=samples,
        groups=np.arange(len(samples)),
        tested=tuple(_quarter(kinds, seed) for seed in range(seeds)),
    )


def prepare(folder: Path, rounds: Rounds, recipe: Sequence[str]) -> None:
    """Make `folder` for these rounds, or see that it is. Raises `BadData` if it has others, or of another recipe.

    `recipe`: lines that say what decides a training besides the photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / PLAN
    if plan.exists() and any(folder.glob("round-*")):
        photos, *there = plan.read_text().splitlines() or [""]
        other = "other photos" if photos != rounds.digest else _other_recipe(there, recipe)
        if other:
            raise BadData(f"{folder}: has rounds of {other}: choose another --out, or remove it")
    plan.write_text("\n".join([rounds.digest, *recipe]) + "\n")


def _other_recipe(there: Sequence[str], here: Sequence[str]) -> str:
    """In words; empty if it is the same."""
    if not there:
        return "a recipe that was not noted then"
    only_there, only_here = (
        ", ".join(line for line in these if line not in others) or "nothing else"
        for these, others in ((there, here), (here, there))
    )
    return "" if list(there) == list(here) else f"another recipe ({only_there}; here it is {only_here})"


def write_round(folder: Path, rounds: Rounds, number: int) -> None:
    """train/ and test/, with clean/ and dirty/ in each."""
    for place, (sample, tested) in enumerate(zip(rounds.samples, rounds.tested[number], strict=True)):
        link = folder / ("test" if tested else "train") / _link(sample, place)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(sample.path.resolve())


def linked(rounds: Rounds, number: int) -> dict[str, int]:
    """The places in `rounds.samples` of the links in test/, by their names from the round's folder on."""
    tested = np.flatnonzero(rounds.tested[number]).tolist()
    return {f"test/{_link(rounds.samples[place], place)}": place for place in tested}


def _link(sample: Sample, place: int) -> str:
    """The number keeps apart what lies in different folders under one name, and the photos in their order."""
    return f"{sample.label.value.lower()}/{place:06}_{PurePath(sample.name).name}"


def _given_groups(manifest: Path, samples: Sequence[Sample]) -> Groups | None:
    if not manifest.is_file():
        return None
    group = {row.get("file"): row.get("group") for row in csv.DictReader(_read(manifest).splitlines())}
    missing = [sample.name for sample in samples if group.get(sample.name) is None]
    if missing:
        raise BadData(f"{manifest}: has no group for {len(missing)} of the photos, such as {missing[0]}")
    _, numbers = np.unique([str(group[sample.name]) for sample in samples], return_inverse=True)
    return numbers


def _found_groups(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], Groups]:
    """What cannot be looked at is left out."""
    seen = [(look.seen.sample, look.seen.prints) for look in look_at_all(samples) if look.seen.prints is not None]
    if not seen:
        raise BadData("none of the photos can be read")
    return tuple(sample for sample, _ in seen), groups(np.stack([prints for _, prints in seen]))


def _quarter(kinds: npt.NDArray[np.intp], seed: int) -> Mask:
    """One in `TESTED` of all, and of each kind to within one."""
    random = np.random.default_rng(seed)
    order = np.concatenate(list(_shuffled(kinds, random)))
    tested = np.zeros(len(kinds), bool)
    tested[order[random.integers(TESTED) :: TESTED]] = True
    return tested


def _shuffled(kinds: npt.NDArray[np.intp], random: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    for kind in np.unique(kinds):
        yield random.permutation(np.flatnonzero(kinds == kind))


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(CSV_BYTES)
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}") from error
