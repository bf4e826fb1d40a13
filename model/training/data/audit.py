"""Looks for all that would mislead a training, among pictures that were looked at. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.training.data.findings import ADVICE, BROKEN, FEWEST, MOST_UNLIKE, Finding, Kind
from model.training.data.logistic import Features
from model.training.data.looking import Seen
from model.training.data.samples import Split
from model.training.data.suspects import FEWEST_NEIGHBOURED, mislabelled, outliers
from model.training.data.twins import Mask, join, twin_pairs
from model.types import Label

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """`group` by name, of the usable pictures: what a split must not part. `agreement`: see `suspects.Doubts`."""

    findings: tuple[Finding, ...]
    group: Mapping[str, int]
    agreement: float | None
    not_looked_for: frozenset[Kind]

    @property
    def needs_person(self) -> bool:
        return any(ADVICE[finding.kind].needs_person for finding in self.findings)


def audit(seen: Sequence[Seen], features: Features | None, *, decided: Collection[str] = ()) -> Audit:
    """All findings, the most urgent kinds first.

    `features` (n, d) are those of the usable of `seen`, in their order; None if there are none to be had: wrong labels
    and outliers are not looked for then. `decided` are names that a person has decided on: a finding on them alone is
    settled, unless it is of a picture that nobody can use.
    """
    usable = [one for one in seen if one.prints is not None]
    group, unlike, across = _related(usable)
    findings = [*_broken(seen), *_sizes(usable), *_twins(usable, group, unlike, across)]
    agreement = None
    if features is not None:
        dirty = np.array([one.sample.label is Label.DIRTY for one in usable], bool)
        doubts = mislabelled(features, dirty, group)
        agreement = doubts.agreement
        findings += [_doubt(usable[one.place], one.strength) for one in doubts.suspects]
        findings += [_outlier(usable[one.place], one.strength) for one in outliers(features, group)]
    still = [finding for finding in findings if not _settled(finding, decided)]
    kinds = list(Kind)
    return Audit(
        findings=tuple(sorted(still, key=lambda finding: kinds.index(finding.kind))),
        group={one.sample.name: int(number) for one, number in zip(usable, group, strict=True)},
        agreement=agreement,
        not_looked_for=frozenset(
            [
                *([Kind.MISLABELLED] if agreement is None else []),
                *([Kind.OUTLIER] if features is None or len(usable) < FEWEST_NEIGHBOURED else []),
            ]
        ),
    )


def _settled(finding: Finding, decided: Collection[str]) -> bool:
    return bool(finding.names) and finding.kind not in BROKEN and all(name in decided for name in finding.names)


def _broken(seen: Sequence[Seen]) -> Iterator[Finding]:
    for one in seen:
        if one.problem:
            kind = Kind.MISSING if one.missing else Kind.UNREADABLE
            yield Finding(kind=kind, names=(one.sample.name,), why=one.problem)


def _sizes(usable: Sequence[Seen]) -> Iterator[Finding]:
    dirty = sum(one.sample.label is Label.DIRTY for one in usable)
    clean = len(usable) - dirty
    why = f"{clean:,} clean and {dirty:,} dirty"
    if min(clean, dirty) < FEWEST:
        yield Finding(kind=Kind.TOO_FEW, names=(), why=why)
    elif max(clean, dirty) > MOST_UNLIKE * min(clean, dirty):
        yield Finding(kind=Kind.IMBALANCE, names=(), why=why)


def _related(usable: Sequence[Seen]) -> tuple[Places, Mask, Mask]:
    """The group (n,) of each, and which are the same picture as one of the other label, or twin of one in the other
    split."""
    prints = np.array([one.prints for one in usable], np.uint64).reshape(-1, 4)
    dirty = np.array([one.sample.label is Label.DIRTY for one in usable], bool)
    split = np.array([list(Split).index(one.sample.split) for one in usable], np.intp)
    group = np.arange(len(usable))
    unlike, across = np.zeros((2, len(usable)), bool)
    for pairs, same in twin_pairs(prints):
        join(group, pairs)
        unlike[pairs[same & (dirty[pairs[:, 0]] != dirty[pairs[:, 1]])]] = True
        across[pairs[split[pairs[:, 0]] != split[pairs[:, 1]]]] = True
    return group, unlike, across


def _twins(usable: Sequence[Seen], group: Places, unlike: Mask, across: Mask) -> Iterator[Finding]:
    """Of each group, the largest pictures first: what contradicts, what leaks, and what is merely alike."""
    members: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(usable)), key=lambda place: _largest_first(usable[place])):
        members[int(group[place])].append(place)
    for _, places in sorted(members.items()):
        for kind, concerned in ((Kind.CONTRADICTION, unlike), (Kind.ACROSS, across)):
            if found := [place for place in places if concerned[place]]:
                yield _on(kind, [usable[place] for place in found])
        alike: dict[tuple[Label, Split], list[Seen]] = defaultdict(list)
        for place in places:
            sample = usable[place].sample
            alike[sample.label, sample.split].append(usable[place])
        for pictures in alike.values():
            yield from _alike(pictures)


def _alike(pictures: Sequence[Seen]) -> Iterator[Finding]:
    """Twins of one label and one split: the same file again, and different files that show the same."""
    copies: dict[str | None, list[Seen]] = defaultdict(list)
    for one in pictures:
        copies[one.sha256].append(one)
    for same in copies.values():
        if len(same) > 1:
            yield _on(Kind.EXACT, same)
    if len(copies) > 1:
        yield _on(Kind.NEAR, [same[0] for same in copies.values()])


def _on(kind: Kind, pictures: Sequence[Seen]) -> Finding:
    labels = Counter(one.sample.label.value.lower() for one in pictures)
    splits = Counter(one.sample.split.value for one in pictures)
    what = "the same file" if len({one.sha256 for one in pictures}) == 1 else "alike"
    why = {
        Kind.CONTRADICTION: f"{what}: {_counted(labels)}",
        Kind.ACROSS: f"{what}: {_counted(splits)}",
        Kind.EXACT: f"the same file {len(pictures)} times",
        Kind.NEAR: f"{len(pictures)} alike",
    }
    return Finding(kind=kind, names=tuple(one.sample.name for one in pictures), why=why[kind])


def _counted(counts: Counter[str]) -> str:
    return " and ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _largest_first(one: Seen) -> tuple[int, int, str]:
    """Of equal pictures the one with the shortest name, which others were copied from."""
    return -one.width * one.height, len(one.sample.name), one.sample.name


def _doubt(one: Seen, probability: float) -> Finding:
    other = "clean" if one.sample.label is Label.DIRTY else "dirty"
    why = f"{other} by {probability:.0%}, going by the others"
    return Finding(kind=Kind.MISLABELLED, names=(one.sample.name,), why=why)


def _outlier(one: Seen, times: float) -> Finding:
    why = f"{times:.1f} times as far as usual from the pictures most like it"
    return Finding(kind=Kind.OUTLIER, names=(one.sample.name,), why=why)
